// SPDX-License-Identifier: MIT
// run.h: the folder of one run: where it is, its meta.json, its samples as they come in, and how it is taken up again.
#ifndef RUN_H
#define RUN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csv.h"
#include "topology.h"

enum { SCHEMA_VERSION = 1 };

// What a run is planned to be, until it is complete; the second is of layers alone.
#define RUN_PLAN "plan.csv"
#define RUN_PLAN_STEPS "plan_steps.csv"

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

// What kind of run it is.
typedef struct {
    const char *command;           // the NAME of `normbench NAME`
    const char *samples;           // "samples.csv"
    void (*header)(csv_writer *w); // writes the names of that file's columns, from run_id on
} run_kind;

typedef struct {
    char folder[PATH_MAX], id[RUN_NAME_SIZE], machine[RUN_NAME_SIZE], git[64];
    bool temporary; // nothing of it is kept
    const run_kind *kind;
    experiment experiment;
    csv_writer samples;
} run;

// mkdir -p. 0 or errno.
int run_make_folders(const char *path);

// Begins a run in `folder` (made if need be; refused if it already holds a run), in results/<machine>/<id>/ if NULL, or
// in a temporary folder. Writes topology.xml. false with a message.
bool run_begin(run *r, const char *folder, bool temporary, const experiment *e, const topology *t, const run_kind *kind,
               char error[RUN_ERROR_SIZE]);
// Takes up the run of a folder, which must be of this kind. *other_machine: the results are of another
// machine.
bool run_resume(run *r, const char *folder, const topology *t, const run_kind *kind, bool *other_machine,
                char error[RUN_ERROR_SIZE]);

void run_path(const run *r, const char *file, char path[PATH_MAX]);
// Writes a file of the run anew: the old one stands until the new one is whole. write: 0 or errno, as this.
int run_replace(const run *r, const char *file, int (*write)(const void *what, const char *path), const void *what);
// Writes meta.json; complete: every launch is done. 0 or errno.
int run_write_meta(const run *r, const topology *t, bool complete);
// Closes; removes plan.csv if the run is complete, and everything if it is temporary.
void run_end(run *r, bool complete);

#endif
