// SPDX-License-Identifier: MIT
// samples.h: plan and samples of a run, as they stand in its folder.
#ifndef SAMPLES_H
#define SAMPLES_H

#include <stdbool.h>

#include "base/columns.h"
#include "run.h"
#include "sample.h"
#include "subject.h"

// The names of the columns of samples.csv.
void samples_write_header(csv_writer *w, const subject *s);
// Appends to samples.csv and flushes. false: the disk is full or the folder is gone.
bool samples_add(run *r, const observation *o, const char *bound);
// Reads the plan and the samples so far of a run that run_resume has taken up; nothing that could not be of this run is
// taken. false with a message.
bool samples_read(const run *r, observations *all, char error[RUN_ERROR_SIZE]);
// Writes the plan, for the workers and for samples_read.
bool samples_write_plan(const run *r, char error[RUN_ERROR_SIZE]);

// The columns of samples.csv, layer_samples.csv, ab_samples.csv, ab_layer_samples.csv and tune_samples.csv.
extern const column_table samples_table, layer_samples_table, ab_samples_table, ab_layer_samples_table,
    tune_samples_table;

#endif
