// SPDX-License-Identifier: MIT
// ab_table.h: ab.csv, and what sides.csv of ab_sides.h holds.
#ifndef AB_TABLE_H
#define AB_TABLE_H

#include "ab_judge.h"
#include "base/columns.h"
#include "measure/run.h"

extern const column_table ab_table, ab_layers_table, sides_table;

// Writes it. *missing: rows that were to be timed and have no verdict. 0 or errno.
int ab_table_write(const ab_judgement *j, const run *r, const char *path, size_t *missing);

// In percent, of a logarithm: how much slower.
static inline double ab_pct(double change) { return 100 * expm1(change); }
stats_interval ab_change_pct(const ab_finding *f);

#endif
