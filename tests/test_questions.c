// SPDX-License-Identifier: MIT
// Where an interval lies; and questions of single rows, asked of a table made of made-up samples: of each row that
// fits, of that with the least and of that with the largest value; the model's own norm, and a least number.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/interval.h"
#include "layers_made.h"
#include "report/verdicts.h"
#include "temporary.h"

// Norms take 10 and 20 of 1000 ns; the rest is the same.
static int make_table(void **state) {
    made m;
    size_t missing;
    const run r = {.id = "a_run", .machine = "a_machine", .git = "c0ffee"};
    if (temporary_make(state) != 0)
        return -1;
    made_make(&m, &(truth){.norm = {10, 20, 0}, .rest = {990, 990, 990}});
    const int error = layers_summary_write(&m.summary, temporary_path("layers.csv"), &r, &missing);
    made_free(&m);
    return error;
}

// Puts down one question of layers: quantity to holds_hi.
static void ask(const char *text) {
    temporary_put("asked.csv",
                  "id,question,unit,table,quantity,subject,baseline,where,which,expected,holds_lo,holds_hi\nx,q,1,%s\n",
                  text);
}

// ---- Bounds

static void intervals_lie_where_they_lie(void **state) {
    static const struct {
        double lo, hi;
        judge_bounds at;
        verdict want;
    } cases[] = {
        {0.9, 0.99, {NAN, NAN, 1}, VERDICT_HOLDS},
        {1.1, 1.2, {NAN, NAN, 1}, VERDICT_DOES_NOT_HOLD},
        {0.9, 1.1, {NAN, NAN, 1}, VERDICT_CANNOT_TELL},
        {1.1, 1.2, {NAN, 1, NAN}, VERDICT_HOLDS},
        {0.8, 0.9, {NAN, 1, NAN}, VERDICT_DOES_NOT_HOLD},
        {-1, 1, {NAN, -2, 2}, VERDICT_HOLDS},
        {-3, -2.5, {NAN, -2, 2}, VERDICT_DOES_NOT_HOLD},
        {-3, 3, {NAN, -2, 2}, VERDICT_CANNOT_TELL},
        {NAN, NAN, {NAN, NAN, 1}, VERDICT_CANNOT_TELL},
        {-1, 1, {NAN, NAN, NAN}, VERDICT_HOLDS},
        {0.9, 1, {NAN, NAN, 1}, VERDICT_CANNOT_TELL},
        {1, 1.1, {NAN, NAN, 1}, VERDICT_CANNOT_TELL},
        {1, 1.1, {NAN, 1, NAN}, VERDICT_CANNOT_TELL},
        // Beside what is expected, within the bounds or not; around it, and wider than they.
        {0.98, 1.01, {1, 0.95, 1.05}, VERDICT_HOLDS},
        {0.97, 0.99, {1, 0.95, 1.05}, VERDICT_DOES_NOT_HOLD},
        {1.01, 1.02, {1, 0.95, 1.05}, VERDICT_DOES_NOT_HOLD},
        {0.9, 1.02, {1, 0.95, 1.05}, VERDICT_CANNOT_TELL},
        {0.99, 1.05, {1, 0.95, 1.05}, VERDICT_CANNOT_TELL},
        {1, 1.02, {1, 0.95, 1.05}, VERDICT_HOLDS},
        {NAN, NAN, {1, 0.95, 1.05}, VERDICT_CANNOT_TELL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const stats_interval at = interval_of((cases[i].lo + cases[i].hi) / 2, cases[i].lo, cases[i].hi);
        if (judge_place(&at, &cases[i].at) != cases[i].want)
            fail_msg("[%g, %g] in %g to %g", cases[i].lo, cases[i].hi, cases[i].at.lo, cases[i].at.hi);
    }
}

// What reaches across the only bound may lie so near to it that nothing matters; what lies beside it is told as ever.
static void near_the_bound_nothing_matters(void **state) {
    static const struct {
        double lo, hi, margin;
        judge_bounds at;
        verdict want;
    } cases[] = {
        {-0.003, 0.002, 0.05, {NAN, NAN, 0}, VERDICT_NO_DIFFERENCE},
        {-0.003, 0.002, 0.05, {NAN, 0, NAN}, VERDICT_NO_DIFFERENCE},
        {-0.003, 0.002, 0, {NAN, NAN, 0}, VERDICT_CANNOT_TELL},
        {-0.003, 0.05, 0.05, {NAN, NAN, 0}, VERDICT_CANNOT_TELL},
        {-0.05, 0.002, 0.05, {NAN, NAN, 0}, VERDICT_CANNOT_TELL},
        {-0.003, -0.001, 0.05, {NAN, NAN, 0}, VERDICT_HOLDS},
        {0.001, 0.002, 0.05, {NAN, NAN, 0}, VERDICT_DOES_NOT_HOLD},
        {0.99, 1.01, 0.05, {NAN, NAN, 1}, VERDICT_NO_DIFFERENCE},
        {NAN, NAN, 0.05, {NAN, NAN, 0}, VERDICT_CANNOT_TELL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const stats_interval at = interval_of((cases[i].lo + cases[i].hi) / 2, cases[i].lo, cases[i].hi);
        const question q = {.holds = cases[i].at, .margin = cases[i].margin};
        if (judge_answer(&at, &q) != cases[i].want)
            fail_msg("[%g, %g], margin %g", cases[i].lo, cases[i].hi, cases[i].margin);
    }
}

// ---- Rows

static void rows_are_asked_one_by_one(void **state) {
    static const struct {
        const char *question;
        size_t count, rows, failing;
        double value; // of the last
        verdict want;
    } cases[] = {
        {"norm_share,op=native,,rows=128..,each,,,", 1, 1, 0, 1, VERDICT_HOLDS},
        {"norm_share,op=native|dyt,,rows=128..,each,,,", 2, 2, 0, 2, VERDICT_HOLDS},
        {"norm_share,op=rmsnorm|dyt,,rows=1|100..,least,,1.5,", 1, 2, 1, 1, VERDICT_DOES_NOT_HOLD},
        {"norm_share,op=rmsnorm|dyt,,rows=128,most,,1.5,", 1, 2, 1, 2, VERDICT_HOLDS},
        {"norm_share,op=rmsnorm|dyt,,rows=128,most,1.7,,", 1, 2, 2, 2, VERDICT_DOES_NOT_HOLD},
        {"norm_share,op=rmsnorm|dyt,,rows=129..,each,,,", 1, 0, 0, NAN, VERDICT_CANNOT_TELL},
        {"total_change,op=dyt,op=native,rows=128,each,,,0", 1, 1, 1, 1, VERDICT_DOES_NOT_HOLD},
        {"norm_change,op=dyt,op=native,rows=128,each,,0,", 1, 1, 0, 100, VERDICT_HOLDS},
        {"total_change,op=dyt,op=layernorm,rows=128,each,,,0", 1, 0, 0, NAN, VERDICT_CANNOT_TELL},
        {"composition,part=layer,,rows=128,each,,,", 1, 0, 0, NAN, VERDICT_CANNOT_TELL},
        {"peak_fraction,part=layer,,rows=128,least,,0.6,", 1, 3, 3, 0.2, VERDICT_DOES_NOT_HOLD},
        {"timing_cost,part=layer,,rows=128,most,,,0.1", 1, 3, 0, 0, VERDICT_HOLDS},
    };
    char message[TABLES_MESSAGE], row[256];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_tables tables;
        verdicts v;
        snprintf(row, sizeof row, "layers,%s", cases[i].question);
        ask(row);
        assert_true(run_tables_read(&tables, temporary_folder(), message));
        if (!verdicts_make(&v, VERDICT_TABLE_QUESTIONS, temporary_path("asked.csv"), &tables, 1, message))
            fail_msg("%s: %s", row, message);
        const finding *const last = &v.found.items[v.found.count - 1];
        if (v.found.count != cases[i].count || last->rows != cases[i].rows || last->failing != cases[i].failing ||
            last->verdict != cases[i].want || (last->runs == 0 && last->why[0] == '\0') ||
            (isnan(cases[i].value) ? last->runs > 0
                                   : !(fabs(last->value.median - cases[i].value) <= 0.05 * cases[i].value)))
            fail_msg("%s: %zu found, the last of %zu rows, %zu fail, %g, %s, %s", row, v.found.count, last->rows,
                     last->failing, last->value.median, verdict_name(last->verdict), last->why);
        verdicts_free(&v);
        run_tables_free(&tables);
    }
}

static void what_cannot_be_asked_is_refused(void **state) {
    static const struct {
        const char *question, *why;
    } cases[] = {
        {"layers,norm_share,op=dyt,,repeats=1,all,,,1", "\"all\" is no which"},
        {"layers,norm_share,op=dyt,,repeats=1,each,one,,1", "expected is \"one\", expected a number"},
        {"layers,norm_share,op=dyt,,repeats=..,each,,,1", "\"..\" is no number of repeats"},
        {"layers,norm_share,op=dyt,,repeats=1|x..,each,,,1", "\"x\" is no number of repeats"},
        {"layers,norm_share,op=nativ,,repeats=1,each,,,1", "\"nativ\" is no op"},
        {"kernels,time_ratio,op=dyt,op=rmsnorm,rows=1,each,,,1", "of kernels one row is asked"},
    };
    char message[TABLES_MESSAGE];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        questions q;
        ask(cases[i].question);
        if (questions_read(&q, temporary_path("asked.csv"), "", message) || strstr(message, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].question, message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_lie_where_they_lie),
        cmocka_unit_test(near_the_bound_nothing_matters),
        cmocka_unit_test(rows_are_asked_one_by_one),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
    };
    return cmocka_run_group_tests(tests, make_table, temporary_remove);
}
