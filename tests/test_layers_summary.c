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

#include <cmocka.h>

#include "layers_summary.h"

enum { NATIVE, DYT, IDENTITY, ARMS, LAUNCHES = 9, ROUNDS = 2, STEPS = 2 };

// What a layer is made to take, ns: the norm of each arm, and the rest of the layer.
typedef struct {
    double norm[ARMS], rest[ARMS];
    double wobble; // of the rest, from launch to launch, relative
} truth;

static const norm_op ops[ARMS] = {NORM_RMSNORM, NORM_DYT, NORM_IDENTITY};

typedef struct {
    layers_plan plan;
    layers_observations all;
    layers_summary summary;
} made;

static void make(made *m, const truth *t) {
    *m = (made){0};
    m->plan.arms = calloc(ARMS, sizeof *m->plan.arms);
    assert_non_null(m->plan.arms);
    m->plan.count = ARMS;
    m->plan.groups = 1;
    for (size_t i = 0; i < ARMS; i++) {
        layers_arm *const a = &m->plan.arms[i];
        a->key = (layers_key){.model = model_find("llama_7b"),
                              .phase = PHASE_PREFILL,
                              .batch = 1,
                              .tokens = 128,
                              .depth = 1,
                              .threads = 2};
        assert_true(layer_slot(a->key.model, ops[i], NULL, NORM_FUSED, "scalar", NORM_F32, &a->slot));
        a->slot.repeats = 1;
        a->calls = 1;
        const layers_step norm = {.arm = i, .index = 0, .step = {"norm", STEP_NORM, NORM_FORWARD, 0}};
        const layers_step product = {.arm = i, .index = 1, .step = {"q", STEP_MATMUL, NORM_FORWARD, 2e6}};
        assert_true(layers_plan_add_step(&m->plan, &norm));
        assert_true(layers_plan_add_step(&m->plan, &product));
    }
    for (size_t launch = 0; launch < LAUNCHES; launch++)
        for (size_t round = 0; round < ROUNDS; round++)
            for (size_t k = 0; k < 2 * ARMS; k++) {
                const size_t arm = k < ARMS ? k : 2 * ARMS - 1 - k;
                // A pace of each launch's own, and a drift that the mirrored order must cancel.
                const double pace = 1 + 0.5 * (double)((launch * 4) % LAUNCHES) / LAUNCHES + 1e-3 * (double)k;
                const double wobble = arm == DYT ? 1 + t->wobble * ((double)((launch * 2) % LAUNCHES) - 4) / 4 : 1;
                const double rest = t->rest[arm] * wobble * pace, norm = t->norm[arm] * pace;
                double *const steps = malloc(STEPS * sizeof *steps);
                assert_non_null(steps);
                steps[0] = norm;
                steps[1] = rest;
                const layers_observation o = {.arm = arm,
                                              .launch = launch,
                                              .index = 2 * round + (k >= ARMS),
                                              .calls = 1,
                                              .ns = norm + rest,
                                              .peak_flops = 1e13 / pace,
                                              .steps = steps,
                                              .step_count = STEPS};
                assert_true(layers_observations_add(&m->all, &o));
            }
    assert_true(layers_summary_make(&m->summary, &m->plan, &m->all));
}

static void unmake(made *m) {
    layers_summary_free(&m->summary);
    layers_observations_free(&m->all);
    layers_plan_free(&m->plan);
}

// cmocka's own comparison is of floats.
static void assert_near(double got, double want, double within) { assert_true(fabs(got - want) <= within); }

static void shares_and_rates(void **state) {
    (void)state;
    made m;
    make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}});
    assert_near(layers_summary_median(&m.summary, NATIVE, QUANTITY_NORM_SHARE).median, 0.01, 1e-12);
    assert_near(layers_summary_median(&m.summary, IDENTITY, QUANTITY_NORM_SHARE).median, 0, 0);
    assert_near(layers_summary_median(&m.summary, NATIVE, QUANTITY_MATMUL_SHARE).median, 0.99, 1e-12);
    // 2e6 operations in 990 ns of 1e13 per second.
    assert_near(layers_summary_median(&m.summary, NATIVE, QUANTITY_PEAK_FRACTION).median, 2e15 / 990 / 1e13, 1e-3);
    assert_int_equal(layers_plan_partner(&m.plan, DYT, NORM_RMSNORM), NATIVE);
    assert_int_equal(layers_plan_partner(&m.plan, DYT, NORM_IDENTITY), IDENTITY);
    assert_int_equal(layers_plan_partner(&m.plan, NATIVE, NORM_LAYERNORM), SIZE_MAX);
    unmake(&m);
}

static void the_same_rest_is_shown_to_be_the_same(void **state) {
    (void)state;
    made m;
    layers_delta d;
    make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}});
    assert_true(layers_summary_delta(&m.summary, DYT, &d));
    assert_int_equal(d.rest_equivalent, 1);
    // 10 ns more of 1000; launches differ in pace by half, which the median of each takes its share of.
    assert_near(d.in_place.median, 1, 0.05);
    assert_near(d.total.median, d.in_place.median, 1e-9);
    assert_true(d.in_place.lo > 0);
    assert_false(layers_summary_delta(&m.summary, NATIVE, &d));
    unmake(&m);
}

static void another_rest_is_an_interaction(void **state) {
    (void)state;
    made m;
    layers_delta d;
    make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 1010, 990}});
    assert_true(layers_summary_delta(&m.summary, DYT, &d));
    assert_int_equal(d.rest_equivalent, 0);
    // The drift is linear in time, not in its logarithm: what is left is of its second order.
    assert_near(d.rest.median, 100 * log(1010.0 / 990), 1e-3);
    assert_near(d.in_place.median, 1, 0.05);
    assert_near(d.total.median, 3, 0.15);
    unmake(&m);
}

static void a_restless_rest_cannot_be_told(void **state) {
    (void)state;
    made m;
    layers_delta d;
    make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}, .wobble = 0.02});
    assert_true(layers_summary_delta(&m.summary, DYT, &d));
    assert_int_equal(d.rest_equivalent, -1);
    assert_true(d.rest.lo < -REST_MARGIN && d.rest.hi > REST_MARGIN);
    // In place the difference is still what it is.
    assert_near(d.in_place.median, 1, 0.05);
    unmake(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_and_rates),
        cmocka_unit_test(the_same_rest_is_shown_to_be_the_same),
        cmocka_unit_test(another_rest_is_an_interaction),
        cmocka_unit_test(a_restless_rest_cannot_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
