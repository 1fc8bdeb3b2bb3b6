// SPDX-License-Identifier: MIT
// matrix.h: a matrix as an operand of the steps around a norm: where its elements are, not whose they are.
#ifndef MATRIX_H
#define MATRIX_H

#include "norm.h"

// The dtypes below it are those that products, attention and activations have; of the others there are norms alone.
#define MODEL_DTYPES (NORM_F16 + 1) // a number: compared with a dtype, an enum of its own would be a warning

// (rows, cols) elements of dtype, row i beginning at i * stride elements, stride >= cols; any alignment of an element.
typedef struct {
    norm_dtype dtype;
    size_t rows, cols, stride;
    void *data;
} matrix;

#endif
