// SPDX-License-Identifier: MIT
// Every f16 there is goes through the loads and stores of every level unchanged, and what lies between two of them,
// near the largest, beyond it and among the denormals is rounded to nearest even, as the conversion of dtype.h does it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "call.h"
#include "dtype.h"

enum { PATTERNS = 65536, MAGNITUDE = 0x7fff, INFINITE = 0x7c00 };

static bool is_nan(uint16_t value) { return (value & MAGNITUDE) > INFINITE; }

// The conversions of dtype.h against the format itself: 2^(e - 15) (1 + m / 1024), and m 2^-24 where e is zero.
static void the_format(void **state) {
    (void)state;
    for (uint32_t i = 0; i < PATTERNS; i++) {
        const uint16_t pattern = (uint16_t)i;
        const int exponent = (int)(i >> 10 & 31), fraction = (int)(i & 1023);
        const double size = exponent == 0    ? ldexp(fraction, -24)
                            : exponent == 31 ? (double)INFINITY
                                             : ldexp(1024 + fraction, exponent - 25);
        const double value = i >> 15 ? -size : size, got = dtype_get(NORM_F16, &pattern, 0);
        assert_true(is_nan(pattern) ? isnan(got) : got == value && signbit(got) == signbit(value));
    }
    static const struct {
        double value;
        uint16_t pattern;
    } rounded[] = {{65519.99, 0x7bff},
                   {65520, 0x7c00},
                   {1e300, 0x7c00},
                   {-65520, 0xfc00},
                   {0x1p-25, 0},
                   {0x1.000001p-25, 1},
                   {0x1.8p-24, 2},
                   {0x1.7fffffp-24, 1},
                   {0x1.ffbffp-15, 0x3ff},
                   {0x1.ffcp-15, 0x400},
                   {1 + 0x1p-11, 0x3c00},
                   {1 + 0x3p-11, 0x3c02},
                   {1 + 0x1.000001p-11, 0x3c01},
                   {1.9999, 0x4000},
                   {0, 0},
                   {-0.0, 0x8000},
                   {5e-324, 0},
                   {-(double)INFINITY, 0xfc00}};
    for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++) {
        uint16_t got;
        dtype_set(NORM_F16, &got, 0, rounded[i].value);
        if (got != rounded[i].pattern)
            fail_msg("%a becomes 0x%04x, not 0x%04x", rounded[i].value, got, rounded[i].pattern);
    }
}

// x + branch of two f16 is exact in f32, but where one is too small to matter; so the sum is rounded once. Of a branch
// of -0 it is x.
static void every_level(void **state) {
    (void)state;
    static const uint16_t branches[] = {0x8000, 0x0001, 0x13ff, 0x3c00, 0x7bff, 0x5000, 0x9001, 0xc803};
    const norm_impl *impl;
    size_t tested = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (impl->op != NORM_IDENTITY || impl->form != NORM_ADD_FUSED || impl->dtype != NORM_F16 ||
            norm_missing(impl) != NULL)
            continue;
        tested++;
        for (size_t b = 0; b < sizeof branches / sizeof *branches; b++) {
            call c;
            assert_true(call_make(&c, impl, 1, PATTERNS - 1, 1)); // an odd one is left of any vector
            uint16_t *const x = (uint16_t *)c.data[CALL_X], *const branch = (uint16_t *)c.data[CALL_BRANCH];
            for (uint32_t k = 0; k + 1 < PATTERNS; k++) {
                x[k] = (uint16_t)(k + (b % 2)); // at other places of a vector
                branch[k] = branches[b];
            }
            assert_int_equal(call_run(&c, 1, 0x55), NORM_OK);
            for (uint32_t k = 0; k + 1 < PATTERNS; k++) {
                const double sum = dtype_get(NORM_F16, x, k) + dtype_get(NORM_F16, branch, k);
                uint16_t want, got = ((const uint16_t *)c.data[CALL_SUM])[k];
                dtype_set(NORM_F16, &want, 0, sum);
                if (got != want && !(is_nan(got) && is_nan(want)))
                    fail_msg("%s: 0x%04x + 0x%04x is 0x%04x, not 0x%04x", call_name(impl), x[k], branch[k], got, want);
            }
            call_free(&c);
        }
    }
    assert_true(tested > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_format), cmocka_unit_test(every_level)};
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
