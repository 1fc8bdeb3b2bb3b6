// SPDX-License-Identifier: MIT
// What the squashing ops promise of their functions in f32, at every level that this CPU can run, against MPFR: no more
// ulp off than the table below says, never above 1, exactly its limits at infinity, a NaN kept; odd bit for bit and +-0
// kept where the function is odd. With gamma = alpha = 1, shift = -0 and beta = -0, which no sum can notice, y is the
// function alone.
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
#include <string.h>

#include "bits.h"
#include "call.h"
#include "norm.h"
#include "thin.h"

enum { COLS = 1024, MOST_SAMPLES = 1400 * COLS };

// The functions, and how far off they may be. tested: the variants that begin so.
typedef struct {
    norm_op op;
    const char *tested;
    int (*exact)(mpfr_t y, const mpfr_t x);
    double most_ulp;
    bool odd;
} function;

static int exact_tanh(mpfr_t y, const mpfr_t x) { return mpfr_tanh(y, x, MPFR_RNDN); }
static int exact_erf(mpfr_t y, const mpfr_t x) { return mpfr_erf(y, x, MPFR_RNDN); }
static int exact_hardtanh(mpfr_t y, const mpfr_t x) {
    return mpfr_cmp_si(x, 1) > 0    ? mpfr_set_si(y, 1, MPFR_RNDN)
           : mpfr_cmp_si(x, -1) < 0 ? mpfr_set_si(y, -1, MPFR_RNDN)
                                    : mpfr_set(y, x, MPFR_RNDN);
}
// Each step keeps its relative accuracy, and there are three: good to 2^-50.
static int exact_sigmoid(mpfr_t y, const mpfr_t x) {
    mpfr_neg(y, x, MPFR_RNDN);
    mpfr_exp(y, y, MPFR_RNDN);
    mpfr_add_ui(y, y, 1, MPFR_RNDN);
    return mpfr_ui_div(y, 1, y, MPFR_RNDN);
}
static int exact_isru(mpfr_t y, const mpfr_t x) {
    mpfr_sqr(y, x, MPFR_RNDN);
    mpfr_add_ui(y, y, 1, MPFR_RNDN);
    mpfr_sqrt(y, y, MPFR_RNDN);
    return mpfr_div(y, x, y, MPFR_RNDN);
}

static const function functions[] = {
    {NORM_DYT, "u2", exact_tanh, 2, true},         {NORM_DERF, "u2", exact_erf, 2, true},
    {NORM_SIGMOID, "u3", exact_sigmoid, 3, false}, {NORM_HARDTANH, "std", exact_hardtanh, 0, true},
    {NORM_ISRU, "std", exact_isru, 2, true},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

// The samples, all positive and finite, with the functions at them and at their negatives as doubles; computed once for
// all levels.
static float *samples;
static double *exact[FUNCTIONS];
static size_t rows;
static float gamma_ones[COLS], beta_zeros[COLS]; // negative zeros, which leave every y as it is

static size_t add(size_t count, uint32_t first, uint32_t last, uint32_t stride) {
    stride *= stride > 1 ? thinned_to_one_of() : 1;
    for (uint64_t bits = first; bits <= last && count < MOST_SAMPLES; bits += stride)
        samples[count++] = from_bits((uint32_t)bits);
    return count;
}

// A sparse sweep over all bit patterns, and dense ones where an approximation is likely to change its formula or to
// saturate.
static size_t choose(void) {
    const uint32_t largest = to_bits(FLT_MAX), smallest_normal = to_bits(FLT_MIN);
    size_t count = add(0, 0, largest, 4093);
    count = add(count, 0, 999, 1);
    count = add(count, 0, smallest_normal, 401);
    count = add(count, smallest_normal - 100, smallest_normal + 100, 1);
    for (uint32_t exponent = 2; exponent < 255; exponent++)
        count = add(count, (exponent << 23) - 16, (exponent << 23) + 16, 1);
    count = add(count, to_bits(0.3f), to_bits(1.2f), 41);
    count = add(count, to_bits(3.8f), to_bits(4.1f), 41);
    count = add(count, to_bits(86.5f), to_bits(88.8f), 41);
    count = add(count, to_bits(8.5f), to_bits(9.5f), 7);
    count = add(count, to_bits(9.5f), to_bits(10.5f), 61);
    count = add(count, largest - 100, largest, 1);
    assert_true(count < MOST_SAMPLES - COLS);
    while (count % COLS) // whole rows
        samples[count++] = 1.0f;
    return count;
}

static int prepare(void **state) {
    (void)state;
    for (size_t i = 0; i < COLS; i++) {
        gamma_ones[i] = 1.0f;
        beta_zeros[i] = -0.0f;
    }
    samples = malloc(MOST_SAMPLES * sizeof *samples);
    if (!samples)
        return -1;
    const size_t count = choose();
    rows = count / COLS;
    mpfr_t x, y;
    mpfr_init2(x, FLT_MANT_DIG);
    mpfr_init2(y, DBL_MANT_DIG);
    for (size_t f = 0; f < FUNCTIONS; f++) {
        exact[f] = malloc(2 * count * sizeof *exact[f]);
        if (!exact[f])
            return -1;
        for (size_t i = 0; i < 2 * count; i++) {
            // An odd function at a negative is known.
            if (i >= count && functions[f].odd) {
                exact[f][i] = -exact[f][i - count];
                continue;
            }
            mpfr_set_flt(x, i < count ? samples[i] : -samples[i - count], MPFR_RNDN);
            functions[f].exact(y, x);
            exact[f][i] = mpfr_get_d(y, MPFR_RNDN);
        }
    }
    mpfr_clear(x);
    mpfr_clear(y);
    mpfr_free_cache();
    return 0;
}

static int finish(void **state) {
    (void)state;
    free(samples);
    for (size_t f = 0; f < FUNCTIONS; f++)
        free(exact[f]);
    return 0;
}

// The function by this implementation; in form add_fused of x and a branch of -0, which leaves every x as it is, zeros
// too.
static void evaluate(const norm_impl *impl, const float *x, float *y, size_t count_rows, size_t cols) {
    const size_t saved_bytes = norm_saved_bytes(impl, count_rows, cols);
    const size_t workspace_bytes = norm_workspace_bytes(impl, count_rows, cols, 1);
    void *const saved = aligned_alloc(64, (saved_bytes + 127) / 64 * 64);
    void *const workspace = aligned_alloc(64, (workspace_bytes + 127) / 64 * 64);
    float *const branch = malloc(2 * count_rows * cols * sizeof *branch);
    assert_true(saved && workspace && branch);
    memset(saved, 0, saved_bytes); // form framework looks for what an earlier forward has left
    for (size_t i = 0; i < count_rows * cols; i++)
        branch[i] = -0.0f;
    norm_args args = call_args(count_rows, cols, cols);
    args.x = x, args.y = y;
    args.branch = branch, args.sum = branch + count_rows * cols;
    args.gamma = gamma_ones, args.beta = beta_zeros;
    args.alpha = 1, args.shift = -0.0f;
    args.saved = saved, args.workspace = workspace;
    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, 1), NORM_OK);
    norm_release(impl, saved);
    free(branch);
    free(saved);
    free(workspace);
}

// Of the power of two that is not above it; with ilogb and ldexp this took most of the test's time.
static double ulp_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= 0x7ff0000000000000;
    double power;
    memcpy(&power, &bits, sizeof power);
    return 0x1p-23 * (power < 0x1p-126 ? 0x1p-126 : power);
}

static void check_samples(const norm_impl *impl, const function *f) {
    const size_t count = rows * COLS;
    const double *const want = exact[f - functions];
    float *const x = malloc(2 * count * sizeof *x), *const y = malloc(2 * count * sizeof *y);
    assert_true(x && y);
    for (size_t i = 0; i < count; i++) {
        x[i] = samples[i];
        x[count + i] = -samples[i];
    }
    evaluate(impl, x, y, 2 * rows, COLS);
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        const double got = (double)y[i];
        if (!(fabs(got) <= 1))
            fail_msg("f(%a) = %a is above 1", (double)x[i], got);
        if (f->odd && i >= count && to_bits(y[i]) != (to_bits(y[i - count]) ^ 0x80000000u))
            fail_msg("f(%a) = %a, but %a at its negative", (double)x[i], got, (double)y[i - count]);
        // Only sigmoid comes below the smallest normal number where x does not; from exp(-87) on it may be zero.
        const bool flushed = !f->odd && got == 0 && want[i] <= exp(-87);
        const double error = got == want[i] || flushed ? 0 : fabs(got - want[i]) / ulp_of(want[i]);
        if (!(error <= worst)) {
            worst = error;
            at = i;
        }
    }
    print_message("    %zu samples: largest error %.4f ulp, f(%a) = %a\n", 2 * count, worst, (double)x[at],
                  (double)y[at]);
    assert_true(worst <= f->most_ulp);
    free(x);
    free(y);
}

// One value at every position of rows of several lengths, so in every lane and in every tail, among neighbours that are
// ordinary.
static void check_special(const norm_impl *impl, float x, float want) {
    for (size_t cols = 1; cols <= 40; cols++)
        for (size_t place = 0; place < cols; place++) {
            if (thinned_out(cols + place))
                continue;
            float row[40], y[40];
            for (size_t i = 0; i < cols; i++)
                row[i] = i == place ? x : 0.5f;
            evaluate(impl, row, y, 1, cols);
            if (isnan(want) ? !isnan(y[place]) : to_bits(y[place]) != to_bits(want))
                fail_msg("f(%a) = %a instead of %a at %zu of %zu", (double)x, (double)y[place], (double)want, place,
                         cols);
            assert_false(cols > 1 && isnan(y[place ? 0 : cols - 1]));
        }
}

static const function *function_of(const norm_impl *impl) {
    for (size_t f = 0; f < FUNCTIONS; f++)
        if (impl->op == functions[f].op && impl->dtype == NORM_F32 &&
            strncmp(impl->variant, functions[f].tested, strlen(functions[f].tested)) == 0)
            return &functions[f];
    return NULL;
}

static void check_function(void **state) {
    const norm_impl *const impl = *state;
    const function *const f = function_of(impl);
    const char *const missing = norm_level_missing(impl->level);
    if (missing) {
        print_message("skipped: this CPU lacks %s\n", missing);
        skip();
    }
    check_samples(impl, f);
    check_special(impl, INFINITY, 1.0f);
    check_special(impl, -INFINITY, f->odd ? -1.0f : 0.0f);
    check_special(impl, 0.0f, f->odd ? 0.0f : 0.5f);
    check_special(impl, -0.0f, f->odd ? -0.0f : 0.5f);
    check_special(impl, NAN, NAN);
    check_special(impl, -NAN, NAN);
    check_special(impl, from_bits(0x7f800001), NAN); // signalling, with the smallest payload
    check_special(impl, from_bits(0xffffffff), NAN);
}

enum { MOST_TESTS = 512, NAME_SIZE = 64 };

int main(void) {
    static struct CMUnitTest tests[MOST_TESTS];
    static char names[MOST_TESTS][NAME_SIZE];
    size_t count = 0, found[FUNCTIONS] = {0};
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) && count < MOST_TESTS; i++) {
        const function *const f = function_of(impl);
        if (!f)
            continue;
        snprintf(names[count], NAME_SIZE, "%s %s %s %s", norm_op_name(impl->op), impl->variant,
                 norm_form_name(impl->form), norm_level_name(impl->level));
        tests[count] = (struct CMUnitTest){names[count], check_function, NULL, NULL, (void *)(uintptr_t)impl};
        found[f - functions]++;
        count++;
    }
    for (size_t f = 0; f < FUNCTIONS; f++)
        if (found[f] == 0 || count == MOST_TESTS) {
            fprintf(stderr, "test_squash: %zu implementations, %zu of %s %s in f32\n", count, found[f],
                    norm_op_name(functions[f].op), functions[f].tested);
            return EXIT_FAILURE;
        }
    return _cmocka_run_group_tests("squash", tests, count, prepare, finish) ? EXIT_FAILURE : EXIT_SUCCESS;
}
