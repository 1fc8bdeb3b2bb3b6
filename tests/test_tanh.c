// SPDX-License-Identifier: MIT
// What the name u2 promises of dyt's tanh, at every level that this CPU can run, against MPFR: at most 2 ulp, never
// above 1, exactly 1 at infinity, odd bit for bit, +-0 and NaN kept. With gamma = alpha = 1 and beta = -0, which no sum
// can notice, y is the tanh alone.
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
#include "norm.h"

enum { COLS = 1024, MOST_SAMPLES = 1400 * COLS };

// The samples, all positive and finite, with tanh as a double correctly rounded; computed once for all levels.
static float *samples;
static double *exact;
static size_t rows;

static size_t add(size_t count, uint32_t first, uint32_t last, uint32_t stride) {
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
    samples = malloc(MOST_SAMPLES * sizeof *samples);
    exact = malloc(MOST_SAMPLES * sizeof *exact);
    if (!samples || !exact)
        return -1;
    const size_t count = choose();
    rows = count / COLS;
    mpfr_t value;
    mpfr_init2(value, DBL_MANT_DIG);
    for (size_t i = 0; i < count; i++) {
        mpfr_set_flt(value, samples[i], MPFR_RNDN);
        mpfr_tanh(value, value, MPFR_RNDN);
        exact[i] = mpfr_get_d(value, MPFR_RNDN);
    }
    mpfr_clear(value);
    mpfr_free_cache();
    return 0;
}

static int finish(void **state) {
    (void)state;
    free(samples);
    free(exact);
    return 0;
}

// tanh by this implementation; in form add_fused of x and a branch of -0, which leaves every x as it is, zeros too.
static void evaluate(const norm_impl *impl, const float *x, float *y, size_t count_rows, size_t cols) {
    static float gamma[COLS], beta[COLS];
    for (size_t i = 0; i < COLS; i++) {
        gamma[i] = 1.0f;
        beta[i] = -0.0f;
    }
    const size_t saved_bytes = norm_saved_bytes(impl, count_rows, cols);
    const size_t workspace_bytes = norm_workspace_bytes(impl, count_rows, cols, 1);
    void *const saved = aligned_alloc(64, (saved_bytes + 127) / 64 * 64);
    void *const workspace = aligned_alloc(64, (workspace_bytes + 127) / 64 * 64);
    float *const branch = malloc(2 * count_rows * cols * sizeof *branch);
    assert_true(saved && workspace && branch);
    for (size_t i = 0; i < count_rows * cols; i++)
        branch[i] = -0.0f;
    const norm_args args = {
        .rows = count_rows,
        .cols = cols,
        .x_stride = cols,
        .y_stride = cols,
        .branch_stride = cols,
        .sum_stride = cols,
        .x = x,
        .y = y,
        .branch = branch,
        .sum = branch + count_rows * cols,
        .gamma = gamma,
        .beta = beta,
        .alpha = 1.0f,
        .saved = saved,
        .workspace = workspace,
    };
    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, 1), NORM_OK);
    free(branch);
    free(saved);
    free(workspace);
}

static double ulp_of(double value) { return ldexp(1, (int)fmax(ilogb(value), -126) - 23); }

static void check_samples(const norm_impl *impl) {
    const size_t count = rows * COLS;
    float *const y = malloc(2 * count * sizeof *y), *const negative = malloc(count * sizeof *negative);
    assert_true(y && negative);
    for (size_t i = 0; i < count; i++)
        negative[i] = -samples[i];
    evaluate(impl, samples, y, rows, COLS);
    evaluate(impl, negative, y + count, rows, COLS);
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(y[i] <= 1.0f))
            fail_msg("tanh(%a) = %a is above 1", (double)samples[i], (double)y[i]);
        if (to_bits(y[count + i]) != (to_bits(y[i]) ^ 0x80000000u))
            fail_msg("tanh(%a) = %a, but %a at its negative", (double)samples[i], (double)y[i], (double)y[count + i]);
        const double error =
            exact[i] == 0 ? (y[i] == 0 ? 0 : (double)INFINITY) : fabs((double)y[i] - exact[i]) / ulp_of(exact[i]);
        if (!(error <= worst)) {
            worst = error;
            at = i;
        }
    }
    print_message("    %zu samples: largest error %.4f ulp, tanh(%a) = %a\n", count, worst, (double)samples[at],
                  (double)y[at]);
    assert_true(worst <= 2);
    free(y);
    free(negative);
}

// One value at every position of rows of several lengths, so in every lane and in every tail, among neighbours that are
// ordinary.
static void check_special(const norm_impl *impl, float x, float want) {
    for (size_t cols = 1; cols <= 40; cols++)
        for (size_t place = 0; place < cols; place++) {
            float row[40], y[40];
            for (size_t i = 0; i < cols; i++)
                row[i] = i == place ? x : 0.5f;
            evaluate(impl, row, y, 1, cols);
            if (isnan(want) ? !isnan(y[place]) : to_bits(y[place]) != to_bits(want))
                fail_msg("tanh(%a) = %a instead of %a at %zu of %zu", (double)x, (double)y[place], (double)want, place,
                         cols);
            assert_false(cols > 1 && isnan(y[place ? 0 : cols - 1]));
        }
}

static void check_u2(void **state) {
    const norm_impl *const impl = *state;
    const char *const missing = norm_level_missing(impl->level);
    if (missing) {
        print_message("skipped: this CPU lacks %s\n", missing);
        skip();
    }
    check_samples(impl);
    check_special(impl, INFINITY, 1.0f);
    check_special(impl, -INFINITY, -1.0f);
    check_special(impl, 0.0f, 0.0f);
    check_special(impl, -0.0f, -0.0f);
    check_special(impl, NAN, NAN);
    check_special(impl, -NAN, NAN);
    check_special(impl, from_bits(0x7f800001), NAN); // signalling, with the smallest payload
    check_special(impl, from_bits(0xffffffff), NAN);
}

enum { MOST_TESTS = 128, NAME_SIZE = 64 };

int main(void) {
    static struct CMUnitTest tests[MOST_TESTS];
    static char names[MOST_TESTS][NAME_SIZE];
    size_t count = 0;
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) && count < MOST_TESTS; i++) {
        if (impl->op != NORM_DYT || impl->dtype != NORM_F32 || strncmp(impl->variant, "u2", 2) != 0)
            continue;
        snprintf(names[count], NAME_SIZE, "%s %s %s", impl->variant, norm_form_name(impl->form),
                 norm_level_name(impl->level));
        tests[count] = (struct CMUnitTest){names[count], check_u2, NULL, NULL, (void *)(uintptr_t)impl};
        count++;
    }
    if (count == 0 || count == MOST_TESTS) {
        fprintf(stderr, "test_tanh: %zu implementations of dyt u2 in f32\n", count);
        return EXIT_FAILURE;
    }
    return _cmocka_run_group_tests("tanh", tests, count, prepare, finish) ? EXIT_FAILURE : EXIT_SUCCESS;
}
