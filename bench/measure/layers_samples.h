// SPDX-License-Identifier: MIT
// layers_samples.h: the plan and the samples of a run of `normbench layers`, as they stand in its folder.
#ifndef LAYERS_SAMPLES_H
#define LAYERS_SAMPLES_H

#include <stdbool.h>

#include "layers_worker.h"
#include "plan/layers_plan.h"
#include "run.h"

// All samples of a run, in the order in which they were taken.
typedef struct {
    layers_observation *items;
    size_t count, room;
} layers_observations;
bool layers_observations_add(layers_observations *all, const layers_observation *o); // takes its steps over
void layers_observations_free(layers_observations *all);

// For run_begin and run_resume.
extern const run_kind layers_samples_run;
bool layers_samples_add(run *r, const layers_plan *p, const layers_observation *o, const char *bound);
void layers_samples_rows(const layers_plan *p, csv_writer *w); // as samples_rows
bool layers_samples_read(const run *r, layers_plan *p, layers_observations *all, char error[RUN_ERROR_SIZE]);
bool layers_samples_write_plan(const run *r, const layers_plan *p, char error[RUN_ERROR_SIZE]);

#endif
