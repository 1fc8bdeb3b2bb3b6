// SPDX-License-Identifier: MIT
// subject.h: what the engine measures: kernels, layers, and whatever comes. The engine draws the order (ABBA), counts
// the calls, deals out a budget, starts the processes, hears them, keeps their samples and takes a run up again
// (campaign.h, child.h); a subject says what an item of its plan is and how one sample of it is taken.
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "machine/topology.h"
#include "plan/cli.h"
#include "plan/request.h"
#include "plan/schedule.h"
#include "sample.h"

typedef struct run run;

// What a group is made ready from.
typedef struct {
    const schedule *schedule;
    size_t begin, end; // its items
    const topology *topology;
    uint64_t seed;
} group_of_items;

// What the process of a launch does with a group. Where one of those with a result is false, the launch has failed, but
// for verify. NULL: nothing.
typedef struct {
    size_t (*bytes)(const group_of_items *g);           // of memory
    bool (*is_foreign)(const schedule *s, size_t item); // runs a plug-in's code, which may end the process or hang
    void (*team)(const schedule *s, size_t item, size_t *threads, placement *place);
    void *(*open)(const group_of_items *g, char *why, size_t size); // its team is bound. NULL: skipped, with a reason
    bool (*verify)(void *group, size_t item, double *max_error, char *why, size_t size); // false: wrong, not timed
    bool (*calibrate)(void *group, size_t item, size_t *calls, double *ns, char *note, size_t size); // calls 0: refused
    void (*begin)(void *group); // before what follows
    bool (*warm_up)(void *group, size_t item, size_t calls);
    void (*begin_round)(void *group);
    bool (*sample)(void *group, size_t item, size_t calls, sample *s); // list stays the group's
    void (*close)(void *group);
} group_work;

typedef struct subject subject;
struct subject {
    // What it is called. Its command's name is that of `normbench NAME`.
    const cli_command *command;        // options from REQUEST_OPTIONS on are its own
    const char *table, *more;          // the files that it writes: "kernels.csv"; more of its numbers, or NULL
    const char *samples;               // "samples.csv"
    const sample_quantity *quantities; // of its samples, from SAMPLE_OWN on
    size_t quantity_count;

    // What is asked for, and what that comes to.
    schedule *schedule;           // its plan, which begins with its schedule
    const size_t *launches;       // where none are asked for: of each preset, and of none; 0: it has not that preset
    const double *budgets;        // 0: none
    bool guesses;                 // sample_seconds knows rough rates before the pilot
    const char *nothing, *choose; // what to say where a selection leaves nothing, or more than memory holds
    bool (*take)(request *r, int option, char *value);                 // an option of its own. false, after a message
    bool (*make)(preset which, const selection *s, const topology *t); // makes the plan. false: no memory
    bool (*check)(const request *r, const selection *s); // NULL, or refuses what cannot be, after a message
    void (*spend)(schedule *s, bool of_preset, double budget_s, size_t *launches); // as plan_spend_run

    const group_work *work; // of a launch's process
    bool tunes;             // it goes by the machine's schedules (tuned.h), unless asked not to

    // What its items are of beside the program, as other libraries; NULL: nothing. The parent makes ready what a launch
    // needs, and removes it after the last; join finds it, in the launch's process (launch NULL: in that of a run that
    // is taken up), before the plan, which may name it, is read. false with a reason.
    bool (*prepare)(const run *r, size_t launch, char *why, size_t size);
    bool (*join)(const char *folder, const size_t *launch, char *why, size_t size);
    void (*clear)(const run *r);
    // After `done` launches: how many the run is to have, and those of its items raised where they need more; `done`:
    // that is all. NULL: what was planned.
    size_t (*go_on)(schedule *s, const observations *all, size_t done);

    // For --live (live.h): the item that an item's ratio is over, SIZE_MAX or itself: none; and the logarithm that a
    // sample gives to it. NULL: it has no such option.
    size_t (*partner)(size_t item);
    double (*log_reading)(const observation *o);

    // The numbers that it makes of its samples. 0 or errno; *missing: rows that were never timed though planned.
    int (*write)(const observations *all, const run *r, const char *path, size_t *missing);
    int (*write_more)(const observations *all, const run *r, const char *path);
    void (*print)(const observations *all, FILE *out, const run *r); // the tables are written
    int (*conclude)(const observations *all);                        // the exit code of a complete run; NULL: EXIT_DONE
};

// Quantity `id` of its samples, id < SAMPLE_OWN + quantity_count.
const sample_quantity *subject_quantity(const subject *s, size_t id);

#endif
