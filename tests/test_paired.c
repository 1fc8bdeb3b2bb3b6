// SPDX-License-Identifier: MIT
// What paired differences say: the exact distribution against counting, the interval against the test that it inverts,
// the share of wrong answers against the promised one.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/paired.h"

// Every choice of signs, counted one by one.
static double by_counting(const double *d, size_t n, double bound) {
    double rank[16], seen = 0;
    size_t as_large = 0;
    for (size_t i = 0; i < n; i++) {
        double below = 0, equal = 0;
        for (size_t k = 0; k < n; k++) {
            below += fabs(d[k] - bound) < fabs(d[i] - bound);
            equal += !(fabs(d[k] - bound) < fabs(d[i] - bound)) && !(fabs(d[k] - bound) > fabs(d[i] - bound));
        }
        rank[i] = below + 0.5 * (equal + 1);
        seen += d[i] > bound ? rank[i] : 0;
    }
    for (unsigned signs = 0; signs < 1u << n; signs++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += signs >> i & 1 ? rank[i] : 0;
        as_large += sum >= seen;
    }
    return (double)as_large / (double)(1u << n);
}

static void p_values_are_counts_of_signs(void **state) {
    (void)state;
    stats_rng rng;
    stats_rng_seed(&rng, 1, 0);
    for (size_t trial = 0; trial < 60; trial++) {
        double d[10];
        const size_t n = 1 + trial % 10;
        for (size_t i = 0; i < n; i++) // with ties, in half of the trials
            d[i] = trial % 2 ? stats_rng_normal(&rng) : floor(4 * stats_rng_uniform(&rng)) - 1;
        for (int bound = -1; bound <= 1; bound++) {
            assert_float_equal(paired_above(d, n, bound), by_counting(d, n, bound), 1e-12);
            for (size_t i = 0; i < n; i++)
                d[i] = -d[i];
            const double mirrored = paired_below(d, n, -bound);
            for (size_t i = 0; i < n; i++)
                d[i] = -d[i];
            assert_float_equal(mirrored, paired_above(d, n, bound), 1e-12);
        }
    }
    // The classic table: n = 8, a sum of negative ranks of 3 has a one-sided p of 5/256.
    const double eight[] = {1, 2, -3, 4, 5, 6, 7, 8};
    assert_float_equal(paired_above(eight, 8, 0), 5.0 / 256, 1e-12);
    assert_float_equal(paired_above(eight, 0, 0), 1, 0);
}

static void no_p_is_below_the_least(void **state) {
    (void)state;
    double d[20];
    for (size_t i = 0; i < 20; i++)
        d[i] = 1 + 0.01 * (double)i;
    for (size_t n = 1; n <= 20; n++) {
        assert_float_equal(paired_above(d, n, 0), paired_least(n), 1e-15);
        assert_float_equal(paired_above(d, n, 2), 1, 1e-15);
    }
}

static void an_interval_ends_where_its_test_rejects(void **state) {
    (void)state;
    stats_rng rng;
    stats_rng_seed(&rng, 2, 0);
    for (size_t trial = 0; trial < 50; trial++) {
        double d[24];
        const size_t n = 8 + trial % 17;
        for (size_t i = 0; i < n; i++)
            d[i] = 3 + stats_rng_normal(&rng);
        const stats_interval i = paired_interval(d, n, 0.95);
        assert_true(i.lo < i.median && i.median < i.hi && i.coverage >= 0.95 && i.coverage < 0.98 && i.n == n);
        const double tail = 0.5 * (1 - i.coverage);
        assert_true(paired_above(d, n, i.lo - 1e-9) <= tail + 1e-12);
        assert_true(paired_above(d, n, i.lo + 1e-9) > tail);
        assert_true(paired_below(d, n, i.hi + 1e-9) <= tail + 1e-12);
        assert_true(paired_below(d, n, i.hi - 1e-9) > tail);
    }
    const double few[] = {1, 2, 3, 4, 5};
    const stats_interval none = paired_interval(few, 5, 0.95);
    assert_true(none.median > 2.99 && none.median < 3.01 && isnan(none.lo) && isnan(none.hi));
    assert_true(isnan(paired_interval(few, 0, 0.95).median));
}

// Of equal sides: skewed differences, each as likely as its negative.
static void wrong_answers_are_as_rare_as_promised(void **state) {
    (void)state;
    enum { TRIALS = 4000, LAUNCHES = 12 };
    stats_rng rng;
    stats_rng_seed(&rng, 3, 0);
    size_t covered = 0, found = 0;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        double d[LAUNCHES];
        for (size_t i = 0; i < LAUNCHES; i++)
            d[i] = exp(stats_rng_normal(&rng)) * (stats_rng_below(&rng, 2) ? 1 : -1);
        const stats_interval i = paired_interval(d, LAUNCHES, 0.95);
        covered += i.lo <= 0 && 0 <= i.hi;
        found += paired_above(d, LAUNCHES, 0) <= 0.01;
    }
    assert_in_range(covered, (size_t)(0.95 * (double)TRIALS), (size_t)(0.97 * (double)TRIALS));
    assert_in_range(found, (size_t)(0.005 * (double)TRIALS), (size_t)(0.013 * (double)TRIALS));
}

static void what_is_detectable_is_detected(void **state) {
    (void)state;
    enum { TRIALS = 2000, LAUNCHES = 20 };
    stats_rng rng;
    stats_rng_seed(&rng, 4, 0);
    const double alpha = 1e-3, centre = paired_detectable(0.5, LAUNCHES, 2, alpha);
    size_t found = 0;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        double d[LAUNCHES];
        for (size_t i = 0; i < LAUNCHES; i++)
            d[i] = centre + 0.5 * stats_rng_normal(&rng);
        found += paired_above(d, LAUNCHES, 2) <= alpha;
    }
    assert_in_range(found, (size_t)(0.92 * (double)TRIALS), (size_t)(0.98 * (double)TRIALS));
    assert_true(isinf(paired_detectable(0.5, 9, 2, alpha)) && isfinite(paired_detectable(0.5, 10, 2, alpha)));
    double d[] = {1, 2, 3, 4, 1000};
    assert_float_equal(paired_deviation(d, 5), 1.4826, 1e-12);
}

static void many_tests_are_adjusted_for_their_number(void **state) {
    (void)state;
    double holm[] = {0.04, 0.001, 0.03, 0.02, 0.9}, hochberg[] = {0.04, 0.001, 0.03, 0.02, 0.9};
    const double by_holm[] = {0.09, 0.005, 0.09, 0.08, 0.9}, by_hochberg[] = {0.05, 0.005, 0.05, 0.05, 0.9};
    paired_holm(holm, 5);
    paired_benjamini_hochberg(hochberg, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_float_equal(holm[i], by_holm[i], 1e-12);
        assert_float_equal(hochberg[i], by_hochberg[i], 1e-12);
    }
    paired_holm(holm, 0);
    double alone[] = {0.5, 1};
    paired_holm(alone, 2);
    assert_float_equal(alone[0], 1, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_values_are_counts_of_signs),
        cmocka_unit_test(no_p_is_below_the_least),
        cmocka_unit_test(an_interval_ends_where_its_test_rejects),
        cmocka_unit_test(wrong_answers_are_as_rare_as_promised),
        cmocka_unit_test(what_is_detectable_is_detected),
        cmocka_unit_test(many_tests_are_adjusted_for_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
