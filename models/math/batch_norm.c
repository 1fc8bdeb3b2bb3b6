// SPDX-License-Identifier: MIT
// batch_norm.c: see batch_norm.h. Columns are dealt out in chunks, so that the sums of one are a thread's, whatever the
// team.
#include "batch_norm.h"

#include <math.h>
#include <stddef.h>

#include "draw.h"

enum { CHUNK = 32 };

typedef struct {
    size_t first, count; // columns
} columns;

static columns chunk_at(size_t cols, size_t index) {
    const size_t first = index * CHUNK, left = cols - first;
    return (columns){first, left < CHUNK ? left : CHUNK};
}

static size_t chunks_of(size_t cols) { return (cols + CHUNK - 1) / CHUNK; }

// A row of a chunk as f32.
static void load(float out[CHUNK], matrix m, size_t row, columns c) {
    if (m.dtype == NORM_F32) {
        const float *const from = (const float *)m.data + row * m.stride + c.first;
        for (size_t i = 0; i < c.count; i++)
            out[i] = from[i];
        return;
    }
    for (size_t i = 0; i < c.count; i++)
        out[i] = matrix_get(m, row, c.first + i);
}

static void store(matrix m, size_t row, columns c, const float values[CHUNK]) {
    if (m.dtype == NORM_F32) {
        float *const to = (float *)m.data + row * m.stride + c.first;
        for (size_t i = 0; i < c.count; i++)
            to[i] = values[i];
        return;
    }
    for (size_t i = 0; i < c.count; i++)
        matrix_set(m, row, c.first + i, values[i]);
}

static void norm_chunk(matrix y, matrix x, matrix scale, matrix shift, float eps, float *statistics, columns c) {
    double mean[CHUNK] = {0}, variance[CHUNK] = {0};
    float in[CHUNK], gamma[CHUNK], beta[CHUNK], out[CHUNK];
    for (size_t r = 0; r < x.rows; r++) {
        load(in, x, r, c);
        for (size_t i = 0; i < c.count; i++)
            mean[i] += (double)in[i];
    }
    for (size_t i = 0; i < c.count; i++)
        mean[i] /= (double)x.rows;
    for (size_t r = 0; r < x.rows; r++) {
        load(in, x, r, c);
        for (size_t i = 0; i < c.count; i++)
            variance[i] += ((double)in[i] - mean[i]) * ((double)in[i] - mean[i]);
    }
    float *const means = statistics + c.first, *const factors = statistics + x.cols + c.first;
    for (size_t i = 0; i < c.count; i++) {
        means[i] = (float)mean[i];
        factors[i] = (float)(1 / sqrt(variance[i] / (double)x.rows + (double)eps));
    }
    load(gamma, scale, 0, c);
    load(beta, shift, 0, c);
    for (size_t r = 0; r < x.rows; r++) {
        load(in, x, r, c);
        for (size_t i = 0; i < c.count; i++)
            out[i] = gamma[i] * ((in[i] - means[i]) * factors[i]) + beta[i];
        store(y, r, c, out);
    }
}

void batch_norm(int threads, matrix y, matrix x, matrix scale, matrix shift, float eps, float *statistics) {
#pragma omp parallel for num_threads(threads) default(none) firstprivate(y, x, scale, shift, eps, statistics)
    for (size_t i = 0; i < chunks_of(x.cols); i++)
        norm_chunk(y, x, scale, shift, eps, statistics, chunk_at(x.cols, i));
}

// dx = scale f (dy - mean(dy) - z mean(dy z)), z = (x - mean) f, f = 1 / sqrt(variance + eps).
static void gradients_of_chunk(matrix dx, matrix x, matrix scale, matrix dy, const float *statistics, float *dscale,
                               float *dshift, columns c) {
    const float *const means = statistics + c.first, *const factors = statistics + x.cols + c.first;
    double sums[CHUNK] = {0}, products[CHUNK] = {0};
    float in[CHUNK], gradient[CHUNK], gamma[CHUNK], out[CHUNK];
    for (size_t r = 0; r < x.rows; r++) {
        load(in, x, r, c);
        load(gradient, dy, r, c);
        for (size_t i = 0; i < c.count; i++) {
            sums[i] += (double)gradient[i];
            products[i] += (double)(gradient[i] * ((in[i] - means[i]) * factors[i]));
        }
    }
    load(gamma, scale, 0, c);
    for (size_t i = 0; i < c.count; i++) {
        dshift[c.first + i] += (float)sums[i];
        dscale[c.first + i] += (float)products[i];
        sums[i] /= (double)x.rows;
        products[i] /= (double)x.rows;
    }
    for (size_t r = 0; r < x.rows; r++) {
        load(in, x, r, c);
        load(gradient, dy, r, c);
        for (size_t i = 0; i < c.count; i++) {
            const float z = (in[i] - means[i]) * factors[i];
            out[i] = gamma[i] * factors[i] * (gradient[i] - (float)sums[i] - z * (float)products[i]);
        }
        store(dx, r, c, out);
    }
}

void batch_norm_backward(int threads, matrix dx, matrix x, matrix scale, matrix dy, const float *statistics,
                         float *dscale, float *dshift) {
#pragma omp parallel for num_threads(threads) default(none) firstprivate(dx, x, scale, dy, statistics, dscale, dshift)
    for (size_t i = 0; i < chunks_of(x.cols); i++)
        gradients_of_chunk(dx, x, scale, dy, statistics, dscale, dshift, chunk_at(x.cols, i));
}
