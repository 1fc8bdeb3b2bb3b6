// SPDX-License-Identifier: MIT
// samples_table.h: the columns of samples.csv and layer_samples.csv.
#ifndef SAMPLES_TABLE_H
#define SAMPLES_TABLE_H

#include "kernels_worker.h"
#include "layers_worker.h"
#include "plan/layers_plan.h"
#include "run.h"

// Rows of them. bound: the processing units that the threads were found on.
typedef struct {
    const run *run;
    const cell *cell;
    const observation *observation;
    const char *bound;
} sample_row;
typedef struct {
    const run *run;
    const layers_arm *arm;
    const layers_observation *observation;
    const char *bound;
    const char *step_ns; // the times of its steps, as one field
} layer_sample_row;
extern const column_table samples_table, layer_samples_table;

#endif
