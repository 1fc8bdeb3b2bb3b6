// SPDX-License-Identifier: MIT
// Fused layernorm where |mean| is up to 1e5 deviations, and whatever a row begins with: far below what the bounds of
// reference.c allow, whose scale forgives a mean that was rounded.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stats.h"
#include "call.h"
#include "measure/inputs.h"
#include "norm.h"
#include "thin.h"

// Rows are a multiple of no block or vector; the last of the widths is an exact number of both.
enum { ROWS = 6, MOST_COLS = 4096, SEEDS = 3 };
static const size_t widths[] = {67, 100, 768, 1000, MOST_COLS};

typedef enum { PLAIN, OUTLIER, OUTLIERS, CONSTANT_START, ZERO_START, ALTERNATING, SORTED, SHAPES } row_shape;

// A row of deviations, of which the first may be what would mislead an estimate of the mean; then their own mean is
// removed and their variance made one, and the mean added.
static void fill_row(row_shape shape, float *x, size_t cols, double size, double mean, uint64_t seed) {
    double d[MOST_COLS], sum = 0, squares = 0;
    stats_rng rng;
    stats_rng_seed(&rng, seed, (uint64_t)shape);
    for (size_t i = 0; i < cols; i++) {
        d[i] = 3.4 * stats_rng_uniform(&rng) - 1.7; // uniform: of variance one
        if (shape == SORTED)
            d[i] = 3.4 * (double)i / (double)cols - 1.7;
        if (shape == ALTERNATING)
            d[i] = i % 2 ? 1 : -1;
        if ((shape == OUTLIER && i == 0) || (shape == OUTLIERS && i < 32))
            d[i] = size;
        if (shape == CONSTANT_START && i < 32)
            d[i] = 1;
    }
    for (size_t i = 0; i < cols; i++)
        sum += d[i];
    for (size_t i = 0; i < cols; i++)
        squares += (d[i] - sum / (double)cols) * (d[i] - sum / (double)cols);
    for (size_t i = 0; i < cols; i++) {
        const bool zero = shape == ZERO_START && i < 8;
        x[i] = zero ? 0 : (float)((d[i] - sum / (double)cols) / sqrt(squares / (double)cols) + mean);
    }
}

// layernorm.c derives 1.4 k + 2.4 k |n| + |n| + 1 units of 2^-24 for n before it is stored; the quotients, the root and
// the rounding of n are 3.5 |n| more. k is near one where rounding errors are as often up as down: below 2e-6, 32
// units, for |n| up to 4. Two values in turn, or many beside an outlier, are nearly equal, and round the same way each
// time; and at one lane a sum is so much larger than its terms that their low bits, all of one pattern at a large mean,
// do too (bench/measure/inputs.c). There k is what it can be at most: half the additions of a chain, of which a row has
// 4 times the lanes of a vector, and 7 to join them.
static double sum_error(row_shape shape, norm_level level, size_t cols) {
    static const size_t lanes[NORM_LEVELS] = {
        [NORM_LEVEL_SCALAR] = 1,
#if defined(__x86_64__)
        [NORM_LEVEL_SSE2] = 4,
        [NORM_LEVEL_AVX2] = 8,
        [NORM_LEVEL_AVX512] = 16
#elif defined(__aarch64__)
        [NORM_LEVEL_NEON] = 4,
        [NORM_LEVEL_SVE128] = 4,
        [NORM_LEVEL_SVE256] = 8,
        [NORM_LEVEL_SVE512] = 16,
        [NORM_LEVEL_SVE1024] = 32,
        [NORM_LEVEL_SVE2048] = 64
#endif
    };
    const size_t width = lanes[level] > 0 ? lanes[level] : 1;
    const bool alike = shape == OUTLIER || shape == OUTLIERS || shape == ZERO_START || shape == ALTERNATING;
    return width > 1 && !alike ? 1 : (double)cols / (8 * (double)width) + 7;
}

static double allowed(double k, double n) { return fmax(0x1p-19, (1.4 * k + (2.4 * k + 4.5) * fabs(n) + 1) * 0x1p-24); }

typedef struct {
    float x[ROWS * MOST_COLS], y[ROWS * MOST_COLS], branch[ROWS * MOST_COLS], sum[ROWS * MOST_COLS],
        dx[ROWS * MOST_COLS], dy[ROWS * MOST_COLS], dsum[ROWS * MOST_COLS], gamma[MOST_COLS], beta[MOST_COLS],
        dgamma[MOST_COLS], dbeta[MOST_COLS];
    double want[MOST_COLS], scale[MOST_COLS];
} tensors;
static tensors t;

// The largest share of what is allowed that y shows.
static double worst_of_y(const norm_impl *impl, const norm_args *normed, double k) {
    double worst = 0;
    for (size_t row = 0; row < normed->rows; row++) {
        norm_reference_forward(NORM_LAYERNORM, impl->params, NORM_F32, normed, row, t.want, t.scale);
        for (size_t i = 0; i < normed->cols; i++) {
            const double error = fabs((double)t.y[row * normed->cols + i] - t.want[i]);
            worst = isnan(error) ? (double)INFINITY : fmax(worst, error / allowed(k, t.want[i]));
        }
    }
    return worst;
}

// dx = r (g - m(g) - n m(g n)) with |g| <= 1, |m(g)| and |m(g n)| <= 1: the errors of n enter times |m(g n)|, and as m
// of g times the error, beside a few roundings of each term.
static double worst_of_dx(const norm_impl *impl, const norm_args *normed, double k) {
    double worst = 0;
    for (size_t row = 0; row < normed->rows; row++) {
        norm_reference_backward(NORM_LAYERNORM, impl->params, NORM_F32, normed, row, t.want, t.scale, NULL);
        double squares = 0, mean = 0;
        const float *const x = (const float *)normed->x + row * normed->cols;
        for (size_t i = 0; i < normed->cols; i++)
            mean += (double)x[i] / (double)normed->cols;
        for (size_t i = 0; i < normed->cols; i++)
            squares += ((double)x[i] - mean) * ((double)x[i] - mean);
        const double rstd = 1 / sqrt(squares / (double)normed->cols + (double)normed->eps);
        for (size_t i = 0; i < normed->cols; i++) {
            const double n = ((double)x[i] - mean) * rstd;
            const double error = fabs((double)t.dx[row * normed->cols + i] - t.want[i]) / rstd;
            worst = isnan(error) ? (double)INFINITY : fmax(worst, error / (2 * allowed(k, n)));
        }
    }
    return worst;
}

static norm_args filled(const norm_impl *impl, row_shape shape, size_t cols, double size, double mean, uint64_t seed) {
    const bool adds = impl->form == NORM_ADD_FUSED;
    stats_rng rng;
    stats_rng_seed(&rng, seed, SHAPES);
    for (size_t row = 0; row < ROWS; row++) {
        fill_row(shape, t.x + row * cols, cols, size, mean, seed * ROWS + row);
        for (size_t i = 0; i < cols; i++) {
            t.branch[row * cols + i] = adds ? (float)(2 * stats_rng_uniform(&rng) - 1) : 0;
            t.dy[row * cols + i] = (float)(2 * stats_rng_uniform(&rng) - 1);
            t.dsum[row * cols + i] = 0;
        }
    }
    for (size_t i = 0; i < cols; i++) {
        t.gamma[i] = 1;
        t.beta[i] = 0;
    }
    norm_args args = call_args(ROWS, cols, cols);
    args.x = t.x, args.y = t.y;
    args.branch = t.branch, args.sum = t.sum, args.dsum = t.dsum;
    args.dy = t.dy, args.dx = t.dx;
    args.gamma = t.gamma, args.beta = t.beta;
    args.dgamma = t.dgamma, args.dbeta = t.dbeta;
    args.eps = 1e-12f;
    return args;
}

static void check(const norm_impl *impl, row_shape shape, size_t cols, double size, double mean, uint64_t seed) {
    norm_args args = filled(impl, shape, cols, size, mean, seed);
    const double k = sum_error(shape, impl->level, cols);
    args.saved = malloc(norm_saved_bytes(impl, ROWS, cols));
    args.workspace = malloc(norm_workspace_bytes(impl, ROWS, cols, 1) + 1);
    assert_non_null(args.saved);
    assert_non_null(args.workspace);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, 1), NORM_OK);
    norm_args normed = args;
    if (impl->form == NORM_ADD_FUSED)
        normed.x = t.sum;
    const double y = worst_of_y(impl, &normed, k);
    assert_int_equal(norm_run(impl, NORM_BACKWARD, &normed, 1), NORM_OK);
    const double dx = worst_of_dx(impl, &normed, k);
    free(args.saved);
    free(args.workspace);
    if (!(y <= 1) || !(dx <= 1))
        fail_msg("%s %s %s: y off by %.3g, dx by %.3g of what is allowed: shape %d, %zu columns, size %g, mean %g, "
                 "seed %d",
                 impl->variant, norm_form_name(impl->form), norm_level_name(impl->level), y, dx, (int)shape, cols, size,
                 mean, (int)seed);
}

static void layernorm_is_accurate_at_any_mean(void **state) {
    (void)state;
    static const double means[] = {0, 0.9, -1.1, 30, -1e3, 100000.0039}, sizes[] = {1e3, 1e6};
    const norm_impl *impl;
    size_t checked = 0;
    for (size_t which = 0; (impl = norm_at(which)) != NULL; which++) {
        if (impl->op != NORM_LAYERNORM || impl->form == NORM_EAGER || impl->form == NORM_FRAMEWORK ||
            impl->dtype != NORM_F32 || norm_level_missing(impl->level) != NULL)
            continue;
        checked++;
        for (row_shape shape = 0; shape < SHAPES; shape++)
            for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
                for (size_t m = 0; m < sizeof means / sizeof *means; m++)
                    for (uint64_t seed = 0; seed < SEEDS; seed++)
                        if (!thinned_out(w + m + seed))
                            check(impl, shape, widths[w], sizes[seed % 2], means[m], seed);
    }
    assert_true(checked >= 4); // two forms, with and without parameters, at level scalar at least
}

// What the check above must tell from a right result: the same formula with a mean rounded to f32.
static void a_rounded_mean_is_told(void **state) {
    (void)state;
    const norm_impl *const impl = norm_find("layernorm", "onepass", "fused", "scalar", "f32");
    assert_non_null(impl);
    const size_t cols = 768;
    const norm_args args = filled(impl, PLAIN, cols, 1e3, 100000.0039, 1);
    for (size_t row = 0; row < ROWS; row++) {
        double mean = 0, squares = 0;
        for (size_t i = 0; i < cols; i++)
            mean += (double)t.x[row * cols + i] / (double)cols;
        for (size_t i = 0; i < cols; i++)
            squares += ((double)t.x[row * cols + i] - mean) * ((double)t.x[row * cols + i] - mean);
        const float rounded = (float)mean, rstd = (float)(1 / sqrt(squares / (double)cols));
        for (size_t i = 0; i < cols; i++)
            t.y[row * cols + i] = (t.x[row * cols + i] - rounded) * rstd;
    }
    assert_true(worst_of_y(impl, &args, 1) > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layernorm_is_accurate_at_any_mean),
        cmocka_unit_test(a_rounded_mean_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
