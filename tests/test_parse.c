// SPDX-License-Identifier: MIT
// What people may type, and what they may not.
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"

#define EACH(array) (size_t i = 0; i < sizeof(array) / sizeof *(array); i++)

static const char *const never_numbers[] = {"",    " ",    " 1", "1 ",  "+1",  "--1", "-",
                                            "1,5", "0x10", "1x", "one", "1\n", "1_0", "1'000"};

static void sizes(void **state) {
    (void)state;
    uint64_t wide = 7;
    size_t size = 7;
    for
        EACH(never_numbers) {
            assert_false(parse_size(never_numbers[i], &size));
            assert_false(parse_u64(never_numbers[i], &wide));
        }
    const char *const bad[] = {"-1", "1.0", "1e3", "18446744073709551616", "99999999999999999999999"};
    for
        EACH(bad) {
            assert_false(parse_size(bad[i], &size));
            assert_false(parse_u64(bad[i], &wide));
        }
    assert_true(size == 7 && wide == 7); // a failure leaves the value alone
    assert_true(parse_u64("18446744073709551615", &wide) && wide == UINT64_MAX);
    assert_true(parse_u64("0", &wide) && wide == 0);
    assert_true(parse_size("007", &size) && size == 7);
    char most[32];
    snprintf(most, sizeof most, "%zu", SIZE_MAX);
    assert_true(parse_size(most, &size) && size == SIZE_MAX);
}

static void reals(void **state) {
    (void)state;
    double value = 7;
    for
        EACH(never_numbers)
    assert_false(parse_real(never_numbers[i], &value));
    const char *const bad[] = {".", "-.", "1e", "1e+", "e5", "1.2.3", "nan", "inf", "-inf", "1e999", "-1e999", "1e5x"};
    for
        EACH(bad)
    assert_false(parse_real(bad[i], &value));
    assert_true(value == 7);
    assert_true(parse_real("-1.5", &value) && value == -1.5);
    assert_true(parse_real(".5", &value) && value == 0.5);
    assert_true(parse_real("2.", &value) && value == 2);
    assert_true(parse_real("1e-3", &value) && value == 1e-3);
    assert_true(parse_real("1E+3", &value) && value == 1e3);
    assert_true(parse_real("0.1", &value) && value == 0.1);
}

static void comma_locale(void **state) {
    (void)state;
    const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "de_DE", "fr_FR"};
    for
        EACH(names) {
            if (!setlocale(LC_ALL, names[i]))
                continue;
            double value = 0;
            const bool dot = parse_real("1.5", &value), comma = parse_real("1,5", &value);
            setlocale(LC_ALL, "C");
            assert_true(dot && value == 1.5);
            assert_false(comma);
            return;
        }
    print_message("no locale with decimal commas is installed; skipped\n");
    skip();
}

static void shapes(void **state) {
    (void)state;
    size_t rows = 7, cols = 7;
    const char *const bad[] = {"",     "64",     "64x",    "x768",     "0x768",
                               "64x0", "64X768", "64*768", "64 x 768", "64x768x2",
                               "-1x2", "1x-2",   "1.5x2",  "64x768 ",  "18446744073709551616x1"};
    for
        EACH(bad)
    assert_false(parse_shape(bad[i], &rows, &cols));
    assert_true(rows == 7 && cols == 7);
    assert_true(parse_shape("64x768", &rows, &cols) && rows == 64 && cols == 768);
    assert_true(parse_shape("1x1", &rows, &cols) && rows == 1 && cols == 1);
}

static void nanoseconds(void **state) {
    (void)state;
    static const char *const bad[] = {"", "2", "us", "0us", "-1us", "2 us", "2s", "2uss", "nan us", "1e400ms", "0x2us"};
    double ns = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse_nanoseconds(bad[i], &ns))
            fail_msg("%s was taken for a time", bad[i]);
    assert_true(ns == 7);
    assert_true(parse_nanoseconds("500ns", &ns) && ns == 500);
    assert_true(parse_nanoseconds("2us", &ns) && ns == 2000);
    assert_true(parse_nanoseconds("1.5us", &ns) && ns == 1500);
    assert_true(parse_nanoseconds("1ms", &ns) && ns == 1000000);
}

static void durations(void **state) {
    (void)state;
    double seconds = 7;
    const char *const bad[] = {"",     "40",    "s",     "0s",   "-1s",    "40 s", "40S",
                               "40ms", "40sec", "1h30m", "infs", "1e308h", ".s"};
    for
        EACH(bad)
    assert_false(parse_duration(bad[i], &seconds));
    assert_true(seconds == 7);
    assert_true(parse_duration("40s", &seconds) && seconds == 40);
    assert_true(parse_duration("5m", &seconds) && seconds == 300);
    assert_true(parse_duration("1.5m", &seconds) && seconds == 90);
    assert_true(parse_duration("1h", &seconds) && seconds == 3600);
    assert_true(parse_duration("0.5s", &seconds) && seconds == 0.5);
}

static void lists(void **state) {
    (void)state;
    char *items[3];
    char one[] = "a", three[] = "a,bc,d", four[] = "a,b,c,d";
    assert_int_equal(parse_list(one, items, 3), 1);
    assert_string_equal(items[0], "a");
    assert_int_equal(parse_list(three, items, 3), 3);
    assert_string_equal(items[0], "a");
    assert_string_equal(items[1], "bc");
    assert_string_equal(items[2], "d");
    assert_int_equal(parse_list(four, items, 3), 0);
    char empty[][8] = {"", ",", "a,", ",a", "a,,b"};
    for
        EACH(empty)
    assert_int_equal(parse_list(empty[i], items, 3), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),  cmocka_unit_test(reals),     cmocka_unit_test(comma_locale),
        cmocka_unit_test(shapes), cmocka_unit_test(durations), cmocka_unit_test(nanoseconds),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
