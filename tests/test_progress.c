// SPDX-License-Identifier: MIT
// The progress display on a made-up terminal with a made-up clock.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/progress.h"

static double time_now;
static double clock_now(void) { return time_now; }

static char *screen;
static size_t screen_size, seen;
static FILE *file;

static int open_screen(void **state) {
    (void)state;
    time_now = 1000;
    seen = 0;
    file = open_memstream(&screen, &screen_size);
    return file ? 0 : -1;
}

static int close_screen(void **state) {
    (void)state;
    const int error = fclose(file);
    free(screen);
    return error;
}

static progress_output output(bool terminal, size_t width) {
    return (progress_output){.file = file, .terminal = terminal, .width = width, .now = clock_now};
}

// What has been written since the last call.
static const char *written(void) {
    fflush(file);
    const char *text = screen + seen;
    seen = screen_size;
    return text;
}

static void durations(void **state) {
    (void)state;
    const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0s"},       {8.4, "8s"}, {59.7, "1m00s"}, {80, "1m20s"},   {3599.6, "1h00m"},
                 {7500, "2h05m"}, {NAN, "--"}, {-1, "--"},      {INFINITY, "--"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[24];
        progress_duration(cases[i].seconds, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void eta_is_honest(void **state) {
    (void)state;
    progress p;
    progress_start(&p, output(false, 80), "measure", 100);
    assert_true(isnan(progress_eta(&p)));
    time_now += 1;
    progress_update(&p, 50, "a");
    assert_true(isnan(progress_eta(&p))); // too early
    time_now += 1;
    progress_update(&p, 0.5, "a");
    assert_true(isnan(progress_eta(&p))); // too little
    time_now += 48;
    progress_update(&p, 25, "a"); // twice as slow as estimated
    assert_true(fabs(progress_eta(&p) - 150) < 1e-9);
    progress_update(&p, 100, "a");
    assert_true(progress_eta(&p) == 0);
    progress_update(&p, 120, "a"); // more than was planned
    assert_true(progress_eta(&p) == 0);
    progress_end(&p);

    progress_start(&p, output(false, 80), "nothing", 0);
    time_now += 10;
    progress_update(&p, 0, "a");
    assert_true(isnan(progress_eta(&p)));
    progress_end(&p);
}

static void bar(void **state) {
    (void)state;
    progress p;
    progress_start(&p, output(true, 100), "measure", 100);
    progress_update(&p, 0, "dyt u2 64x768");
    assert_string_equal(written(), "measure   0% [....................] ETA --  dyt u2 64x768");
    time_now += 0.05;
    progress_update(&p, 1, "unseen");
    assert_string_equal(written(), ""); // too soon to redraw
    time_now += 24.95;
    progress_update(&p, 50, "rmsnorm 64x768");
    assert_string_equal(written(), "\r\033[Kmeasure  50% [##########..........] ETA 25s  rmsnorm 64x768");
    progress_line(&p, "cell %d is unstable", 3);
    assert_string_equal(written(), "\r\033[Kcell 3 is unstable\n"
                                   "measure  50% [##########..........] ETA 25s  rmsnorm 64x768");
    time_now += 25;
    progress_update(&p, 130, "x");
    assert_string_equal(written(), "\r\033[Kmeasure 100% [####################] ETA 0s  x");
    progress_end(&p);
    assert_string_equal(written(), "\r\033[K");
    progress_line(&p, "after");
    assert_string_equal(written(), "after\n");
}

static void never_wraps(void **state) {
    (void)state;
    char what[400];
    memset(what, 'w', sizeof what - 1);
    what[sizeof what - 1] = '\0';
    for (size_t width = 1; width <= 300; width++) {
        progress p;
        progress_start(&p, output(true, width), "measure", 100);
        progress_update(&p, 10, what);
        const char *line = written();
        assert_true(strlen(line) <= width - 1);
        assert_true(width < 60 ? !strchr(line, '[') : strchr(line, '[') != NULL);
        if (width >= 40 && width <= 150)
            assert_int_equal(strlen(line), width - 1); // no room is wasted
    }
}

// What goes on is handed back as it stands.
static void same_as_before(void **state) {
    (void)state;
    progress p;
    progress_start(&p, output(true, 80), "measure", 100);
    progress_update(&p, 0, "dyt 1.38 [1.2, 1.5]");
    (void)written();
    time_now += 25;
    progress_update(&p, 50, p.what);
    assert_non_null(strstr(written(), "ETA 25s  dyt 1.38 [1.2, 1.5]"));
}

// A narrow window has no room for the phase and the bar, and one that becomes narrower breaks a line in several.
static void narrow(void **state) {
    (void)state;
    progress p;
    progress_start(&p, output(true, 100), "measure", 100);
    time_now += 25;
    progress_update(&p, 50, "dyt 1.38 [1.2, 1.5] forward f32 64x768, 1 thread, warm");
    assert_int_equal(strlen(written()), 99);
    p.output.width = 40;
    time_now += 1;
    progress_update(&p, 50, p.what);
    assert_string_equal(written(), "\033[2A\r\033[J 50% ETA 26s  dyt 1.38 [1.2, 1.5] forwa");
    p.output.width = 100;
    progress_end(&p);
    assert_string_equal(written(), "\r\033[K");
    progress_end(&p);
    assert_string_equal(written(), "");
}

static void color(void **state) {
    (void)state;
    progress_output colored = output(true, 80);
    colored.color = true;
    progress p;
    progress_start(&p, colored, "measure", 100);
    progress_update(&p, 0, "x");
    const char *line = written();
    assert_non_null(strstr(line, "\033[34m["));
    assert_non_null(strstr(line, "]\033[0m"));
}

static void plain(void **state) {
    (void)state;
    progress p;
    progress_start(&p, output(false, 80), "measure", 100);
    progress_update(&p, 0, "first");
    assert_string_equal(written(), "measure   0%  ETA --  first\n");
    for (int i = 1; i < 100; i++) { // 0.1 s apart
        time_now += 0.1;
        progress_update(&p, i, "next");
    }
    assert_string_equal(written(), "");
    time_now += 0.2;
    progress_update(&p, 40, "tenth second");
    assert_string_equal(written(), "measure  40%  ETA 15s  tenth second\n");
    progress_line(&p, "a warning");
    assert_string_equal(written(), "a warning\n");
    progress_end(&p);
    assert_string_equal(written(), "");
}

static void environment(void **state) {
    (void)state;
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    assert_false(progress_stderr().color);
    setenv("TERM", "dumb", 1);
    unsetenv("NO_COLOR");
    const progress_output dumb = progress_stderr();
    assert_false(dumb.terminal || dumb.color);
    const double before = dumb.now();
    assert_true(dumb.now() >= before);
}

#define ON_SCREEN(test) cmocka_unit_test_setup_teardown(test, open_screen, close_screen)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),   ON_SCREEN(eta_is_honest), ON_SCREEN(bar),   ON_SCREEN(never_wraps),
        ON_SCREEN(same_as_before),     ON_SCREEN(narrow),        ON_SCREEN(color), ON_SCREEN(plain),
        cmocka_unit_test(environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
