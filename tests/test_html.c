// SPDX-License-Identifier: MIT
// What `normbench report` writes is made of: text that holds no markup whatever it is given, axes with round numbers on
// them, and figures that say their values in words, too.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/interval.h"
#include "report/html.h"
#include "report/html_chart.h"

// ---- Text

static void what_comes_from_files_is_text(void **state) {
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"dyt u2", "dyt u2"},
        {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"' onload='x", "&#39; onload=&#39;x"},
        {"\"&amp;", "&quot;&amp;amp;"},
        {"a\nb\tc\177", "a b c "},
        {"5 \xc2\xb5s", "5 \xc2\xb5s"},
        {"\xc2\xb5s\n", "??s "},
        {"\xff<", "?&lt;"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char got[256] = "";
        FILE *const out = fmemopen(got, sizeof got, "w");
        assert_non_null(out);
        html_text(out, cases[i].text);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(got, cases[i].want);
    }
}

static void texts_are_cut_to_their_room(void **state) {
    char text[8] = "ab";
    (void)state;
    html_add(text, sizeof text, "%s", "cdefghij");
    html_add(text, sizeof text, "%s", "k");
    assert_string_equal(text, "abcdefg");
}

static void values_have_the_digits_that_they_support(void **state) {
    static const struct {
        stats_interval value;
        const char *unit;
        double beside;
        const char *want;
    } cases[] = {
        {{.median = 0.62, .lo = 0.6, .hi = 0.65}, "1", 1, "0.62 [0.60, 0.65]"},
        {{.median = 1.02, .lo = 1.004, .hi = 1.04}, "1", 1, "1.020 [1.004, 1.040]"},
        {{.median = -0.2, .lo = -0.33, .hi = -0.12}, "%", 0, "-0.2 % [-0.3, -0.1]"},
        {{.median = 0.007, .lo = -1.3, .hi = 1.2}, "%", 0, "0 % [-1, 1]"},
        {{.median = 3, .lo = (double)NAN, .hi = (double)NAN}, "ns", (double)NAN, "3.00 ns [no interval]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[HTML_VALUE];
        assert_string_equal(html_value(text, &cases[i].value, cases[i].unit, cases[i].beside), cases[i].want);
    }
}

// ---- Axes

static void axes_have_round_numbers(void **state) {
    static const struct {
        chart_axis axis;
        size_t count;
        double first, last;
    } cases[] = {
        {{0.86, 3.5, true}, 3, 1, 3},   {{0.07, 4, true}, 5, 0.1, 2},
        {{0.9, 200, true}, 8, 1, 200},  {{0.02, 30, true}, 3, 0.1, 10},
        {{-2.4, 1.6, false}, 4, -2, 1}, {{-63, 44, false}, 2, -50, 0},
        {{1, 1, true}, 0, 0, 0},        {{INFINITY, -INFINITY, false}, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double ticks[CHART_TICKS] = {0};
        const size_t count = chart_ticks(&cases[i].axis, ticks);
        if (count != cases[i].count ||
            (count > 0 && (fabs(ticks[0] - cases[i].first) > 1e-9 || fabs(ticks[count - 1] - cases[i].last) > 1e-9)))
            fail_msg("axis %zu: %zu ticks, %g to %g", i, count, ticks[0], ticks[count > 0 ? count - 1 : 0]);
    }
}

static void places_lie_within_the_strip(void **state) {
    const chart_axis ratios = {0.5, 2, true}, one = {1, 1, true};
    (void)state;
    assert_true(fabs(chart_place(&ratios, 0.5) - 2) < 1e-9 && fabs(chart_place(&ratios, 2) - 98) < 1e-9);
    assert_true(fabs(chart_place(&ratios, 1) - 50) < 1e-9);
    assert_true(chart_place(&ratios, 0.01) >= 2 && chart_place(&ratios, 100) <= 98);
    assert_true(fabs(chart_place(&one, 1) - 50) < 1e-9);
}

// ---- Figures

static char *drawn(const chart *c) {
    char *text = NULL;
    size_t length = 0;
    FILE *const out = open_memstream(&text, &length);
    assert_non_null(out);
    chart_write(out, c);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void a_figure_says_what_it_shows(void **state) {
    chart_series one = {.name = "a run", .colour = "#009E73"};
    chart c = {.id = "figure-x",
               .title = "T & T",
               .unit = "1",
               .below = "faster",
               .above = "slower",
               .looks = {"wins", "loses", "neither"},
               .says = "It says.",
               .logarithmic = true,
               .reference = 1,
               .series = &one,
               .series_count = 1};
    (void)state;
    char *text = drawn(&c);
    assert_string_equal(text, ""); // nothing is no figure
    free(text);
    for (size_t i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof key, "%zu", i % 20);
        chart_row *const row = chart_row_of(&c, key);
        assert_non_null(row);
        snprintf(row->label, sizeof row->label, "<b>%s", key);
        chart_mark *const m = chart_add(&c, row);
        assert_non_null(m);
        m->value = interval_of(0.5, 0.4, i < 20 ? 0.6 : (double)NAN);
        m->look = i < 20 ? CHART_WIN : CHART_OPEN;
        snprintf(m->row, sizeof m->row, "t0r%zu", i + 1);
    }
    assert_int_equal(c.count, 20);
    assert_int_equal(c.rows[19].count, 2);
    text = drawn(&c);
    static const char *const wanted[] = {
        "T &amp; T",     "wins: 20",     "neither: 20", "href='#t0r40'", "&lt;b&gt;19: 0.50 [0.40, 0.60]",
        "faster</text>", "[no interval]"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(text, wanted[i]) == NULL)
            fail_msg("no %s in: %s", wanted[i], text);
    assert_null(strstr(text, "<b>"));
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    free(text);
    chart_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_from_files_is_text),
        cmocka_unit_test(texts_are_cut_to_their_room),
        cmocka_unit_test(values_have_the_digits_that_they_support),
        cmocka_unit_test(axes_have_round_numbers),
        cmocka_unit_test(places_lie_within_the_strip),
        cmocka_unit_test(a_figure_says_what_it_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
