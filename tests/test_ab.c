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

#include "ab_made.h"
#include "base/exit_code.h"
#include "report/ab_report.h"
#include "report/ab_seen.h"

// ---- What is said

static void equal_sides_are_the_same(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        ab_made m;
        ab_judgement j;
        ab_made_make(&m, seed);
        assert_int_equal(ab_made_run_whole(&m), AB_LAUNCHES);
        ab_made_judge(&m, &j);
        assert_int_equal(j.counts[AB_SAME], ROWS);
        assert_int_equal(j.control_count, SENTINELS);
        assert_string_equal(j.disturbed, "");
        assert_int_equal(ab_report_exit(&j), EXIT_DONE);
        ab_judgement_free(&j);
        ab_made_forget(&m);
    }
}

static void a_slower_row_is_found_and_confirmed(void **state) {
    (void)state;
    ab_made m;
    ab_judgement j;
    ab_made_make(&m, 1);
    m.shift[5] = 0.03;
    m.shift[7] = -0.04;
    ab_made_launch(&m, AB_LAUNCHES);
    ab_made_judge(&m, &j);
    // Not before it is confirmed.
    assert_int_equal(ab_made_row_at(&j, 5)->finding.verdict, AB_INCONCLUSIVE);
    assert_non_null(strstr(ab_made_row_at(&j, 5)->finding.reason, "not confirmed"));
    assert_int_equal(ab_report_exit(&j), EXIT_INCONCLUSIVE);
    ab_judgement_free(&j);
    assert_int_equal(ab_made_run_whole(&m), AB_LAUNCHES + AB_CONFIRMING);
    ab_made_judge(&m, &j);
    const ab_finding *const slower = &ab_made_row_at(&j, 5)->finding;
    assert_int_equal(slower->verdict, AB_SLOWER);
    assert_int_equal(slower->differences.first_count, AB_LAUNCHES);
    assert_int_equal(slower->differences.again_count, AB_CONFIRMING);
    assert_true(slower->change.lo < 0.03 && 0.03 < slower->change.hi);
    assert_int_equal(ab_made_row_at(&j, 7)->finding.verdict, AB_FASTER);
    assert_int_equal(ab_made_row_at(&j, 6)->finding.verdict, AB_SAME);
    assert_int_equal(ab_made_row_at(&j, 6)->finding.differences.again_count, 0);
    assert_int_equal(ab_report_exit(&j), EXIT_REGRESSION);
    ab_judgement_free(&j);
    ab_made_forget(&m);
}

static void an_alarm_that_does_not_come_again_is_none(void **state) {
    (void)state;
    ab_made m;
    ab_judgement j;
    ab_made_make(&m, 2);
    m.shift[5] = 0.03;
    ab_made_launch(&m, AB_LAUNCHES);
    const size_t more = ab_go_on(&ab_kernels, &m.plan.schedule, &m.all, ab_made_threshold, AB_LAUNCHES);
    m.shift[5] = 0;
    ab_made_launch(&m, more);
    assert_int_equal(ab_go_on(&ab_kernels, &m.plan.schedule, &m.all, ab_made_threshold, more), more);
    ab_made_judge(&m, &j);
    assert_int_equal(ab_made_row_at(&j, 5)->finding.verdict, AB_INCONCLUSIVE);
    assert_non_null(strstr(ab_made_row_at(&j, 5)->finding.reason, "that were to confirm"));
    assert_int_equal(ab_report_exit(&j), EXIT_DONE); // one row of twelve is a tenth at most
    ab_judgement_free(&j);
    ab_made_forget(&m);
}

// Less than a row may be slower by, but in all rows of an op.
static void a_small_shift_of_many_rows_is_found(void **state) {
    (void)state;
    ab_made m;
    ab_judgement j;
    size_t slower = 0;
    ab_made_make(&m, 3);
    for (size_t i = ROWS / 3; i < ROWS; i++)
        m.shift[i] = 0.008;
    (void)ab_made_run_whole(&m);
    ab_made_judge(&m, &j);
    for (size_t i = 0; i < j.group_count; i++)
        slower += j.groups[i].finding.verdict == AB_SLOWER && j.groups[i].op == NORM_RMSNORM;
    assert_int_equal(slower, 1);
    assert_int_equal(j.group_count, 2); // one level: no group of it
    assert_int_equal(ab_report_exit(&j), EXIT_REGRESSION);
    ab_judgement_free(&j);
    ab_made_forget(&m);
}

static void where_equal_code_differs_nothing_is_said(void **state) {
    (void)state;
    for (size_t which = 0; which < 2; which++) {
        ab_made m;
        ab_judgement j;
        ab_made_make(&m, 4 + which);
        m.shift[5] = 0.05;
        if (which == 0) // one of them much, or all of them a little
            m.shift[ROWS] = 0.05;
        for (size_t i = ROWS; which == 1 && i < ROWS + SENTINELS; i++)
            m.shift[i] = 0.009;
        (void)ab_made_run_whole(&m);
        ab_made_judge(&m, &j);
        assert_true(j.disturbed[0] != '\0');
        assert_int_equal(j.counts[AB_SLOWER] + j.counts[AB_FASTER] + j.counts[AB_SAME], 0);
        assert_int_equal(ab_report_exit(&j), EXIT_INCONCLUSIVE);
        ab_judgement_free(&j);
        ab_made_forget(&m);
    }
}

static void a_row_that_others_disturb_is_inconclusive(void **state) {
    (void)state;
    ab_made m;
    ab_judgement j;
    ab_made_make(&m, 6);
    m.shift[3] = 0.05;
    m.preempted[3] = 0.5;
    (void)ab_made_run_whole(&m);
    ab_made_judge(&m, &j);
    assert_int_equal(ab_made_row_at(&j, 3)->finding.verdict, AB_INCONCLUSIVE);
    assert_non_null(strstr(ab_made_row_at(&j, 3)->finding.reason, "other programs"));
    ab_judgement_free(&j);
    ab_made_forget(&m);
}

// Whatever it shows: a row is measured again because it is not known well, not because it differs.
static void what_is_not_known_well_is_measured_more_often(void **state) {
    (void)state;
    ab_made m;
    ab_judgement j;
    ab_made_make(&m, 7);
    m.noise[2] = 0.05;
    ab_made_launch(&m, AB_LAUNCHES);
    assert_int_equal(ab_go_on(&ab_kernels, &m.plan.schedule, &m.all, ab_made_threshold, AB_LAUNCHES), AB_MOST_LAUNCHES);
    ab_made_launch(&m, AB_MOST_LAUNCHES);
    ab_made_judge(&m, &j);
    assert_int_equal(ab_made_row_at(&j, 2)->finding.differences.first_count, AB_MOST_LAUNCHES);
    assert_int_equal(ab_made_row_at(&j, 4)->finding.differences.first_count, AB_LAUNCHES);
    assert_int_equal(ab_made_row_at(&j, 2)->finding.verdict, AB_INCONCLUSIVE);
    ab_judgement_free(&j);
    ab_made_forget(&m);
}

static void what_was_not_measured_is_missing(void **state) {
    (void)state;
    ab_made m;
    ab_judgement j;
    ab_made_make(&m, 8);
    for (size_t i = 0; i < 2; i++)
        snprintf(m.plan.schedule.items[i].reason, sizeof m.plan.schedule.items->reason, "wrong by a mile");
    m.plan.schedule.items[0].wrong = m.plan.schedule.items[1].wrong = true;
    (void)ab_made_run_whole(&m);
    ab_made_judge(&m, &j);
    assert_int_equal(j.rows[0].finding.verdict, AB_MISSING);
    assert_string_equal(j.rows[0].finding.reason, "wrong by a mile");
    assert_int_equal(j.counts[AB_SAME], ROWS - 1);
    ab_judgement_free(&j);
    ab_made_forget(&m);
}

static void too_few_launches_show_nothing(void **state) {
    (void)state;
    ab_made m;
    ab_judgement j;
    ab_made_make(&m, 9);
    m.shift[5] = 0.2;
    ab_made_launch(&m, 6);
    ab_made_judge(&m, &j);
    assert_int_equal(j.counts[AB_INCONCLUSIVE], ROWS);
    assert_non_null(strstr(ab_made_row_at(&j, 5)->finding.reason, "--launches"));
    assert_true(isinf(ab_made_row_at(&j, 5)->finding.detectable));
    ab_judgement_free(&j);
    ab_made_forget(&m);
}

// ---- How it is said

static void every_format_names_what_is_slower(void **state) {
    (void)state;
    static const char *const conclusions[AB_FORMATS] = {"The candidate is slower.\n", "### The candidate is slower.\n",
                                                        "\"exit\": 1", "failures=\"1\""};
    static const char *const names[AB_FORMATS] = {
        "  rmsnorm/std forward fused scalar f32 6x64, 1 thread cores, warm: 3",
        "- `rmsnorm/std forward fused scalar f32 6x64, 1 thread cores, warm`: 3", "\"verdict\": \"slower\"",
        "name=\"rmsnorm/std forward fused scalar f32 6x64, 1 thread cores, warm\">\n    <failure message=\"3"};
    ab_made m;
    ab_judgement j;
    ab_made_slower(&m, &j);
    for (ab_format f = 0; f < AB_FORMATS; f++) {
        char *const text = ab_printed(&j, f);
        assert_non_null(strstr(text, conclusions[f]));
        assert_non_null(strstr(text, names[f]));
        free(text);
    }
    ab_judgement_free(&j);
    ab_made_forget(&m);
}

// What else was at work is told in every format, beside verdicts that stay what they are; of a quiet machine nothing.
static void what_else_was_at_work_is_told(void **state) {
    (void)state;
    static const struct {
        double preempted, stopped_ns; // of one in eight samples; added to every 97th
        size_t moved;
        double steal_pct;
        const char *said; // NULL: nothing
    } cases[] = {{0.3, 0, 0, (double)NAN, NULL},
                 {0, 9e7, 0, 0.9, NULL},
                 {1, 0, 0, 0, "other programs took the CPU in 12 % of the samples"},
                 {0, 2e9, 0, 0, "the process stood still in "},
                 {0, 0, 3, 0, "threads were moved to other processing units in 3 groups of rows"},
                 {0, 0, 0, 4, "the hypervisor took 4 % of the CPU time"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ab_made m;
        ab_judgement j;
        ab_made_slower(&m, &j);
        for (size_t k = 0; k < m.all.count; k++) { // of which no verdict was made
            m.all.items[k].sample.value[SAMPLE_PREEMPTED] = k % 8 == 0 ? cases[i].preempted : 0;
            m.all.items[k].sample.value[SAMPLE_TIME] += k % 97 == 0 ? cases[i].stopped_ns : 0;
        }
        assert_true(ab_seen_look(&j, &m.all, cases[i].moved, cases[i].steal_pct));
        assert_int_equal(j.seen_count, cases[i].said != NULL);
        for (ab_format f = 0; f < AB_FORMATS; f++) {
            char *const text = ab_printed(&j, f);
            assert_true(cases[i].said == NULL || strstr(text, cases[i].said) != NULL);
            assert_true(cases[i].said != NULL || strstr(text, "Something else") == NULL);
            free(text);
        }
        assert_int_equal(ab_report_exit(&j), EXIT_REGRESSION);
        ab_judgement_free(&j);
        ab_made_forget(&m);
    }
}

// The row at 3 % lies right of zero and of the ab_made_threshold, and its neighbours, which are the same, around zero.
static void a_plot_shows_each_row_on_one_scale(void **state) {
    (void)state;
    ab_made m;
    ab_judgement j;
    ab_made_slower(&m, &j);
    char *const text = ab_printed(&j, AB_AS_MARKDOWN);
    const char *const plot = strstr(text, "```text\n-5 %");
    assert_non_null(plot);
    assert_non_null(strstr(plot, "5 % slower\n"));
    size_t rows = 0;
    for (const char *line = strchr(strchr(plot, '\n') + 1, '\n') + 1; strncmp(line, "```", 3) != 0;
         line = strchr(line, '\n') + 1, rows++) {
        const long estimate = (long)strcspn(line, "o"), zero = 24;
        assert_true(strstr(line, "/6x64/") == NULL || strstr(line, "/6x64/") > strchr(line, '\n')
                        ? labs(estimate - zero) <= 1
                        : estimate - zero >= 13 && estimate - zero <= 16);
    }
    assert_int_equal(rows, ROWS);
    free(text);
    ab_judgement_free(&j);
    ab_made_forget(&m);
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
        cmocka_unit_test(what_else_was_at_work_is_told),
        cmocka_unit_test(a_plot_shows_each_row_on_one_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
