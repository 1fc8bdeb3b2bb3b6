// SPDX-License-Identifier: MIT
// From samples to numbers: ratios and intervals of made-up samples whose answer is known beforehand.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kept.h"
#include "report/summary.h"

enum { RMSNORM, DYT, IDENTITY, CELLS, LAUNCHES = 9, ROUNDS = 3 };

// A plan, and room for what it borrows.
enum { MOST_CELLS = 8 };
typedef struct {
    planned items[MOST_CELLS];
    cell cells[MOST_CELLS];
    plan plan;
} three;

static void three_cells(three *t) {
    const char *const ops[CELLS] = {"rmsnorm", "dyt", "identity"}, *const variants[CELLS] = {"std", "u2", "std"};
    *t = (three){0};
    for (size_t i = 0; i < CELLS; i++) {
        t->items[i] = (planned){.calls = 1};
        t->cells[i] = (cell){.impl = norm_find(ops[i], variants[i], "fused", "scalar", "f32"),
                             .pass = NORM_FORWARD,
                             .rows = 4,
                             .cols = 8,
                             .threads = 1,
                             .place = PLACEMENT_NONE,
                             .cache = CACHE_WARM};
    }
    t->plan = (plan){.schedule = {&plan_kind, t->cells, t->items, CELLS, 1}};
}

static void add(observations *all, size_t which, size_t launch, size_t index, double ns) {
    const observation o = {.item = which,
                           .launch = launch,
                           .index = index,
                           .order = all->count,
                           .calls = 1,
                           .sample.value[SAMPLE_TIME] = ns};
    assert_true(observations_add(all, &o));
}

// The true ratio of a launch: 2.0, 2.1 ... 2.8, in an order that is none.
static double ratio_of(size_t launch) { return 2.0 + 0.1 * (double)((5 * launch) % LAUNCHES); }

// Every round has a pace of its own, up to a hundredfold, and within it the machine slows down steadily (in the
// logarithm), so that only the mirrored order R D I I D R gives the ratio back.
static void fill(observations *all) {
    static const size_t order[2 * CELLS] = {RMSNORM, DYT, IDENTITY, IDENTITY, DYT, RMSNORM};
    for (size_t launch = 0; launch < LAUNCHES; launch++)
        for (size_t round = 0; round < ROUNDS; round++) {
            const double pace = pow(10.0, (double)((launch + round) % 3));
            for (size_t k = 0; k < 2 * CELLS; k++) {
                const double truth = order[k] == DYT ? ratio_of(launch) : order[k] == IDENTITY ? 0.5 : 1.0;
                add(all, order[k], launch, 2 * round + (k >= CELLS), 100 * pace * truth * exp(0.05 * (double)k));
            }
        }
}

static void expect_interval(stats_interval got, double median, double lo, double hi) {
    assert_float_equal(got.median, median, 1e-6);
    assert_float_equal(got.lo, lo, 1e-6);
    assert_float_equal(got.hi, hi, 1e-6);
}

static void ratio_survives_pace_and_drift(void **state) {
    (void)state;
    three made;
    three_cells(&made);
    const plan *const p = &made.plan;
    observations all = {0};
    summary s;
    fill(&all);
    assert_true(summary_make(&s, p, &all));
    // Nine launches: the fifth of the ordered ratios, between the second and the eighth.
    expect_interval(summary_ratio(&s, DYT, RMSNORM), 2.4, 2.1, 2.7);
    expect_interval(summary_ratio(&s, RMSNORM, DYT), 1 / 2.4, 1 / 2.7, 1 / 2.1);
    expect_interval(summary_ratio(&s, RMSNORM, RMSNORM), 1, 1, 1);
    assert_int_equal(summary_partner(p, DYT, NORM_RMSNORM), RMSNORM);
    assert_int_equal(summary_identity(&s, DYT), IDENTITY);
    summary_free(&s);
    observations_free(&all);
}

static void half_rounds_and_lone_launches_make_no_ratio(void **state) {
    (void)state;
    three made;
    three_cells(&made);
    const plan *const p = &made.plan;
    observations all = {0};
    summary s;
    fill(&all);
    // A round that was cut off, then a whole one after it, as a resumed launch leaves them; and a launch that only one
    // of the two has.
    add(&all, DYT, 0, 2 * ROUNDS, 1e9);
    for (size_t half = 0; half < 2; half++) {
        add(&all, RMSNORM, 0, 2 * ROUNDS + 2 + half, 10);
        add(&all, DYT, 0, 2 * ROUNDS + 2 + half, 10 * ratio_of(0));
        add(&all, DYT, LAUNCHES, half, 1e9);
    }
    assert_true(summary_make(&s, p, &all));
    const stats_interval ratio = summary_ratio(&s, DYT, RMSNORM);
    expect_interval(ratio, 2.4, 2.1, 2.7);
    assert_int_equal(ratio.n, LAUNCHES);
    assert_int_equal(summary_median(&s, DYT, KERNELS_TIME).n, LAUNCHES + 1); // no sample is dropped from the times
    summary_free(&s);
    observations_free(&all);
}

static void a_launch_counts_once(void **state) {
    (void)state;
    three made;
    three_cells(&made);
    const plan *const p = &made.plan;
    observations all = {0};
    summary s;
    // Medians of launches: 1, 2 ... 9, one of them from a thousand samples.
    for (size_t launch = 0; launch < LAUNCHES; launch++)
        for (size_t i = 0; i < (launch == 0 ? 1000 : 1); i++)
            add(&all, RMSNORM, launch, i, (double)(launch + 1));
    assert_true(summary_make(&s, p, &all));
    expect_interval(summary_median(&s, RMSNORM, KERNELS_TIME), 5, 2, 8);
    assert_true(isnan(summary_ratio(&s, DYT, RMSNORM).median));
    summary_free(&s);
    observations_free(&all);
}

static void five_launches_have_no_interval(void **state) {
    (void)state;
    three made;
    three_cells(&made);
    const plan *const p = &made.plan;
    observations all = {0};
    summary s;
    for (size_t launch = 0; launch < 5; launch++)
        add(&all, RMSNORM, launch, 0, 1.0);
    assert_true(summary_make(&s, p, &all));
    assert_true(isnan(summary_median(&s, RMSNORM, KERNELS_TIME).lo));
    assert_float_equal(summary_median(&s, RMSNORM, KERNELS_TIME).median, 1, 0);
    summary_free(&s);
    observations_free(&all);
}

// Cycles are counted, or time by clock by threads, and never some of this and some of that.
static void cycles_say_where_they_are_from(void **state) {
    (void)state;
    three made;
    three_cells(&made);
    const plan *const p = &made.plan;
    observations all = {0};
    summary s;
    const char *source;
    made.cells[RMSNORM].threads = 3;
    for (size_t launch = 0; launch < LAUNCHES; launch++)
        for (size_t which = 0; which < CELLS; which++) {
            observation o = {.item = which, .launch = launch, .calls = 1};
            o.sample.value[SAMPLE_TIME] = 10;
            o.sample.value[SAMPLE_CLOCK] = 2;
            const bool counted = which == DYT || (which == RMSNORM && launch != 4);
            for (counter k = 0; k < COUNTERS; k++)
                o.sample.value[SAMPLE_CYCLES + k] = counted ? 100.0 * (double)(k + 1) + (double)launch : (double)NAN;
            if (which == IDENTITY && launch == 8)
                o.sample.value[SAMPLE_CLOCK] = (double)NAN;
            assert_true(observations_add(&all, &o));
        }
    assert_true(summary_make(&s, p, &all));
    expect_interval(summary_cycles(&s, DYT, &source), 104, 101, 107);
    assert_string_equal(source, "counters");
    expect_interval(summary_median(&s, DYT, KERNELS_COUNTED + (int)COUNTER_INSTRUCTIONS), 204, 201, 207);
    expect_interval(summary_cycles(&s, RMSNORM, &source), 60, 60, 60);
    assert_string_equal(source, "clock");
    assert_true(isnan(summary_median(&s, RMSNORM, KERNELS_COUNTED + (int)COUNTER_CACHE_MISSES).median));
    assert_true(isnan(summary_cycles(&s, IDENTITY, &source).median));
    assert_string_equal(source, "");
    summary_free(&s);
    observations_free(&all);
}

// Everything that a row can hold: ratios, counted cycles and those by the clock, samples that lack something, rows that
// were found wrong, skipped or never measured.
static void the_table_is_as_it_was(void **state) {
    (void)state;
    enum { WRONG = CELLS, SKIPPED, MISSING, FEW, ALL };
    three made;
    observations all = {0};
    summary s;
    three_cells(&made);
    planned *const items = made.items;
    made.plan.schedule.count = ALL;
    made.plan.schedule.groups = 3;
    for (size_t i = CELLS; i < ALL; i++) {
        items[i] = items[DYT];
        items[i].group = i == FEW ? 2 : 1;
        made.cells[i] = made.cells[DYT];
        made.cells[i].pass = NORM_BACKWARD;
    }
    items[WRONG].wrong = true;
    snprintf(items[WRONG].reason, sizeof items[WRONG].reason, "y[3, 17]: got 1.25, reference 1.5");
    snprintf(items[SKIPPED].reason, sizeof items[SKIPPED].reason, "this CPU lacks \"avx512f\", and that is that");
    items[WRONG].max_error = INFINITY;
    items[DYT].max_error = 1.0 / 3;
    items[DYT].calls = 17;
    fill(&all);
    for (size_t i = 0; i < all.count; i++) {
        observation *const o = &all.items[i];
        double *const value = o->sample.value;
        value[SAMPLE_CLOCK] = o->item == IDENTITY && o->launch == 8 ? (double)NAN : 3 + 0.01 * (double)o->launch;
        value[SAMPLE_PEAK] = 100.0 / 3;
        value[SAMPLE_PREEMPTED] = i % 7 == 0;
        value[SAMPLE_PAGE_FAULTS] = o->item == DYT ? 1234.5678 : 0;
        for (counter k = 0; k < COUNTERS; k++)
            value[SAMPLE_CYCLES + k] = o->item == DYT ? 1e4 * (double)(k + 1) + (double)o->launch : (double)NAN;
    }
    for (size_t launch = 0; launch < 3; launch++)
        add(&all, FEW, launch, 0, 123456.789 * (double)(launch + 1));
    char path[KEPT_PATH];
    kept_path(path);
    size_t missing;
    const run r = {.id = "a_run", .machine = "a_machine", .git = "c0ffee-dirty"};
    assert_true(summary_make(&s, &made.plan, &all));
    assert_int_equal(summary_write(&s, path, &r, &missing), 0);
    assert_int_equal(missing, 1);
    kept_compare(path, "kernels.csv");
    summary_free(&s);
    observations_free(&all);
}

// The same samples, of a layernorm in rmsnorm's place: the table has the ratio to either.
static void ratios_to_layernorm_are_paired(void **state) {
    (void)state;
    three made;
    three_cells(&made);
    observations all = {0};
    summary s;
    made.cells[RMSNORM].impl = norm_find("layernorm", "onepass", "fused", "scalar", "f32");
    fill(&all);
    char path[KEPT_PATH], error[256];
    kept_path(path);
    size_t missing;
    csv_table t;
    const run r = {.id = "a_run", .machine = "a_machine", .git = "c0ffee"};
    assert_true(summary_make(&s, &made.plan, &all));
    assert_int_equal(summary_write(&s, path, &r, &missing), 0);
    assert_int_equal(csv_read(&t, path, error, sizeof error), 0);
    const double ratio = strtod(t.rows[DYT][csv_column(&t, "ratio_to_layernorm")], NULL);
    assert_true(fabs(ratio - summary_ratio(&s, DYT, RMSNORM).median) < 0.005);
    assert_string_equal(t.rows[DYT][csv_column(&t, "ratio_to_rmsnorm")], "");
    csv_free(&t);
    assert_int_equal(remove(path), 0);
    summary_free(&s);
    observations_free(&all);
}

// Of a machine that is known, each row has its bound: a copy at its own speed, and of rmsnorm, half as fast, its units.
static void rows_have_bounds(void **state) {
    (void)state;
    three made;
    three_cells(&made);
    observations all = {0};
    summary s;
    fill(&all);
    for (size_t i = 0; i < all.count; i++)
        all.items[i].sample.value[SAMPLE_PEAK] = 2;
    char path[KEPT_PATH], error[256];
    kept_path(path);
    size_t missing;
    csv_table t;
    const run r = {.id = "a_run", .machine = "a_machine", .git = "c0ffee"};
    assert_true(summary_make(&s, &made.plan, &all));
    s.machine = (bound_machine){.caches = {{1 << 15, 1 << 20, 1 << 25}}, .peak_gflops = 2};
    s.machine.rates[NORM_LEVEL_SCALAR] = (peak_rates){.multiply = 2, .any = 2, .chain_ns = 1};
    assert_int_equal(summary_write(&s, path, &r, &missing), 0);
    assert_int_equal(csv_read(&t, path, error, sizeof error), 0);
    const int bound = csv_column(&t, "bound"), fraction = csv_column(&t, "bound_fraction");
    assert_true(bound >= 0 && fraction == bound + 1);
    assert_string_equal(t.rows[IDENTITY][bound], "l1");
    assert_string_equal(t.rows[IDENTITY][fraction], "1");
    // 4 instructions on 32 elements, two a ns.
    const double want = 64 / strtod(t.rows[RMSNORM][csv_column(&t, "time_ns_median")], NULL);
    assert_string_equal(t.rows[RMSNORM][bound], want > 0.5 ? "ports" : "l1");
    assert_true(fabs(strtod(t.rows[RMSNORM][fraction], NULL) - fmax(want, 0.5)) < 0.01);
    csv_free(&t);
    assert_int_equal(remove(path), 0);
    summary_free(&s);
    observations_free(&all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratio_survives_pace_and_drift),  cmocka_unit_test(half_rounds_and_lone_launches_make_no_ratio),
        cmocka_unit_test(a_launch_counts_once),           cmocka_unit_test(five_launches_have_no_interval),
        cmocka_unit_test(cycles_say_where_they_are_from), cmocka_unit_test(the_table_is_as_it_was),
        cmocka_unit_test(ratios_to_layernorm_are_paired), cmocka_unit_test(rows_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
