// SPDX-License-Identifier: MIT
// Order statistics against values worked out by hand, and the exact coverage of their intervals.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gmp.h>

#include "base/interval.h"
#include "base/stats.h"

#define CLOSE(got, want) assert_true(fabs((got) - (want)) <= 1e-12 * fabs(want))

static void medians(void **state) {
    (void)state;
    const double odd[] = {5, 1, 4, 2, 3}, even[] = {4, 1, 3, 2}, one[] = {7};
    assert_true(stats_median(odd, 5) == 3);
    assert_true(stats_median(even, 4) == 2.5);
    assert_true(stats_median(one, 1) == 7);
    assert_true(isnan(stats_median(odd, 0)));
    assert_true(odd[0] == 5 && odd[4] == 3); // left in order
}

static void nan_in_nan_out(void **state) {
    (void)state;
    const double values[] = {1, NAN, 2, 3, 4, 5};
    assert_true(isnan(stats_median(values, 6)));
    const stats_interval interval = stats_median_interval(values, 6, 0.95);
    assert_true(isnan(interval.median) && isnan(interval.lo) && isnan(interval.hi) && interval.coverage == 0);
}

static void known_ranks(void **state) {
    (void)state;
    const struct {
        size_t n, rank;
        double percent;
    } known[] = {{6, 1, 96.9}, {7, 1, 98.4}, {9, 2, 96.1}, {20, 6, 95.9}, {30, 10, 95.7}, {60, 22, 97.3}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double coverage;
        assert_int_equal(stats_median_rank(known[i].n, 0.95, &coverage), known[i].rank);
        assert_true(fabs(100 * coverage - known[i].percent) < 0.05);
    }
    for (size_t n = 0; n <= 5; n++) {
        double coverage = 1;
        assert_int_equal(stats_median_rank(n, 0.95, &coverage), 0);
        assert_true(coverage == 0);
    }
    assert_int_equal(stats_median_rank(2, 0.5, NULL), 1);
    assert_int_equal(stats_median_rank(1, 0.0, NULL), 0);
}

// P(k <= B <= n - k) for B ~ Bin(n, 1/2), from exact integers.
static double exact_coverage(unsigned long n, unsigned long k) {
    mpz_t sum, term;
    mpz_inits(sum, term, NULL);
    for (unsigned long i = k; i <= n - k; i++) {
        mpz_bin_uiui(term, n, i);
        mpz_add(sum, sum, term);
    }
    long exponent;
    const double mantissa = mpz_get_d_2exp(&exponent, sum);
    mpz_clears(sum, term, NULL);
    return ldexp(mantissa, (int)(exponent - (long)n));
}

static void ranks_are_exact(void **state) {
    (void)state;
    const double levels[] = {0.5, 0.9, 0.95, 0.99};
    for (unsigned long n = 2; n <= 1000; n += n < 100 ? 1 : 101) {
        for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
            double coverage;
            const unsigned long k = stats_median_rank(n, levels[i], &coverage);
            if (k == 0) {
                assert_true(exact_coverage(n, 1) < levels[i]);
                continue;
            }
            CLOSE(coverage, exact_coverage(n, k));
            assert_true(coverage >= levels[i]);
            assert_true(k == n / 2 || exact_coverage(n, k + 1) < levels[i]); // the narrowest
        }
    }
    double coverage;
    assert_int_equal(stats_median_rank(1000, 0.95, &coverage), 469);
    CLOSE(coverage, exact_coverage(1000, 469));
    assert_true(stats_median_rank(1000000, 0.95, &coverage) > 499000); // beyond 2^-1074, where tails underflow
    assert_true(coverage >= 0.95 && coverage < 0.951);
}

static void intervals(void **state) {
    (void)state;
    double values[20];
    for (size_t i = 0; i < 20; i++)
        values[i] = (double)((7 * i) % 20 + 1); // 1 to 20, shuffled
    const stats_interval twenty = stats_median_interval(values, 20, 0.95);
    assert_true(twenty.median == 10.5 && twenty.lo == 6 && twenty.hi == 15 && twenty.n == 20);
    const stats_interval five = stats_median_interval(values, 5, 0.95);
    assert_true(!isnan(five.median) && isnan(five.lo) && isnan(five.hi) && five.coverage == 0);
    assert_true(isnan(stats_median_interval(values, 0, 0.95).median));
}

static void generator(void **state) {
    (void)state;
    // First outputs of xoshiro256++ from the state 1, 2, 3, 4, by its definition:
    // rotl(1 + 4, 23) + 1, then from the state 7, 0, 0x20000 + 2, rotl(5, 45): rotl(7 + (5 << 45), 23) + 7.
    stats_rng rng = {.s = {1, 2, 3, 4}};
    assert_true(stats_rng_next(&rng) == 41943041);
    assert_true(stats_rng_next(&rng) == 58720359);

    stats_rng a, b;
    stats_rng_seed(&a, 42, 0);
    stats_rng_seed(&b, 42, 0);
    for (int i = 0; i < 10; i++)
        assert_true(stats_rng_next(&a) == stats_rng_next(&b));
    const uint64_t others[][2] = {{42, 1}, {43, 0}, {0, 42}, {0, 0}, {UINT64_MAX, 0}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        stats_rng_seed(&a, 42, 0);
        stats_rng_seed(&b, others[i][0], others[i][1]);
        assert_true(stats_rng_next(&a) != stats_rng_next(&b));
    }
}

static void distributions(void **state) {
    (void)state;
    stats_rng rng;
    stats_rng_seed(&rng, 1, 2);
    size_t counts[3] = {0};
    double sum = 0, squares = 0, uniform = 0;
    const int n = 30000;
    for (int i = 0; i < n; i++) {
        counts[stats_rng_below(&rng, 3)]++;
        const double u = stats_rng_uniform(&rng), z = stats_rng_normal(&rng);
        assert_true(u >= 0 && u < 1 && isfinite(z));
        uniform += u;
        sum += z;
        squares += z * z;
    }
    // Five standard errors; the seed is fixed, so this is decided once and for all.
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs((double)counts[i] - n / 3.0) < 5 * sqrt(n * 2.0 / 9));
    assert_true(fabs(uniform / n - 0.5) < 5 * sqrt(1 / 12.0 / n));
    assert_true(fabs(sum / n) < 5 / sqrt(n));
    assert_true(fabs(squares / n - 1) < 5 * sqrt(2.0 / n));
    assert_true(stats_rng_below(&rng, 1) == 0);
    // Three quarters of 2^64 as the bound: without rejection a third of all draws would be halved in probability.
    const uint64_t bound = UINT64_C(3) << 62;
    size_t low = 0;
    for (int i = 0; i < n; i++)
        low += stats_rng_below(&rng, bound) < bound / 3;
    assert_true(fabs((double)low - n / 3.0) < 5 * sqrt(n * 2.0 / 9));
}

static void shuffles(void **state) {
    (void)state;
    stats_rng rng;
    stats_rng_seed(&rng, 3, 0);
    size_t seen[6] = {0};
    for (int i = 0; i < 6000; i++) {
        size_t items[3] = {0, 1, 2};
        stats_shuffle(&rng, items, 3);
        assert_int_equal((1u << items[0]) | (1u << items[1]) | (1u << items[2]), 7);
        seen[2 * items[0] + (items[1] > items[2])]++;
    }
    for (size_t i = 0; i < 6; i++)
        assert_true(seen[i] > 850 && seen[i] < 1150);
    stats_shuffle(&rng, NULL, 0);
}

// What a percentage is printed with: no exponent, no digit more than asked for.
static void decimals(void **state) {
    (void)state;
    const struct {
        double value;
        const char *text;
    } cases[] = {{8.2e-05, "0.000082"}, {0.1, "0.10"}, {1.26, "1.3"},     {-0.034, "-0.034"}, {12.3, "12"},
                 {340, "340"},          {0, "0"},      {HUGE_VAL, "inf"}, {NAN, "nan"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        snprintf(text, sizeof text, "%.*f", interval_value_decimals(cases[i].value, 2), cases[i].value);
        assert_string_equal(text, cases[i].text);
    }
}

// Against values that are printed: Clopper and Pearson's of 0 and 5 of 10, 1 of 20, and the rule of 3.
static void proportions(void **state) {
    static const struct {
        size_t hits, trials;
        double lo, hi;
    } known[] = {{0, 10, 0, 0.30850},          {5, 10, 0.18709, 0.81291},        {10, 10, 0.69150, 1},
                 {1, 20, 0.00127, 0.24873},    {299, 299, 0.98774, 1},           {0, 3000, 0, 0.0012289},
                 {30, 1000, 0.02033, 0.04255}, {50000, 100000, 0.49690, 0.50310}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const stats_interval got = proportion_interval(known[i].hits, known[i].trials, 0.95);
        assert_true(fabs(got.lo - known[i].lo) < 1e-5);
        assert_true(fabs(got.hi - known[i].hi) < 1e-5);
        assert_true(fabs(got.median - (double)known[i].hits / (double)known[i].trials) < 1e-15);
    }
    assert_true(isnan(proportion_interval(0, 0, 0.95).lo));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proportions),    cmocka_unit_test(medians),     cmocka_unit_test(decimals),
        cmocka_unit_test(nan_in_nan_out), cmocka_unit_test(known_ranks), cmocka_unit_test(ranks_are_exact),
        cmocka_unit_test(intervals),      cmocka_unit_test(generator),   cmocka_unit_test(distributions),
        cmocka_unit_test(shuffles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
