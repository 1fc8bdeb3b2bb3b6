// SPDX-License-Identifier: MIT
// The plan of `normbench ab`: who gets how much extra work, that a plan knows what it costs, and that both sides make
// as many calls.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan/ab_plan.h"

enum { ROWS = 30, HALF = ROWS / 2 };

// Rows of dyt, then of rmsnorm, and a sentinel.
static void make(ab_plan *p) {
    *p = (ab_plan){.schedule.kind = &ab_plan_kind};
    for (size_t i = 0; i <= ROWS; i++)
        for (ab_side side = 0; side < AB_SIDES; side++) {
            const norm_impl *const impl =
                norm_find(i < HALF ? "dyt" : "rmsnorm", i < HALF ? "u2" : "std", "fused", "scalar", "f32");
            ab_item item = {.cell = {impl, NORM_FORWARD, i + 1, 64, 1, PLACEMENT_CORES, CACHE_WARM, 0}};
            item.which.role = i == ROWS ? AB_SENTINEL : AB_ROW;
            item.which.side = side;
            assert_non_null(impl);
            assert_true(schedule_add(&p->schedule, &item));
        }
    assert_true(schedule_arrange(&p->schedule));
}

static size_t count_with(const ab_plan *p, const char *op, double pct) {
    size_t count = 0;
    for (size_t i = 0; i < p->schedule.count; i++) {
        const ab_item *const item = &ab_items(p)[i];
        const bool is = item->which.inject_pct > pct - 1e-9 && item->which.inject_pct < pct + 1e-9;
        if (is && pct > 0)
            assert_true(item->which.side == AB_CANDIDATE && item->which.role == AB_ROW);
        count += is && item->which.side == AB_CANDIDATE && item->which.role == AB_ROW &&
                 strcmp(norm_op_name(item->cell.impl->op), op) == 0;
    }
    return count;
}

static void percentages_are_dealt_out_evenly_by_lot(void **state) {
    const ab_injection lots = {.text = "dyt/", .pct = {1, 2, 5}, .count = 3},
                       one = {.text = "/", .pct = {3}, .count = 1},
                       none = {.text = "layernorm/", .pct = {3}, .count = 1};
    ab_plan p, again, other;
    size_t differs = 0;
    (void)state;
    make(&p);
    make(&again);
    make(&other);
    assert_int_equal(ab_plan_inject(&p, &none, 1), 0);
    assert_int_equal(ab_plan_inject(&p, &lots, 1), HALF);
    assert_int_equal(ab_plan_inject(&again, &lots, 1), HALF);
    assert_int_equal(ab_plan_inject(&other, &lots, 2), HALF);
    for (size_t i = 0; i < lots.count; i++)
        assert_int_equal(count_with(&p, "dyt", lots.pct[i]), HALF / 3);
    assert_int_equal(count_with(&p, "rmsnorm", 0), HALF);
    for (size_t i = 0; i < p.schedule.count; i++) {
        const double pct = ab_items(&p)[i].which.inject_pct;
        assert_memory_equal(&pct, &ab_items(&again)[i].which.inject_pct, sizeof pct);
        differs += memcmp(&pct, &ab_items(&other)[i].which.inject_pct, sizeof pct) != 0;
    }
    assert_true(differs > 3);
    assert_int_equal(ab_plan_inject(&p, &one, 1), ROWS);
    assert_int_equal(count_with(&p, "dyt", 3) + count_with(&p, "rmsnorm", 3), ROWS);
    schedule_free(&p.schedule);
    schedule_free(&again.schedule);
    schedule_free(&other.schedule);
}

// A launch takes samples to find out how much work is to be added.
static void a_plan_knows_what_it_costs(void **state) {
    const ab_injection all = {.text = "/", .pct = {3}, .count = 1};
    ab_plan p;
    double own = 0;
    (void)state;
    make(&p);
    const schedule *const s = &p.schedule;
    for (size_t i = 0; i < s->count; i++) {
        s->items[i].calls = 1000;
        own += ab_items(&p)[i].which.side == AB_CANDIDATE && ab_items(&p)[i].which.role == AB_ROW
                   ? ab_plan_kind.sample_seconds(s, i)
                   : 0;
    }
    const double before = ab_plan_kind.prepare_seconds(s, 0, s->count, 1);
    assert_int_equal(ab_plan_inject(&p, &all, 1), ROWS);
    const double more = ab_plan_kind.prepare_seconds(s, 0, s->count, 1) - before;
    assert_true(own > 0 && more > AB_INJECT_SAMPLES * AB_INJECT_STEPS * own);
    schedule_free(&p.schedule);
}

// Where one side's pilot was disturbed, it seems to take a thousand times as long: 2 calls on one side and 122 on the
// other are two measurements.
static void both_sides_make_as_many_calls(void **state) {
    ab_plan p;
    (void)state;
    make(&p);
    for (size_t i = 0; i < p.schedule.count; i++) {
        const bool disturbed = i % 7 == 0;
        p.schedule.items[i].calls = disturbed ? 1 : 122;
        p.schedule.items[i].ns = disturbed ? 12.1e6 : 7e3;
    }
    schedule_agree_on_calls(&p.schedule);
    for (size_t i = 0; i < p.schedule.count; i += AB_SIDES)
        assert_int_equal(p.schedule.items[i].calls, p.schedule.items[i + 1].calls);
    schedule_free(&p.schedule);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(percentages_are_dealt_out_evenly_by_lot),
                                       cmocka_unit_test(a_plan_knows_what_it_costs),
                                       cmocka_unit_test(both_sides_make_as_many_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
