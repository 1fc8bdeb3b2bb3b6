// SPDX-License-Identifier: MIT
// pointwise_rows.h: what one levelled object of pointwise_rows.c exports, between it and pointwise.c, which splits
// matrices into rows and picks the level. Not for others, but that tests force a level here.
#ifndef POINTWISE_ROWS_H
#define POINTWISE_ROWS_H

#include "pointwise.h"

// A row, or a part of one: element c of every result depends on elements c alone. row[] holds its operands in the order
// of pointwise.h's parameters, to which the array always has room for the most.
enum { POINTWISE_OPERANDS = 6 };
typedef void pointwise_row(size_t cols, void *const row[POINTWISE_OPERANDS]);

typedef struct {
    pointwise_row *copy;
    pointwise_row *to_f32, *from_f32; // of other dtypes than f32 itself alone
    pointwise_row *add, *swiglu, *swiglu_backward, *glu, *glu_backward;
    pointwise_row *activation[ACTIVATIONS], *activation_backward[ACTIVATIONS];
    pointwise_row *modulate, *modulate_backward, *gate,
        *gate_backward;        // backward: dshift, dscale and dgate are added to
    pointwise_row *accumulate; // row[0], f32, += row[1]
    void (*rope)(void *x, size_t heads, size_t head_dim, const float *angles, bool inverse);
    // Softmax of scale * x over the first `length` of cols elements, f32, zero beyond; 1 <= length.
    void (*softmax)(float *x, size_t length, size_t cols, float scale);
    // Sum of exp(x - max) over the row; *picked = x[label] - max. x becomes weight (softmax(x) - onehot(label)).
    double (*cross_entropy)(size_t cols, void *x, size_t label, float weight, float *picked);
} pointwise_rows;

// The level that all calls use from now on; NORM_LEVELS: the best, as at the start. false, and no change, if this CPU
// cannot run it.
bool pointwise_select(norm_level level);
norm_level pointwise_level(void); // which that is

#endif
