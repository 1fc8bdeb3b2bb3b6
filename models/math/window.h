// SPDX-License-Identifier: MIT
// window.h: Swin's bias by distance: what a position's score of another in its window gets by how far apart they lie.
#ifndef WINDOW_H
#define WINDOW_H

#include "matrix.h"

// bias, row h * window^2 + t, column s: table, row (dy + window - 1) * (2 window - 1) + dx + window - 1, column h, with
// (dy, dx) from position s to position t, row by row in their window. table: ((2 window - 1)^2, heads); both dense and
// of one dtype.
void window_bias(int threads, matrix bias, matrix table, size_t window);
// Its gradient is added to dtable; both f32.
void window_bias_backward(int threads, matrix dtable, matrix dbias, size_t window);

#endif
