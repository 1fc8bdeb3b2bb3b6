// SPDX-License-Identifier: MIT
// sequence_rows.h: what one levelled object of sequence_rows.c exports, for causal.c and scan.c, which go through the
// tokens and pick the level: the one that pointwise_select has chosen.
#ifndef SEQUENCE_ROWS_H
#define SEQUENCE_ROWS_H

#include "causal.h"

typedef struct {
    // A row of y = bias + the sum over the taps j of weights[j] x[j]; weights (CAUSAL_TAPS, cols), f32. bias: NULL for
    // none.
    void (*weigh)(size_t cols, const void *const x[CAUSAL_TAPS], const float *weights, const float *bias, void *y);
    // What a row adds to the gradients of weights and bias: dweights[j] += dy x[j], dbias += dy, of columns [begin,
    // end); dweights (CAUSAL_TAPS, cols).
    void (*gather)(size_t cols, size_t begin, size_t end, const void *const x[CAUSAL_TAPS], const void *dy,
                   float *dweights, float *dbias);
} sequence_rows;

const sequence_rows *sequence_rows_of(norm_dtype dtype);

#endif
