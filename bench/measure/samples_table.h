// SPDX-License-Identifier: MIT
// samples_table.h: the columns of samples.csv, layer_samples.csv, ab_samples.csv and ab_layer_samples.csv.
#ifndef SAMPLES_TABLE_H
#define SAMPLES_TABLE_H

#include "base/columns.h"

extern const column_table samples_table, layer_samples_table, ab_samples_table, ab_layer_samples_table;

#endif
