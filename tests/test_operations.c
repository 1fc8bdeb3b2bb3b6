// SPDX-License-Identifier: MIT
// Operations per element, counted by running kernels: against the formulas where they can be read off, and for what
// every implementation must have.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "measure/operations.h"

static double count(const char *op, const char *variant, const char *form, norm_pass pass) {
    const norm_impl *const impl = norm_find(op, variant, form, "scalar", "f32");
    assert_non_null(impl);
    return operations_per_element(impl, pass).operations;
}

static void formulas(void **state) {
    (void)state;
    static const struct {
        const char *op, *variant, *form;
        norm_pass pass;
        double operations;
    } cases[] = {
        {"identity", "std", "fused", NORM_FORWARD, 0},
        {"identity", "std", "fused", NORM_BACKWARD, 0},
        {"identity", "std", "add_fused", NORM_FORWARD, 1},
        // x^2 into the sum; times 1 / root, times gamma.
        {"rmsnorm", "std", "fused", NORM_FORWARD, 4},
        {"rmsnorm", "std_noaffine", "fused", NORM_FORWARD, 3},
        {"rmsnorm", "std", "add_fused", NORM_FORWARD, 5},
        // alpha x, both clamps, gamma and beta.
        {"hardtanh", "std", "fused", NORM_FORWARD, 5},
        {"hardtanh", "std_nobeta", "fused", NORM_FORWARD, 4},
        {"hardtanh", "std_noaffine", "fused", NORM_FORWARD, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(count(cases[i].op, cases[i].variant, cases[i].form, cases[i].pass) == cases[i].operations);
    // Whatever a tanh takes: gamma is one operation, and beta makes it a multiply-add.
    assert_true(count("dyt", "u2_nobeta", "fused", NORM_FORWARD) ==
                count("dyt", "u2_noaffine", "fused", NORM_FORWARD) + 1);
    assert_true(count("dyt", "u2", "fused", NORM_FORWARD) == count("dyt", "u2_noaffine", "fused", NORM_FORWARD) + 2);
    assert_true(isnan(count("dyt", "libm", "fused", NORM_FORWARD)));
}

// A multiply-add is one instruction where the level has it; a lookup is one, and computes nothing.
static void instructions(void **state) {
    (void)state;
    static const struct {
        const char *op, *variant, *level;
        operation_counts want;
    } cases[] = {
        {"identity", "std", "scalar", {0, 0, 0}},
        {"rmsnorm", "std", "scalar", {4, 4, 3}}, // the sum's multiply-add is two
#if defined(__x86_64__)
        {"rmsnorm", "std", "avx2", {4, 3, 3}},
        {"layernorm", "onepass", "sse2", {8, 8, 3}},
        {"layernorm", "onepass", "avx512", {8, 5, 3}},
        {"dyt", "u2", "avx512", {15, 14, 7}}, // of the table six lookups
#endif
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const norm_impl *const impl = norm_find(cases[i].op, cases[i].variant, "fused", cases[i].level, "f32");
        const operation_counts got = operations_per_element(impl, NORM_FORWARD), want = cases[i].want;
        if (got.instructions != want.instructions || got.multiplies != want.multiplies)
            print_error("%s %s: %g instructions, %g multiply\n", cases[i].op, cases[i].level, got.instructions,
                        got.multiplies);
        assert_true(got.operations == want.operations && got.instructions == want.instructions &&
                    got.multiplies == want.multiplies);
    }
    const operation_counts libm =
        operations_per_element(norm_find("dyt", "libm", "fused", "scalar", "f32"), NORM_FORWARD);
    assert_true(isnan(libm.instructions));
}

// Every implementation of our own vocabulary has a count, which takes no CPU of its level: an integer, for rows and
// columns are left out, the same wherever results are stored.
static void every_implementation(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t counted = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        for (norm_pass pass = 0; pass < NORM_PASSES; pass++) {
            const double operations = operations_per_element(impl, pass).operations;
            const bool foreign = strncmp(impl->variant, "libm", 4) == 0 || strncmp(impl->variant, "mvec", 4) == 0 ||
                                 strncmp(impl->variant, "sleef", 5) == 0 || strncmp(impl->variant, "mkl", 3) == 0 ||
                                 strncmp(impl->variant, "svml", 4) == 0;
            // Forward calls a library; backward takes its result from forward, or for mvec, sleef and svml has no
            // count either.
            if (foreign && (pass == NORM_FORWARD || isnan(operations))) {
                assert_true(isnan(operations));
                continue;
            }
            counted++;
            // welford joins its chunks, a few operations for several elements.
            const bool whole = operations == floor(operations) || strncmp(impl->variant, "welford", 7) == 0;
            if (!(operations >= 0 && operations < 200 && whole))
                print_error("%s/%s %s %s %s %s: %g\n", norm_op_name(impl->op), impl->variant, norm_pass_name(pass),
                            norm_form_name(impl->form), norm_level_name(impl->level), norm_dtype_name(impl->dtype),
                            operations);
            assert_true(operations >= 0 && operations < 200 && whole);
            if (impl->streams)
                assert_true(operations == operations_per_element(norm_other_stores(impl), pass).operations);
        }
    assert_true(counted > 0);
}

#if defined(__x86_64__)
// A table's tanh takes less arithmetic than two formulas, and at width one there is no table.
static void levels_differ_where_their_source_does(void **state) {
    (void)state;
    static const char *const levels[] = {"scalar", "sse2", "avx2", "avx512", "auto_avx2", "auto_avx512"};
    double dyt[6];
    for (size_t i = 0; i < 6; i++) {
        dyt[i] = operations_per_element(norm_find("dyt", "u2", "fused", levels[i], "f32"), NORM_FORWARD).operations;
        assert_true(
            operations_per_element(norm_find("rmsnorm", "std", "fused", levels[i], "f32"), NORM_FORWARD).operations ==
            4);
    }
    assert_true(dyt[0] == dyt[1] && dyt[2] == dyt[4] && dyt[4] == dyt[5]);
    assert_true(dyt[3] < dyt[2]);
}
#elif defined(__aarch64__)
// Formulas alone: at any length of a vector as at width one.
static void levels_differ_where_their_source_does(void **state) {
    (void)state;
    static const char *const levels[] = {"scalar",  "neon",    "sve128",    "sve256",  "sve512",
                                         "sve1024", "sve2048", "auto_neon", "auto_sve"};
    const double dyt =
        operations_per_element(norm_find("dyt", "u2", "fused", "scalar", "f32"), NORM_FORWARD).operations;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        assert_true(
            operations_per_element(norm_find("dyt", "u2", "fused", levels[i], "f32"), NORM_FORWARD).operations == dyt);
        assert_true(
            operations_per_element(norm_find("rmsnorm", "std", "fused", levels[i], "f32"), NORM_FORWARD).operations ==
            4);
    }
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas),
        cmocka_unit_test(instructions),
        cmocka_unit_test(every_implementation),
#if defined(__x86_64__) || defined(__aarch64__)
        cmocka_unit_test(levels_differ_where_their_source_does),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
