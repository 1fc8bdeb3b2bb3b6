// SPDX-License-Identifier: MIT
// What the names of simd_math.h's exp and erf promise, at every level that this CPU can run, against MPFR: at most 2
// ulp, infinities, zeros and NaN as the mathematics has them, in every lane and in every tail.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>

#include "bits.h"
#include "math_rows.h"
#include "norm.h"
#include "thin.h"

#define DECLARE(ID, name, features) extern const math_rows math_rows_##name;
#define POINTER(ID, name, features) &math_rows_##name,
NORM_LEVEL_LIST(DECLARE)
static const math_rows *const levels[NORM_LEVELS] = {NORM_LEVEL_LIST(POINTER)};

enum { MOST_SAMPLES = 3000000 };

// Samples of one function, with its values as doubles correctly rounded; computed once for all levels.
typedef struct {
    size_t count;
    float *x;
    double *exact;
} sample_set;
static sample_set exp_samples, erf_samples;

// Of the positive floats between two, every stride-th, and their negatives.
static void add(sample_set *s, uint32_t first, uint32_t last, uint32_t stride) {
    for (uint64_t bits = first; bits <= last; bits += stride) {
        assert_true(s->count + 2 <= MOST_SAMPLES);
        s->x[s->count++] = from_bits((uint32_t)bits);
        s->x[s->count++] = -from_bits((uint32_t)bits);
    }
}

// A sparse sweep over all bit patterns, and dense ones where an approximation may change its formula or saturate.
static void add_common(sample_set *s) {
    add(s, 0, to_bits(FLT_MAX), 4093);
    add(s, 0, 99, 1);
    for (uint32_t exponent = 1; exponent < 255; exponent++)
        add(s, (exponent << 23) - 16, (exponent << 23) + 16, 1);
    add(s, to_bits(FLT_MAX) - 99, to_bits(FLT_MAX), 1);
}

static bool allocate(sample_set *s) {
    s->x = malloc(MOST_SAMPLES * sizeof *s->x);
    s->exact = malloc(MOST_SAMPLES * sizeof *s->exact);
    return s->x != NULL && s->exact != NULL;
}

static void evaluate(sample_set *s, int (*function)(mpfr_t, const mpfr_t, mpfr_rnd_t)) {
    mpfr_t value;
    mpfr_init2(value, DBL_MANT_DIG);
    for (size_t i = 0; i < s->count; i++) {
        mpfr_set_flt(value, s->x[i], MPFR_RNDN);
        function(value, value, MPFR_RNDN);
        s->exact[i] = mpfr_get_d(value, MPFR_RNDN);
    }
    mpfr_clear(value);
    mpfr_free_cache();
}

static int mpfr_exp_of(mpfr_t y, const mpfr_t x, mpfr_rnd_t rounding) { return mpfr_exp(y, x, rounding); }
static int mpfr_erf_of(mpfr_t y, const mpfr_t x, mpfr_rnd_t rounding) { return mpfr_erf(y, x, rounding); }

static int prepare(void **state) {
    (void)state;
    if (!allocate(&exp_samples) || !allocate(&erf_samples))
        return -1;
    add_common(&exp_samples);
    add(&exp_samples, to_bits(0.25f), to_bits(88.8f), 173);
    add(&exp_samples, to_bits(87.33f), to_bits(87.34f), 1);
    add(&exp_samples, to_bits(88.3f), to_bits(88.8f), 29);
    add(&exp_samples, to_bits(88.72f), to_bits(88.73f), 1);
    evaluate(&exp_samples, mpfr_exp_of);
    add_common(&erf_samples);
    add(&erf_samples, to_bits(0.4f), to_bits(1.2f), 61);
    add(&erf_samples, to_bits(0.9375f) - 20000, to_bits(0.9375f) + 20000, 1);
    add(&erf_samples, to_bits(1.2f), to_bits(4.1f), 83);
    add(&erf_samples, to_bits(3.8f), to_bits(4.01f), 7);
    evaluate(&erf_samples, mpfr_erf_of);
    return 0;
}

static int finish(void **state) {
    (void)state;
    free(exp_samples.x);
    free(exp_samples.exact);
    free(erf_samples.x);
    free(erf_samples.exact);
    return 0;
}

static double ulp_of(double value) { return ldexp(1, (int)fmax(ilogb(value), -126) - 23); }

// Within 2 ulp; `flushes`: 0 where the value is below the smallest normal number.
static void check_samples(const sample_set *s, void (*function)(size_t, const float *, float *), bool flushes) {
    float *const y = malloc(s->count * sizeof *y);
    assert_non_null(y);
    function(s->count, s->x, y);
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < s->count; i++) {
        const double exact = s->exact[i], got = (double)y[i];
        double error;
        if (exact >= 0x1.ffffffp127) // rounds to infinity
            error = isinf(got) && got > 0 ? 0 : (double)INFINITY;
        else if (flushes && exact < (double)FLT_MIN)
            error = got == 0 && !signbit(got) ? 0 : (double)INFINITY;
        else
            error = exact == 0 ? (got == 0 ? 0 : (double)INFINITY) : fabs(got - exact) / ulp_of(exact);
        if (!(error <= worst)) {
            worst = error;
            at = i;
        }
    }
    print_message("    %zu samples: largest error %.4f ulp, f(%a) = %a\n", s->count, worst, (double)s->x[at],
                  (double)y[at]);
    free(y);
    assert_true(worst <= 2);
}

// One value at every position of arrays of several lengths, among neighbours that are ordinary.
static void check_special(void (*function)(size_t, const float *, float *), float x, float want) {
    enum { MOST = 40 };
    for (size_t count = 1; count <= MOST; count++)
        for (size_t place = 0; place < count; place++) {
            if (thinned_out(count + place))
                continue;
            float in[MOST], out[MOST];
            for (size_t i = 0; i < count; i++)
                in[i] = i == place ? x : 0.5f;
            function(count, in, out);
            if (isnan(want) ? !isnan(out[place]) : to_bits(out[place]) != to_bits(want))
                fail_msg("f(%a) = %a instead of %a at %zu of %zu", (double)x, (double)out[place], (double)want, place,
                         count);
            assert_false(count > 1 && isnan(out[place ? 0 : count - 1]));
        }
}

static const math_rows *level_of(void **state) {
    const norm_level level = (norm_level)(uintptr_t)*state;
    const char *const missing = norm_level_missing(level);
    if (missing) {
        print_message("skipped: this CPU lacks %s\n", missing);
        skip();
    }
    return levels[level];
}

static void check_nans(void (*function)(size_t, const float *, float *)) {
    check_special(function, NAN, NAN);
    check_special(function, -NAN, NAN);
    // Payloads that an exponent added to the bits would carry out of the NaNs.
    check_special(function, from_bits(0x7f800001), NAN);
    check_special(function, from_bits(0x7fc001ff), NAN);
    check_special(function, from_bits(0xffffffff), NAN);
}

static void check_exp(void **state) {
    const math_rows *const rows = level_of(state);
    check_samples(&exp_samples, rows->by[MATH_EXP_U2], true);
    check_special(rows->by[MATH_EXP_U2], 0.0f, 1.0f);
    check_special(rows->by[MATH_EXP_U2], -0.0f, 1.0f);
    check_special(rows->by[MATH_EXP_U2], INFINITY, INFINITY);
    check_special(rows->by[MATH_EXP_U2], -INFINITY, 0.0f);
    check_nans(rows->by[MATH_EXP_U2]);
}

static void check_erf(void **state) {
    const math_rows *const rows = level_of(state);
    check_samples(&erf_samples, rows->by[MATH_ERF_U2], false);
    check_special(rows->by[MATH_ERF_U2], 0.0f, 0.0f);
    check_special(rows->by[MATH_ERF_U2], -0.0f, -0.0f);
    check_special(rows->by[MATH_ERF_U2], 4.0f, 1.0f);
    check_special(rows->by[MATH_ERF_U2], INFINITY, 1.0f);
    check_special(rows->by[MATH_ERF_U2], -INFINITY, -1.0f);
    check_nans(rows->by[MATH_ERF_U2]);
}

int main(void) {
    enum { NAME_SIZE = 64 };
    static struct CMUnitTest tests[2 * NORM_LEVELS];
    static char names[2 * NORM_LEVELS][NAME_SIZE];
    for (size_t i = 0; i < 2 * NORM_LEVELS; i++) {
        const norm_level level = (norm_level)(i / 2);
        snprintf(names[i], NAME_SIZE, "%s %s", i % 2 ? "erf" : "exp", norm_level_name(level));
        tests[i] = (struct CMUnitTest){names[i], i % 2 ? check_erf : check_exp, NULL, NULL, (void *)(uintptr_t)level};
    }
    return _cmocka_run_group_tests("math", tests, 2 * NORM_LEVELS, prepare, finish) ? EXIT_FAILURE : EXIT_SUCCESS;
}
