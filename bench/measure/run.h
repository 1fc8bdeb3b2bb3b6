// SPDX-License-Identifier: MIT
// run.h: the folder of one run: where it is, its meta.json, its samples as they come in, and how it is taken up again.
#ifndef RUN_H
#define RUN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/columns.h"
#include "base/csv.h"
#include "base/files.h"
#include "base/program.h"
#include "machine/topology.h"

enum { SCHEMA_VERSION = 1 };

// What a run is planned to be, until it is complete.
#define RUN_PLAN "plan.csv"

enum { RUN_ERROR_SIZE = 3 * PATH_MAX, RUN_NAME_SIZE = 128 };

// What stands for the program where the samples were taken by a script, which no build of ours can make different.
#define RUN_BY_PEERS "scripts/peers.py"

// What was asked for: everything that another run would need to be the same.
typedef struct {
    uint64_t seed;
    size_t launches;
    bool piloted;       // the plan has been verified, calibrated and given its rounds
    double budget_s;    // 0: none
    size_t dispatch_ns; // of an operation of form framework
    char preset[16];    // "" for explicit selectors
    char command[1024]; // as typed
} experiment;

typedef struct run run;
typedef struct subject subject;

struct run {
    char folder[PATH_MAX], id[RUN_NAME_SIZE], machine[RUN_NAME_SIZE], git[64];
    bool temporary; // nothing of it is kept
    int lock;       // of the folder; negative: none
    const subject *subject;
    experiment experiment;
    char program[32];            // what took the samples: program_id, or RUN_BY_PEERS
    char begun[PROGRAM_ID_SIZE]; // a hash of what the run was begun with
    csv_writer samples;
    long header_bytes; // of samples, if this process began it
    // Of the launches of this process: groups whose team was found moved at their end, and what /proc/stat said before.
    size_t moved_groups;
    uint64_t steal_before, ticks_before; // 0: it does not tell
};

// What the tables of a run begin with: schema_version, run_id, git_commit, machine_id; or the first of them alone.
enum { RUN_VERSION = 1, RUN_NAMES = 2, RUN_COLUMNS = 4 };
extern const table_column run_columns[RUN_COLUMNS];

// mkdir -p. 0 or errno.
int run_make_folders(const char *path);

// Begins a run in `folder` (made if need be; refused if it already holds a run, or another process writes there), in
// results/<machine>/<id>/ if NULL, or in a temporary folder. Writes topology.xml. false with a message.
bool run_begin(run *r, const char *folder, bool temporary, const experiment *e, const topology *t, const subject *s,
               char error[RUN_ERROR_SIZE]);
// Sets r->begun, of everything that is settled when a run begins, the names of its plan's items among it. false: no
// memory.
bool run_mark(run *r);

// Takes up the run of a folder in three steps, between which nothing there is changed: its meta.json, which must be of
// this subject, machine and program (else *incomparable); its plan and samples, by whoever knows them; then samples are
// appended. false with a message.
bool run_resume(run *r, const char *folder, const topology *t, const subject *s, bool *incomparable,
                char error[RUN_ERROR_SIZE]);
bool run_read_samples(const run *r, csv_table *t, char error[RUN_ERROR_SIZE]); // says what is dropped, if anything
bool run_has_samples(const run *r);
bool run_continue(run *r, char error[RUN_ERROR_SIZE]);
bool run_read_meta(run *r, const char *command, char error[RUN_ERROR_SIZE]); // the first half of run_resume
// Opens the plug-ins that meta.json names, which have to be the files that they were (else *incomparable).
bool run_open_plugins(const run *r, bool *incomparable, char error[RUN_ERROR_SIZE]);

// What the hypervisor has taken of the CPU time since, in percent; NaN: nobody tells.
double run_steal_pct(const run *r);

void run_path(const run *r, const char *file, char path[PATH_MAX]);
// files_replace, of a file of the run.
int run_replace(const run *r, const char *file, files_writer *write, const void *what);
// Writes meta.json; complete: every launch is done. 0 or a code of files_reason.
int run_write_meta(const run *r, const topology *t, bool complete);
// Closes; removes plan.csv if the run is complete, and everything if it is temporary.
void run_end(run *r, bool complete);

#endif
