// SPDX-License-Identifier: MIT
// Each dtype is what its row of dtype.h says, and converts there and back without loss.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"

static double rounded(norm_dtype dtype, double value) {
    double room = 0;
    dtype_set(dtype, &room, 0, value);
    return dtype_get(dtype, &room, 0);
}

static void rows_are_true(void **state) {
    (void)state;
    for (norm_dtype d = 0; d < NORM_DTYPES; d++) {
        const double epsilon = dtype_epsilon(d), overflow = dtype_overflow(d);
        assert_true(dtype_size(d) == norm_dtype_bytes(d) && dtype_size(d) > 0);
        assert_string_not_equal(norm_dtype_name(d), "unknown");
        assert_true(rounded(d, 1 + epsilon) == 1 + epsilon);
        assert_true(rounded(d, 1 + epsilon / 2) == 1); // a tie goes to even
        assert_true(rounded(d, 1 + 3 * epsilon / 2) == 1 + 2 * epsilon);
        assert_true(rounded(d, 1 + epsilon * (0.5 + 0x1p-25)) == 1 + epsilon); // once: in f32 first this is a tie
        assert_true(isinf(rounded(d, overflow)));
        assert_true(isfinite(rounded(d, nextafter(overflow, 0))));
        assert_true(isnan(rounded(d, (double)NAN)));
        assert_true(signbit(rounded(d, -0.0)));
    }
    assert_true(dtype_size(NORM_DTYPES) == 0 && norm_dtype_bytes(NORM_DTYPES) == 0);
}

// Every pattern of 16 bits, where that is all there are.
static void patterns_survive(void **state) {
    (void)state;
    for (norm_dtype d = 0; d < NORM_DTYPES; d++)
        for (uint32_t bits = 0; dtype_size(d) == sizeof(uint16_t) && bits <= UINT16_MAX; bits++) {
            const uint16_t pattern = (uint16_t)bits;
            const double value = dtype_get(d, &pattern, 0);
            uint16_t back = 0;
            dtype_set(d, &back, 0, value);
            assert_true(isnan(value) ? isnan(dtype_get(d, &back, 0)) : back == pattern);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_true),
        cmocka_unit_test(patterns_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
