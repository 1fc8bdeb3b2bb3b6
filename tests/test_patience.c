// SPDX-License-Identifier: MIT
// Patience is at its end once it was looked at for as long, and what was slept through between two looks does not
// count.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/patience.h"

static void is_lost_when_time_is_up(void **state) {
    (void)state;
    patience p = patience_of(0.03);
    int looks = 0;
    for (; !patience_lost(&p) && looks < 1000; looks++)
        (void)usleep(10000);
    assert_in_range(looks, 1, 999);
}

static void outlives_a_sleep(void **state) {
    (void)state;
    patience p = patience_of(10);
    p.looked_s -= 3600; // an hour in which nobody looked
    assert_false(patience_lost(&p));
    assert_true(p.left_s > 9 && p.left_s < 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_lost_when_time_is_up), cmocka_unit_test(outlives_a_sleep)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
