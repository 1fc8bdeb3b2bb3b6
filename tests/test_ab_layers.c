// SPDX-License-Identifier: MIT
// What `normbench ab --layers` says of made-up layers: of norms alone by their times in place, what that comes to in
// the layer, and that it is no answer where the rest of the layer changes too.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ab_printed.h"
#include "base/exit_code.h"
#include "measure/ab.h"
#include "plan/ab_layers_plan.h"
#include "report/ab_judge.h"

enum { ROUNDS = 6, STEPS = 3 };
static const ab_threshold threshold = {3, 1.5};

// Two norms and a product; the norms are one percent of the whole.
typedef struct {
    layers_plan plan;
    observations all;
    double norm[NORM_OPS], rest[NORM_OPS]; // log of how much longer the candidate's take
    double added_ns;                       // to the norms of DyT's candidate, with a little to its base; 0: nothing
    double late;                           // the share of samples in which a norm is half as slow again
    size_t launches;                       // so far
    stats_rng rng;
} made;

static layers_arm arm_of(norm_op op) {
    layers_arm a = {.key = {.model = model_find("llama_7b"),
                            .phase = PHASE_PREFILL,
                            .batch = 1,
                            .tokens = 128,
                            .depth = 1,
                            .threads = 2,
                            .place = PLACEMENT_CORES}};
    assert_true(layer_slot(a.key.model, op, NULL, NORM_FUSED, "scalar", NORM_F32, &a.slot));
    return a;
}

static void make(made *m, uint64_t seed) {
    static const struct {
        norm_op op;
        ab_role role;
    } rows[] = {{NORM_RMSNORM, AB_ROW}, {NORM_DYT, AB_ROW}, {NORM_RMSNORM, AB_SENTINEL}};
    static const layer_step steps[STEPS] = {{"attention.norm", STEP_NORM, NORM_FORWARD, 0, 0},
                                            {"q", STEP_MATMUL, NORM_FORWARD, 2e6, 0},
                                            {"ffn.norm", STEP_NORM, NORM_FORWARD, 0, 0}};
    *m = (made){.plan.schedule.kind = &ab_layers_kind, .late = 0.1};
    stats_rng_seed(&m->rng, seed, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (ab_side side = 0; side < AB_SIDES; side++) {
            const ab_layers_item item = {arm_of(rows[i].op), {rows[i].role, side, 0}};
            assert_true(schedule_add(&m->plan.schedule, &item));
        }
    assert_true(schedule_arrange(&m->plan.schedule));
    assert_int_equal(m->plan.schedule.groups, 1);
    for (size_t i = 0; i < m->plan.schedule.count; i++) {
        planned *const item = &m->plan.schedule.items[i];
        item->calls = 1;
        item->rounds = ROUNDS;
        item->launches = AB_LAYERS_LAUNCHES;
        for (size_t k = 0; k < STEPS; k++)
            assert_true(layers_plan_add_step(
                &m->plan, &(layers_step){.arm = i, .index = k, .step = steps[k], .pages = (double)NAN}));
    }
}

static void forget(made *m) {
    layers_plan_free(&m->plan);
    observations_free(&m->all);
}

// Some samples find a norm half as slow again, as where a thread came late.
static void add_sample(made *m, size_t item, size_t index, double norm, double rest) {
    double *const list = malloc(STEPS * sizeof *list);
    assert_non_null(list);
    const double late = stats_rng_uniform(&m->rng) < m->late ? 1.5 : 1;
    list[0] = 6e3 * norm * late;
    list[1] = 990e3 * rest;
    list[2] = 4e3 * norm;
    observation o = {.item = item, .launch = m->launches, .index = index, .calls = 1};
    o.sample.list = list;
    o.sample.list_length = STEPS;
    o.sample.value[SAMPLE_TIME] = list[0] + list[1] + list[2];
    const ab_layers_item *const of = schedule_name(&m->plan.schedule, item);
    const bool slowed = of->which.role == AB_ROW && of->arm.slot.op == NORM_DYT && m->added_ns > 0;
    o.sample.value[AB_LAYERS_ADDED] =
        !slowed ? (double)NAN : (of->which.side == AB_CANDIDATE ? m->added_ns : 0) + (index % 3 == 0 ? 5000 : 20);
    o.sample.value[SAMPLE_PREEMPTED] = stats_rng_uniform(&m->rng) < 0.3; // of a layer that says little
    assert_true(observations_add(&m->all, &o));
}

static void launch(made *m, size_t end) {
    const schedule *const s = &m->plan.schedule;
    for (; m->launches < end; m->launches++)
        for (size_t i = 0; i < s->count; i++) {
            const ab_layers_item *const item = schedule_name(s, i);
            const bool changes = item->which.side == AB_CANDIDATE && item->which.role == AB_ROW;
            const double norm = changes ? m->norm[item->arm.slot.op] : 0,
                         rest = changes ? m->rest[item->arm.slot.op] : 0;
            const double of_norm = exp(norm + 0.01 * stats_rng_normal(&m->rng)),
                         of_rest = exp(rest + 0.002 * stats_rng_normal(&m->rng));
            for (size_t k = 0; k < 2 * ROUNDS && schedule_times_in(&s->items[i], m->launches); k++)
                add_sample(m, i, k, of_norm, of_rest);
        }
}

static void run_whole(made *m, ab_judgement *j) {
    for (size_t done = 0, more = AB_LAYERS_LAUNCHES; more != done;) {
        launch(m, more);
        done = more;
        more = ab_go_on(&ab_norms, &m->plan.schedule, &m->all, threshold, done);
    }
    assert_true(ab_judge(j, &ab_norms, &m->plan.schedule, &m->all, threshold));
    assert_int_equal(j->row_count, 3);
}

static const ab_row *row_of(const ab_judgement *j, norm_op op) {
    for (size_t i = 0; i < j->row_count; i++)
        if (j->rows[i].op == op && j->rows[i].which.role == AB_ROW)
            return &j->rows[i];
    fail();
    return NULL;
}

static void equal_norms_are_the_same(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        made m;
        ab_judgement j;
        make(&m, seed);
        run_whole(&m, &j);
        assert_int_equal(j.counts[AB_SAME], 2);
        assert_int_equal(ab_report_exit(&j), EXIT_DONE);
        assert_int_equal(row_of(&j, NORM_DYT)->layer.stays, AB_REST_STAYS);
        assert_true(fabs(row_of(&j, NORM_DYT)->layer.share.median - 0.01) < 0.002);
        ab_judgement_free(&j);
        forget(&m);
    }
}

// The goal: a norm of a percent of the layer that is slower by a tenth, a thousandth of the whole, to 15 % of that.
static void a_tenth_of_a_percent_of_a_layer_is_found(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        made m;
        ab_judgement j;
        make(&m, seed);
        m.norm[NORM_DYT] = log(1.1);
        run_whole(&m, &j);
        const ab_row *const r = row_of(&j, NORM_DYT);
        const double truth = log(1 + 0.1 * 0.01);
        assert_int_equal(r->finding.verdict, AB_SLOWER);
        assert_int_equal(row_of(&j, NORM_RMSNORM)->finding.verdict, AB_SAME);
        assert_int_equal(ab_report_exit(&j), EXIT_REGRESSION);
        assert_int_equal(r->layer.stays, AB_REST_STAYS);
        assert_true(fabs(r->finding.change.median / log(1.1) - 1) < 0.15);
        assert_true(fabs(r->layer.effect.median / truth - 1) < 0.15);
        assert_true(r->layer.effect.lo < r->layer.effect.median && r->layer.effect.median < r->layer.effect.hi);
        ab_judgement_free(&j);
        forget(&m);
    }
}

// A norm that takes one of two times, whichever share of its samples takes the longer one: a quartile or a median jumps
// between them where the share is just that.
static void two_speeds_of_a_norm_do_not_hide_what_it_lost(void **state) {
    (void)state;
    static const double shares[] = {0.25, 0.5, 0.75};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            made m;
            ab_judgement j;
            make(&m, seed);
            m.late = shares[i];
            m.norm[NORM_DYT] = log(1.1);
            run_whole(&m, &j);
            const ab_row *const slower = row_of(&j, NORM_DYT), *const equal = row_of(&j, NORM_RMSNORM);
            assert_int_equal(slower->finding.verdict, AB_SLOWER);
            assert_int_equal(equal->finding.verdict, AB_SAME);
            assert_true(slower->finding.deviation < 0.05 && equal->finding.deviation < 0.05);
            assert_true(fabs(slower->finding.change.median / log(1.1) - 1) < 0.15);
            ab_judgement_free(&j);
            forget(&m);
        }
}

// rest: by how much the rest of the layer changes with it; what is then said of the layer.
static void what_is_said_of_the_layer(void **state) {
    (void)state;
    static const struct {
        double rest;
        ab_rest stays;
        const char *said;
    } cases[] = {{0, AB_REST_STAYS, " slower, the layer 0."},
                 {0.02, AB_REST_CHANGES, ", interaction: the rest of the layer 2"},
                 {0.0025, AB_REST_UNKNOWN, " if its rest stays as it is, which was not shown: 0."}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made m;
        ab_judgement j;
        make(&m, 11);
        m.norm[NORM_DYT] = log(1.1);
        m.rest[NORM_DYT] = cases[i].rest;
        run_whole(&m, &j);
        const ab_row *const r = row_of(&j, NORM_DYT);
        assert_int_equal(r->layer.stays, cases[i].stays);
        // The norm is found all the same, and the whole as it was measured.
        assert_int_equal(r->finding.verdict, AB_SLOWER);
        assert_true(fabs(r->layer.total.median - cases[i].rest - 0.001) < 0.002);
        char *const text = ab_printed(&j, AB_AS_TEXT), *const json = ab_printed(&j, AB_AS_JSON),
                    *const junit = ab_printed(&j, AB_AS_JUNIT);
        assert_non_null(
            strstr(text, "dyt/u2_nobeta fused scalar in llama_7b prefill f32, 1 x 128 tokens, 2 threads: "));
        assert_non_null(strstr(text, cases[i].said));
        assert_non_null(strstr(json, "\"layer_pct\": ["));
        // Of what failed and of what passed.
        assert_non_null(strstr(junit, "<testcase classname=\"normbench.ab.norm\" name=\"dyt/u2_nobeta fused scalar in "
                                      "llama_7b prefill f32, 1 x 128 tokens, 2 threads\">\n    <failure message=\""));
        assert_non_null(strstr(junit, cases[i].said));
        const char *const passed = strstr(junit, "<system-out>");
        assert_true(passed != NULL && strstr(passed, ", the layer ") != NULL);
        free(junit);
        free(text);
        free(json);
        ab_judgement_free(&j);
        forget(&m);
    }
}

// What --inject did, launch by launch, by a clock of its own: of the norms, and of the layer. Not half of the samples
// are disturbed, and launches in which only one side was seen do not count.
static void what_was_added_is_told(void **state) {
    (void)state;
    made m;
    ab_judgement j;
    make(&m, 13);
    m.norm[NORM_DYT] = log(1.1);
    m.added_ns = 1000;
    for (size_t i = 0; i < m.plan.schedule.count; i++) {
        ab_layers_item *const item = &((ab_layers_item *)m.plan.schedule.names)[i];
        if (item->arm.slot.op == NORM_DYT && item->which.side == AB_CANDIDATE)
            item->which.inject_pct = 10;
    }
    run_whole(&m, &j);
    assert_true(fabs(row_of(&j, NORM_DYT)->layer.added - 0.1) < 0.005);
    assert_true(fabs(row_of(&j, NORM_DYT)->layer.added_to_layer - 0.001) < 0.00005);
    assert_true(isnan(row_of(&j, NORM_RMSNORM)->layer.added));
    ab_judgement_free(&j);
    forget(&m);
}

static void rows_have_names(void **state) {
    (void)state;
    char name[CELL_NAME_SIZE];
    layers_arm a = arm_of(NORM_RMSNORM);
    assert_string_equal(ab_layers_name(&a, name), "rmsnorm/std/fused/scalar/f32/llama_7b/layer/prefill/1x128/2/cores");
    a.key.phase = PHASE_DECODE;
    a.key.tokens = 1;
    a.key.context = 512;
    a.key.depth = 12;
    assert_non_null(strstr(ab_layers_name(&a, name), "/llama_7b/layer/decode/1x1+512/2/cores/depth12"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_norms_are_the_same),
        cmocka_unit_test(a_tenth_of_a_percent_of_a_layer_is_found),
        cmocka_unit_test(what_is_said_of_the_layer),
        cmocka_unit_test(what_was_added_is_told),
        cmocka_unit_test(two_speeds_of_a_norm_do_not_hide_what_it_lost),
        cmocka_unit_test(rows_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
