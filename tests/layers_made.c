// SPDX-License-Identifier: MIT
// layers_made.c: see layers_made.h.
#include "layers_made.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const norm_op ops[ARMS] = {NORM_RMSNORM, NORM_DYT, NORM_IDENTITY};

layers_arm *made_arms(layers_plan *p) { return p->schedule.names; }

void made_make(made *m, const truth *t) {
    *m = (made){0};
    layers_arm *const arms = calloc(ARMS, sizeof *arms);
    assert_non_null(arms);
    m->plan.schedule = (schedule){&layers_plan_kind, arms, calloc(ARMS, sizeof(planned)), ARMS, 1};
    assert_non_null(m->plan.schedule.items);
    for (size_t i = 0; i < ARMS; i++) {
        layers_arm *const a = &arms[i];
        a->key = (layers_key){.model = model_find("llama_7b"),
                              .phase = PHASE_PREFILL,
                              .batch = 1,
                              .tokens = 128,
                              .depth = 1,
                              .threads = 2};
        assert_true(layer_slot(a->key.model, ops[i], NULL, NORM_FUSED, "scalar", NORM_F32, &a->slot));
        a->slot.repeats = 1;
        m->plan.schedule.items[i].calls = 1;
        const layers_step norm = {.arm = i,
                                  .index = 0,
                                  .step = {"norm", STEP_NORM, NORM_FORWARD, 0, 0},
                                  .pages = i == DYT ? 98 : (double)NAN};
        const layers_step product = {
            .arm = i, .index = 1, .step = {"q", STEP_MATMUL, NORM_FORWARD, 2e6, 0}, .pages = (double)NAN};
        assert_true(layers_plan_add_step(&m->plan, &norm));
        assert_true(layers_plan_add_step(&m->plan, &product));
    }
    for (size_t launch = 0; launch < LAUNCHES; launch++)
        for (size_t round = 0; round < ROUNDS; round++)
            for (size_t k = 0; k < 2 * ARMS; k++) {
                const size_t arm = k < ARMS ? k : 2 * ARMS - 1 - k;
                // A pace of each launch's own, and a drift that the mirrored order must cancel.
                const double pace = 1 + 0.5 * (double)((launch * 4) % LAUNCHES) / (double)LAUNCHES + 1e-3 * (double)k;
                const double wobble = arm == DYT ? 1 + t->wobble * ((double)((launch * 2) % LAUNCHES) - 4) / 4 : 1;
                const bool far = t->far > 0 && launch % 3 == 0;
                const double rest = t->rest[arm] * wobble * pace, norm = t->norm[arm] * pace * (far ? t->far : 1);
                double *const steps = malloc(STEPS * sizeof *steps);
                assert_non_null(steps);
                steps[0] = norm;
                steps[1] = rest;
                // Samples scatter about a launch's median.
                const double line_ns = far ? t->far_ns * (k < ARMS ? 0.98 : 1.02) : 40 + (double)launch;
                const observation o = {
                    .item = arm,
                    .launch = launch,
                    .index = 2 * round + (k >= ARMS),
                    .calls = 1,
                    .sample = {
                        .value = {[SAMPLE_TIME] = norm + rest, [LAYERS_PEAK] = 1e4 / pace, [LAYERS_LINE] = line_ns},
                        .list = steps,
                        .list_length = STEPS}};
                assert_true(observations_add(&m->all, &o));
            }
    assert_true(layers_summary_make(&m->summary, &m->plan, &m->all));
}

void made_stack(made *m, const stack *t) {
    static const model_part parts[COMPOSITION_ARMS] = {PART_LAYER, PART_ENDS, PART_MODEL};
    static const size_t depths[COMPOSITION_ARMS] = {1, 0, DEPTH};
    *m = (made){0};
    layers_arm *const arms = calloc(COMPOSITION_ARMS, sizeof *arms);
    assert_non_null(arms);
    m->plan.schedule = (schedule){.kind = &layers_plan_kind,
                                  .names = arms,
                                  .items = calloc(COMPOSITION_ARMS, sizeof(planned)),
                                  .count = COMPOSITION_ARMS,
                                  .groups = COMPOSITION_ARMS};
    assert_non_null(m->plan.schedule.items);
    for (size_t i = 0; i < COMPOSITION_ARMS; i++) {
        layers_arm *const a = &arms[i];
        a->key = (layers_key){.model = model_find("gpt2"),
                              .part = parts[i],
                              .phase = PHASE_PREFILL,
                              .batch = 1,
                              .tokens = 64,
                              .depth = depths[i],
                              .threads = 2};
        assert_true(layer_slot(a->key.model, NORM_LAYERNORM, NULL, NORM_FUSED, "scalar", NORM_F32, &a->slot));
        m->plan.schedule.items[i].group = i;
    }
    stats_rng rng;
    stats_rng_seed(&rng, 1, 0);
    for (size_t launch = 0; launch < t->launches; launch++) {
        // A pace of each launch's own must cancel: its parts and its whole share it.
        const double pace = 1 + 0.5 * stats_rng_uniform(&rng);
        for (size_t arm = 0; arm < COMPOSITION_ARMS; arm++)
            for (size_t index = 0; index < 2 * ROUNDS; index++) {
                const double ns = t->ns[arm] * pace * exp(t->scatter * stats_rng_normal(&rng));
                const observation o = {.item = arm,
                                       .launch = launch,
                                       .index = index,
                                       .calls = 1,
                                       .sample = {.value = {[SAMPLE_TIME] = ns, [LAYERS_CLOCK] = t->clock_ns},
                                                  .list = calloc(8, sizeof(double)),
                                                  .list_length = 8}};
                assert_non_null(o.sample.list);
                assert_true(observations_add(&m->all, &o));
            }
    }
    assert_true(layers_summary_make(&m->summary, &m->plan, &m->all));
}

void made_free(made *m) {
    layers_summary_free(&m->summary);
    observations_free(&m->all);
    layers_plan_free(&m->plan);
}
