// SPDX-License-Identifier: MIT
// Verdicts taken together: what a p-value is of an interval, and which verdicts stay where there are many.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/verdicts.h"

enum { MANY = 40 };

// An answer of a value with its interval, held against bounds.
static finding answer(const question *q, double median, double lo, double hi) {
    finding f = {.asked = q, .value = {median, lo, hi, 0.95, 9}};
    f.verdict = judge_answer(&f.value, q);
    return f;
}

static void a_verdict_is_as_sure_as_its_interval_is_far(void **state) {
    (void)state;
    const question above = {.holds = {NAN, 1, NAN}}, between = {.holds = {NAN, -1, 1}},
                   likely = {.holds = {1, NAN, NAN}};
    finding items[] = {
        answer(&above, 2, 1.00000001, 3),  // an end at the bound: just told
        answer(&above, 2, 1.5, 2.5),       // twice as far
        answer(&above, 0, -0.5, 0.5),      // does not hold, by as much
        answer(&above, 2, 0.5, 3),         // cannot be told
        answer(&between, 0.5, 0.25, 0.75), // holds; the nearer bound counts
        answer(&likely, 2, 1.5, 2.5),      // of an expected value there is none
        answer(&above, 2, (double)NAN, (double)NAN),
    };
    findings all = {items, sizeof items / sizeof *items};
    judge_together(&all);
    const double far = 0.5 * erfc(2 * 1.959964 * sqrt(0.5));
    assert_true(fabs(items[0].p_value - (0.025)) < 1e-6);
    assert_true(fabs(items[1].p_value - (far)) < 1e-9);
    assert_true(fabs(items[2].p_value - (far)) < 1e-9);
    assert_true(isnan(items[3].p_value) && isnan(items[5].p_value) && isnan(items[6].p_value));
    assert_true(fabs(items[4].p_value - (far)) < 1e-9);
    // Four are told: the surest counts four times, and the one at the bound still once.
    assert_true(fabs(items[1].p_together - (4 * far)) < 1e-9);
    assert_true(fabs(items[0].p_together - (0.025)) < 1e-6);
}

// Of no difference it is that of the nearer end of what does not matter.
static void no_difference_is_as_sure_as_its_margin_is_far(void **state) {
    (void)state;
    const question no = {.holds = {NAN, NAN, 0}, .margin = 2};
    finding items[] = {answer(&no, 0, -0.5, 0.5), answer(&no, 1, -0.5, 1.5), answer(&no, 0, -3, 3)};
    findings all = {items, sizeof items / sizeof *items};
    judge_together(&all);
    assert_int_equal(items[0].verdict_together, VERDICT_NO_DIFFERENCE);
    assert_true(fabs(items[0].p_value - 1e-9) < 1e-12); // 2 is eight deviations away
    assert_true(fabs(items[1].p_value - 0.5 * erfc(2 * 1.959964 * sqrt(0.5))) < 1e-9);
    assert_true(isnan(items[2].p_value));
}

static void of_many_only_the_sure_ones_stay(void **state) {
    (void)state;
    const question above = {.holds = {NAN, 1, NAN}};
    finding items[MANY];
    findings all = {items, MANY};
    for (size_t i = 0; i < MANY; i++) // every second is told, but barely
        items[i] = i % 2 ? answer(&above, 2, 1.02, 3) : answer(&above, 2, 1.9, 2.1);
    judge_together(&all);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(items[i].verdict, VERDICT_HOLDS);
        assert_int_equal(items[i].verdict_together, i % 2 ? VERDICT_CANNOT_TELL : VERDICT_HOLDS);
    }
    all.count = 1;
    items[0] = answer(&above, 2, 1.02, 3);
    judge_together(&all);
    assert_int_equal(items[0].verdict_together, VERDICT_HOLDS);
    all.count = 0;
    judge_together(&all);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_verdict_is_as_sure_as_its_interval_is_far),
                                       cmocka_unit_test(no_difference_is_as_sure_as_its_margin_is_far),
                                       cmocka_unit_test(of_many_only_the_sure_ones_stay)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
