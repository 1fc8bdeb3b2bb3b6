// SPDX-License-Identifier: MIT
// natives.h: DyT in place of each model's own norm, which the paper timed for LLaMA 7B alone: a row for each layer.
#ifndef NATIVES_H
#define NATIVES_H

#include <stdio.h>

#include "base/interval.h"
#include "quantities.h"

// In percent: what its own norm takes of the layer; the changes of the norms' time and of the layer's, as far as they
// may be told; and the latter by the norms and by the totals, as the table has them.
enum { NATIVE_SHARE, NATIVE_NORMS, NATIVE_WHOLE, NATIVE_IN_PLACE, NATIVE_TOTAL, NATIVE_VALUES };
// A layer with DyT, and that with the model's own norm.
typedef struct {
    table_row row, native;
    stats_interval values[NATIVE_VALUES];
    char texts[NATIVE_VALUES][INTERVAL_TEXT];
    const char *method; // of NATIVE_WHOLE
} native_layer;
// The next, after *l; the first after one of zeros. false: there is no more.
bool natives_next(const run_tables *run, native_layer *l);

// A files_writer of a run's tables.
int natives_write(const void *run, const char *path);
// The same in Markdown.
void natives_print(const run_tables *run, FILE *out);

// Words of such tables: prefill is inference; "-34 % [-47, -11]", "-" for what is not known.
const char *natives_phase(const char *phase);
const char *natives_percent(char text[INTERVAL_TEXT], const stats_interval *i);

#endif
