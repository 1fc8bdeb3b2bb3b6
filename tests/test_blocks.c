// SPDX-License-Identifier: MIT
// What else stands in layers of images, of sound and of pairs: biases by distance, batch norm, sums over triangles and
// the way back to rows, each against its definition in double, in every dtype of layers, on one thread and two.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <omp.h>
#include <stdlib.h>

#include "math/batch_norm.h"
#include "math/draw.h"
#include "math/triangle.h"
#include "math/window.h"
#include "measure/inputs.h"
#include "products.h"
#include "rounding.h"

// A drawn matrix; what is to be written is drawn as well, so that an element left out shows.
static matrix put(norm_dtype dtype, size_t rows, size_t cols, uint64_t seed) {
    const matrix m = {dtype, rows, cols, cols, malloc(rows * cols * norm_dtype_bytes(dtype))};
    assert_non_null(m.data);
    draw_matrix(1, m, seed, 0.0, 1.0);
    return m;
}

static double at(matrix m, size_t row, size_t col) { return (double)matrix_get(m, row, col); }

// terms: how many were summed in f32, of this magnitude in all; what is stored is rounded once more.
static void near(const char *what, matrix m, size_t row, size_t col, double want, double terms, double magnitude) {
    const double bound = 1.01 * ((terms + 2) * 0x1p-24 * magnitude + rounding_of(m.dtype, want));
    if (!(fabs(at(m, row, col) - want) <= bound))
        fail_msg("%s (%zu, %zu): %.9g, want %.9g within %.2g", what, row, col, at(m, row, col), want, bound);
}

static void bias_is_by_distance(norm_dtype dtype, int threads) {
    enum { WINDOW = 3, TOKENS = WINDOW * WINDOW, HEADS = 5, DISTANCES = 2 * WINDOW - 1 };
    const matrix table = put(dtype, DISTANCES * DISTANCES, HEADS, 1), bias = put(dtype, HEADS * TOKENS, TOKENS, 2);
    const matrix dbias = put(NORM_F32, HEADS * TOKENS, TOKENS, 3),
                 dtable = put(NORM_F32, DISTANCES * DISTANCES, HEADS, 4);
    double want[DISTANCES * DISTANCES][HEADS], magnitude[DISTANCES * DISTANCES][HEADS];
    for (size_t i = 0; i < DISTANCES * DISTANCES * HEADS; i++) {
        want[i / HEADS][i % HEADS] = at(dtable, i / HEADS, i % HEADS);
        magnitude[i / HEADS][i % HEADS] = fabs(want[i / HEADS][i % HEADS]);
    }
    window_bias(threads, bias, table, WINDOW);
    window_bias_backward(threads, dtable, dbias, WINDOW);
    for (size_t h = 0; h < HEADS; h++)
        for (size_t t = 0; t < TOKENS; t++)
            for (size_t s = 0; s < TOKENS; s++) {
                const size_t dy = t / WINDOW + WINDOW - 1 - s / WINDOW, dx = t % WINDOW + WINDOW - 1 - s % WINDOW;
                const size_t distance = dy * DISTANCES + dx;
                assert_true(at(bias, h * TOKENS + t, s) == at(table, distance, h));
                want[distance][h] += at(dbias, h * TOKENS + t, s);
                magnitude[distance][h] += fabs(at(dbias, h * TOKENS + t, s));
            }
    for (size_t i = 0; i < DISTANCES * DISTANCES * HEADS; i++)
        near("dtable", dtable, i / HEADS, i % HEADS, want[i / HEADS][i % HEADS], TOKENS,
             magnitude[i / HEADS][i % HEADS]);
    free(table.data);
    free(bias.data);
    free(dbias.data);
    free(dtable.data);
}

// A column's gradient is held against differences of its own forward pass in double.
static double column_loss(matrix x, matrix dy, size_t col, double scale, double shift, double eps, size_t moved,
                          double by) {
    double mean = 0, variance = 0, loss = 0;
    for (size_t r = 0; r < x.rows; r++)
        mean += (at(x, r, col) + (r == moved ? by : 0)) / (double)x.rows;
    for (size_t r = 0; r < x.rows; r++)
        variance += pow(at(x, r, col) + (r == moved ? by : 0) - mean, 2) / (double)x.rows;
    for (size_t r = 0; r < x.rows; r++) {
        const double z = (at(x, r, col) + (r == moved ? by : 0) - mean) / sqrt(variance + eps);
        loss += at(dy, r, col) * (scale * z + shift);
    }
    return loss;
}

static void batch_norm_takes_columns(norm_dtype dtype, int threads) {
    enum { ROWS = 7, COLS = 37 };
    const float eps = 0.03f;
    const matrix x = put(dtype, ROWS, COLS, 5), scale = put(dtype, 1, COLS, 6), shift = put(dtype, 1, COLS, 7);
    const matrix y = put(dtype, ROWS, COLS, 8), dy = put(dtype, ROWS, COLS, 9), dx = put(dtype, ROWS, COLS, 10);
    float statistics[2 * COLS], dscale[COLS] = {0}, dshift[COLS] = {0};
    const double step = 1e-4;
    batch_norm(threads, y, x, scale, shift, eps, statistics);
    batch_norm_backward(threads, dx, x, scale, dy, statistics, dscale, dshift);
    for (size_t c = 0; c < COLS; c++) {
        const double gamma = at(scale, 0, c), beta = at(shift, 0, c);
        double mean = 0, variance = 0, want_scale = 0, want_shift = 0;
        for (size_t r = 0; r < ROWS; r++)
            mean += at(x, r, c) / (double)ROWS;
        for (size_t r = 0; r < ROWS; r++)
            variance += pow(at(x, r, c) - mean, 2) / (double)ROWS;
        for (size_t r = 0; r < ROWS; r++) {
            const double z = (at(x, r, c) - mean) / sqrt(variance + (double)eps);
            near("y", y, r, c, gamma * z + beta, 8, 8 + fabs(beta));
            want_scale += at(dy, r, c) * z;
            want_shift += at(dy, r, c);
            const double high = column_loss(x, dy, c, gamma, beta, (double)eps, r, step);
            const double low = column_loss(x, dy, c, gamma, beta, (double)eps, r, -step);
            // Differences err by some 1e-7 here, which 20 more terms of f32 cover.
            near("dx", dx, r, c, (high - low) / (2 * step), 60, 8);
        }
        assert_true(fabs((double)dscale[c] - want_scale) < 1e-4 && fabs((double)dshift[c] - want_shift) < 1e-5);
    }
    const matrix all[] = {x, scale, shift, y, dy, dx};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i].data);
}

enum { CHANNELS = 3, BATCH = 2, TOKENS = 5, AREA = TOKENS * TOKENS };

// What triangle.h says: element (i, j) of a channel's matrix b, from the k-th pairs of two others.
static void expect_sum(const char *what, matrix out, matrix a, bool mirrored_a, matrix b, bool mirrored_b) {
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t e = 0; e < BATCH * AREA; e++) {
            const size_t first = e / AREA * AREA, i = e % AREA / TOKENS, j = e % TOKENS;
            double sum = 0, magnitude = 0;
            for (size_t k = 0; k < TOKENS; k++) {
                const double term = at(a, c, first + (mirrored_a ? k * TOKENS + i : i * TOKENS + k)) *
                                    at(b, c, first + (mirrored_b ? j * TOKENS + k : k * TOKENS + j));
                sum += term;
                magnitude += fabs(term);
            }
            near(what, out, c, e, sum, TOKENS, magnitude);
        }
}

static void sums_are_over_triangles(norm_dtype dtype, int threads) {
    omp_set_num_threads(threads);
    matrix m[6];
    enum { A, B, OUT, DOUT, DA, DB };
    for (size_t i = 0; i < 6; i++)
        m[i] = put(dtype, CHANNELS, BATCH * AREA, 20 + i);
    for (int incoming = 0; incoming < 2; incoming++) {
        const triangle_shape s = {BATCH, TOKENS, incoming};
        float *const scratch = malloc(triangle_bytes(&s, dtype) + 1);
        assert_non_null(scratch);
        assert_true(triangle_forward(&s, m[A], m[B], m[OUT], triangle_bytes(&s, dtype) > 0 ? scratch : NULL));
        assert_true(
            triangle_backward(&s, m[A], m[B], m[DOUT], m[DA], m[DB], triangle_bytes(&s, dtype) > 0 ? scratch : NULL));
        expect_sum("out", m[OUT], m[A], incoming, m[B], !incoming);
        // out = a b^T: da = dout b, db = dout^T a. out = a^T b: da = b dout^T, db = a dout.
        if (incoming) {
            expect_sum("da", m[DA], m[B], false, m[DOUT], true);
            expect_sum("db", m[DB], m[A], false, m[DOUT], false);
        } else {
            expect_sum("da", m[DA], m[DOUT], false, m[B], false);
            expect_sum("db", m[DB], m[DOUT], true, m[A], false);
        }
        free(scratch);
    }
    for (size_t i = 0; i < 6; i++)
        free(m[i].data);
}

static void columns_become_rows(norm_dtype dtype, int threads) {
    const matrix x = put(dtype, 45, 70, 30), out = put(dtype, 70, 45, 31);
    transpose(threads, out, x);
    for (size_t r = 0; r < x.rows; r++)
        for (size_t c = 0; c < x.cols; c++)
            assert_true(at(out, c, r) == at(x, r, c));
    free(x.data);
    free(out.data);
}

static void in_every_dtype_on_any_team(void (*check)(norm_dtype dtype, int threads)) {
    for (norm_dtype dtype = NORM_F32; dtype < MODEL_DTYPES; dtype++)
        for (int threads = 1; threads <= 2; threads++)
            check(dtype, threads);
}

static void distances(void **state) {
    (void)state;
    in_every_dtype_on_any_team(bias_is_by_distance);
}
static void columns(void **state) {
    (void)state;
    in_every_dtype_on_any_team(batch_norm_takes_columns);
}
static void triangles(void **state) {
    (void)state;
    in_every_dtype_on_any_team(sums_are_over_triangles);
}
static void transpositions(void **state) {
    (void)state;
    in_every_dtype_on_any_team(columns_become_rows);
}

int main(void) {
    skip_without_products();
    const struct CMUnitTest tests[] = {cmocka_unit_test(distances), cmocka_unit_test(columns),
                                       cmocka_unit_test(triangles), cmocka_unit_test(transpositions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
