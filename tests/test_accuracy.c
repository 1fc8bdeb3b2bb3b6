// SPDX-License-Identifier: MIT
// The judge behind `make check-exhaustive`: it passes functions that keep their promises, and rejects each way of
// breaking one, were it at a single float. Broken functions are good ones with one fault put in.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "accuracy.h"
#include "bits.h"

// Divides every power of two, and so meets 0, infinity and every change of exponent.
enum { STRIDE = 1 << 14 };

// Correctly rounded, or nearly.
static float good_tanh(float x) { return (float)tanh((double)x); }
static float good_exp(float x) { return x < -0x1.5d589ep+6f ? 0 : (float)exp((double)x); }

static float ulps_away(float y, int ulps) { return from_bits(to_bits(y) + (uint32_t)ulps); }

#define FUNCTION(name, expression)                                                                                     \
    static void name(size_t count, const float *in, float *out) {                                                      \
        for (size_t i = 0; i < count; i++) {                                                                           \
            const float x = in[i];                                                                                     \
            out[i] = (expression);                                                                                     \
        }                                                                                                              \
    }
// The fault at x = `at` alone.
#define FAULT(name, function, at, wrong) FUNCTION(name, x == (at) ? (wrong) : function(x))

FUNCTION(tanh_good, good_tanh(x))
FUNCTION(tanh_nan_at_nan, isnan(x) ? from_bits(0x7fc00000) : good_tanh(x)) // of any sign and payload
FAULT(tanh_off, good_tanh, 0x1.08p-1f, copysignf(ulps_away(good_tanh(fabsf(x)), 3), x))
FAULT(tanh_off_negative, good_tanh, -0x1.08p-1f, ulps_away(good_tanh(x), 1))
FAULT(tanh_above, good_tanh, 64, 0x1.000002p0f)
FAULT(tanh_infinite, good_tanh, 0x1p-20f, INFINITY)
FAULT(tanh_nan, good_tanh, 0x1p-20f, NAN)
FAULT(tanh_negative, good_tanh, 0x1p-149f * (1 << 14), -x)
FAULT(tanh_infinity, good_tanh, INFINITY, 0x1.fffffep-1f)
FAULT(tanh_minus_infinity, good_tanh, -INFINITY, -0x1.fffffep-1f)
FUNCTION(tanh_zero, x == 0 ? 0 : good_tanh(x)) // loses the sign
FUNCTION(tanh_zero_inexact, x == 0 ? copysignf(0x1p-149f, x) : good_tanh(x))
FUNCTION(tanh_loses_nan, isnan(x) && !signbit(x) ? 1 : good_tanh(x))
FUNCTION(tanh_loses_minus_nan, isnan(x) && signbit(x) ? -1 : good_tanh(x))

// What is rounded to bf16 may be above 1 before, not after.
FUNCTION(lp_good, fabsf(x) == 64 ? copysignf(0x1.00fffep0f, x) : good_tanh(x))
FAULT(lp_above, good_tanh, 64, 0x1.02p0f)
FAULT(lp_off, good_tanh, 0x1.08p-1f, ulps_away(good_tanh(x), 1 << 16))

FUNCTION(exp_good, good_exp(x))
FAULT(exp_zero, good_exp, 0, 0x1.000002p0f)
FAULT(exp_off, good_exp, -64, ulps_away(good_exp(x), -3))
FAULT(exp_not_flushed, good_exp, -88, (float)exp(-88.0))
FAULT(exp_flushed, good_exp, -87, 0)
FAULT(exp_finite, good_exp, 89, FLT_MAX)
FAULT(exp_early, good_exp, 88, INFINITY)
FAULT(exp_minus_infinity, good_exp, -INFINITY, -0.0f)

static accuracy_result judge(const accuracy_class *c, math_function *function) {
    accuracy_result result;
    accuracy_judge(c, 1, &function, STRIDE, &result);
    return result;
}

static void good_ones_pass(void **state) {
    (void)state;
    static const struct {
        size_t class;
        math_function *function;
    } good[] = {
        {MATH_TANH_U2, tanh_good}, {MATH_TANH_U2, tanh_nan_at_nan}, {MATH_TANH_LP, lp_good}, {MATH_EXP_U2, exp_good}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const accuracy_result r = judge(&accuracy_classes[good[i].class], good[i].function);
        if (r.broken)
            fail_msg("%zu: %a at %a %s", i, (double)r.broken_value, (double)r.broken_at, r.broken);
        assert_int_equal(r.inputs, (UINT64_C(1) << 32) / STRIDE);
        assert_true(r.error > 0.49 && r.error < 0.5 + 1e-4);
    }
}

static void broken_ones_fail(void **state) {
    (void)state;
    static const struct {
        size_t class;
        math_function *function;
        const char *name;
        float at;
        const char *broken;
    } faults[] = {
        {MATH_TANH_U2, tanh_off, "tanh_off", 0x1.08p-1f, "is off by more than the bound"},
        {MATH_TANH_U2, tanh_off_negative, "tanh_off_negative", -0x1.08p-1f, "is not odd"},
        {MATH_TANH_U2, tanh_above, "tanh_above", 64, "is out of range"},
        {MATH_TANH_U2, tanh_infinite, "tanh_infinite", 0x1p-20f, "is out of range"},
        {MATH_TANH_U2, tanh_nan, "tanh_nan", 0x1p-20f, "is out of range"},
        {MATH_TANH_U2, tanh_negative, "tanh_negative", 0x1p-135f, "is out of range"},
        {MATH_TANH_U2, tanh_infinity, "tanh_infinity", INFINITY, "is not the exact value"},
        {MATH_TANH_U2, tanh_minus_infinity, "tanh_minus_infinity", -INFINITY, "is not odd"},
        {MATH_TANH_U2, tanh_zero, "tanh_zero", -0.0f, "is not odd"},
        {MATH_TANH_U2, tanh_zero_inexact, "tanh_zero_inexact", 0, "is not the exact value"},
        {MATH_TANH_U2, tanh_loses_nan, "tanh_loses_nan", NAN, "does not keep NaN"},
        {MATH_TANH_U2, tanh_loses_minus_nan, "tanh_loses_minus_nan", -NAN, "does not keep NaN"},
        {MATH_TANH_LP, lp_above, "lp_above", 64, "is out of range"},
        {MATH_TANH_LP, lp_off, "lp_off", 0x1.08p-1f, "is off by more than the bound"},
        {MATH_EXP_U2, exp_zero, "exp_zero", 0, "is not the exact value"},
        {MATH_EXP_U2, exp_off, "exp_off", -64, "is off by more than the bound"},
        {MATH_EXP_U2, exp_not_flushed, "exp_not_flushed", -88, "is not the exact value"},
        {MATH_EXP_U2, exp_flushed, "exp_flushed", -87, "is off by more than the bound"},
        {MATH_EXP_U2, exp_finite, "exp_finite", 89, "is not the exact value"},
        {MATH_EXP_U2, exp_early, "exp_early", 88, "is off by more than the bound"},
        {MATH_EXP_U2, exp_minus_infinity, "exp_minus_infinity", -INFINITY, "is out of range"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const accuracy_result r = judge(&accuracy_classes[faults[i].class], faults[i].function);
        if (!r.broken)
            fail_msg("%s passes", faults[i].name);
        const bool there = isnan(faults[i].at) ? isnan(r.broken_at) && !signbit(r.broken_at) == !signbit(faults[i].at)
                                               : to_bits(r.broken_at) == to_bits(faults[i].at);
        if (strcmp(r.broken, faults[i].broken) != 0 || !there)
            fail_msg("%s: %a at %a %s", faults[i].name, (double)r.broken_value, (double)r.broken_at, r.broken);
    }
}

// The reason for MPFR: what is judged in double is not known to the last bit. The bound is laid onto the very error of
// the worst float, and one part in 10^12 below it.
static void the_bound_is_sharp(void **state) {
    (void)state;
    accuracy_class c = accuracy_classes[MATH_TANH_U2];
    const accuracy_result free = judge(&c, tanh_good);
    const double error = accuracy_settle(&c, free.at, good_tanh(free.at));
    assert_true(fabs(error - free.error) < ACCURACY_REFERENCE_ULP * 0x1p-29);
    c.bound = error;
    assert_null(judge(&c, tanh_good).broken);
    c.bound = error * (1 - 1e-12);
    const accuracy_result r = judge(&c, tanh_good);
    assert_string_equal(r.broken, "is off by more than the bound");
    assert_true(r.broken_at == free.at);
    c.bound = 0;
    assert_non_null(judge(&c, tanh_good).broken);
}

static void threads_change_nothing(void **state) {
    (void)state;
    const accuracy_class *const c = &accuracy_classes[MATH_EXP_U2];
    math_function *const functions[] = {exp_good, exp_off, exp_finite};
    enum { COUNT = sizeof functions / sizeof *functions };
    accuracy_result alone[COUNT], team[COUNT];
    omp_set_num_threads(1);
    accuracy_judge(c, COUNT, functions, STRIDE, alone);
    omp_set_num_threads(5);
    accuracy_judge(c, COUNT, functions, STRIDE, team);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(alone[i].error == team[i].error && alone[i].at == team[i].at);
        assert_ptr_equal(alone[i].broken, team[i].broken);
        assert_true(alone[i].broken_at == team[i].broken_at && alone[i].broken_value == team[i].broken_value);
    }
}

// Between the last floats where exp's errors count and the next, MPFR sees the results leave the normal numbers.
static void exp_ends_where_it_says(void **state) {
    (void)state;
    mpfr_t y;
    mpfr_init2(y, FLT_MANT_DIG);
    for (int side = 0; side < 2; side++) {
        const float last = accuracy_classes[MATH_EXP_U2].sides[side].last;
        const float ends[] = {last, nextafterf(last, side ? -INFINITY : INFINITY)};
        for (int beyond = 0; beyond < 2; beyond++) {
            mpfr_set_flt(y, ends[beyond], MPFR_RNDN);
            mpfr_exp(y, y, side ? MPFR_RNDD : MPFR_RNDN);
            const bool normal = side ? mpfr_cmp_d(y, (double)FLT_MIN) >= 0 : mpfr_cmp_d(y, (double)FLT_MAX) <= 0;
            assert_int_equal(normal, !beyond);
        }
    }
    mpfr_clear(y);
}

static double coarse_tanh(double x) { return tanh(x) * (1 + 0x1p-50); }

static void bad_reference_is_seen(void **state) {
    (void)state;
    accuracy_class c = accuracy_classes[MATH_TANH_U2];
    c.reference = coarse_tanh;
    uint64_t inputs;
    assert_true(accuracy_of_reference(&c, 0, NULL, &inputs) > ACCURACY_REFERENCE_ULP);
    assert_true(inputs > 200000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_pass),         cmocka_unit_test(broken_ones_fail),
        cmocka_unit_test(the_bound_is_sharp),     cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(exp_ends_where_it_says), cmocka_unit_test(bad_reference_is_seen),
    };
    return cmocka_run_group_tests_name("accuracy", tests, NULL, NULL);
}
