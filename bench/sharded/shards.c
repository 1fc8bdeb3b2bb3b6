// SPDX-License-Identifier: MIT
// shards.c: see shards.h.
#include "shards.h"

#include <math.h>

#define SHARD_NAME(ID, name) #name,
const char *const shard_split_names[SHARD_SPLITS] = {SHARD_SPLIT_LIST(SHARD_NAME)};
const char *const shard_op_names[SHARD_OPS] = {SHARD_OP_LIST(SHARD_NAME)};
#undef SHARD_NAME

size_t shard_floats(shard_op op) {
    return op == SHARD_RMSNORM ? 1 : op == SHARD_LAYERNORM ? sizeof(shard_moments) / sizeof(float) : 0;
}

// Sums in several lanes, so that they are vectors' work.
static float sum_of_squares(const float *x, size_t cols, float from) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t c = 0; c < cols; c++)
        sum += (x[c] - from) * (x[c] - from);
    return sum;
}

static float mean_of(const float *x, size_t cols) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t c = 0; c < cols; c++)
        sum += x[c];
    return sum / (float)cols;
}

void shard_contribute(shard_op op, size_t rows, size_t cols, size_t stride, const float *x, float *contributions) {
    for (size_t r = 0; r < rows; r++, x += stride) {
        if (op == SHARD_RMSNORM) {
            contributions[r] = sum_of_squares(x, cols, 0.0f);
        } else if (op == SHARD_LAYERNORM) {
            const float mean = mean_of(x, cols);
            contributions[3 * r] = (float)cols;
            contributions[3 * r + 1] = mean;
            contributions[3 * r + 2] = sum_of_squares(x, cols, mean);
        }
    }
}

shard_moments shard_merge(shard_moments a, shard_moments b) {
    const float count = a.count + b.count, apart = b.mean - a.mean;
    if (!(count > 0.0f))
        return a;
    return (shard_moments){count, a.mean + apart * (b.count / count),
                           a.m2 + b.m2 + apart * apart * (a.count * b.count / count)};
}

static void apply_row(const float *x, size_t cols, float mean, float scale, const float *gamma, const float *beta,
                      float *y) {
    if (beta == NULL) {
#pragma omp simd
        for (size_t c = 0; c < cols; c++)
            y[c] = gamma[c] * ((x[c] - mean) * scale);
    } else {
#pragma omp simd
        for (size_t c = 0; c < cols; c++)
            y[c] = gamma[c] * ((x[c] - mean) * scale) + beta[c];
    }
}

void shard_apply(shard_op op, size_t rows, size_t cols, size_t all_cols, const float *x, const float *totals,
                 const float *gamma, const float *beta, float eps, float *y) {
    const size_t floats = shard_floats(op);
    for (size_t r = 0; r < rows; r++) {
        const float *const of = totals + floats * r;
        const float mean = op == SHARD_LAYERNORM ? of[1] : 0.0f;
        const float squares = op == SHARD_LAYERNORM ? of[2] : of[0];
        apply_row(x + r * cols, cols, mean, 1.0f / sqrtf(squares / (float)all_cols + eps), gamma,
                  op == SHARD_LAYERNORM ? beta : NULL, y + r * cols);
    }
}
