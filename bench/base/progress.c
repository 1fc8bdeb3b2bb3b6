// SPDX-License-Identifier: MIT
// The progress bar and its plain-text stand-in. Output goes to stderr, so a failure to write has nowhere to be told and
// is ignored.
#include "progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR_CELLS = 20, BAR_MIN_WIDTH = 60, DEFAULT_WIDTH = 80 };
static const double redraw_s = 0.1, plain_s = 10; // time between two drawings of the bar, between two plain lines
// Before this much time and this share of the work the speed so far says little.
static const double eta_min_s = 2, eta_min_share = 0.01;

static double monotonic(void) {
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

progress_output progress_stderr(void) {
    const char *terminal = getenv("TERM"), *no_color = getenv("NO_COLOR");
    const bool bar = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
    return (progress_output){
        .file = stderr, .terminal = bar, .color = bar && !(no_color && *no_color), .now = monotonic};
}

static size_t width(const progress *p) {
    struct winsize size;
    if (p->output.width)
        return p->output.width;
    return ioctl(fileno(p->output.file), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : DEFAULT_WIDTH;
}

static double share(const progress *p) { return p->total > 0 ? fmin(p->done / p->total, 1) : 0; }

double progress_eta(const progress *p) {
    const double elapsed = p->output.now() - p->started, finished = share(p);
    if (elapsed < eta_min_s || finished < eta_min_share)
        return NAN;
    return elapsed * (1 - finished) / finished;
}

void progress_duration(double seconds, char *text, size_t size) {
    if (!(seconds >= 0 && seconds < 1e9)) {
        snprintf(text, size, "--");
        return;
    }
    const long s = lround(seconds);
    if (s < 60)
        snprintf(text, size, "%lds", s);
    else if (s < 3600)
        snprintf(text, size, "%ldm%02lds", s / 60, s % 60);
    else
        snprintf(text, size, "%ldh%02ldm", s / 3600, s % 3600 / 60);
}

// "measure  41%" and "ETA 1m20s". 100 % is kept for the end.
static void describe(const progress *p, const char *phase, char *head, size_t head_size, char *eta, size_t eta_size) {
    char left[24];
    progress_duration(progress_eta(p), left, sizeof left);
    snprintf(head, head_size, "%s%s%3d%%", phase, *phase == '\0' ? "" : " ", (int)(100 * share(p)));
    snprintf(eta, eta_size, "ETA %s", left);
}

// A window that became narrower has broken the line in several, all of which go.
static void clear(progress *p) {
    const size_t columns = width(p), broken = p->columns > columns ? (p->columns - 1) / columns : 0;
    if (broken > 0)
        fprintf(p->output.file, "\033[%zuA\r\033[J", broken);
    else if (p->columns > 0)
        fputs("\r\033[K", p->output.file);
    p->columns = 0;
}

// One line, never wider than the terminal less one column: a full line would wrap and could not be taken back.
static void draw(progress *p) {
    char head[80], eta[32], line[320], cells[BAR_CELLS + 1];
    const size_t columns = width(p), room = columns > 1 ? columns - 1 : 0;
    const size_t full = (size_t)(share(p) * (double)BAR_CELLS);
    memset(cells, '#', full);
    memset(cells + full, '.', BAR_CELLS - full);
    cells[BAR_CELLS] = '\0';
    const bool bar = columns >= BAR_MIN_WIDTH;
    describe(p, bar ? p->phase : "", head, sizeof head, eta, sizeof eta); // what runs says more than its phase
    // The bar is left out of `line`, which is cut by columns, and put in between when it is printed: its colour takes
    // no column.
    const size_t bar_room = bar ? BAR_CELLS + 3 : 0;
    const int head_length = snprintf(line, sizeof line, "%s", head);
    snprintf(line + head_length, sizeof line - (size_t)head_length, " %s  %s", eta, p->what);
    const size_t kept = room > bar_room ? room - bar_room : 0;
    if (kept < sizeof line)
        line[kept] = '\0';
    clear(p);
    if (bar)
        fprintf(p->output.file, "%.*s %s[%s]%s%s", head_length, line, p->output.color ? "\033[34m" : "", cells,
                p->output.color ? "\033[0m" : "", line + head_length);
    else
        fputs(line, p->output.file);
    fflush(p->output.file);
    p->columns = strlen(line) + bar_room;
}

void progress_start(progress *p, progress_output output, const char *phase, double total) {
    *p = (progress){.output = output, .phase = phase, .total = total, .shown = -1};
    p->started = output.now();
}

void progress_update(progress *p, double done, const char *what) {
    const double now = p->output.now();
    p->done = done;
    if (what != p->what)
        snprintf(p->what, sizeof p->what, "%s", what);
    if (p->shown >= 0 && now - p->shown < (p->output.terminal ? redraw_s : plain_s))
        return;
    p->shown = now;
    if (p->output.terminal) {
        draw(p);
        return;
    }
    char head[80], eta[32];
    describe(p, p->phase, head, sizeof head, eta, sizeof eta);
    fprintf(p->output.file, "%s  %s  %s\n", head, eta, p->what);
    fflush(p->output.file);
}

void progress_less(progress *p, double work) { p->total -= work; }

void progress_line(progress *p, const char *format, ...) {
    const bool redraw = p->columns > 0;
    clear(p);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(p->output.file, format, arguments);
    va_end(arguments);
    fputc('\n', p->output.file);
    if (redraw)
        draw(p);
    fflush(p->output.file);
}

void progress_end(progress *p) {
    clear(p);
    fflush(p->output.file);
}
