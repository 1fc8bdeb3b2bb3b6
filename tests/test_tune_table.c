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
#include "report/tune_choice.h"
#include "report/tune_table.h"

enum { LAUNCHES = 6, GROUPS = 5, TRIED = 3 };

static const norm_caches caches = {{32768, 1 << 20, 1 << 24}};

// The kernels that are tuned, in the order of a plan; the last two are of one class.
static const struct {
    const char *op, *variant;
    size_t cols;
    double first[TRIED], confirming[TRIED]; // time by sum1, sum4 and overlap over the default's, in either's launches
    const char *kept;
} made[GROUPS] = {
    {"rmsnorm", "std", 768, {0.9, 0.8, 1.2}, {0.9, 0.8, 1.2}, "sum4"},
    {"rmsnorm", "std", 1024, {0.995, 1, 1.1}, {0.9, 0.9, 0.9}, "default"}, // no hope, so nothing is confirmed
    {"rmsnorm", "std", 2048, {0.95, 0.9, 1}, {0.9, 0.995, 1}, "default"},  // what seemed fastest is not
    {"rmsnorm", "std", 4160, {0.8, 0.9, 1}, {0.8, 0.9, 1}, "sum4"},
    {"layernorm", "onepass", 4160, {1.05, 0.92, 1}, {1.05, 0.92, 1}, "sum4"}, // which loses by the other's sum1
};

static size_t made_at(const cell *c) {
    size_t i = 0;
    while (made[i].cols != c->cols || strcmp(made[i].op, norm_op_name(c->impl->op)) != 0)
        i++;
    return i;
}

static double pace(const tune_item *item, size_t launch) {
    const size_t at = made_at(&item->cell);
    if (item->is_default)
        return 1;
    const size_t which = item->schedule.overlap_bytes > 0 ? 2 : item->schedule.rows_summed == 1 ? 0 : 1;
    return (launch < LAUNCHES ? made[at].first : made[at].confirming)[which] * (1 + 0.001 * (double)(launch % 6));
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
    static const char *const words[TRIED] = {"sum1", "sum4", "overlap"};
    *p = (tune_plan){.schedule.kind = &tune_plan_kind};
    for (size_t group = 0; group < GROUPS; group++) {
        tune_item item = {.cell = {.impl = norm_find(made[group].op, made[group].variant, "fused", "scalar", "f32"),
                                   .rows = 16,
                                   .cols = made[group].cols,
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
    for (size_t i = 0; i < p->schedule.count; i++) {
        p->schedule.items[i].calls = p->schedule.items[i].rounds = 1;
        p->schedule.items[i].max_error = 0;
        p->schedule.items[i].ns = 1e6;
    }
}

static void measure(tune_plan *p, observations *all, size_t first, size_t end) {
    for (size_t launch = first; launch < end; launch++)
        for (size_t i = 0; i < p->schedule.count; i++)
            for (size_t index = 0; index < 2 && launch < p->schedule.items[i].launches; index++)
                add(all, i, launch, index, 1000 * (1 + (double)launch) * pace(&tune_items(p)[i], launch));
}

// Only what seems to be faster is measured again, once, each with its default; and that decides.
static void measure_all(tune_plan *p, observations *all) {
    size_t asked = 0;
    measure(p, all, 0, LAUNCHES);
    assert_int_equal(tune_go_on(&p->schedule, all, LAUNCHES), LAUNCHES + TUNE_CONFIRMING);
    for (size_t i = 0; i < p->schedule.count; i++) {
        const planned *const item = &p->schedule.items[i];
        const bool again = item->launches == LAUNCHES + TUNE_CONFIRMING;
        assert_true(again || item->launches == LAUNCHES);
        assert_true(!again || tune_items(p)[i].cell.cols != 1024);
        asked += again;
    }
    assert_int_equal(asked, 2 * (GROUPS - 1));
    measure(p, all, LAUNCHES, LAUNCHES + TUNE_CONFIRMING);
    assert_int_equal(tune_go_on(&p->schedule, all, LAUNCHES + TUNE_CONFIRMING), LAUNCHES + TUNE_CONFIRMING);
}

static void keeps_what_is_confirmed_for_all_of_a_class(void **state) {
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
    measure_all(&p, &all);
    assert_int_equal(tune_table_write(&p, &all, &caches, &r, path), 0);
    assert_int_equal(csv_read(&t, path, message, sizeof message), 0);
    assert_int_equal(t.row_count, GROUPS);
    for (size_t i = 0; i < GROUPS; i++) {
        size_t at = 0;
        while (strcmp(t.rows[i][csv_column(&t, "op")], made[at].op) != 0 ||
               strtoul(t.rows[i][csv_column(&t, "cols")], NULL, 10) != made[at].cols)
            at++;
        const bool keeps = strcmp(made[at].kept, "default") != 0;
        assert_string_equal(t.rows[i][csv_column(&t, "schedule")], made[at].kept);
        // The middle of the confirming launches, which are 6 to 16: each sixth is as far out.
        const double ratio = strtod(t.rows[i][csv_column(&t, "ratio")], NULL);
        assert_true(fabs(ratio - (keeps ? made[at].confirming[1] * 1.002 : 1)) < 5e-4);
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

// A budget for the confirming launches goes to what gains most.
static void confirms_what_a_budget_holds(void **state) {
    tune_plan p;
    observations all = {0};
    (void)state;
    make_plan(&p);
    p.confirming_s = 1.5 * (double)TUNE_CONFIRMING * 0.017; // of one group: four rounds of two, and a sample to warm up
    measure(&p, &all, 0, LAUNCHES);
    (void)tune_go_on(&p.schedule, &all, LAUNCHES);
    for (size_t i = 0; i < p.schedule.count; i++)
        assert_int_equal(p.schedule.items[i].note[0] != '\0',
                         tune_items(&p)[i].cell.cols == 768 && tune_items(&p)[i].schedule.rows_summed == 4);
    observations_free(&all);
    schedule_free(&p.schedule);
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
        p.schedule.items[i].ns = tune_items(&p)[i].cell.cols == 1024 ? 1e9 : 1e6;
    }
    tune_plan_spend(&p.schedule, 6, LAUNCHES);
    assert_true(p.confirming_s > 0 && p.confirming_s < 6);
    for (size_t i = 0; i < p.schedule.count; i++) {
        assert_int_equal(p.schedule.items[i].rounds, tune_items(&p)[i].cell.cols == 1024 ? 1 : 2); // of 8 ms each
        assert_int_equal(p.schedule.items[i].calls, tune_items(&p)[i].cell.cols == 1024 ? 0 : 1);
    }
    schedule_free(&p.schedule);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_is_confirmed_for_all_of_a_class), cmocka_unit_test(confirms_what_a_budget_holds),
        cmocka_unit_test(cells_are_of_their_class), cmocka_unit_test(a_budget_leaves_out_what_costs_most)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
