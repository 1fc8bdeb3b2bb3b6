// SPDX-License-Identifier: MIT
// The reference against what it must equal: tiny examples worked by hand, and its gradients against differences of its
// forward pass.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stats.h"
#include "measure/inputs.h"
#include "norm.h"

enum { ROWS = 3, COLS = 7, STRIDE = 9, ALL = NORM_GAMMA | NORM_BETA | NORM_ALPHA };

static void assert_close(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.17g, want %.17g, off by %.3g of %.3g", got, want, fabs(got - want), tolerance);
}

// x = {1, 3}: mean 2, variance 1. With eps = 3, rstd = 1/2 and n = {-1/2, 1/2}. gamma = {2, 4}, beta = {10, 20}: y =
// {9, 22}. dy = {1, 1}: g = {2, 4}, m(g) = 3, m(g n) = 1/2; dx = 1/2 ({2, 4} - 3 - n/2) = {-3/8, 3/8}; dgamma = n,
// dbeta = {1, 1}.
static void layernorm_by_hand(void **state) {
    (void)state;
    const float x[] = {1, 3}, gamma[] = {2, 4}, beta[] = {10, 20}, dy[] = {1, 1};
    const norm_args args = {.rows = 1, .cols = 2, .x = x, .gamma = gamma, .beta = beta, .dy = dy, .eps = 3};
    double y[2], dx[2], scale[2], sums[8] = {0};
    norm_reference_sums s = {.dgamma = sums, .dgamma_scale = sums + 2, .dbeta = sums + 4, .dbeta_scale = sums + 6};
    norm_reference_forward(NORM_LAYERNORM, NORM_GAMMA | NORM_BETA, NORM_F32, &args, 0, y, scale);
    assert_close(y[0], 9, 1e-15);
    assert_close(y[1], 22, 1e-15);
    assert_close(scale[0], 2 * 0.5 * (1 + 2) + 10, 1e-15); // |gamma| rstd (|x| + m(|x|)) + |beta|
    norm_reference_backward(NORM_LAYERNORM, NORM_GAMMA | NORM_BETA, NORM_F32, &args, 0, dx, scale, &s);
    assert_close(dx[0], -0.375, 1e-15);
    assert_close(dx[1], 0.375, 1e-15);
    assert_close(s.dgamma[0], -0.5, 1e-15);
    assert_close(s.dgamma[1], 0.5, 1e-15);
    assert_close(s.dbeta[0], 1, 0);
    assert_close(s.dbeta[1], 1, 0);
}

// x = {1, 7}: m(x^2) = 25. With eps = 11, rstd = 1/6 and n = {1/6, 7/6}. gamma = {3, 6}: y = {1/2, 7}.
// dy = {2, 1}: g = {6, 6}, m(g n) = 4; dx = 1/6 ({6, 6} - 4 n) = {8/9, 2/9}; dgamma = {1/3, 7/6}.
static void rmsnorm_by_hand(void **state) {
    (void)state;
    const float x[] = {1, 7}, gamma[] = {3, 6}, dy[] = {2, 1};
    const norm_args args = {.rows = 1, .cols = 2, .x = x, .gamma = gamma, .dy = dy, .eps = 11};
    double y[2], dx[2], scale[2], sums[4] = {0};
    norm_reference_sums s = {.dgamma = sums, .dgamma_scale = sums + 2};
    norm_reference_forward(NORM_RMSNORM, NORM_GAMMA, NORM_F32, &args, 0, y, scale);
    assert_close(y[0], 0.5, 1e-15);
    assert_close(y[1], 7, 1e-14);
    assert_close(scale[1], 7, 1e-14);
    norm_reference_backward(NORM_RMSNORM, NORM_GAMMA, NORM_F32, &args, 0, dx, scale, &s);
    assert_close(dx[0], 8. / 9, 1e-15);
    assert_close(dx[1], 2. / 9, 1e-15);
    assert_close(s.dgamma[0], 1. / 3, 1e-15);
    assert_close(s.dgamma[1], 7. / 6, 1e-15);
}

// tanh((ln 3) / 2) = (3 - 1) / (3 + 1) = 1/2; f32 holds ln 3 to 2^-25, hence the tolerance. alpha = 1/2, gamma = 4,
// beta = 1: y = 3, and -1 at -ln 3. dy = {1, 2}: u = {3, 6}, dx = {3/2, 3}, dgamma = {1/2, -1}, dbeta = dy, dalpha = (3
// - 6) ln 3.
static void dyt_by_hand(void **state) {
    (void)state;
    const float ln3 = 1.0986122886681098f;
    const float x[] = {ln3, -ln3}, gamma[] = {4, 4}, beta[] = {1, 1}, dy[] = {1, 2};
    const norm_args args = {.rows = 1, .cols = 2, .x = x, .gamma = gamma, .beta = beta, .dy = dy, .alpha = 0.5f};
    double y[2], dx[2], scale[2], sums[8] = {0};
    norm_reference_sums s = {.dgamma = sums, .dgamma_scale = sums + 2, .dbeta = sums + 4, .dbeta_scale = sums + 6};
    norm_reference_forward(NORM_DYT, ALL, NORM_F32, &args, 0, y, scale);
    assert_close(y[0], 3, 1e-6);
    assert_close(y[1], -1, 1e-6);
    norm_reference_forward(NORM_DYT, NORM_GAMMA | NORM_ALPHA, NORM_F32, &args, 0, y, scale);
    assert_close(y[0], 2, 1e-6);
    norm_reference_backward(NORM_DYT, ALL, NORM_F32, &args, 0, dx, scale, &s);
    assert_close(dx[0], 1.5, 1e-6);
    assert_close(dx[1], 3, 1e-6);
    assert_close(s.dgamma[0], 0.5, 1e-6);
    assert_close(s.dgamma[1], -1, 1e-6);
    assert_close(s.dbeta[1], 2, 0);
    assert_close(s.dalpha, -3 * log(3), 1e-6);
}

static void identity_by_hand(void **state) {
    (void)state;
    const float x[] = {1.5f, -FLT_MAX}, dy[] = {2, 3};
    const norm_args args = {.rows = 1, .cols = 2, .x = x, .dy = dy};
    double y[2], scale[2];
    norm_reference_forward(NORM_IDENTITY, 0, NORM_F32, &args, 0, y, scale);
    assert_close(y[0], 1.5, 0);
    assert_close(y[1], -(double)FLT_MAX, 0);
    norm_reference_backward(NORM_IDENTITY, 0, NORM_F32, &args, 0, y, scale, NULL);
    assert_close(y[1], 3, 0);
}

// x + branch = {1, 3} in layernorm_by_hand's example: sum's scale is itself and the floor of f32, 2^-102. dsum = {5,
// -7} is added to its dx.
static void addition_by_hand(void **state) {
    (void)state;
    const float x[] = {0.75f, 4}, branch[] = {0.25f, -1}, dsum[] = {5, -7};
    const norm_args args = {.rows = 1, .cols = 2, .x = x, .branch = branch, .dsum = dsum};
    double sum[2], scale[2], dx[] = {-0.375, 0.375}, dx_scale[] = {10, 20};
    norm_reference_sum(NORM_F32, &args, 0, sum, scale);
    assert_close(sum[0], 1, 0);
    assert_close(sum[1], 3, 0);
    assert_close(scale[1], 3, 0);
    norm_reference_add_dsum(NORM_F32, &args, 0, dx, dx_scale);
    assert_close(dx[0], 4.625, 0);
    assert_close(dx[1], -6.625, 0);
    assert_close(dx_scale[1], 27, 0);
    const float none[] = {0, 0};
    const norm_args zero = {.rows = 1, .cols = 2, .x = none, .branch = none};
    norm_reference_sum(NORM_F32, &zero, 0, sum, scale);
    assert_close(scale[0], 0x1p-102, 0);
}

// A problem small enough to differentiate with respect to everything. All values are multiples of 1/64 below 2, so that
// bf16 holds them, and f32 still does when they are moved by the steps below.
typedef struct {
    float x[ROWS * STRIDE], dy[ROWS * STRIDE], gamma[COLS], beta[COLS];
    float branch[ROWS * STRIDE], sum[ROWS * STRIDE], dsum[ROWS * STRIDE]; // form add_fused
    bool adds;
    norm_args args;
} problem;

static void fill(float *values, size_t n, stats_rng *rng) {
    for (size_t i = 0; i < n; i++)
        values[i] = (float)((double)stats_rng_below(rng, 255) - 127) / 64;
}

static void make_problem(problem *p, uint64_t seed) {
    stats_rng rng;
    stats_rng_seed(&rng, seed, 0);
    fill(p->x, ROWS * STRIDE, &rng);
    fill(p->dy, ROWS * STRIDE, &rng);
    fill(p->gamma, COLS, &rng);
    fill(p->beta, COLS, &rng);
    fill(p->branch, ROWS * STRIDE, &rng);
    fill(p->dsum, ROWS * STRIDE, &rng);
    p->adds = false;
    p->args = (norm_args){.rows = ROWS,
                          .cols = COLS,
                          .x_stride = STRIDE,
                          .dy_stride = STRIDE,
                          .branch_stride = STRIDE,
                          .sum_stride = STRIDE,
                          .dsum_stride = STRIDE,
                          .x = p->x,
                          .dy = p->dy,
                          .branch = p->branch,
                          .sum = p->sum,
                          .dsum = p->dsum,
                          .gamma = p->gamma,
                          .beta = p->beta,
                          .alpha = 0.75f,
                          .shift = 0.3125f,
                          .eps = 0.0625f};
}

// What is normalised: x, or its sum with branch, which f32 holds exactly.
static norm_args normed_args(problem *p) {
    norm_args normed = p->args;
    double sum[COLS], scale[COLS];
    for (size_t row = 0; row < ROWS && p->adds; row++) {
        norm_reference_sum(NORM_F32, &p->args, row, sum, scale);
        for (size_t i = 0; i < COLS; i++)
            assert_true((double)(p->sum[row * STRIDE + i] = (float)sum[i]) == sum[i]);
        normed.x = p->sum;
    }
    return normed;
}

// The scalar whose gradient backward computes: sum of dy * y, and in form add_fused of dsum * sum.
static double objective(norm_op op, unsigned params, problem *p) {
    const norm_args normed = normed_args(p);
    double total = 0, y[COLS], scale[COLS];
    for (size_t row = 0; row < ROWS; row++) {
        norm_reference_forward(op, params, NORM_F32, &normed, row, y, scale);
        for (size_t i = 0; i < COLS; i++) {
            const size_t at = row * STRIDE + i;
            total += (double)p->dy[at] * y[i] + (p->adds ? (double)p->dsum[at] * (double)p->sum[at] : 0);
        }
    }
    return total;
}

static double central(norm_op op, unsigned params, problem *p, float *value, float step) {
    const float at = *value;
    *value = at + step;
    const double above = objective(op, params, p);
    *value = at - step;
    const double below = objective(op, params, p);
    *value = at;
    return (above - below) / (2 * (double)step);
}

// Central differences with steps h, h/2, h/4, all exact in f32, extrapolated twice (Richardson): the error falls like
// h^6, some 1e-14 here, beside 1e-12 of cancellation.
static double derivative(norm_op op, unsigned params, problem *p, float *value) {
    const double a = central(op, params, p, value, 0x1p-8f);
    const double b = central(op, params, p, value, 0x1p-9f);
    const double c = central(op, params, p, value, 0x1p-10f);
    const double ab = b + (b - a) / 3, bc = c + (c - b) / 3;
    return bc + (bc - ab) / 15;
}

static void check_gradients(norm_op op, unsigned params, bool adds) {
    problem p;
    make_problem(&p, 7 + (uint64_t)op);
    p.adds = adds;
    const norm_args normed = normed_args(&p);
    double dx[ROWS][COLS], scale[COLS], sums[4][COLS] = {{0}};
    norm_reference_sums s = {.dgamma = sums[0], .dgamma_scale = sums[1], .dbeta = sums[2], .dbeta_scale = sums[3]};
    for (size_t row = 0; row < ROWS; row++)
        norm_reference_backward(op, params, NORM_F32, &normed, row, dx[row], scale, &s);
    for (size_t row = 0; row < ROWS && adds; row++)
        norm_reference_add_dsum(NORM_F32, &normed, row, dx[row], scale);
    const double tolerance = 1e-10;
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < COLS; i++)
            assert_close(dx[row][i], derivative(op, params, &p, &p.x[row * STRIDE + i]), tolerance);
    for (size_t i = 0; i < COLS && adds; i++) // the same gradient
        assert_close(dx[1][i], derivative(op, params, &p, &p.branch[STRIDE + i]), tolerance);
    for (size_t i = 0; i < COLS; i++) {
        if (params & NORM_GAMMA)
            assert_close(s.dgamma[i], derivative(op, params, &p, &p.gamma[i]), tolerance);
        if (params & NORM_BETA)
            assert_close(s.dbeta[i], derivative(op, params, &p, &p.beta[i]), tolerance);
    }
    if (params & NORM_ALPHA)
        assert_close(s.dalpha, derivative(op, params, &p, &p.args.alpha), tolerance);
    if (params & NORM_SHIFT)
        assert_close(s.dshift, derivative(op, params, &p, &p.args.shift), tolerance);
}

static unsigned params_of(norm_op op) {
#define OP_PARAMS(ID, name, parameters, formula) parameters,
    static const unsigned params[NORM_OPS] = {NORM_OP_LIST(OP_PARAMS)};
#undef OP_PARAMS
    return params[op];
}

static void gradients_are_derivatives(void **state) {
    (void)state;
    for (norm_op op = 0; op < NORM_OPS; op++) {
        for (int adds = 0; adds < 2; adds++) {
            check_gradients(op, params_of(op), adds);
            check_gradients(op, params_of(op) & ~(unsigned)NORM_BETA, adds);
            check_gradients(op, params_of(op) & (NORM_ALPHA | NORM_SHIFT), adds);
        }
    }
}

// The same problem stored as bf16 gives the same doubles; dx or the sums may be left out; scales exceed what they are
// the scale of.
static void dtypes_and_options_agree(void **state) {
    (void)state;
    problem p;
    make_problem(&p, 3);
    uint16_t x[ROWS * STRIDE], dy[ROWS * STRIDE], gamma[COLS], beta[COLS];
    for (size_t i = 0; i < ROWS * STRIDE; i++) {
        dtype_set(NORM_BF16, x, i, (double)p.x[i]);
        dtype_set(NORM_BF16, dy, i, (double)p.dy[i]);
    }
    for (size_t i = 0; i < COLS; i++) {
        dtype_set(NORM_BF16, gamma, i, (double)p.gamma[i]);
        dtype_set(NORM_BF16, beta, i, (double)p.beta[i]);
    }
    norm_args bf16 = p.args;
    bf16.x = x;
    bf16.dy = dy;
    bf16.gamma = gamma;
    bf16.beta = beta;
    for (norm_op op = 0; op < NORM_OPS; op++) {
        double want[COLS], got[COLS], scale[COLS], sums[2][4][COLS] = {{{0}}};
        norm_reference_sums s[2];
        for (size_t k = 0; k < 2; k++)
            s[k] = (norm_reference_sums){
                .dgamma = sums[k][0], .dgamma_scale = sums[k][1], .dbeta = sums[k][2], .dbeta_scale = sums[k][3]};
        norm_reference_forward(op, params_of(op), NORM_F32, &p.args, 2, want, scale);
        norm_reference_forward(op, params_of(op), NORM_BF16, &bf16, 2, got, scale);
        assert_memory_equal(got, want, sizeof want);
        for (size_t i = 0; i < COLS; i++)
            assert_true(scale[i] >= fabs(want[i]));
        norm_reference_backward(op, params_of(op), NORM_F32, &p.args, 2, want, scale, NULL);
        norm_reference_backward(op, params_of(op), NORM_BF16, &bf16, 2, got, scale, &s[0]);
        norm_reference_backward(op, params_of(op), NORM_BF16, &bf16, 2, NULL, NULL, &s[1]);
        assert_memory_equal(got, want, sizeof want);
        assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
        assert_close(s[0].dalpha, s[1].dalpha, 0);
        assert_close(s[0].dshift, s[1].dshift, 0);
        for (size_t i = 0; i < COLS; i++)
            assert_true(scale[i] >= fabs(want[i]) && sums[0][1][i] >= fabs(sums[0][0][i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layernorm_by_hand),
        cmocka_unit_test(rmsnorm_by_hand),
        cmocka_unit_test(dyt_by_hand),
        cmocka_unit_test(identity_by_hand),
        cmocka_unit_test(addition_by_hand),
        cmocka_unit_test(gradients_are_derivatives),
        cmocka_unit_test(dtypes_and_options_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
