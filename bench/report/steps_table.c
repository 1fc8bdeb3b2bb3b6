// SPDX-License-Identifier: MIT
// steps_table.c: steps.csv; see layers_summary.h.
#include <math.h>

#include "layers_summary.h"
#include "schema.h"

typedef struct {
    const run *run;
    const layers_arm *arm;
    const layer_step *step;
    double pages;
    stats_interval time;
    double whole; // of the layer
} steps_row;

static const char *kind_word(size_t index) { return index < STEP_KINDS ? step_kind_name((step_kind)index) : NULL; }
static const column_type column_step_kind = {.word = kind_word},
                         column_step = {.pattern = "[a-z0-9][a-z0-9_.+-]{0,127}"};

#define ROW steps_row
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, step, step, NULL, value_text(r->step->name),                                                           \
      "The step, such as attention.norm or ffn.up; unique within a layer and pass.")                                   \
    X(REQUIRED, kind, step_kind, NULL, value_text(step_kind_name(r->step->kind)),                                      \
      "What the step does; with form add_fused a norm includes its residual add.")                                     \
    X(REQUIRED, pass, pass, NULL, value_text(norm_pass_name(r->step->pass)), "The pass that the step is part of.")     \
    COLUMN_INTERVAL(X, time_ns_median, time_ns, amount, "ns", r->time,                                                 \
                    "Time of the step in one layer. The median over launches of each launch's median.")                \
    X(OPTIONAL, share, amount, "1", value_real(r->time.median / r->whole, 4),                                          \
      "time_ns_median over that of the layer.")                                                                        \
    X(OPTIONAL, gflops, amount, "GFLOP/s",                                                                             \
      value_known_to(r->step->flops > 0 ? r->step->flops / r->time.median : NAN, r->time),                             \
      "Rate of a product, attention and convolutions included; empty for other steps.")
#define LAST(X)                                                                                                        \
    X(OPTIONAL, page_faults, amount, "{page}", value_real(r->pages, 4),                                                \
      "Pages that the kernel gave anew in one call of the step, of all threads: of a call in the pilot, beside the "   \
      "samples. Empty unless the norms are of form framework, whose results are new tensors.")
COLUMN_OWN_LIST(own_columns, COLUMNS)
COLUMN_OWN_LIST(last_columns, LAST)

static const void *run_of(const void *row) { return ((const steps_row *)row)->run; }
static const void *arm_of(const void *row) { return ((const steps_row *)row)->arm; }
COLUMN_TABLE(steps, "*/*/steps.csv", "One row per step of each layer in layers.csv, timed in place.",
             {run_columns, RUN_NAMES, run_of}, {layers_arm_columns, LAYERS_ARM_PASS, arm_of},
             {layers_arm_columns + LAYERS_ARM_FORM, LAYERS_ARM_REPEATS - LAYERS_ARM_FORM, arm_of},
             COLUMN_PART(own_columns), {layers_arm_columns + LAYERS_ARM_REPEATS, 1, arm_of}, COLUMN_PART(last_columns))

static stats_interval time_of_step(const layers_summary *s, size_t arm, size_t step) {
    size_t count = 0;
    const sample_index *const x = &s->samples;
    for (size_t i = x->first[arm]; i < x->first[arm + 1]; i++) {
        const observation *const o = x->sorted[i];
        if (step < o->sample.list_length)
            x->points[count++] = (series_point){o->launch, o->index, o->sample.list[step]};
    }
    return series_median((series){x->points, count});
}

typedef struct {
    const layers_summary *summary;
    const run *run;
} steps_order;
static void write_rows(csv_writer *w, const void *of) {
    const layers_summary *const s = ((const steps_order *)of)->summary;
    for (size_t i = 0; i < s->plan->step_count; i++) {
        const layers_step *const step = &s->plan->steps[i];
        const stats_interval time = time_of_step(s, step->arm, step->index);
        const double whole = time.n > 0 ? layers_summary_median(s, step->arm, READING_TIME).median : NAN;
        const steps_row row = {
            ((const steps_order *)of)->run, layers_arm_at(s->plan, step->arm), &step->step, step->pages, time, whole};
        (void)columns_write_row(w, &steps_table, &row);
    }
}

int layers_summary_write_steps(const layers_summary *s, const char *path, const run *r) {
    return columns_write(path, &steps_table, write_rows, &(steps_order){s, r});
}
