// SPDX-License-Identifier: MIT
// Changes of a series: a step is found at its place, noise, an outlier and what is too small are none, a drift is told
// as such; and how far one more run may lie from others.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/changes.h"
#include "base/paired.h"
#include "base/stats.h"

enum { MOST = 120 };
static const changes_rule rule = {.alpha = 0.001, .least = 0.02, .points = 5, .shuffles = 1999, .seed = 1};

// How a series is made: noise, whose deviation is given; steps at some places; a slope; a wild value.
typedef struct {
    const char *name;
    size_t n;
    double noise;
    struct {
        size_t at;
        double by;
    } steps[3];
    double slope;
    struct {
        size_t at;
        double by;
    } wild;
    changes_kind kind;
    size_t within; // points by which a place may be missed
} made;

static void make(const made *m, uint64_t seed, double values[MOST]) {
    stats_rng rng;
    stats_rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < m->n; i++) {
        values[i] = m->noise * stats_rng_normal(&rng) + m->slope * (double)i;
        for (size_t k = 0; k < 3; k++)
            values[i] += m->steps[k].by != 0 && i >= m->steps[k].at ? m->steps[k].by : 0;
        values[i] += m->wild.by != 0 && i == m->wild.at ? m->wild.by : 0;
    }
}

static const made cases[] = {
    {"one step", 40, 0.005, {{22, 0.05}}, 0, {0, 0}, CHANGES_STEPS, 1},
    {"a step down", 40, 0.005, {{22, -0.05}}, 0, {0, 0}, CHANGES_STEPS, 1},
    {"a step of 3 % in noise of 0.5 %", 40, 0.005, {{15, 0.03}}, 0, {0, 0}, CHANGES_STEPS, 1},
    {"a step without noise", 30, 0, {{15, 0.05}}, 0, {0, 0}, CHANGES_STEPS, 0},
    {"a step five points before the end", 40, 0.003, {{35, 0.05}}, 0, {0, 0}, CHANGES_STEPS, 0},
    {"up and down again", 60, 0.005, {{20, 0.06}, {40, -0.06}}, 0, {0, 0}, CHANGES_STEPS, 1},
    {"three steps up", 80, 0.004, {{20, 0.05}, {40, 0.05}, {60, 0.05}}, 0, {0, 0}, CHANGES_STEPS, 1},
    {"a step beside a wild value", 40, 0.005, {{22, 0.04}}, 0, {10, 0.8}, CHANGES_STEPS, 1},
    {"one wild value", 40, 0.005, {{0, 0}}, 0, {20, 1.0}, CHANGES_NONE, 0},
    {"a wild value at the end", 40, 0.005, {{0, 0}}, 0, {39, 1.0}, CHANGES_NONE, 0},
    {"a step below what counts", 60, 0.001, {{30, 0.01}}, 0, {0, 0}, CHANGES_NONE, 0},
    {"all the same", 40, 0, {{0, 0}}, 0, {0, 0}, CHANGES_NONE, 0},
    {"a drift", 60, 0.005, {{0, 0}}, 0.002, {0, 0}, CHANGES_DRIFT, 0},
    {"a drift down", 60, 0.005, {{0, 0}}, -0.002, {0, 0}, CHANGES_DRIFT, 0},
    {"a drift below what counts", 60, 0.002, {{0, 0}}, 0.0002, {0, 0}, CHANGES_NONE, 0},
    {"four points after the step", 40, 0.003, {{36, 0.05}}, 0, {0, 0}, CHANGES_NONE, 0},
    {"too few runs", 9, 0, {{5, 1}}, 0, {0, 0}, CHANGES_NONE, 0},
    {"none at all", 0, 0, {{0, 0}}, 0, {0, 0}, CHANGES_NONE, 0},
};

static size_t steps_of(const made *m) {
    size_t count = 0;
    while (m->kind == CHANGES_STEPS && count < 3 && m->steps[count].by != 0)
        count++;
    return count;
}

static void series_that_are_known(void **state) {
    (void)state;
    double values[MOST];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const made *const m = &cases[i];
        for (uint64_t seed = 1; seed <= 4; seed++) {
            changes found;
            make(m, seed, values);
            assert_true(changes_find(&found, values, m->n, &rule));
            if (found.kind != m->kind || found.count != steps_of(m))
                fail_msg("%s, seed %d: kind %d with %zu steps", m->name, (int)seed, (int)found.kind, found.count);
            for (size_t k = 0; k < found.count; k++) {
                const double off = fabs((double)found.steps[k].at - (double)m->steps[k].at);
                if (off > (double)m->within || found.steps[k].p > rule.alpha)
                    fail_msg("%s, seed %d: a step at %zu", m->name, (int)seed, found.steps[k].at);
                // The medians of some twenty points each.
                assert_true(fabs(found.steps[k].after - found.steps[k].before - m->steps[k].by) <= 2 * m->noise);
            }
            if (found.kind == CHANGES_DRIFT)
                assert_true(fabs(found.drift / (m->slope * (double)(m->n - 1)) - 1) < 0.1);
            changes_free(&found);
        }
    }
}

// Noise of any shape has a change no more often than alpha says: of 1000 series, at 5 %, 50, and with 99.9 %
// probability at most 72; at 0.1 %, 1 and at most 5.
static double noise_of(size_t shape, stats_rng *rng) {
    const double normal = stats_rng_normal(rng), uniform = stats_rng_uniform(rng);
    return shape == 0   ? normal
           : shape == 1 ? -log(1 - uniform) // skewed, as times are
           : shape == 2 ? normal / fabs(stats_rng_normal(rng))
                        : floor(3 * uniform); // many values are equal
}

static void noise_is_none(void **state) {
    (void)state;
    const struct {
        double alpha;
        size_t shuffles, most;
    } levels[] = {{0.05, 199, 72}, {0.001, 999, 5}};
    for (size_t shape = 0; shape < 4; shape++)
        for (size_t i = 0; i < 2; i++) {
            const changes_rule any = {levels[i].alpha, 0, 5, levels[i].shuffles, 1};
            size_t alarms = 0;
            for (uint64_t seed = 0; seed < 1000; seed++) {
                double values[30];
                changes found;
                stats_rng rng;
                stats_rng_seed(&rng, seed, shape);
                for (size_t k = 0; k < 30; k++)
                    values[k] = noise_of(shape, &rng);
                assert_true(changes_find(&found, values, 30, &any));
                alarms += found.count > 0 || found.kind != CHANGES_NONE;
                changes_free(&found);
            }
            if (alarms > levels[i].most)
                fail_msg("shape %zu: %zu alarms in 1000 at alpha %g", shape, alarms, levels[i].alpha);
            if (i == 0)
                assert_true(alarms > 5); // the test of 5 % does alarm
        }
}

static void the_same_again(void **state) {
    (void)state;
    double values[MOST];
    changes a, b;
    make(&cases[6], 3, values);
    assert_true(changes_find(&a, values, cases[6].n, &rule) && changes_find(&b, values, cases[6].n, &rule));
    assert_int_equal(a.count, b.count);
    for (size_t k = 0; k < a.count; k++)
        assert_true(a.steps[k].at == b.steps[k].at && !(a.steps[k].p < b.steps[k].p) && !(a.steps[k].p > b.steps[k].p));
    changes_free(&a);
    changes_free(&b);
}

// Against 400,000 draws of another generator (NumPy's): the factors that one in a thousand exceeds.
static void factors(void **state) {
    (void)state;
    const struct {
        size_t count;
        double factor;
    } known[] = {{10, 7.53}, {12, 6.32}, {20, 4.70}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(fabs(prediction_factor(known[i].count, 0.001) / known[i].factor - 1) < 0.06);
    assert_true(fabs(prediction_factor(10, 0.5)) < 0.02); // one in two lies above the median
    const double first = prediction_factor(10, 0.01), second = prediction_factor(10, 0.01);
    assert_memory_equal(&first, &second, sizeof first);
    assert_true(isnan(prediction_factor(2, 0.001)));
}

// Runs of a normal distribution lie beyond the factor as often as it says.
static void alarms(void **state) {
    (void)state;
    enum { RUNS = 10, SERIES = 60000 };
    const double factor = prediction_factor(RUNS, 0.001);
    size_t beyond = 0;
    stats_rng rng;
    stats_rng_seed(&rng, 77, 0);
    for (size_t i = 0; i < SERIES; i++) {
        double values[RUNS];
        for (size_t k = 0; k < RUNS; k++)
            values[k] = stats_rng_normal(&rng);
        beyond += stats_rng_normal(&rng) - stats_median(values, RUNS) > factor * paired_deviation(values, RUNS);
    }
    assert_in_range(beyond, 30, 95); // 60 are expected
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_that_are_known),
        cmocka_unit_test(noise_is_none),
        cmocka_unit_test(the_same_again),
        cmocka_unit_test(factors),
        cmocka_unit_test(alarms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
