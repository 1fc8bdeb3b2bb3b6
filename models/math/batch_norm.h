// SPDX-License-Identifier: MIT
// batch_norm.h: batch normalisation in training, whose statistics are those of a column over all rows. It is no norm of
// a row and stands in no slot: Ioffe and Szegedy 2015 (arXiv 1502.03167).
#ifndef BATCH_NORM_H
#define BATCH_NORM_H

#include "matrix.h"

// y = scale (x - mean) / sqrt(variance + eps) + shift, column by column; scale and shift are rows of x's dtype.
// statistics (2, cols): mean and 1 / sqrt(variance + eps), for backward.
void batch_norm(int threads, matrix y, matrix x, matrix scale, matrix shift, float eps, float *statistics);
// Gradients of scale and shift (cols) are f32 and added to.
void batch_norm_backward(int threads, matrix dx, matrix x, matrix scale, matrix dy, const float *statistics,
                         float *dscale, float *dshift);

#endif
