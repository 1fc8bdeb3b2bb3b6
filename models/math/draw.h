// SPDX-License-Identifier: MIT
// draw.h: seeded values for weights, inputs and labels. bench/measure/inputs.h draws what a norm alone is measured on,
// row by row with outlier channels; a layer needs hundreds of millions of weights, quickly, so models/ has a generator
// of its own. A value depends on seed, name and position alone: not on threads, arms or the order of drawing.
#ifndef DRAW_H
#define DRAW_H

#include "matrix.h"

// A stream of its own for each name of a seed.
uint64_t draw_seed(uint64_t seed, const char *name);
// Fills a matrix: mean plus deviation times a bell curve that ends at 3.5. Rows are touched by the thread that
// norm_part gives them.
void draw_matrix(int threads, matrix m, uint64_t seed, double mean, double deviation);
void zero_matrix(int threads, matrix m);
// Integers below limit.
void draw_ids(int32_t *ids, size_t count, size_t limit, uint64_t seed);

// One element, rounded to nearest even in bf16.
void matrix_set(matrix m, size_t row, size_t col, float value);
float matrix_get(matrix m, size_t row, size_t col);

#endif
