// SPDX-License-Identifier: MIT
// The presets' plans, on any machine: no cell twice, every ratio's partner there, the budget kept, and plan.csv read
// back as written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "peers/peers.h"
#include "plan/plan.h"
#include "report/summary.h"

static const char *const machines[] = {"package:1 core:1 pu:1", "package:1 l3:1 core:2 pu:1",
                                       "package:2 l3:2 core:8 pu:2"};
enum { MACHINES = sizeof machines / sizeof *machines };

static topology *open_machine(const char *source) {
    char error[TOPOLOGY_ERROR_SIZE];
    topology *const t = topology_open(source, error);
    if (t == NULL)
        fail_msg("%s", error);
    return t;
}

static bool has_identity(const plan *p, size_t index) {
    size_t begin, end;
    schedule_group(&p->schedule, p->schedule.items[index].group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        if (plan_cells(p)[i].impl->op == NORM_IDENTITY &&
            plan_cells(p)[i].impl->form == plan_ceiling_form(plan_cells(p)[index].impl->form))
            return true;
    return false;
}

static void every_preset_is_sound(void **state) {
    (void)state;
    for (size_t m = 0; m < MACHINES; m++) {
        topology *const t = open_machine(machines[m]);
        for (preset which = 0; which < PRESET_MAP; which++) {
            const selection everything = {0};
            plan p;
            assert_true(plan_make(&p, which, &everything, t));
            assert_true(p.schedule.count > 0);
            size_t adds = 0, libraries = 0, halves = 0;
            for (size_t i = 0; i < p.schedule.count; i++) {
                const cell *const c = &plan_cells(&p)[i];
                assert_null(norm_missing(c->impl));
                libraries += c->impl->level == NORM_LEVEL_LIBRARY;
                assert_true(c->threads <= topology_pus(t));
                assert_true(has_identity(&p, i));
                assert_true(c->impl->form != NORM_ADD_FUSED || which == PRESET_FULL);
                adds += c->impl->form == NORM_ADD_FUSED;
                halves += c->impl->dtype == NORM_F16;
                // identity has no partner of its own form and level where the level was added for it alone.
                if (c->impl->op != NORM_IDENTITY)
                    assert_true(summary_partner(&p, i, NORM_RMSNORM) != SIZE_MAX);
                if (i > 0) {
                    assert_true(cell_compare(&plan_cells(&p)[i - 1], c) < 0);
                    assert_int_equal(p.schedule.items[i].group == p.schedule.items[i - 1].group,
                                     cell_same_group(&plan_cells(&p)[i - 1], c));
                }
            }
            assert_int_equal(adds > 0, which == PRESET_FULL);
            assert_int_equal(halves > 0, which == PRESET_FULL);
            assert_true(libraries > 0);
            plan_free(&p);
        }
        topology_close(t);
    }
}

static void rounds_keep_to_the_budget(void **state) {
    (void)state;
    topology *const t = open_machine(machines[1]);
    const selection everything = {0};
    plan p;
    assert_true(plan_make(&p, PRESET_DEFAULT, &everything, t));
    plan_spend(&p, 0);
    const double least = schedule_launch_seconds(&p.schedule, 0);
    for (size_t i = 0; i < p.schedule.count; i++)
        assert_int_equal(p.schedule.items[i].rounds, 1);
    plan_spend(&p, 1e9);
    for (size_t i = 0; i < p.schedule.count; i++)
        assert_int_equal(p.schedule.items[i].rounds, PLAN_MAX_ROUNDS);
    const double most = schedule_launch_seconds(&p.schedule, 0);
    assert_true(most > 2 * least);
    plan_spend(&p, (least + most) / 2);
    assert_true(schedule_launch_seconds(&p.schedule, 0) <= (least + most) / 2);
    bool one = false, several = false;
    for (size_t i = 0; i < p.schedule.count; i++) {
        assert_in_range(p.schedule.items[i].rounds, 1, PLAN_MAX_ROUNDS);
        one |= p.schedule.items[i].rounds < PLAN_MAX_ROUNDS;
        several |= p.schedule.items[i].rounds > 1;
    }
    assert_true(one && several);
    plan_free(&p);
    topology_close(t);
}

static void select_into(selection *s, selector which, const char *value, const topology *t) {
    char text[32], error[SELECT_ERROR_SIZE];
    (void)snprintf(text, sizeof text, "%s", value);
    assert_true(selection_set(s, which, text, t, error));
}

// Where no variant is named: past the caches for a result of 64 MiB forward, through them for 32 MiB and backward.
static void results_beyond_the_caches_are_streamed(void **state) {
    (void)state;
    static const struct {
        const char *dtype, *shape, *pass;
        bool streams;
    } cases[] = {{"f32", "4096x4096", "forward", true},
                 {"bf16", "8192x4096", "forward", true},
                 {"bf16", "4096x4096", "forward", false},
                 {"f32", "4096x4096", "backward", false}};
    topology *const t = open_machine("package:1 l3:1(size=33554432) core:2 pu:1");
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        selection s = {0};
        plan p;
        select_into(&s, SELECT_DTYPE, cases[k].dtype, t);
        select_into(&s, SELECT_SHAPE, cases[k].shape, t);
        select_into(&s, SELECT_PASS, cases[k].pass, t);
        assert_true(plan_make(&p, PRESETS, &s, t));
        assert_true(p.schedule.count > 0);
        for (size_t i = 0; i < p.schedule.count; i++) {
            const norm_impl *const impl = plan_cells(&p)[i].impl;
            assert_int_equal(impl->streams, cases[k].streams && norm_other_stores(impl) != NULL);
        }
        plan_free(&p);
    }
    topology_close(t);
}

// The cells of a preset where these dtypes are named, but for what is not ours.
static size_t cells_of(preset which, const char *dtypes, const topology *t) {
    selection s = {0};
    plan p;
    size_t count = 0;
    select_into(&s, SELECT_DTYPE, dtypes, t);
    assert_true(plan_make(&p, which, &s, t));
    for (size_t i = 0; i < p.schedule.count; i++)
        count += plan_cells(&p)[i].impl->level != NORM_LEVEL_LIBRARY && strcmp(plan_cells(&p)[i].impl->base, "lp") != 0;
    plan_free(&p);
    return count;
}

// f16 is measured where bf16 is, if it is named, and nothing else is then.
static void presets_have_the_dtypes_that_are_named(void **state) {
    (void)state;
    topology *const t = open_machine(machines[1]);
    for (preset which = 0; which < PRESET_MAP; which++) {
        const size_t halves = cells_of(which, "f16", t), both = cells_of(which, "bf16,f16", t);
        assert_true(halves > 0);
        assert_int_equal(both, cells_of(which, "bf16", t) + halves);
    }
    topology_close(t);
}

static void a_plan_is_read_back_as_written(void **state) {
    (void)state;
    topology *const t = open_machine(machines[1]);
    const selection everything = {0};
    char path[] = "/tmp/test_sweeps.XXXXXX", message[256];
    const int file = mkstemp(path);
    plan p, again = {.schedule.kind = &plan_kind};
    assert_true(file >= 0);
    (void)close(file);
    assert_true(plan_make(&p, PRESET_QUICK, &everything, t));
    p.schedule.items[1].calls = 7;
    p.schedule.items[1].rounds = 3;
    p.schedule.items[1].ns = 1234.5;
    p.schedule.items[2].wrong = true;
    (void)snprintf(p.schedule.items[2].reason, sizeof p.schedule.items[2].reason, "y[0, 1]: got \"1\", reference 2");
    assert_int_equal(schedule_write(&p.schedule, path), 0);
    assert_int_equal(schedule_read(&again.schedule, path, message, sizeof message), 0);
    assert_int_equal(again.schedule.count, p.schedule.count);
    assert_int_equal(again.schedule.groups, p.schedule.groups);
    for (size_t i = 0; i < p.schedule.count; i++) {
        assert_true(cell_equal(&plan_cells(&p)[i], &plan_cells(&again)[i]));
        assert_int_equal(p.schedule.items[i].group, again.schedule.items[i].group);
        assert_int_equal(p.schedule.items[i].calls, again.schedule.items[i].calls);
        assert_int_equal(p.schedule.items[i].rounds, again.schedule.items[i].rounds);
        assert_float_equal(p.schedule.items[i].ns, again.schedule.items[i].ns, 1e-6);
        assert_int_equal(p.schedule.items[i].wrong, again.schedule.items[i].wrong);
        assert_string_equal(p.schedule.items[i].reason, again.schedule.items[i].reason);
    }
    (void)unlink(path);
    plan_free(&again);
    plan_free(&p);
    topology_close(t);
}

int main(void) {
    peers_register();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_preset_is_sound),          cmocka_unit_test(presets_have_the_dtypes_that_are_named),
        cmocka_unit_test(rounds_keep_to_the_budget),      cmocka_unit_test(results_beyond_the_caches_are_streamed),
        cmocka_unit_test(a_plan_is_read_back_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
