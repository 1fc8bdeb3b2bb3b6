// SPDX-License-Identifier: MIT
// campaign.h: a timing run as a whole, whatever it times: pilot, budget, launches, report; begun, or taken up where
// one was interrupted. What is timed comes from the command, through course_kind.
#ifndef COURSE_H
#define COURSE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/progress.h"
#include "launch.h"
#include "machine/topology.h"
#include "plan/cli.h"
#include "plan/request.h"
#include "run.h"

typedef struct {
    size_t rows, missing, wrong, skipped; // missing: never timed though planned; skipped: for a reason
} course_counts;

typedef struct course course;

// What a command brings. context is its own, handed to every function.
typedef struct {
    const cli_command *command;
    const char *table; // "kernels.csv"
    const run_kind *run;
    void *context;
    bool (*write_plan)(void *context, const run *r, char error[RUN_ERROR_SIZE]);
    bool (*read)(void *context, const run *r, char error[RUN_ERROR_SIZE]); // plan and samples of an interrupted run
    void (*size)(void *context, char *text, size_t size, double *units);   // "226 cells in 42 groups"; pilot's units
    launch_end (*pilot)(void *context, course *c, const char *plan_path, char *how, size_t size);
    void (*piloted)(void *context); // the pilot is done: before the budget is spent
    launch_end (*launch)(void *context, course *c, const char *plan_path, size_t launch, char *how, size_t size);
    // Sets what each launch measures, and takes launches away where a budget (0: none) is too small for so many.
    void (*spend)(void *context, double budget_s, size_t *launches);
    double (*seconds)(void *context, size_t launch);  // of a launch with the rounds as they are, by the plan
    void (*rows)(const void *context, csv_writer *w); // for run_mark
    // Writes the table at path, and counts its rows. 0 or errno.
    int (*write)(void *context, const run *r, const char *path, course_counts *counts);
    // NULL, or writes what else belongs into the run's folder. 0 or a code of files_reason, with the file's name.
    int (*write_rest)(void *context, const run *r, const char **file);
    void (*print)(void *context, FILE *out, const topology *t);
} course_kind;

struct course {
    const course_kind *kind;
    run run;
    progress progress;
    const topology *topology;
    const volatile sig_atomic_t *stop;
    char bound[1024]; // the PUs of the group that is being measured
    double done_s;    // of the launches: by the plan, whatever it took
    double pending_s; // of done_s, once there is a sample
    double begun_ns;
    bool complete; // every launch is done and reported
};

// Begins the run that `r` asks for, or takes it up, and sees it through. An exit code.
int course_run(const course_kind *kind, const request *r, const topology *t, int argc, char **argv);

// Says so on stderr if what is planned takes much longer than was asked for.
void course_note_budget(double budget_s, double seconds, size_t launches);

// The launches of a run whose plan and rounds stand, told to an output. An exit code.
int course_measure(course *c, progress_output output);

// For the listeners. What is done is counted in seconds as planned (pilot: units), not as they pass: what took longer
// than planned is not more done, and what is left is judged by how much longer. course_group: what is said is done now,
// after a preparation that counts once it has led to a sample. course_skip: so much of the plan needs not be done, for
// an earlier process did it or it cannot be.
void course_say(course *c, const char *what);
void course_group(course *c, double prepare_s);
void course_advance(course *c, double done);
void course_skip(course *c, double planned_s);

#endif
