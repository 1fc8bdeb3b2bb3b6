// SPDX-License-Identifier: MIT
// The shift between two samples, against all pairs put in order.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/order.h"
#include "base/shift.h"
#include "base/stats.h"

enum { MOST = 9 };

static double by_all_pairs(const double *a, size_t a_count, const double *b, size_t b_count) {
    double all[MOST * MOST];
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++)
            all[i * b_count + j] = a[i] - b[j];
    return stats_median(all, a_count * b_count);
}

static void draw(stats_rng *rng, double *values, size_t count, uint64_t steps) {
    for (size_t i = 0; i < count; i++)
        values[i] = 0.25 * (double)stats_rng_below(rng, steps) - 1e3;
    qsort(values, count, sizeof *values, order_reals);
}

// Few steps make ties.
static void is_the_median_of_all_differences(void **state) {
    (void)state;
    stats_rng rng;
    stats_rng_seed(&rng, 5, 0);
    for (size_t a_count = 1; a_count <= MOST; a_count++)
        for (size_t b_count = 1; b_count <= MOST; b_count++)
            for (uint64_t steps = 1; steps < 1000; steps = 3 * steps + 1) {
                double a[MOST], b[MOST];
                draw(&rng, a, a_count, steps);
                draw(&rng, b, b_count, steps);
                const double shift = shift_of(a, a_count, b, b_count);
                assert_true(fabs(shift - by_all_pairs(a, a_count, b, b_count)) < 1e-9);
                assert_true(fabs(shift + shift_of(b, b_count, a, a_count)) < 1e-9);
            }
}

static void of_nothing_is_not_known(void **state) {
    (void)state;
    const double a = 1, none = (double)NAN;
    assert_true(isnan(shift_of(&a, 1, &a, 0)));
    assert_true(isnan(shift_of(&a, 0, &a, 1)));
    assert_true(isnan(shift_of(&a, 1, &none, 1)));
}

// Two modes, and as many of one as of the other: medians and quartiles jump between them, the shift stays.
static void two_modes_do_not_make_it_jump(void **state) {
    (void)state;
    enum { COUNT = 100 };
    for (size_t slow = 20; slow <= 80; slow += 5) {
        double a[COUNT], b[COUNT];
        for (size_t i = 0; i < COUNT; i++) {
            a[i] = i < COUNT - slow ? 1100 : 1600;
            b[i] = i < COUNT / 2 ? 1000 : 1500;
        }
        const double shift = shift_of(a, COUNT, b, COUNT);
        assert_true(fabs(shift - 100) < 1e-9);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_median_of_all_differences),
        cmocka_unit_test(of_nothing_is_not_known),
        cmocka_unit_test(two_modes_do_not_make_it_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
