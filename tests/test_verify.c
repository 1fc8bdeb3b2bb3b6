// SPDX-License-Identifier: MIT
// The comparator's rules: units, NaN and infinity, sampled rows, threads, merging, messages. Whole broken kernels are
// test_broken's.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/verify.h"

static verify_worst element(norm_dtype dtype, double got, double want, double scale) {
    verify_worst worst = {0};
    verify_element(&worst, dtype, got, want, scale, 0, 0);
    assert_int_equal(worst.cases, 1);
    return worst;
}

static void units_are_those_of_the_dtype(void **state) {
    (void)state;
    assert_true(element(NORM_F32, 1 + 0x1p-23, 1, 1).max_error == 1);
    assert_true(element(NORM_F32, 1 + 0x1p-23, 1, 4).max_error == 0.25);
    assert_true(element(NORM_F32, 1 + 0x1p-23, 1, 1).max_ulp == 1);
    assert_true(element(NORM_F32, 4 + 0x1p-21, 4, 1).max_ulp == 1);
    assert_true(element(NORM_BF16, 1 + 0x1p-7, 1, 1).max_error == 1);
    assert_true(element(NORM_BF16, 0x1p-133, 0, 1).max_ulp == 1);
    assert_true(element(NORM_F32, 0x1p-149, 0, 1).max_ulp == 1);
    assert_true(element(NORM_F32, -0.0, 0, 1).max_error == 0);
}

static void not_numbers_must_match(void **state) {
    (void)state;
    const double infinity = (double)INFINITY, nan = (double)NAN;
    assert_true(element(NORM_F32, nan, nan, nan).max_error == 0);
    assert_true(element(NORM_F32, infinity, infinity, infinity).max_error == 0);
    assert_true(element(NORM_F32, nan, 1, 1).max_error == infinity);
    assert_true(element(NORM_F32, 1, nan, 1).max_error == infinity);
    assert_true(element(NORM_F32, infinity, -infinity, infinity).max_error == infinity);
    assert_true(element(NORM_F32, infinity, 1, infinity).max_error == infinity);
    assert_true(element(NORM_F32, 1, infinity, infinity).max_error == infinity);
    assert_true(element(NORM_F32, 1, 2, nan).max_error == infinity);
    // What the reference holds in double but the dtype cannot is an infinity; the largest finite number is not.
    assert_true(element(NORM_F32, infinity, 2 * (double)FLT_MAX, 1).max_error == 0);
    assert_true(element(NORM_F32, (double)FLT_MAX, 2 * (double)FLT_MAX, 1).max_error == infinity);
    assert_true(element(NORM_F32, (double)FLT_MAX, (double)FLT_MAX, 1).max_error == 0);
}

// A nan stays the worst, whatever follows; of finite errors the largest is kept with its place.
static void the_worst_is_kept(void **state) {
    (void)state;
    verify_worst worst = {0};
    verify_element(&worst, NORM_F32, 1, 1, 1, 0, 0);
    verify_element(&worst, NORM_F32, 3, 1, 1, 2, 5);
    verify_element(&worst, NORM_F32, 2, 1, 1, 3, 6);
    assert_true(worst.row == 2 && worst.col == 5 && worst.got == 3 && worst.cases == 3);
    verify_element(&worst, NORM_F32, (double)NAN, 1, 1, 4, 7);
    verify_element(&worst, NORM_F32, 9, 1, 1, 5, 8);
    assert_true(worst.row == 4 && worst.max_error == (double)INFINITY);
}

enum { ROWS = 100, COLS = 3 };
static float x[ROWS * COLS], y[ROWS * COLS];
static const norm_impl copy = {.op = NORM_IDENTITY, .variant = "std", .base = "std"};
static const norm_args args = {.rows = ROWS, .cols = COLS, .x_stride = COLS, .y_stride = COLS, .x = x, .y = y};

static verify_result check(size_t max_rows, int threads) {
    verify_result result = {.ok = true};
    assert_true(verify_outputs(&copy, NORM_FORWARD, &args, max_rows, threads, &result));
    return result;
}

static void rows_are_sampled_evenly(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS * COLS; i++)
        y[i] = x[i] = (float)i;
    for (size_t max_rows = 1; max_rows <= ROWS + 1; max_rows++)
        assert_int_equal(check(max_rows, 2).worst[NORM_OUT_Y].cases, (max_rows < ROWS ? max_rows : ROWS) * COLS);
    y[(ROWS - 1) * COLS + 2] = 0;
    const verify_result result = check(2, 3);
    assert_false(result.ok);
    assert_int_equal(result.worst[NORM_OUT_Y].row, ROWS - 1);
    assert_int_equal(result.worst[NORM_OUT_Y].col, 2);
    assert_true(check(1, 1).ok);
    assert_true(verify_largest(&result) > 0);
    char text[128];
    verify_explain(&result, text, sizeof text);
    assert_string_equal(text, "y[99, 2]: got 0, reference 299, error 8.39e+06 of 0 allowed");
}

// However many threads, the same sums and the same verdict: a right dgamma passes, a wrong one does not.
static void sums_do_not_depend_on_threads(void **state) {
    (void)state;
    static float dy[ROWS * COLS], dx[ROWS * COLS], dgamma[COLS], dbeta[COLS], gamma[COLS] = {1, 2, 3};
    const norm_impl layernorm = {
        .op = NORM_LAYERNORM, .variant = "twopass", .base = "twopass", .params = NORM_GAMMA | NORM_BETA};
    norm_args a = args;
    a.dy_stride = a.dx_stride = COLS;
    a.dy = dy;
    a.dx = dx;
    a.gamma = gamma;
    a.beta = gamma;
    a.dgamma = dgamma;
    a.dbeta = dbeta;
    a.eps = 1e-5f;
    double want[COLS], scale[COLS], sums[4][COLS] = {{0}};
    norm_reference_sums s = {.dgamma = sums[0], .dgamma_scale = sums[1], .dbeta = sums[2], .dbeta_scale = sums[3]};
    for (size_t i = 0; i < ROWS * COLS; i++) {
        x[i] = (float)(i * i % 17);
        dy[i] = (float)(i * i % 13) - 6;
    }
    for (size_t row = 0; row < ROWS; row++) {
        norm_reference_backward(NORM_LAYERNORM, layernorm.params, NORM_F32, &a, row, want, scale, &s);
        for (size_t i = 0; i < COLS; i++)
            dx[row * COLS + i] = (float)want[i];
    }
    for (size_t i = 0; i < COLS; i++) {
        dgamma[i] = (float)sums[0][i];
        dbeta[i] = (float)sums[2][i];
    }
    for (int threads = 1; threads <= 4; threads++) {
        verify_result result = {.ok = true};
        assert_true(verify_outputs(&layernorm, NORM_BACKWARD, &a, 10, threads, &result));
        assert_true(result.ok);
        assert_int_equal(result.worst[NORM_OUT_DX].cases, 10 * COLS);
        assert_int_equal(result.worst[NORM_OUT_DGAMMA].cases, COLS);
        assert_int_equal(result.worst[NORM_OUT_Y].cases + result.worst[NORM_OUT_DALPHA].cases, 0);
        dgamma[1] += 1;
        assert_true(verify_outputs(&layernorm, NORM_BACKWARD, &a, 10, threads, &result));
        assert_false(result.ok);
        char text[128];
        verify_explain(&result, text, sizeof text);
        assert_memory_equal(text, "dgamma[1]: ", 11);
        dgamma[1] -= 1;
    }
}

// The same findings whether a reference is made for a call alone, made to be kept, or known from before.
static void a_reference_can_be_kept(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS * COLS; i++)
        y[i] = x[i] = (float)i;
    verify_reference *const reference = calloc(1, verify_reference_bytes(ROWS, COLS));
    assert_non_null(reference);
    for (int k = 0; k < 4; k++) {
        y[2 * COLS + 1] = x[2 * COLS + 1] + (float)(k % 2); // wrong every other time
        const verify_result alone = check(ROWS, 1);
        verify_result kept = {.ok = true};
        verify_against(&copy, NORM_FORWARD, &args, reference, &kept);
        assert_true(reference->known);
        assert_true(kept.ok == alone.ok && kept.ok == (k % 2 == 0));
        const verify_worst *const a = &alone.worst[NORM_OUT_Y], *const b = &kept.worst[NORM_OUT_Y];
        assert_true(a->max_error == b->max_error && a->max_ulp == b->max_ulp && a->bound == b->bound);
        assert_true(a->cases == b->cases && a->row == b->row && a->col == b->col && a->want == b->want);
    }
    free(reference);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_those_of_the_dtype),
        cmocka_unit_test(not_numbers_must_match),
        cmocka_unit_test(the_worst_is_kept),
        cmocka_unit_test(rows_are_sampled_evenly),
        cmocka_unit_test(sums_do_not_depend_on_threads),
        cmocka_unit_test(a_reference_can_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
