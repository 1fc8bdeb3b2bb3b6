// SPDX-License-Identifier: MIT
// rerun.h: what has to be run for a run to be had again here: its selections, from its meta.json or those of its parts.
#ifndef RERUN_H
#define RERUN_H

#include <stdbool.h>
#include <stddef.h>

#include "tables.h"

enum { RERUN_PART = 128, RERUN_COMMAND = 2048 };
typedef struct {
    char folder[RERUN_PART];     // of the part within the run's; "." of a run without parts
    char command[RERUN_COMMAND]; // what follows "normbench", in plain words: without its folder, seed and resuming
} rerun_part;
typedef struct {
    rerun_part *items;
    size_t count;
} rerun;

// seconds: a budget for all of it, shared out as the old one was; 0: as it had. false with a message: it is no run, or
// one of something else than kernels and layers, or its command holds what a selection does not.
bool rerun_read(rerun *r, const char *folder, double seconds, char message[TABLES_MESSAGE]);
void rerun_free(rerun *r);

#endif
