// SPDX-License-Identifier: MIT
// curves_table.h: the rows of squash.csv and tokens.csv.
#ifndef CURVES_TABLE_H
#define CURVES_TABLE_H

#include "base/columns.h"

extern const column_table squash_table, tokens_table;

typedef struct {
    const char *function;
    double alpha, x, y;
} squash_row;
typedef struct {
    size_t panel, token, channel;
    const char *input;
    double spread, deviation, x, y;
    bool outlier;
} tokens_row;

#endif
