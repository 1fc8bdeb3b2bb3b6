// SPDX-License-Identifier: MIT
// progress.h: what is running and how long it will still take. A bar on a terminal; elsewhere a plain line now and
// then, fit for a log.
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

// Where to draw, and the clock. Tests make their own; programs take progress_stderr().
typedef struct {
    FILE *file;
    bool terminal;       // a bar that is redrawn in place
    bool color;          // never without terminal
    size_t width;        // columns; 0: ask the terminal each time
    double (*now)(void); // seconds, never running backwards
} progress_output;

// stderr as it is: a terminal or not, NO_COLOR and TERM=dumb honoured.
progress_output progress_stderr(void);

// One phase of work, from progress_start to progress_end.
typedef struct {
    progress_output output;
    const char *phase;
    char what[160];
    double total, done, started, shown; // shown: when the bar or a plain line was last written; negative: never
    size_t columns;                     // of the bar that stands on the current line; 0: none does
} progress;

// total: the work of this phase, in seconds as estimated beforehand (when resuming, of what is left to do). `phase`
// must outlive the phase; it and `what` are ASCII.
void progress_start(progress *p, progress_output output, const char *phase, double total);
// done: how much of total is finished; what: what runs now, p->what if that has not changed. Cheap enough to call for
// every sample.
void progress_update(progress *p, double done, const char *what);
// So much of the total, as estimated, need not be done after all; negative: more is to be done.
void progress_less(progress *p, double work);
// Prints a message and a line feed without spoiling the bar.
__attribute__((format(printf, 2, 3))) void progress_line(progress *p, const char *format, ...);
// Takes the bar away.
void progress_end(progress *p);

// Seconds until the phase is done, from the estimates and the speed measured so far; NaN while that would be a guess.
double progress_eta(const progress *p);
// "8s", "1m20s", "2h05m"; "--" for NaN.
void progress_duration(double seconds, char *text, size_t size);

#endif
