// SPDX-License-Identifier: MIT
// What --live says of a run's rows, from made-up samples of a made-up plan of two groups.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "measure/live.h"

enum { REFERENCE, NARROW, WIDE, LONE, ITEMS };
static const char *const names[ITEMS] = {"rmsnorm/std 64x768", "dyt/u2 64x768", "derf/u2 64x768", "identity/std 1x1"};
static void describe(const void *name, char *text, size_t size) {
    snprintf(text, size, "%s", *(const char *const *)name);
}
static void describe_group(const void *name, char *text, size_t size) {
    snprintf(text, size, "group of %s", *(const char *const *)name);
}
static const schedule_kind kind = {.size = sizeof(char *), .describe = describe, .describe_group = describe_group};
static planned items[ITEMS] = {{.group = 0}, {.group = 0}, {.group = 0}, {.group = 1}};
static schedule rows = {.kind = &kind, .names = (void *)names, .items = items, .count = ITEMS, .groups = 2};
static size_t partner(size_t item) { return item == LONE ? SIZE_MAX : REFERENCE; }
static double log_reading(const observation *o) { return log(o->sample.value[SAMPLE_TIME]); }
static const subject made = {.schedule = &rows, .partner = partner, .log_reading = log_reading};

// A round of a launch: dyt at twice the reference's time, within half a percent; derf at three times, within a third.
static void add_round(live *l, size_t launch) {
    const double drift = 0.01 * ((double)(launch % 3) - 1);
    const double ns[ITEMS] = {100, 200 * (1 + 0.5 * drift), 300 * (1 + 33 * drift), 7};
    for (size_t item = 0; item < ITEMS; item++)
        for (size_t half = 0; half < 2; half++) {
            observation o = {.item = item, .launch = launch, .index = half};
            o.sample.value[SAMPLE_TIME] = ns[item];
            assert_true(live_add(l, &o));
        }
}

static double no_time(void) { return 0; }

// What is said after a visit of group 0; to be freed.
static char *settled(live *l) {
    char *text = NULL;
    size_t size = 0;
    FILE *const file = open_memstream(&text, &size);
    assert_non_null(file);
    progress p;
    progress_start(&p, (progress_output){.file = file, .now = no_time}, "measure", 1);
    live_settle(l, 0, &p);
    live_settle(l, 1, &p);
    progress_end(&p);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void rows_settle_once(void **state) {
    (void)state;
    live l;
    char text[LIVE_TEXT];
    assert_true(live_begin(&l, &made));
    assert_int_equal(l.rated, 2);
    assert_string_equal(live_text(&l, 0, text), "group of rmsnorm/std 64x768");
    for (size_t launch = 0; launch < 5; launch++) {
        add_round(&l, launch);
        char *const early = settled(&l);
        assert_string_equal(early, ""); // no interval of five
        free(early);
    }
    assert_string_equal(live_text(&l, 0, text), "dyt/u2 2.00 (5 launches)  group of rmsnorm/std 64x768");
    add_round(&l, 5);
    char *const said = settled(&l), *const again = settled(&l);
    assert_string_equal(said, "dyt/u2 2.00 [1.99, 2.01] 64x768\n");
    assert_string_equal(again, "");
    free(said);
    free(again);
    // The one that is known least, and only with what it is of.
    assert_string_equal(live_text(&l, 0, text), "derf/u2 3.0 [2.0, 4.0]  group of rmsnorm/std 64x768");
    assert_string_equal(live_text(&l, 1, text), "group of identity/std 1x1");
    assert_true(isnan(live_ratio(&l, REFERENCE).median) && isnan(live_ratio(&l, LONE).median));
    live_free(&l);
}

static void dropped_samples_do_not_count(void **state) {
    (void)state;
    live l;
    assert_true(live_begin(&l, &made));
    for (size_t launch = 0; launch < 9; launch++)
        add_round(&l, launch);
    live_drop(&l, NARROW);
    assert_true(isnan(live_ratio(&l, NARROW).median));
    assert_true(live_ratio(&l, WIDE).lo > 1);
    add_round(&l, 9);
    assert_int_equal(live_ratio(&l, NARROW).n, 1);
    live_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_settle_once),
                                       cmocka_unit_test(dropped_samples_do_not_count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
