// SPDX-License-Identifier: MIT
// What `normbench ab` says of made-up launches: nothing of equal sides, what is slower and only once it is confirmed,
// and nothing at all where what cannot differ does.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/exit_code.h"
#include "measure/sampler.h"
#include "report/ab_report.h"
#include "report/ab_waivers.h"

enum { ROWS = 12, SENTINELS = 4, ROUNDS = 4 };

// One run: a row's candidate is slower by shift[row], its launches scatter by noise[row].
typedef struct {
    ab_plan plan;
    observations all;
    double shift[ROWS + SENTINELS], noise[ROWS + SENTINELS], preempted[ROWS + SENTINELS];
    size_t launches; // so far
    stats_rng rng;
} made;

static const ab_threshold threshold = {1, 0.5};

static const norm_impl *impl_of(const char *op, const char *variant) {
    const norm_impl *const impl = norm_find(op, variant, "fused", "scalar", "f32");
    assert_non_null(impl);
    return impl;
}

// Rows of dyt in a third, else of rmsnorm, one of each number of rows; sentinels of identity.
static void make(made *m, uint64_t seed) {
    *m = (made){.plan.schedule.kind = &ab_plan_kind};
    stats_rng_seed(&m->rng, seed, 0);
    for (size_t i = 0; i < ROWS + SENTINELS; i++)
        for (ab_side side = 0; side < AB_SIDES; side++) {
            const norm_impl *const impl = i >= ROWS      ? impl_of("identity", "std")
                                          : i < ROWS / 3 ? impl_of("dyt", "u2")
                                                         : impl_of("rmsnorm", "std");
            const ab_item item = {{impl, NORM_FORWARD, i + 1, 64, 1, PLACEMENT_CORES, CACHE_WARM, 0},
                                  {i >= ROWS ? AB_SENTINEL : AB_ROW, side, 0}};
            assert_true(schedule_add(&m->plan.schedule, &item));
        }
    assert_true(schedule_arrange(&m->plan.schedule));
    for (size_t i = 0; i < m->plan.schedule.count; i++) {
        m->plan.schedule.items[i].calls = 1;
        m->plan.schedule.items[i].rounds = ROUNDS;
        m->plan.schedule.items[i].launches = AB_LAUNCHES;
    }
    for (size_t i = 0; i < ROWS + SENTINELS; i++)
        m->noise[i] = 0.003;
}

static void forget(made *m) {
    schedule_free(&m->plan.schedule);
    observations_free(&m->all);
}

// Launches up to `end` of all items that have them. Groups are one row each, in the order of their rows.
static void launch(made *m, size_t end) {
    const schedule *const s = &m->plan.schedule;
    for (; m->launches < end; m->launches++)
        for (size_t i = 0; i < s->count; i += AB_SIDES) {
            const size_t row = ab_items(&m->plan)[i].cell.rows - 1;
            const double off = m->shift[row] + m->noise[row] * stats_rng_normal(&m->rng);
            for (size_t k = 0; k < AB_SIDES * 2 * ROUNDS; k++) {
                const size_t side = k % AB_SIDES;
                observation o = {.item = i + side, .launch = m->launches, .index = k / AB_SIDES, .calls = 1};
                o.sample.value[SAMPLE_TIME] = o.sample.value[SAMPLE_SLOT] = 1000 * exp(side == AB_CANDIDATE ? off : 0);
                o.sample.value[SAMPLE_PREEMPTED] = stats_rng_uniform(&m->rng) < m->preempted[row];
                if (schedule_times_in(&s->items[i], m->launches))
                    assert_true(observations_add(&m->all, &o));
            }
        }
}

// The run to its end, as the engine sees it through. How many launches it has.
static size_t run_whole(made *m) {
    size_t done = AB_LAUNCHES;
    for (;;) {
        launch(m, done);
        const size_t more = ab_go_on(&ab_kernels, &m->plan.schedule, &m->all, threshold, done);
        if (more == done)
            return done;
        assert_true(more > done);
        done = more;
    }
}

static void judge(const made *m, ab_judgement *j) {
    assert_true(ab_judge(j, &ab_kernels, &m->plan.schedule, &m->all, threshold));
    assert_int_equal(j->row_count, ROWS + SENTINELS);
}

static const ab_row *row_at(const ab_judgement *j, size_t row) {
    for (size_t i = 0; i < j->row_count; i++)
        if (((const ab_item *)j->rows[i].item)->cell.rows == row + 1)
            return &j->rows[i];
    fail();
    return NULL;
}

// ---- What is said

static void equal_sides_are_the_same(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        made m;
        ab_judgement j;
        make(&m, seed);
        assert_int_equal(run_whole(&m), AB_LAUNCHES);
        judge(&m, &j);
        assert_int_equal(j.counts[AB_SAME], ROWS);
        assert_int_equal(j.control_count, SENTINELS);
        assert_string_equal(j.disturbed, "");
        assert_int_equal(ab_report_exit(&j), EXIT_DONE);
        ab_judgement_free(&j);
        forget(&m);
    }
}

static void a_slower_row_is_found_and_confirmed(void **state) {
    (void)state;
    made m;
    ab_judgement j;
    make(&m, 1);
    m.shift[5] = 0.03;
    m.shift[7] = -0.04;
    launch(&m, AB_LAUNCHES);
    judge(&m, &j);
    // Not before it is confirmed.
    assert_int_equal(row_at(&j, 5)->finding.verdict, AB_INCONCLUSIVE);
    assert_non_null(strstr(row_at(&j, 5)->finding.reason, "not confirmed"));
    assert_int_equal(ab_report_exit(&j), EXIT_INCONCLUSIVE);
    ab_judgement_free(&j);
    assert_int_equal(run_whole(&m), AB_LAUNCHES + AB_CONFIRMING);
    judge(&m, &j);
    const ab_finding *const slower = &row_at(&j, 5)->finding;
    assert_int_equal(slower->verdict, AB_SLOWER);
    assert_int_equal(slower->differences.first_count, AB_LAUNCHES);
    assert_int_equal(slower->differences.again_count, AB_CONFIRMING);
    assert_true(slower->change.lo < 0.03 && 0.03 < slower->change.hi);
    assert_int_equal(row_at(&j, 7)->finding.verdict, AB_FASTER);
    assert_int_equal(row_at(&j, 6)->finding.verdict, AB_SAME);
    assert_int_equal(row_at(&j, 6)->finding.differences.again_count, 0);
    assert_int_equal(ab_report_exit(&j), EXIT_REGRESSION);
    ab_judgement_free(&j);
    forget(&m);
}

static void an_alarm_that_does_not_come_again_is_none(void **state) {
    (void)state;
    made m;
    ab_judgement j;
    make(&m, 2);
    m.shift[5] = 0.03;
    launch(&m, AB_LAUNCHES);
    const size_t more = ab_go_on(&ab_kernels, &m.plan.schedule, &m.all, threshold, AB_LAUNCHES);
    m.shift[5] = 0;
    launch(&m, more);
    assert_int_equal(ab_go_on(&ab_kernels, &m.plan.schedule, &m.all, threshold, more), more);
    judge(&m, &j);
    assert_int_equal(row_at(&j, 5)->finding.verdict, AB_INCONCLUSIVE);
    assert_non_null(strstr(row_at(&j, 5)->finding.reason, "that were to confirm"));
    assert_int_equal(ab_report_exit(&j), EXIT_DONE); // one row of twelve is a tenth at most
    ab_judgement_free(&j);
    forget(&m);
}

// Less than a row may be slower by, but in all rows of an op.
static void a_small_shift_of_many_rows_is_found(void **state) {
    (void)state;
    made m;
    ab_judgement j;
    size_t slower = 0;
    make(&m, 3);
    for (size_t i = ROWS / 3; i < ROWS; i++)
        m.shift[i] = 0.008;
    (void)run_whole(&m);
    judge(&m, &j);
    for (size_t i = 0; i < j.group_count; i++)
        slower += j.groups[i].finding.verdict == AB_SLOWER && j.groups[i].op == NORM_RMSNORM;
    assert_int_equal(slower, 1);
    assert_int_equal(j.group_count, 2); // one level: no group of it
    assert_int_equal(ab_report_exit(&j), EXIT_REGRESSION);
    ab_judgement_free(&j);
    forget(&m);
}

static void where_equal_code_differs_nothing_is_said(void **state) {
    (void)state;
    for (size_t which = 0; which < 2; which++) {
        made m;
        ab_judgement j;
        make(&m, 4 + which);
        m.shift[5] = 0.05;
        if (which == 0) // one of them much, or all of them a little
            m.shift[ROWS] = 0.05;
        for (size_t i = ROWS; which == 1 && i < ROWS + SENTINELS; i++)
            m.shift[i] = 0.009;
        (void)run_whole(&m);
        judge(&m, &j);
        assert_true(j.disturbed[0] != '\0');
        assert_int_equal(j.counts[AB_SLOWER] + j.counts[AB_FASTER] + j.counts[AB_SAME], 0);
        assert_int_equal(ab_report_exit(&j), EXIT_INCONCLUSIVE);
        ab_judgement_free(&j);
        forget(&m);
    }
}

static void a_row_that_others_disturb_is_inconclusive(void **state) {
    (void)state;
    made m;
    ab_judgement j;
    make(&m, 6);
    m.shift[3] = 0.05;
    m.preempted[3] = 0.5;
    (void)run_whole(&m);
    judge(&m, &j);
    assert_int_equal(row_at(&j, 3)->finding.verdict, AB_INCONCLUSIVE);
    assert_non_null(strstr(row_at(&j, 3)->finding.reason, "other programs"));
    ab_judgement_free(&j);
    forget(&m);
}

// Whatever it shows: a row is measured again because it is not known well, not because it differs.
static void what_is_not_known_well_is_measured_more_often(void **state) {
    (void)state;
    made m;
    ab_judgement j;
    make(&m, 7);
    m.noise[2] = 0.05;
    launch(&m, AB_LAUNCHES);
    assert_int_equal(ab_go_on(&ab_kernels, &m.plan.schedule, &m.all, threshold, AB_LAUNCHES), AB_MOST_LAUNCHES);
    launch(&m, AB_MOST_LAUNCHES);
    judge(&m, &j);
    assert_int_equal(row_at(&j, 2)->finding.differences.first_count, AB_MOST_LAUNCHES);
    assert_int_equal(row_at(&j, 4)->finding.differences.first_count, AB_LAUNCHES);
    assert_int_equal(row_at(&j, 2)->finding.verdict, AB_INCONCLUSIVE);
    ab_judgement_free(&j);
    forget(&m);
}

static void what_was_not_measured_is_missing(void **state) {
    (void)state;
    made m;
    ab_judgement j;
    make(&m, 8);
    for (size_t i = 0; i < 2; i++)
        snprintf(m.plan.schedule.items[i].reason, sizeof m.plan.schedule.items->reason, "wrong by a mile");
    m.plan.schedule.items[0].wrong = m.plan.schedule.items[1].wrong = true;
    (void)run_whole(&m);
    judge(&m, &j);
    assert_int_equal(j.rows[0].finding.verdict, AB_MISSING);
    assert_string_equal(j.rows[0].finding.reason, "wrong by a mile");
    assert_int_equal(j.counts[AB_SAME], ROWS - 1);
    ab_judgement_free(&j);
    forget(&m);
}

static void too_few_launches_show_nothing(void **state) {
    (void)state;
    made m;
    ab_judgement j;
    make(&m, 9);
    m.shift[5] = 0.2;
    launch(&m, 6);
    judge(&m, &j);
    assert_int_equal(j.counts[AB_INCONCLUSIVE], ROWS);
    assert_non_null(strstr(row_at(&j, 5)->finding.reason, "--launches"));
    assert_true(isinf(row_at(&j, 5)->finding.detectable));
    ab_judgement_free(&j);
    forget(&m);
}

// ---- How it is said

static char *printed(const ab_judgement *j, ab_format format) {
    char *text = NULL;
    size_t length = 0;
    FILE *const out = open_memstream(&text, &length);
    assert_non_null(out);
    ab_report_print(j, format, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void every_format_names_what_is_slower(void **state) {
    (void)state;
    static const char *const conclusions[AB_FORMATS] = {"The candidate is slower.\n", "### The candidate is slower.\n",
                                                        "\"exit\": 1", "failures=\"1\""};
    static const char *const names[AB_FORMATS] = {
        "  rmsnorm/std forward fused scalar f32 6x64, 1 thread cores, warm: 3",
        "- `rmsnorm/std forward fused scalar f32 6x64, 1 thread cores, warm`: 3", "\"verdict\": \"slower\"",
        "name=\"rmsnorm/std forward fused scalar f32 6x64, 1 thread cores, warm\">\n    <failure message=\"3"};
    made m;
    ab_judgement j;
    make(&m, 1);
    m.shift[5] = 0.03;
    (void)run_whole(&m);
    judge(&m, &j);
    for (ab_format f = 0; f < AB_FORMATS; f++) {
        char *const text = printed(&j, f);
        assert_non_null(strstr(text, conclusions[f]));
        assert_non_null(strstr(text, names[f]));
        free(text);
    }
    ab_judgement_free(&j);
    forget(&m);
}

// ---- Waivers

static bool read_text(ab_waivers *w, const char *text, char *why, size_t size) {
    char path[] = "/tmp/normbench-waivers-XXXXXX";
    const int descriptor = mkstemp(path);
    FILE *const file = fdopen(descriptor, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    const bool ok = ab_waivers_read(w, path, "2026-11-30", why, size);
    assert_int_equal(remove(path), 0);
    return ok;
}

static void a_waiver_lets_a_row_be_slower_until_its_day(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        {"row,until,reason\nrmsnorm/std/forward/fused/scalar/f32/6x64/1/cores/warm,2026-11-30,known\n", EXIT_DONE},
        {"row,until,reason\nrmsnorm/*,2027-01-01,known\n", EXIT_DONE},
        {"row,until,reason\nrmsnorm/*,2026-11-29,known\n", EXIT_REGRESSION},
        {"row,until,reason\ndyt/*,2027-01-01,known\n", EXIT_REGRESSION}};
    made m;
    ab_judgement j;
    make(&m, 1);
    m.shift[5] = 0.03;
    (void)run_whole(&m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ab_waivers w;
        char why[512];
        judge(&m, &j);
        assert_true(read_text(&w, cases[i].text, why, sizeof why));
        ab_waivers_apply(&w, &j);
        assert_int_equal(ab_report_exit(&j), cases[i].code);
        ab_waivers_free(&w);
        ab_judgement_free(&j);
    }
    forget(&m);
}

static void a_wrong_waiver_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {{"row,until,reason\n", "waives nothing"},
                 {"row,reason\nx,y\n", "lacks a column"},
                 {"row,until,reason\n,2027-01-01,known\n", "line 2 names no row"},
                 {"row,until,reason\nx,2027-01-01,known\nx,soon,known\n", "line 3 has no last day"},
                 {"row,until,reason\nx,2027-13-01,known\n", "line 2 has no last day"},
                 {"row,until,reason\nx,2027-01-01,\n", "line 2 gives no reason"},
                 {"row,until,reason\nx,2027-01-01\n", "line 2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ab_waivers w;
        char why[512] = "";
        assert_false(read_text(&w, cases[i].text, why, sizeof why));
        assert_non_null(strstr(why, cases[i].why));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_sides_are_the_same),
        cmocka_unit_test(a_slower_row_is_found_and_confirmed),
        cmocka_unit_test(an_alarm_that_does_not_come_again_is_none),
        cmocka_unit_test(a_small_shift_of_many_rows_is_found),
        cmocka_unit_test(where_equal_code_differs_nothing_is_said),
        cmocka_unit_test(a_row_that_others_disturb_is_inconclusive),
        cmocka_unit_test(what_is_not_known_well_is_measured_more_often),
        cmocka_unit_test(what_was_not_measured_is_missing),
        cmocka_unit_test(too_few_launches_show_nothing),
        cmocka_unit_test(every_format_names_what_is_slower),
        cmocka_unit_test(a_waiver_lets_a_row_be_slower_until_its_day),
        cmocka_unit_test(a_wrong_waiver_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
