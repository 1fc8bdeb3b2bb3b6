// SPDX-License-Identifier: MIT
// samples_table.c: see samples_table.h.
#include "samples_table.h"

// The processing units of a team, and the times of a layer's steps.
static const column_type column_units = {.pattern = "[0-9 ,-]+"}, column_times = {.pattern = "[0-9a-z.+ -]+"};

// Of both tables: which sample it is.
#define WHICH(X)                                                                                                       \
    X(REQUIRED, launch, count, NULL, value_size(r->observation->launch),                                               \
      "The process that took the sample, counted from 0.")                                                             \
    X(REQUIRED, sample, count, NULL, value_size(r->observation->index),                                                \
      "Number of the sample in its launch and cell, from 0: samples 2k and 2k + 1 are those of round k, the second "   \
      "in the mirror image of the first's order.")                                                                     \
    X(REQUIRED, order, count, NULL, value_size(r->observation->order),                                                 \
      "Position in which the launch took the sample, from 0.")                                                         \
    X(REQUIRED, calls, ordinal, "{call}", value_size(r->observation->calls), "Calls in the sample.")
#define PREEMPTED "1 if the kernel preempted a thread during the sample, else 0."
#define BOUND                                                                                                          \
    "The processing units (operating-system numbers) that the threads were found bound to, in thread order, "          \
    "separated by spaces; empty for placement none."

static column_value counted(const sample_row *r, counter which) {
    return value_real(r->observation->sample.counted.value[which], 9);
}

#define ROW sample_row
#define COLUMNS(X)                                                                                                     \
    WHICH(X)                                                                                                           \
    X(REQUIRED, time_ns, amount, "ns", value_real(r->observation->sample.ns, 9),                                       \
      "Time of one call: the mean over the sample.")                                                                   \
    X(REQUIRED, preempted, flag, NULL, value_size(r->observation->sample.preempted), PREEMPTED)                        \
    X(OPTIONAL, bound, units, NULL, value_text(r->bound), BOUND)                                                       \
    X(OPTIONAL, clock_ghz, amount, "GHz", value_real(r->observation->sample.clock_ghz, 6),                             \
      "Clock of the first thread's core: the larger of a reading right before the sample and one right after, by a "   \
      "chain of dependent multiplications; empty where not x86-64.")                                                   \
    X(OPTIONAL, peak_gflops, amount, "GFLOP/s", value_real(1e-9 * r->observation->peak_flops, 6),                      \
      "Rate of the FMA units of the same threads, measured when this launch first came to such a team.")               \
    X(OPTIONAL, cycles, amount, "{cycle}", counted(r, COUNTER_CYCLES),                                                 \
      "Core cycles of one call in user mode, of all threads of the team together: the mean over the sample; empty "    \
      "where hardware counters are not to be had: meta.json says why.")                                                \
    X(OPTIONAL, instructions, amount, "{instruction}", counted(r, COUNTER_INSTRUCTIONS),                               \
      "Instructions retired in one call, likewise.")                                                                   \
    X(OPTIONAL, cache_misses, amount, "{miss}", counted(r, COUNTER_CACHE_MISSES),                                      \
      "Misses of the last-level cache in one call, likewise.")                                                         \
    X(OPTIONAL, page_faults, amount, "{page}", value_real(r->observation->sample.page_faults, 9),                      \
      "Pages that the kernel gave anew in one call, of all threads: the mean over the sample.")
COLUMN_OWN_LIST(sample_columns, COLUMNS)
#undef ROW
#undef COLUMNS

#define ROW layer_sample_row
#define COLUMNS(X)                                                                                                     \
    WHICH(X)                                                                                                           \
    X(REQUIRED, time_ns, amount, "ns", value_real(r->observation->ns, 9),                                              \
      "Time of one call of the layer: the mean over the sample.")                                                      \
    X(REQUIRED, preempted, flag, NULL, value_size(r->observation->preempted), PREEMPTED)                               \
    X(OPTIONAL, bound, units, NULL, value_text(r->bound), BOUND)                                                       \
    X(OPTIONAL, peak_gflops, amount, "GFLOP/s", value_real(1e-9 * r->observation->peak_flops, 6),                      \
      "What the units that multiply this dtype reached on the same threads when this launch came to the layer: FMAs, " \
      "and for bf16 tiles or dot products where they are faster (in runs before 29 November 2026, 05:00 UTC, always "  \
      "FMAs of f32).")                                                                                                 \
    X(OPTIONAL, step_ns, times, NULL, value_text(r->step_ns),                                                          \
      "The time of each step of the layer, ns, separated by spaces, in the order of the arm's rows of steps.csv.")     \
    X(OPTIONAL, clock_ns, amount, "ns", value_real(r->observation->clock_ns, 4),                                       \
      "What timing adds to a step: measured when this launch came to the layer, on steps that do nothing. More where " \
      "a step goes by tiles of rows, each with a reading of the clock.")                                               \
    X(OPTIONAL, line_ns, amount, "ns", value_real(r->observation->line_ns, 4),                                         \
      "What a cache line takes from the core of the first thread to that of the last, one way, measured before the "   \
      "sample's round. Empty with one thread, or with threads that share a core.")                                     \
    X(OPTIONAL, page_faults, amount, "{page}", value_real(r->observation->page_faults, 9),                             \
      "Pages that the kernel gave anew in one call of the layer, of all threads: the mean over the sample.")
COLUMN_OWN_LIST(layer_sample_columns, COLUMNS)
#undef ROW
#undef COLUMNS

static const void *run_of(const void *row) { return ((const sample_row *)row)->run; }
static const void *cell_of(const void *row) { return ((const sample_row *)row)->cell; }
COLUMN_TABLE(samples, "*/*/samples.csv", "One row per sample: the raw data behind kernels.csv.",
             {run_columns, RUN_NAMES, run_of}, {cell_columns, CELL_COLUMNS, cell_of}, COLUMN_PART(sample_columns))

static const void *layers_run_of(const void *row) { return ((const layer_sample_row *)row)->run; }
static const void *arm_of(const void *row) { return ((const layer_sample_row *)row)->arm; }
COLUMN_TABLE(layer_samples, "*/*/layer_samples.csv",
             "One row per sample of a layer: the raw data behind layers.csv and steps.csv.",
             {run_columns, RUN_NAMES, layers_run_of}, {layers_arm_columns, LAYERS_ARM_COLUMNS, arm_of},
             COLUMN_PART(layer_sample_columns))
