// SPDX-License-Identifier: MIT
// call.h: every tensor of one call of an implementation, forward and backward, and its results as bytes to be compared.
#ifndef CALL_H
#define CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "norm.h"

typedef enum {
    CALL_X,
    CALL_BRANCH,
    CALL_DY,
    CALL_DSUM,
    CALL_GAMMA,
    CALL_BETA,
    CALL_INPUTS,
    CALL_Y = CALL_INPUTS,
    CALL_SUM,
    CALL_DX,
    CALL_MATRICES, // those of results, whose rows are the rows of the batch, end here
    CALL_DGAMMA = CALL_MATRICES,
    CALL_DBETA,
    CALL_SCALARS, // dalpha and dshift
    CALL_SAVED,
    CALL_WORKSPACE,
    CALL_TENSORS
} call_tensor;

// The arguments of rows that are `stride` elements apart in every tensor: scalars set, tensors not.
norm_args call_args(size_t rows, size_t cols, size_t stride);

typedef struct {
    const norm_impl *impl;
    norm_args args;
    unsigned char *data[CALL_TENSORS];
    size_t bytes[CALL_TENSORS];
} call;

// Room for `rows` rows without gaps and for teams of up to `threads`; the inputs drawn, the scalars set. false if
// memory ran out.
bool call_make(call *c, const norm_impl *impl, size_t rows, size_t cols, int threads);
void call_free(call *c);

// Forward, then backward if it has one; all results are first filled with `fill`.
norm_error call_run(call *c, int threads, int fill);

// Whether all results, those of parameters too, are the same bits; if not, *where is the first that is not.
bool call_same(const call *a, const call *b, call_tensor *where);

// The bytes of a row of a matrix.
unsigned char *call_row(const call *c, call_tensor which, size_t row);

// op/variant/form/level/dtype, in a static buffer.
const char *call_name(const norm_impl *impl);

#endif
