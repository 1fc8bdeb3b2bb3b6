// SPDX-License-Identifier: MIT
// Waivers of `normbench ab`: a row that may be slower until a day, and files that are none.
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
#include "report/ab_waivers.h"

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
    ab_made m;
    ab_judgement j;
    ab_made_make(&m, 1);
    m.shift[5] = 0.03;
    (void)ab_made_run_whole(&m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ab_waivers w;
        char why[512];
        ab_made_judge(&m, &j);
        assert_true(read_text(&w, cases[i].text, why, sizeof why));
        ab_waivers_apply(&w, &j);
        assert_int_equal(ab_report_exit(&j), cases[i].code);
        ab_waivers_free(&w);
        ab_judgement_free(&j);
    }
    ab_made_forget(&m);
}

// Of a row that is not slower itself: the rest of its group is.
static void a_waiver_of_one_row_waives_no_other(void **state) {
    (void)state;
    ab_made m;
    ab_judgement j;
    ab_waivers w;
    char why[512];
    ab_made_make(&m, 3);
    for (size_t i = ROWS / 3; i < ROWS; i++)
        m.shift[i] = 0.008;
    (void)ab_made_run_whole(&m);
    ab_made_judge(&m, &j);
    assert_true(read_text(&w, "row,until,reason\nrmsnorm/*/6x64/*,2027-01-01,known\n", why, sizeof why));
    ab_waivers_apply(&w, &j);
    assert_true(ab_made_row_at(&j, 5)->waived);
    assert_int_equal(ab_report_exit(&j), EXIT_REGRESSION);
    ab_waivers_free(&w);
    ab_judgement_free(&j);
    ab_made_forget(&m);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_waiver_lets_a_row_be_slower_until_its_day),
                                       cmocka_unit_test(a_waiver_of_one_row_waives_no_other),
                                       cmocka_unit_test(a_wrong_waiver_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
