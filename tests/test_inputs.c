// SPDX-License-Identifier: MIT
// The input distributions are what their one-line descriptions say, whoever fills which rows; and conversion to bf16
// rounds once.
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

#include "measure/inputs.h"

enum { ROWS = 16, COLS = 1000, GAP = 3, STRIDE = COLS + GAP };
static float matrix[ROWS * STRIDE], other[ROWS * STRIDE];

static void fill(input_kind kind, uint64_t seed) { inputs_fill(kind, NORM_F32, matrix, COLS, STRIDE, 0, ROWS, seed); }

static double at(size_t row, size_t col) { return (double)matrix[row * STRIDE + col]; }

static void rows_do_not_depend_on_who_fills_them(void **state) {
    (void)state;
    for (input_kind kind = 0; kind < INPUTS; kind++) {
        memset(matrix, 0x55, sizeof matrix);
        memset(other, 0x55, sizeof other);
        fill(kind, 5);
        inputs_fill(kind, NORM_F32, other, COLS, STRIDE, 7, ROWS, 5);
        inputs_fill(kind, NORM_F32, other, COLS, STRIDE, 0, 7, 5);
        assert_memory_equal(matrix, other, sizeof matrix);
        for (size_t row = 0; row < ROWS; row++)
            for (size_t i = COLS * sizeof(float); i < STRIDE * sizeof(float); i++)
                assert_int_equal(((unsigned char *)&matrix[row * STRIDE])[i], 0x55);
    }
}

static void seeds_differ(void **state) {
    (void)state;
    fill(INPUT_NORMAL, 1);
    memcpy(other, matrix, sizeof matrix);
    fill(INPUT_NORMAL, 2);
    assert_memory_not_equal(matrix, other, sizeof matrix);
    assert_memory_not_equal(&matrix[0], &matrix[STRIDE], COLS * sizeof(float));
}

static double mean_of(double power) {
    double sum = 0;
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < COLS; i++)
            sum += pow(at(row, i), power);
    return sum / (ROWS * COLS);
}

static void normal_has_its_moments(void **state) {
    (void)state;
    fill(INPUT_NORMAL, 9);
    assert_true(fabs(mean_of(1)) < 0.05);
    assert_true(fabs(mean_of(2) - 1) < 0.05);
    assert_true(fabs(mean_of(3)) < 0.1);
    assert_true(fabs(mean_of(4) - 2.85) < 0.3);
}

static void activations_have_outlier_channels(void **state) {
    (void)state;
    fill(INPUT_ACTIVATIONS, 9);
    size_t outliers = 0;
    double largest = 0;
    for (size_t i = 0; i < COLS; i++) {
        double column = 0;
        for (size_t row = 0; row < ROWS; row++) {
            column += at(row, i) * at(row, i) / (double)ROWS;
            largest = fmax(largest, fabs(at(row, i)));
        }
        outliers += sqrt(column) > 8;
    }
    assert_int_equal(outliers, COLS / 100);
    assert_true(largest > 50);
}

static void exact_kinds_are_exact(void **state) {
    (void)state;
    fill(INPUT_SYMMETRIC, 3);
    for (size_t row = 0; row < ROWS; row++) {
        float forward = 0, backward = 0, squares = 0;
        double sum = 0, square_sum = 0;
        for (size_t i = 0; i < COLS; i++) {
            const float x = matrix[row * STRIDE + i];
            forward += x;
            backward += matrix[row * STRIDE + COLS - 1 - i];
            squares += x * x;
            sum += (double)x;
            square_sum += (double)x * (double)x;
        }
        assert_true(forward == backward && (double)forward == sum && (double)squares == square_sum);
        assert_true(fmod(sum / (double)COLS * 4, 1) == 0); // the mean that the pairs surround
    }
    fill(INPUT_CONSTANT, 3);
    for (size_t i = 0; i < COLS; i++)
        assert_true(at(2, i) == at(2, 0) && at(2, i) != 0);
}

static void extreme_kinds_keep_their_ranges(void **state) {
    (void)state;
    bool signs[2] = {false, false};
    fill(INPUT_ZERO, 1);
    for (size_t i = 0; i < COLS; i++) {
        assert_true(at(0, i) == 0);
        signs[signbit(at(0, i)) != 0] = true;
    }
    assert_true(signs[0] && signs[1]);
    for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++) {
        inputs_fill(INPUT_DENORMAL, dtype, matrix, COLS, COLS, 0, 1, 1);
        for (size_t i = 0; i < COLS; i++) {
            const double x = fabs(dtype_get(dtype, matrix, i));
            assert_true(x > 0 && x < dtype_smallest(dtype));
        }
        inputs_fill(INPUT_LARGE, dtype, matrix, COLS, COLS, 0, 1, 1);
        for (size_t i = 0; i < COLS; i++) {
            const double x = fabs(dtype_get(dtype, matrix, i)) * sqrt(COLS);
            const double most = fmin(1e19, 0.5 * dtype_overflow(dtype) * sqrt(COLS));
            assert_true(x > 0.4 * most && x < most);
        }
        inputs_fill(INPUT_SWEEP, dtype, matrix, COLS, COLS, 0, 1, 1);
        for (size_t i = 0; i < COLS; i++)
            assert_true(fabs(dtype_get(dtype, matrix, i)) <= 20);
    }
}

// What sums must be able to take: rows that are all the same, one number far above all others, squares out of range.
static void hard_kinds_are_hard(void **state) {
    (void)state;
    fill(INPUT_EQUAL, 3);
    for (size_t row = 1; row < ROWS; row++)
        assert_memory_equal(&matrix[row * STRIDE], &matrix[0], COLS * sizeof(float));
    assert_true(at(0, 0) != at(0, 1) && inputs_gradient(INPUT_EQUAL) == INPUT_EQUAL);
    fill(INPUT_MASSIVE, 3);
    for (size_t row = 0; row < ROWS; row++) {
        size_t massive = 0;
        for (size_t i = 0; i < COLS; i++)
            massive += at(row, i) == 3000;
        assert_int_equal(massive, 1);
    }
    for (size_t k = 0; k < 2; k++) {
        fill(k ? INPUT_HUGE : INPUT_TINY, 3);
        for (size_t row = 0; row < ROWS; row++) {
            float squares = 0;
            for (size_t i = 0; i < COLS; i++)
                squares += matrix[row * STRIDE + i] * matrix[row * STRIDE + i];
            assert_false(isnormal(squares / (float)COLS));
        }
    }
    norm_args a = {.eps = 1};
    inputs_scalars(INPUT_TINY, 1, &a);
    assert_true(a.eps == 0);
    const norm_impl own = {.level = NORM_LEVEL_SCALAR}, foreign = {.level = NORM_LEVEL_LIBRARY};
    for (input_kind kind = 0; kind < INPUTS; kind++)
        assert_true(inputs_suit(kind, &own) && inputs_suit(kind, &foreign) == (kind < INPUT_EQUAL));
}

// What is special about x stays so when branch has been added: the range, the spread of an offset, exact sums.
static void branches_leave_the_sum_special(void **state) {
    (void)state;
    for (input_kind kind = 0; kind < INPUTS; kind++) {
        float x[COLS], branch[COLS];
        inputs_fill(kind, NORM_F32, x, COLS, COLS, 0, 1, 1);
        inputs_fill(inputs_branch(kind), NORM_F32, branch, COLS, COLS, 0, 1, 2);
        for (size_t i = 0; i < COLS; i++) {
            const double sum = (double)x[i] + (double)branch[i];
            assert_true(kind == INPUT_HUGE ? sum == (double)x[i] : fabs(sum) * sqrt(COLS) < 1e19);
            assert_true(kind != INPUT_TINY || fabs(sum) < 1e-20);
            assert_true(kind != INPUT_OFFSET || fabs(sum - 1e4) < 20);
            assert_true(kind != INPUT_CONSTANT || sum == (double)x[0]);
            assert_true(kind != INPUT_SYMMETRIC || (fmod(8 * sum, 1) == 0 && fabs(sum) < 8));
            assert_true(kind != INPUT_ZERO || sum == 0);
        }
    }
}

static double through_bf16(double value) {
    uint16_t bits;
    dtype_set(NORM_BF16, &bits, 0, value);
    return dtype_get(NORM_BF16, &bits, 0);
}

static void bf16_rounds_once_to_nearest_even(void **state) {
    (void)state;
    const double ulp = 0x1p-7;
    assert_true(through_bf16(1 + ulp / 2) == 1);
    assert_true(through_bf16(1 + 3 * ulp / 2) == 1 + 2 * ulp);
    assert_true(through_bf16(1 + ulp / 2 + 0x1p-40) == 1 + ulp); // f32 would make it a tie first
    assert_true(through_bf16(-1 - 3 * ulp / 2 + 0x1p-40) == -1 - ulp);
    assert_true(through_bf16((double)FLT_MAX) == (double)INFINITY);
    assert_true(through_bf16(-(double)INFINITY) == -(double)INFINITY);
    assert_true(isnan(through_bf16((double)NAN)));
    assert_true(signbit(through_bf16(-0.0)) != 0);
    assert_true(through_bf16(0x1p-133) == 0x1p-133); // the smallest denormal
    for (uint32_t bits = 0; bits < 0x7f80; bits++) {
        const uint16_t stored = (uint16_t)bits;
        const double value = dtype_get(NORM_BF16, &stored, 0);
        assert_true(through_bf16(value) == value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_do_not_depend_on_who_fills_them),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(normal_has_its_moments),
        cmocka_unit_test(activations_have_outlier_channels),
        cmocka_unit_test(exact_kinds_are_exact),
        cmocka_unit_test(extreme_kinds_keep_their_ranges),
        cmocka_unit_test(hard_kinds_are_hard),
        cmocka_unit_test(branches_leave_the_sum_special),
        cmocka_unit_test(bf16_rounds_once_to_nearest_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
