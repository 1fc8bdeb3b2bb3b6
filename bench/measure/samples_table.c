// SPDX-License-Identifier: MIT
// samples_table.c: see samples.h. What a sample is known by comes from the lists of sample.h, by which it is also
// written (samples.c).
#include "samples.h"

#include "ab.h"
#include "plan/ab_plan.h"
#include "plan/cell.h"
#include "plan/layers_plan.h"
#include "plan/tune_plan.h"
#include "run.h"
#include "sampler.h"

// The processing units of a team, and the times of a layer's steps.
static const column_type column_units = {.pattern = "[0-9 ,-]+"}, column_times = {.pattern = "[0-9a-z.+ -]+"};

static const table_column which_columns[] = {
    {"launch", &column_count, NULL, "The process that took the sample, counted from 0.", true, NULL},
    {"sample", &column_count, NULL,
     "Number of the sample in its launch and cell, from 0: samples 2k and 2k + 1 are those of round k, the second in "
     "the mirror image of the first's order.",
     true, NULL},
    {"order", &column_count, NULL, "Position in which the launch took the sample, from 0.", true, NULL},
    {"calls", &column_ordinal, "{call}", "Calls in the sample.", true, NULL},
};
static const table_column bound_columns[] = {
    {"bound", &column_units, NULL,
     "The processing units (operating-system numbers) that the threads were found bound to, in thread order, "
     "separated by spaces; empty for placement none.",
     false, NULL}};

// Whatever only later versions know is none of what every table has.
#define TYPE_AMOUNT column_amount
#define TYPE_FLAG column_flag
#define TYPE_LIST column_times
#define EVERY(ID, need, name, type, unit, digits, least, most, meaning)                                                \
    {#name, &TYPE_##type, unit, meaning, COLUMN_##need, NULL},
#define LATER(ID, need, name, type, unit, digits, least, most, meaning)                                                \
    {#name, &TYPE_##type, unit, meaning, COLUMN_OPTIONAL, NULL},
static const table_column every_columns[] = {SAMPLE_QUANTITIES(EVERY)};
static const table_column kernel_columns[] = {SAMPLER_QUANTITIES(LATER)};
static const table_column slot_columns[] = {SAMPLER_SLOT_QUANTITIES(LATER)};
static const table_column layer_columns[] = {LAYERS_QUANTITIES(LATER)};
static const table_column ab_layer_columns[] = {AB_LAYERS_QUANTITIES(LATER)};

COLUMN_TABLE(samples, "*/*/samples.csv", "One row per sample: the raw data behind kernels.csv.",
             {run_columns, RUN_NAMES, NULL}, {cell_columns, CELL_COLUMNS, NULL}, COLUMN_PART(which_columns),
             COLUMN_PART(every_columns), COLUMN_PART(bound_columns), COLUMN_PART(kernel_columns),
             {cell_later_columns, CELL_LATER_COLUMNS, NULL})
COLUMN_TABLE(layer_samples, "*/*/layer_samples.csv",
             "One row per sample of a layer: the raw data behind layers.csv and steps.csv.",
             {run_columns, RUN_NAMES, NULL}, {layers_arm_columns, LAYERS_ARM_COLUMNS, NULL}, COLUMN_PART(which_columns),
             COLUMN_PART(every_columns), COLUMN_PART(bound_columns), COLUMN_PART(layer_columns))
COLUMN_TABLE(ab_samples, "*/*/ab_samples.csv", "One row per sample of `normbench ab`: the raw data behind ab.csv.",
             {run_columns, RUN_NAMES, NULL}, {cell_columns, CELL_COLUMNS, NULL},
             {ab_which_columns, AB_WHICH_COLUMNS, NULL}, COLUMN_PART(which_columns), COLUMN_PART(every_columns),
             COLUMN_PART(bound_columns), COLUMN_PART(kernel_columns), COLUMN_PART(slot_columns))
COLUMN_TABLE(ab_layer_samples, "*/*/ab_layer_samples.csv",
             "One row per sample of `normbench ab --layers`: the raw data behind ab_layers.csv.",
             {run_columns, RUN_NAMES, NULL}, {layers_arm_columns, LAYERS_ARM_COLUMNS, NULL},
             {ab_which_columns, AB_WHICH_COLUMNS, NULL}, COLUMN_PART(which_columns), COLUMN_PART(every_columns),
             COLUMN_PART(bound_columns), COLUMN_PART(layer_columns), COLUMN_PART(ab_layer_columns))
COLUMN_TABLE(tune_samples, "*/*/tune_samples.csv",
             "One row per sample of `normbench tune`: the raw data behind tune.csv.", {run_columns, RUN_NAMES, NULL},
             {cell_columns, CELL_COLUMNS, NULL}, {tune_item_columns, TUNE_ITEM_COLUMNS, NULL},
             COLUMN_PART(which_columns), COLUMN_PART(every_columns), COLUMN_PART(bound_columns),
             COLUMN_PART(kernel_columns))
