// SPDX-License-Identifier: MIT
// From samples to schedules: which of made-up ones is kept; that each cell that stands for a class is of it; and what a
// budget leaves out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "report/tune_table.h"

enum { LAUNCHES = 6, GROUPS = 3, TRIED = 3 };

static const norm_caches caches = {{32768, 1 << 20, 1 << 24}};

// Of each group, the time over the default's by launch: of three schedules and, before them, the default.
static double pace(size_t group, size_t which, size_t launch) {
    static const double levels[GROUPS][TRIED + 1] = {{1, 0.9, 0.8, 1.2}, {1, 0.995, 1, 1.1}, {1, 0.5, 0.97, 1}};
    // Faster in all launches but one: not shown. The third group's second is 0.5 and once 1.01.
    if (group == 2 && which == 1 && launch == 3)
        return 1.01;
    return levels[group][which] * (which > 0 ? 1 + 0.001 * (double)launch : 1);
}

static void add(observations *all, size_t item, size_t launch, size_t index, double ns) {
    const observation o = {.item = item,
                           .launch = launch,
                           .index = index,
                           .order = all->count,
                           .calls = 1,
                           .sample.value[SAMPLE_TIME] = ns};
    assert_true(observations_add(all, &o));
}

static void make_plan(tune_plan *p) {
    static const size_t cols[GROUPS] = {768, 1024, 4160};
    static const char *const words[TRIED] = {"sum1", "sum4", "overlap"};
    *p = (tune_plan){.schedule.kind = &tune_plan_kind};
    for (size_t group = 0; group < GROUPS; group++) {
        tune_item item = {.cell = {.impl = norm_find("rmsnorm", "std", "fused", "scalar", "f32"),
                                   .rows = 16,
                                   .cols = cols[group],
                                   .threads = 1,
                                   .place = PLACEMENT_CORES},
                          .is_default = true};
        assert_true(schedule_add(&p->schedule, &item));
        item.is_default = false;
        for (size_t i = 0; i < TRIED; i++) {
            assert_true(norm_schedule_parse(words[i], &item.schedule));
            assert_true(schedule_add(&p->schedule, &item));
        }
    }
    assert_true(schedule_arrange(&p->schedule));
    assert_int_equal(p->schedule.groups, GROUPS);
}

static void keeps_what_is_shown_to_be_faster(void **state) {
    static const char *const kept[GROUPS] = {"sum4", "default", "sum4"};
    static const double ratios[GROUPS] = {0.8 * 1.0025, 1, 0.97 * 1.0025};
    char path[] = "/tmp/test_tune_table.XXXXXX", message[200], why[NORM_SCHEDULES_WHY];
    const int file = mkstemp(path);
    tune_plan p;
    observations all = {0};
    run r = {.id = "2030-01-01T000000Z-x", .machine = "made-up"};
    csv_table t;
    (void)state;
    assert_true(file >= 0);
    (void)close(file);
    make_plan(&p);
    // In a plan the schedules of a cell stand in an order of their own, behind the default.
    for (size_t launch = 0; launch < LAUNCHES; launch++)
        for (size_t i = 0; i < p.schedule.count; i++) {
            const tune_item *const item = &tune_items(&p)[i];
            const size_t which = item->is_default                   ? 0
                                 : item->schedule.overlap_bytes > 0 ? 3
                                 : item->schedule.rows_summed == 1  ? 1
                                                                    : 2;
            for (size_t index = 0; index < 2; index++)
                add(&all, i, launch, index,
                    1000 * (1 + (double)launch) * pace(p.schedule.items[i].group, which, launch));
        }
    assert_int_equal(tune_table_write(&p, &all, &caches, &r, path), 0);
    assert_int_equal(csv_read(&t, path, message, sizeof message), 0);
    assert_int_equal(t.row_count, GROUPS);
    for (size_t i = 0; i < GROUPS; i++) {
        assert_string_equal(t.rows[i][csv_column(&t, "schedule")], kept[i]);
        assert_float_equal(strtod(t.rows[i][csv_column(&t, "ratio")], NULL), ratios[i], 5e-4);
    }
    csv_free(&t);
    // And what was written is what programs take.
    if (!norm_schedules_load(path, why))
        fail_msg("%s", why);
    const norm_impl *const impl = norm_find("rmsnorm", "std", "fused", "scalar", "f32");
    assert_int_equal(norm_schedule_of(impl, NORM_FORWARD, 16, 768, 1)->rows_summed, 4);
    assert_null(norm_schedule_of(impl, NORM_FORWARD, 16, 1024, 1));
    norm_schedules_forget();
    observations_free(&all);
    schedule_free(&p.schedule);
    (void)unlink(path);
}

static void cells_are_of_their_class(void **state) {
    char error[TOPOLOGY_ERROR_SIZE];
    topology *const t = topology_open("package:1 l3:1(size=32MB) core:2 l2:1(size=1MB) l1d:1(size=32KB) pu:1", error);
    selection s = {0};
    tune_plan p;
    size_t defaults[NORM_SIZE_CLASSES][NORM_WIDTH_CLASSES] = {{0}};
    (void)state;
    assert_non_null(t);
    const norm_caches here = tune_caches(t);
    assert_true(tune_plan_make(&p, &s, t));
    for (size_t i = 0; i < p.schedule.count; i++) {
        const tune_item *const item = &tune_items(&p)[i];
        const norm_size_class size =
            norm_size_class_of(item->cell.impl, item->cell.pass, item->cell.rows, item->cell.cols, &here);
        // Each group begins with the default, and no class of a kernel comes twice.
        const bool first = i == 0 || p.schedule.items[i].group != p.schedule.items[i - 1].group;
        assert_int_equal(first, item->is_default);
        if (item->is_default && item->cell.impl->op == NORM_RMSNORM && item->cell.impl->dtype == NORM_F32 &&
            item->cell.pass == NORM_FORWARD && !item->cell.impl->streams)
            assert_int_equal(++defaults[size][norm_width_class_of(item->cell.impl, size, item->cell.cols)], 1);
    }
    for (unsigned width = 0; width < NORM_WIDTH_CLASSES; width++) {
        const bool pages = width == NORM_WIDTH_NARROW_PAGES || width == NORM_WIDTH_WIDE_PAGES;
        assert_int_equal(defaults[NORM_SIZE_L2][width], 1);
        assert_int_equal(defaults[NORM_SIZE_L3][width], 1);
        assert_int_equal(defaults[NORM_SIZE_MEMORY][width], pages ? 0 : 1);
    }
    schedule_free(&p.schedule);
    topology_close(t);
}

static void a_budget_leaves_out_what_costs_most(void **state) {
    tune_plan p;
    (void)state;
    make_plan(&p);
    for (size_t i = 0; i < p.schedule.count; i++) {
        p.schedule.items[i].calls = 1;
        p.schedule.items[i].ns = p.schedule.items[i].group == 1 ? 1e9 : 1e6;
    }
    tune_plan_spend(&p.schedule, 6, LAUNCHES);
    for (size_t i = 0; i < p.schedule.count; i++) {
        assert_int_equal(p.schedule.items[i].rounds, 1);
        assert_int_equal(p.schedule.items[i].calls, p.schedule.items[i].group == 1 ? 0 : 1);
    }
    schedule_free(&p.schedule);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_what_is_shown_to_be_faster),
                                       cmocka_unit_test(cells_are_of_their_class),
                                       cmocka_unit_test(a_budget_leaves_out_what_costs_most)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
