// SPDX-License-Identifier: MIT
// From samples of layers to numbers: shares, differences in place and by the whole, and whether the rest of the layer
// stayed the same, of made-up samples whose answers are known beforehand.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kept.h"
#include "layers_made.h"
#include "report/answers.h"
#include "report/layers_summary.h"

// cmocka's own comparison is of floats.
static void assert_near(double got, double want, double within) { assert_true(fabs(got - want) <= within); }

static void shares_and_rates(void **state) {
    (void)state;
    made m;
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}});
    assert_near(layers_summary_median(&m.summary, NATIVE, READING_NORM_SHARE).median, 0.01, 1e-12);
    assert_near(layers_summary_median(&m.summary, IDENTITY, READING_NORM_SHARE).median, 0, 0);
    assert_near(layers_summary_median(&m.summary, NATIVE, READING_MATMUL_SHARE).median, 0.99, 1e-12);
    // 2e6 operations in 990 ns of 1e13 per second.
    assert_near(layers_summary_median(&m.summary, NATIVE, READING_PEAK_FRACTION).median, 2e15 / 990 / 1e13, 1e-3);
    assert_int_equal(layers_plan_partner(&m.plan, DYT, NORM_RMSNORM), NATIVE);
    assert_int_equal(layers_plan_partner(&m.plan, DYT, NORM_IDENTITY), IDENTITY);
    assert_int_equal(layers_plan_partner(&m.plan, NATIVE, NORM_LAYERNORM), SIZE_MAX);
    made_free(&m);
}

static void the_same_rest_is_shown_to_be_the_same(void **state) {
    (void)state;
    made m;
    layers_delta d;
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}});
    assert_true(layers_summary_delta(&m.summary, DYT, &d));
    assert_int_equal(d.rest_equivalent, 1);
    // 10 ns more of 1000; launches differ in pace by half, which the median of each takes its share of.
    assert_near(d.in_place.median, 1, 0.05);
    assert_near(d.total.median, d.in_place.median, 1e-9);
    assert_true(d.in_place.lo > 0);
    assert_near(d.norms.median, 100, 0.5);
    assert_false(layers_summary_delta(&m.summary, NATIVE, &d));
    made_free(&m);
}

static void another_rest_is_an_interaction(void **state) {
    (void)state;
    made m;
    layers_delta d;
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 1010, 990}});
    assert_true(layers_summary_delta(&m.summary, DYT, &d));
    assert_int_equal(d.rest_equivalent, 0);
    // The drift is linear in time, not in its logarithm: what is left is of its second order.
    assert_near(d.rest.median, 100 * log(1010.0 / 990), 1e-3);
    assert_near(d.in_place.median, 1, 0.05);
    assert_near(d.total.median, 3, 0.15);
    made_free(&m);
}

static void a_restless_rest_cannot_be_told(void **state) {
    (void)state;
    made m;
    layers_delta d;
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}, .wobble = 0.02});
    assert_true(layers_summary_delta(&m.summary, DYT, &d));
    assert_int_equal(d.rest_equivalent, -1);
    assert_true(d.rest.lo < -REST_MARGIN && d.rest.hi > REST_MARGIN);
    // In place the difference is still what it is.
    assert_near(d.in_place.median, 1, 0.05);
    made_free(&m);
}

// Where a line takes four times as long in some launches, those are another machine; where it takes 1.2 times, not.
static void launches_are_told_apart_by_where_the_cores_are(void **state) {
    (void)state;
    made m;
    layers_placed places[CORES_PLACES];
    layers_delta d;
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}, .far = 0.5, .far_ns = 200});
    assert_true(layers_summary_placed(&m.summary, NATIVE, places));
    assert_int_equal(places[CORES_NEAR].share.n, LAUNCHES - LAUNCHES / 3);
    assert_int_equal(places[CORES_FAR].share.n, LAUNCHES / 3);
    assert_near(places[CORES_NEAR].share.median, 10.0 / 1000, 1e-12);
    assert_near(places[CORES_NEAR].share.hi, 10.0 / 1000, 1e-12);
    assert_near(places[CORES_FAR].share.median, 5.0 / 995, 1e-12);
    assert_true(isnan(places[CORES_FAR].share.lo));
    assert_near(places[CORES_NEAR].line_ns.median, 44.5, 1e-12);
    assert_near(places[CORES_FAR].line_ns.median, 200, 0);
    // Paired, the norms' ratio is the same in both.
    assert_true(layers_summary_delta(&m.summary, DYT, &d));
    assert_near(d.norms.median, 100, 0.5);
    assert_near(d.norms.hi - d.norms.lo, 0, 0.5);
    made_free(&m);
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}, .far = 0.5, .far_ns = 58});
    assert_false(layers_summary_placed(&m.summary, NATIVE, places));
    made_free(&m);
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}, .far = 0.5, .far_ns = NAN});
    assert_false(layers_summary_placed(&m.summary, NATIVE, places));
    made_free(&m);
}

// ---- Parts and wholes

// What is printed at the end, to be freed: of the table that a run would have.
static char *printed(const layers_summary *s) {
    char folder[] = "/tmp/normbench-test-layers-XXXXXX", path[sizeof folder + 16], *text = NULL;
    size_t size, missing;
    run r = {.id = "a_run", .machine = "a_machine", .git = "c0ffee"};
    assert_non_null(mkdtemp(folder));
    snprintf(r.folder, sizeof r.folder, "%s", folder);
    snprintf(path, sizeof path, "%s/layers.csv", folder);
    assert_int_equal(layers_summary_write(s, path, &r, &missing), 0);
    FILE *const out = open_memstream(&text, &size);
    assert_non_null(out);
    answers_print_run(NULL, out, &r);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    return text;
}

static void assert_says(const char *text, const char *wanted) {
    if (strstr(text, wanted) == NULL)
        fail_msg("no \"%s\" in: %s", wanted, text);
}

static void parts_make_a_whole(void **state) {
    (void)state;
    const struct {
        stack made;
        double ratio;
        const char *says;
    } cases[] = {
        {{{100, 300, 1500}, 0, 0, 9},
         1,
         "gpt2 model prefill f32, 1 x 64 tokens, 2 threads, fused, layernorm: ends and 12 layers, measured apart, take "
         "1.0000 [1.0000, 1.0000] of the whole"},
        {{{100, 300, 1500}, 0.01, 0, 9}, 1, "they agree with a real stack of distinct weights, within the interval"},
        {{{100, 300, 1400}, 0.01, 0, 9}, 1500.0 / 1400, "they differ from a real stack of distinct weights, by +7"},
        {{{100, 300, 1600}, 0.01, 0, 9}, 1500.0 / 1600, "they differ from a real stack of distinct weights, by -6"},
        {{{100, 300, 1500}, 0.2, 0, 9}, 1, "cannot tell, for that reaches beyond 0.95 to 1.05"},
        {{{100, 300, 1500}, 0, 0, 5}, 1, "too few launches to tell"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made m;
        stats_interval ratio;
        made_stack(&m, &cases[i].made);
        assert_true(layers_summary_composition(&m.summary, 2, &ratio));
        // Half of a launch's scatter is left in a median of four, and is of whole and parts: eight deviations of it.
        assert_near(ratio.median, cases[i].ratio, 8 * cases[i].made.scatter / sqrt(9) + 1e-9);
        assert_int_equal(ratio.n, cases[i].made.launches);
        assert_false(layers_summary_composition(&m.summary, 0, &ratio));
        char *const text = printed(&m.summary);
        assert_says(text, cases[i].says);
        free(text);
        made_free(&m);
    }
}

// A norm that nothing was held against: its share, and that of each place.
static void a_lone_share_is_told(void **state) {
    (void)state;
    made m;
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}, .far = 0.5, .far_ns = 200});
    m.plan.schedule.count = 1;
    char *const text = printed(&m.summary);
    assert_says(text, "What the own norm of a model takes\n\nllama_7b");
    assert_says(text,
                "fused: rmsnorm takes 1.0 % [0.5, 1.0] of the time (1.0000 % [1.0000, 1.0000] where a line passes "
                "between the cores in 44.5 ns, 6 launches; 0.50 % [no interval] where a line passes between the cores "
                "in 200 ns, 3 launches)\n");
    assert_null(strstr(text, "dyt"));
    free(text);
    m.plan.schedule.count = ARMS;
    made_free(&m);
}

// What DyT in its place changes: by the norms where the rest is the same, else by the whole.
static void a_change_is_judged(void **state) {
    (void)state;
    static const struct {
        truth made;
        const char *says;
    } cases[] = {
        {{.norm = {10, 20, 0}, .rest = {990, 990, 990}}, "] in place: DyT loses\n"},
        {{.norm = {20, 10, 0}, .rest = {990, 990, 990}}, "] in place: DyT wins\n"},
        {{.norm = {10, 10, 0}, .rest = {990, 990, 990}}, "] in place: no difference shown\n"},
        {{.norm = {20, 10, 0}, .rest = {990, 1010, 990}},
         "] by the whole: DyT loses; interaction: the rest differs as well\n"},
        {{.norm = {10, 20, 0}, .rest = {990, 990, 990}, .wobble = 0.02}, "] by the whole: no difference shown\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made m;
        made_make(&m, &cases[i].made);
        char *const text = printed(&m.summary);
        assert_says(text, "What DyT in its place changes\n\nllama_7b");
        assert_says(text, "fused: dyt changes it by ");
        assert_says(text, cases[i].says);
        free(text);
        made_free(&m);
    }
}

// What a lone arm gets of a budget, beside a group of three arms of the same cost: the launches of LONE_STAKE arms.
static void a_lone_arm_is_measured_closely(void **state) {
    (void)state;
    made m;
    size_t launches = 40;
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}});
    m.plan.schedule.groups = 2;
    m.plan.schedule.items[IDENTITY].group = 1;
    for (size_t i = 0; i < ARMS; i++)
        m.plan.schedule.items[i].ns = 1e9;
    layers_plan_spend(&m.plan, 160, 8, &launches);
    assert_int_equal(launches, 40);
    assert_int_equal(m.plan.schedule.items[IDENTITY].launches, 40);
    assert_in_range(m.plan.schedule.items[DYT].launches, 6, 7);
    made_free(&m);
}

// The norm's steps are the whole site here, 40 in one sweep and 50 apart.
static void one_sweep_is_held_against_two(void **state) {
    (void)state;
    made m;
    stats_interval ratio;
    made_make(&m, &(truth){.norm = {50, 40, 0}, .rest = {950, 950, 990}, .far = 0.5, .far_ns = 200});
    made_arms(&m.plan)[DYT].slot = made_arms(&m.plan)[NATIVE].slot;
    assert_false(layers_summary_one_sweep(&m.summary, DYT, &ratio));
    made_arms(&m.plan)[DYT].slot.form = NORM_ADD_FUSED;
    assert_true(layers_summary_one_sweep(&m.summary, DYT, &ratio));
    assert_near(ratio.median, 0.8, 0.002);
    assert_near(ratio.hi - ratio.lo, 0, 0.002);
    made_arms(&m.plan)[NATIVE].slot.level = "avx2";
    assert_false(layers_summary_one_sweep(&m.summary, DYT, &ratio));
    made_free(&m);
}

// None, one and four calls a site: the slope from one on, and what the first adds, here to the rest as well.
static void doses_are_compared_from_one_call_on(void **state) {
    (void)state;
    made m;
    made_make(&m, &(truth){.norm = {10, 40, 0}, .rest = {990, 990, 940}});
    made_arms(&m.plan)[DYT].slot = made_arms(&m.plan)[IDENTITY].slot = made_arms(&m.plan)[NATIVE].slot;
    made_arms(&m.plan)[DYT].slot.repeats = 4;
    made_arms(&m.plan)[IDENTITY].slot.repeats = 0;
    double clock_ns;
    stats_interval ratio;
    assert_true(layers_summary_call(&m.summary, DYT, &clock_ns, &ratio));
    assert_near(clock_ns, 12.5, 2.5); // launches differ in pace by half
    assert_false(layers_summary_call(&m.summary, NATIVE, &clock_ns, &ratio));
    char *text = printed(&m.summary);
    assert_says(text, "Whether whole layers take what the clock around each norm says\n\nllama_7b");
    assert_says(text, "fused, rmsnorm: one call more at each site takes 1");
    assert_says(text, " ns by the clock in place, and by whole layers with 1 and 4 of them 1.0 [");
    assert_says(text, "the first call at each site takes 1");
    assert_says(text, " ns by the clock in place, and by whole layers with 0 and 1 of them 6.0 [");
    free(text);
    made_arms(&m.plan)[IDENTITY].slot.repeats = 2;
    text = printed(&m.summary);
    assert_null(strstr(text, "the first call"));
    assert_says(text, "with 1 and 4 of them");
    assert_null(strstr(text, "with 1 and 2 of them")); // by the clock two calls take less than one: no ratio
    free(text);
    made_free(&m);
}

// Products run at 2e6 operations in 990 ns, of a peak that is made to be 1e4 of them a ns: a fifth.
static void slow_products_are_told(void **state) {
    (void)state;
    made m;
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}});
    snprintf(m.plan.schedule.items[NATIVE].note, sizeof m.plan.schedule.items[NATIVE].note, "gemm:jit");
    char *text = printed(&m.summary);
    assert_says(text, "warning: the products of llama_7b prefill");
    assert_says(text, " run at 0.20 of what this CPU's units for them reached in this run");
    free(text);
    // One row at a time is limited by memory, not by the library.
    for (size_t i = 0; i < ARMS; i++)
        made_arms(&m.plan)[i].key.tokens = 63;
    text = printed(&m.summary);
    assert_null(strstr(text, "roducts"));
    free(text);
    made_free(&m);
}

static void timing_that_costs_is_told(void **state) {
    (void)state;
    made m;
    // Ten readings of 25 ns: 8 steps, the first reading and the sample's own.
    made_stack(&m, &(stack){{2.5e5, 1e6, 4e6}, 0, 25, 6});
    assert_near(layers_summary_median(&m.summary, 0, READING_TIMING).median, 0.0008, 2e-4);
    char *text = printed(&m.summary);
    assert_says(text, "How far these times can be trusted\n\nTiming each step takes at most 0.0");
    assert_null(strstr(text, "warning: timing"));
    free(text);
    made_free(&m);
    made_stack(&m, &(stack){{1e5, 1e6, 4e6}, 0, 25, 6});
    text = printed(&m.summary);
    assert_says(text, "warning: timing each step takes more than 0.1 % of the time in 1 of 3 rows");
    free(text);
    made_free(&m);
}

// Rows of layers.csv and steps.csv: differences, two kinds of launches, ends and stacks, one that was found wrong.
static void the_tables_are_as_they_were(void **state) {
    (void)state;
    made m;
    size_t missing;
    run r = {.id = "a_run", .machine = "a_machine", .git = "c0ffee"};
    char path[KEPT_PATH];
    kept_path(path);
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 1010, 990}, .far = 0.5, .far_ns = 200});
    m.plan.schedule.items[DYT].max_error = 2.0 / 3;
    m.plan.schedule.items[NATIVE].max_error = (double)NAN;
    snprintf(m.plan.schedule.items[NATIVE].note, sizeof m.plan.schedule.items[NATIVE].note, "oneDNN, via f32");
    assert_int_equal(layers_summary_write(&m.summary, path, &r, &missing), 0);
    kept_compare(path, "layers.csv");
    assert_int_equal(layers_summary_write_steps(&m.summary, path, &r), 0);
    kept_compare(path, "steps.csv");
    made_free(&m);
    made_stack(&m, &(stack){{1e5, 1e6, 4e6}, 0.01, 25, 6});
    m.all.items[0].sample.value[SAMPLE_PREEMPTED] = 1;
    m.plan.schedule.items[0].wrong = true;
    snprintf(m.plan.schedule.items[0].reason, sizeof m.plan.schedule.items[0].reason,
             "y[0, 0]: got \"nan\", reference 1");
    assert_int_equal(layers_summary_write(&m.summary, path, &r, &missing), 0);
    kept_compare(path, "stack/layers.csv");
    made_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_and_rates),
        cmocka_unit_test(the_same_rest_is_shown_to_be_the_same),
        cmocka_unit_test(another_rest_is_an_interaction),
        cmocka_unit_test(a_restless_rest_cannot_be_told),
        cmocka_unit_test(launches_are_told_apart_by_where_the_cores_are),
        cmocka_unit_test(parts_make_a_whole),
        cmocka_unit_test(a_lone_share_is_told),
        cmocka_unit_test(a_change_is_judged),
        cmocka_unit_test(slow_products_are_told),
        cmocka_unit_test(a_lone_arm_is_measured_closely),
        cmocka_unit_test(one_sweep_is_held_against_two),
        cmocka_unit_test(doses_are_compared_from_one_call_on),
        cmocka_unit_test(timing_that_costs_is_told),
        cmocka_unit_test(the_tables_are_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
