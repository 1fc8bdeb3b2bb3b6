// SPDX-License-Identifier: MIT
// run.h: the folder of one run: where it is, its meta.json, its samples as they come in, and how it is taken up again.
#ifndef RUN_H
#define RUN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csv.h"
#include "plan.h"
#include "summary.h"
#include "topology.h"
#include "worker.h"

enum { RUN_ERROR_SIZE = 3 * PATH_MAX, RUN_NAME_SIZE = 128 };

// What was asked for: everything that another run would need to be the same.
typedef struct {
    uint64_t seed;
    size_t launches;
    bool piloted;       // the plan has been verified, calibrated and given its rounds
    double budget_s;    // 0: none
    char preset[16];    // "" for explicit selectors
    char command[1024]; // as typed
} experiment;

typedef struct {
    char folder[PATH_MAX], id[RUN_NAME_SIZE], machine[RUN_NAME_SIZE], git[64];
    bool temporary; // nothing of it is kept
    experiment experiment;
    csv_writer samples;
} run;

// mkdir -p. 0 or errno.
int run_make_folders(const char *path);

// Begins a run in `folder` (made if need be; refused if it already holds a run), in results/<machine>/<id>/ if NULL, or
// in a temporary folder. Writes topology.xml. false with a message.
bool run_begin(run *r, const char *folder, bool temporary, const experiment *e, const topology *t,
               char error[RUN_ERROR_SIZE]);
// Takes up the run of a folder: its plan and its samples so far. *other_machine: the results are of another machine.
bool run_resume(run *r, const char *folder, plan *p, observations *all, const topology *t, bool *other_machine,
                char error[RUN_ERROR_SIZE]);

void run_path(const run *r, const char *file, char path[PATH_MAX]);
// Writes the plan, for the workers and for run_resume.
bool run_write_plan(const run *r, const plan *p, char error[RUN_ERROR_SIZE]);
// Appends to samples.csv and flushes. false: the disk is full or the folder is gone.
bool run_add_sample(run *r, const plan *p, const observation *o, const char *bound);
// Writes meta.json; complete: every launch is done. 0 or errno.
int run_write_meta(const run *r, const topology *t, bool complete);
// Closes; removes plan.csv if the run is complete, and everything if it is temporary.
void run_end(run *r, bool complete);

#endif
