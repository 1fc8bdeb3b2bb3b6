// SPDX-License-Identifier: MIT
// Norms of rows whose squares leave the range of f32: from denormals to the largest floats, with and without an eps, in
// every form and at every level, in blocks beside ordinary rows, in place, and cut over a team.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/stats.h"
#include "measure/inputs.h"
#include "norm.h"

// The rows' magnitudes, ordinary ones among them, at places of every kind in blocks of two and four.
static const double sizes[] = {1, 1e-30, 1e25, 1, 1, 3e-20, 1e19, 1, 1, 1, 1, 1, 1e-38, 3e37, 1, 1e-24, 1};
enum { ROWS = sizeof sizes / sizeof *sizes, COLS = 256, ELEMENTS = ROWS * COLS };
static const float epsilons[] = {0, 1e-38f, 1e-5f};

typedef struct {
    float x[ELEMENTS], y[ELEMENTS], branch[ELEMENTS], sum[ELEMENTS], dy[ELEMENTS], dx[ELEMENTS], dsum[ELEMENTS],
        gamma[COLS], beta[COLS], dgamma[COLS], dbeta[COLS];
    double want[COLS], scale[COLS], dgamma_want[COLS], dgamma_scale[COLS], dbeta_want[COLS], dbeta_scale[COLS];
} tensors; // room for either dtype
static tensors t;

// Form framework over- and underflows where a framework does, and f16 has no such numbers.
static bool is_tested(const norm_impl *impl) {
    return (impl->op == NORM_LAYERNORM || impl->op == NORM_RMSNORM) && impl->level != NORM_LEVEL_LIBRARY &&
           impl->form != NORM_FRAMEWORK && impl->dtype != NORM_F16 && norm_missing(impl) == NULL;
}

// Gradients of the smallest rows may leave the range: dy is small there. Their numbers are denormals of f32; those of
// bf16 the hardware's conversion flushes.
static void fill(norm_dtype dtype, norm_dtype affine, size_t cols) {
    stats_rng rng;
    stats_rng_seed(&rng, 3, cols);
    for (size_t row = 0; row < ROWS; row++) {
        const double size = dtype == NORM_BF16 ? fmax(sizes[row], 1e-35) : sizes[row];
        for (size_t i = 0; i < cols; i++) {
            const double draw = 2 * stats_rng_uniform(&rng) - 1, slope = 2 * stats_rng_uniform(&rng) - 1;
            dtype_set(dtype, t.x, row * cols + i, size * draw);
            dtype_set(dtype, t.branch, row * cols + i, 0);
            dtype_set(dtype, t.dy, row * cols + i, sizes[row] < 1e-35 ? 1e-4 * slope : slope);
            dtype_set(dtype, t.dsum, row * cols + i, 0);
        }
    }
    for (size_t i = 0; i < cols; i++) {
        dtype_set(affine, t.gamma, i, 0.5 + stats_rng_uniform(&rng));
        dtype_set(affine, t.beta, i, stats_rng_uniform(&rng));
    }
}

static norm_args arguments(const norm_impl *impl, size_t cols, float eps) {
    norm_args a = {.rows = ROWS, .cols = cols, .x = t.x, .y = t.y, .branch = t.branch, .sum = t.sum, .dy = t.dy};
    a.x_stride = a.y_stride = a.dy_stride = a.dx_stride = a.branch_stride = a.sum_stride = a.dsum_stride = cols;
    a.dx = t.dx;
    a.dsum = t.dsum;
    a.gamma = t.gamma;
    a.beta = t.beta;
    a.dgamma = t.dgamma;
    a.dbeta = t.dbeta;
    a.eps = eps;
    a.saved = malloc(norm_saved_bytes(impl, ROWS, cols));
    a.workspace = malloc(norm_workspace_bytes(impl, ROWS, cols, 2) + 1);
    assert_non_null(a.saved);
    assert_non_null(a.workspace);
    return a;
}

// Held to the row's largest value: the scales of the reference know of FLT_MIN, which is all there is in some rows.
static void compare(const norm_impl *impl, const norm_args *a, const char *what, const void *got, size_t row,
                    const double *want) {
    const double unit = impl->dtype == NORM_BF16 ? 0x1p-7 : 0x1p-23;
    const double roundings = impl->op_by_op && impl->dtype == NORM_BF16 ? 4 : impl->dtype == NORM_BF16 ? 1 : 16;
    double largest = 0;
    for (size_t i = 0; i < a->cols; i++)
        largest = fmax(largest, fabs(want[i]));
    // The hardware's bf16 conversion flushes denormals.
    const double least = impl->dtype == NORM_BF16 ? 0x1p-126 : 0x1p-149;
    for (size_t i = 0; i < a->cols; i++) {
        const double value = dtype_get(impl->dtype, got, row * a->cols + i);
        if (!(fabs(value - want[i]) <= roundings * unit * largest + least))
            fail_msg("%s %s %s %s %s, eps %g, %zu columns of %g: %s[%zu, %zu] is %.9g, not %.9g",
                     norm_op_name(impl->op), impl->variant, norm_form_name(impl->form), norm_level_name(impl->level),
                     norm_dtype_name(impl->dtype), (double)a->eps, a->cols, sizes[row], what, row, i, value, want[i]);
    }
}

static void check_forward(const norm_impl *impl, const norm_args *a, const void *y) {
    for (size_t row = 0; row < ROWS; row++) {
        norm_reference_forward(impl->op, impl->params, impl->dtype, a, row, t.want, t.scale);
        compare(impl, a, "y", y, row, t.want);
    }
}

static void check_backward(const norm_impl *impl, const norm_args *a) {
    const size_t bytes = a->cols * sizeof(double);
    memset(t.dgamma_want, 0, bytes);
    memset(t.dgamma_scale, 0, bytes);
    memset(t.dbeta_want, 0, bytes);
    memset(t.dbeta_scale, 0, bytes);
    norm_reference_sums sums = {t.dgamma_want, t.dgamma_scale, t.dbeta_want, t.dbeta_scale, 0, 0, 0, 0};
    for (size_t row = 0; row < ROWS; row++) {
        norm_reference_backward(impl->op, impl->params, impl->dtype, a, row, t.want, t.scale, &sums);
        compare(impl, a, "dx", t.dx, row, t.want);
    }
    const double part = impl->op_by_op && impl->dtype == NORM_BF16 ? 0x1p-5 : 1e-5;
    for (size_t i = 0; i < a->cols; i++) {
        assert_true(!(impl->params & NORM_GAMMA) ||
                    fabs((double)t.dgamma[i] - t.dgamma_want[i]) <= part * t.dgamma_scale[i]);
        assert_true(!(impl->params & NORM_BETA) ||
                    fabs((double)t.dbeta[i] - t.dbeta_want[i]) <= part * t.dbeta_scale[i]);
    }
}

static void rows_of_every_magnitude(void **state) {
    (void)state;
    static const size_t widths[] = {5, 100, COLS};
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        for (size_t w = 0; is_tested(impl) && w < sizeof widths / sizeof *widths; w++)
            for (size_t e = 0; e < sizeof epsilons / sizeof *epsilons; e++) {
                fill(impl->dtype, norm_affine_dtype(impl), widths[w]);
                norm_args a = arguments(impl, widths[w], epsilons[e]);
                const int threads = 1 + (int)(w % 2);
                assert_int_equal(norm_run(impl, NORM_FORWARD, &a, threads), NORM_OK);
                norm_args normed = a;
                if (impl->form == NORM_ADD_FUSED)
                    normed.x = t.sum;
                check_forward(impl, &normed, t.y);
                assert_int_equal(norm_run(impl, NORM_BACKWARD, &normed, threads), NORM_OK);
                check_backward(impl, &normed);
                if (impl->form == NORM_FUSED) { // y over x, of which t.sum is a copy
                    memcpy(t.sum, t.x, sizeof t.x);
                    normed = a;
                    normed.x = t.sum;
                    a.y = t.x;
                    assert_int_equal(norm_run(impl, NORM_FORWARD, &a, threads), NORM_OK);
                    check_forward(impl, &normed, t.x);
                }
                free(a.saved);
                free(a.workspace);
            }
}

// One row over a team: pieces whose squares are out of range, and pieces whose squares are not, of a row where they
// are.
static void rows_over_a_team(void **state) {
    (void)state;
    enum { WIDE = 49999, THREADS = 2 };
    static float x[WIDE], y[WIDE];
    static double want[WIDE], scale[WIDE];
    static const double parts[][2] = {{1e-30, 1e-30}, {1e25, 1e25}, {1e-30, 1e-22}, {1, 1e25}, {1e-25, 1}, {1, 1}};
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (!is_tested(impl) || impl->form != NORM_FUSED || impl->dtype != NORM_F32 || impl->params != 0)
            continue;
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
            stats_rng rng;
            stats_rng_seed(&rng, 5, p);
            for (size_t k = 0; k < WIDE; k++)
                x[k] = (float)(parts[p][k > WIDE / 2] * (2 * stats_rng_uniform(&rng) - 1));
            const norm_args a = {.rows = 1, .cols = WIDE, .x_stride = WIDE, .y_stride = WIDE, .x = x, .y = y};
            assert_int_equal(norm_run(impl, NORM_FORWARD, &a, THREADS), NORM_OK);
            norm_reference_forward(impl->op, 0, NORM_F32, &a, 0, want, scale);
            for (size_t k = 0; k < WIDE; k++)
                if (!(fabs((double)y[k] - want[k]) <= 2e-6))
                    fail_msg("%s %s, halves of %g and %g: y[%zu] is %.9g, not %.9g", norm_op_name(impl->op),
                             norm_level_name(impl->level), parts[p][0], parts[p][1], k, (double)y[k], want[k]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_magnitude),
        cmocka_unit_test(rows_over_a_team),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
