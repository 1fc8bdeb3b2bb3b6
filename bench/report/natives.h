// SPDX-License-Identifier: MIT
// natives.h: DyT in place of each model's own norm, which the paper timed for LLaMA 7B alone: a row for each layer.
#ifndef NATIVES_H
#define NATIVES_H

#include <stdio.h>

#include "base/interval.h"
#include "quantities.h"

// A files_writer of a run's tables.
int natives_write(const void *run, const char *path);
// The same in Markdown.
void natives_print(const run_tables *run, FILE *out);

// Words of such tables: prefill is inference; "-34 % [-47, -11]", "-" for what is not known.
const char *natives_phase(const char *phase);
const char *natives_percent(char text[INTERVAL_TEXT], const stats_interval *i);

#endif
