// SPDX-License-Identifier: MIT
// causal.c: see causal.h. Rows are one thread's, of the gradients of weights columns, so that results are the same
// whatever the team. A filter of fewer taps has zeros in front.
#include "causal.h"

#include <omp.h>
#include <string.h>

#include "pointwise_rows.h"
#include "sequence_rows.h"

#define DECLARE(ID, name, features) extern const sequence_rows sequence_rows_##name[MODEL_DTYPES];
#define POINTER(ID, name, features) sequence_rows_##name,
NORM_LEVEL_LIST(DECLARE)
static const sequence_rows *const tables[NORM_LEVELS] = {NORM_LEVEL_LIST(POINTER)};

const sequence_rows *sequence_rows_of(norm_dtype dtype) { return &tables[pointwise_level()][dtype]; }

// Parts of scratch, each of `channels` numbers.
enum {
    WEIGHTS,
    DWEIGHTS = WEIGHTS + CAUSAL_TAPS,
    GIVEN = DWEIGHTS + CAUSAL_TAPS,
    BIAS = GIVEN + CAUSAL_TAPS,
    ZEROS,
    PARTS
};

size_t causal_bytes(size_t channels) { return PARTS * channels * sizeof(float); }

typedef struct {
    matrix m;
    size_t tokens;
    const void *zeros;
} line;

static const void *row_at(const line *l, size_t row) {
    return (const char *)l->m.data + row * l->m.stride * norm_dtype_bytes(l->m.dtype);
}

// The tokens that those of y at `row` are made of, tap by tap; and those of dy that see the token of x there.
static void taps_before(const line *l, size_t row, const void *taps[CAUSAL_TAPS]) {
    for (size_t j = 0; j < CAUSAL_TAPS; j++) {
        const size_t back = CAUSAL_TAPS - 1 - j;
        taps[j] = row % l->tokens >= back ? row_at(l, row - back) : l->zeros;
    }
}
static void taps_after(const line *l, size_t row, const void *taps[CAUSAL_TAPS]) {
    for (size_t j = 0; j < CAUSAL_TAPS; j++) {
        const size_t ahead = CAUSAL_TAPS - 1 - j;
        taps[j] = row % l->tokens + ahead < l->tokens ? row_at(l, row + ahead) : l->zeros;
    }
}

static void *row_of(matrix m, size_t row) { return (char *)m.data + row * m.stride * norm_dtype_bytes(m.dtype); }

// Weights in f32, a row for each tap.
static void place_weights(matrix weights, float *scratch) {
    const size_t channels = weights.rows, taps = weights.cols;
    float *const given = scratch + GIVEN * channels;
    memset(scratch, 0, causal_bytes(channels));
    pointwise_copy(1, (matrix){NORM_F32, channels, taps, taps, given}, weights);
    for (size_t j = 0; j < taps; j++) {
        float *const row = scratch + (WEIGHTS + CAUSAL_TAPS - taps + j) * channels;
        for (size_t c = 0; c < channels; c++)
            row[c] = given[c * taps + j];
    }
}

void causal_forward(int threads, size_t tokens, matrix x, matrix weights, matrix bias, matrix y, float *scratch) {
    const size_t cols = x.cols;
    const sequence_rows *const rows = sequence_rows_of(x.dtype);
    place_weights(weights, scratch);
    pointwise_copy(1, (matrix){NORM_F32, 1, cols, cols, scratch + BIAS * cols}, bias);
    const line from = {x, tokens, scratch + ZEROS * cols};
#pragma omp parallel for num_threads(threads) default(none) firstprivate(from, rows, y, cols, scratch)
    for (size_t r = 0; r < y.rows; r++) {
        const void *taps[CAUSAL_TAPS];
        taps_before(&from, r, taps);
        rows->weigh(cols, taps, scratch + WEIGHTS * cols, scratch + BIAS * cols, row_of(y, r));
    }
}

void causal_backward(int threads, size_t tokens, matrix x, matrix weights, matrix dy, matrix dx, float *dweights,
                     float *dbias, float *scratch) {
    enum { UNIT = 64 }; // columns that are dealt out
    const size_t cols = x.cols, units = (cols + UNIT - 1) / UNIT, taps = weights.cols;
    const sequence_rows *const rows = sequence_rows_of(x.dtype);
    place_weights(weights, scratch);
    const line values = {x, tokens, scratch + ZEROS * cols}, gradients = {dy, tokens, scratch + ZEROS * cols};
#pragma omp parallel for num_threads(threads) default(none) firstprivate(gradients, rows, dx, cols, scratch)
    for (size_t r = 0; r < dx.rows; r++) {
        const void *after[CAUSAL_TAPS];
        taps_after(&gradients, r, after);
        rows->weigh(cols, after, scratch + WEIGHTS * cols, NULL, row_of(dx, r));
    }
#pragma omp parallel for num_threads(threads) default(none)                                                            \
    firstprivate(values, gradients, rows, cols, units, scratch, dbias, x)
    for (size_t unit = 0; unit < units; unit++) {
        const size_t begin = unit * UNIT, end = begin + UNIT < cols ? begin + UNIT : cols;
        for (size_t r = 0; r < x.rows; r++) {
            const void *before[CAUSAL_TAPS];
            taps_before(&values, r, before);
            rows->gather(cols, begin, end, before, row_at(&gradients, r), scratch + DWEIGHTS * cols, dbias);
        }
    }
    for (size_t j = 0; j < taps; j++)
        for (size_t c = 0; c < cols; c++)
            dweights[c * taps + j] += scratch[(DWEIGHTS + CAUSAL_TAPS - taps + j) * cols + c];
}
