// SPDX-License-Identifier: MIT
// samples.h: the plan and the samples of a run of `normbench kernels`, as they stand in its folder.
#ifndef SAMPLES_H
#define SAMPLES_H

#include <stdbool.h>

#include "kernels_worker.h"
#include "plan/plan.h"
#include "run.h"

// All samples of a run, in the order in which they were taken.
typedef struct {
    observation *items;
    size_t count, room;
} observations;
bool observations_add(observations *all, const observation *o); // false: no memory
void observations_free(observations *all);

// For run_begin and run_resume.
extern const run_kind samples_run;
// Appends to samples.csv and flushes. false: the disk is full or the folder is gone.
bool samples_add(run *r, const plan *p, const observation *o, const char *bound);
// Writes what names the rows of the plan, for run_mark.
void samples_rows(const plan *p, csv_writer *w);
// Reads the plan and the samples so far of a run that run_resume has taken up; nothing that could not be of this run is
// taken. false with a message.
bool samples_read(const run *r, plan *p, observations *all, char error[RUN_ERROR_SIZE]);
// Writes the plan, for the workers and for samples_read.
bool samples_write_plan(const run *r, const plan *p, char error[RUN_ERROR_SIZE]);

#endif
