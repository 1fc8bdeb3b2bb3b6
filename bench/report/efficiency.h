// SPDX-License-Identifier: MIT
// efficiency.h: the paper's efficiency table with a run's values beside the published ones.
#ifndef EFFICIENCY_H
#define EFFICIENCY_H

#include <stdio.h>

#include "quantities.h"

// X(ID, name, the published quantity beside it, its stem in layers.csv)
#define EFFICIENCY_LIST(X)                                                                                             \
    X(IN_PLACE, norms_in_place, "norms", "norm_time_ns")                                                               \
    X(BY_IDENTITY, norms_by_identity, "norms", "norm_by_identity_ns")                                                  \
    X(LAYER, layer, "layer", "time_ns")                                                                                \
    X(MODEL, model, "model", "time_ns")
#define EFFICIENCY_ROW(ID, ...) EFFICIENCY_##ID,
typedef enum { EFFICIENCY_LIST(EFFICIENCY_ROW) EFFICIENCIES } efficiency_value;
#undef EFFICIENCY_ROW

// A norm in all slots of the model. form "": there is none. Without a value, `why` says so.
typedef struct {
    const char *dtype, *phase, *form, *op;
    bool coarse; // with the tanh that is of bf16's accuracy alone
    arm arm;
    struct {
        stats_interval ns, change; // in percent of rmsnorm's; median NaN: none
        const char *method;
        char why[TABLES_MESSAGE];
    } values[EFFICIENCIES];
} efficiency_arm;

typedef struct {
    csv_table published;
    const run_tables *run;
    size_t layers, norms, tokens; // of the published model
    char model[64];
    efficiency_arm *arms;
    size_t count;
} efficiency;

// path NULL: the published table that the program holds. false with a message.
bool efficiency_make(efficiency *e, const char *path, const run_tables *run, char message[TABLES_MESSAGE]);
void efficiency_free(efficiency *e);

// What was published beside an arm, seconds of one pass, of the last version that has it; of none for what nobody
// published. And its change against rmsnorm in percent.
table_row efficiency_published(const efficiency *e, const efficiency_arm *a, efficiency_value what);
stats_interval efficiency_seconds(table_row published);
stats_interval efficiency_change(const efficiency *e, const efficiency_arm *a, efficiency_value what);
// Whether a row of layers.csv has fewer tokens than were published.
bool efficiency_is_scaled(const efficiency *e, table_row row);

// A files_writer of an efficiency: comparison.csv.
int efficiency_write(const void *e, const char *path);
// The same in Markdown, and DyT against each model's own norm below.
void efficiency_print(const efficiency *e, FILE *out);

#endif
