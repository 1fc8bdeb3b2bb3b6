// SPDX-License-Identifier: MIT
// fields.h: the fields of a table that is read back, each held against what it may be. The first that is anything else
// is told with its line and name, and from then on nothing counts.
#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "csv.h"

typedef struct {
    const csv_table *table;
    size_t row; // that is being read
    bool ok;
    char *message; // once not ok
    size_t size;
} fields;

fields fields_of(const csv_table *t, char *message, size_t size);
// The line of a row, from 1; no file of ours has a line feed within a row.
size_t fields_line(size_t row);

// What stands in a column of the row, within bounds; the least once anything was wrong.
size_t fields_size(fields *f, const char *column, size_t least, size_t most);
double fields_real(fields *f, const char *column, double least, double most);
// NaN: the field is empty. Without a bound, infinity is a number, too.
double fields_real_or_nan(fields *f, const char *column, double least, double most);
bool fields_flag(fields *f, const char *column);        // 0 or 1
const char *fields_text(fields *f, const char *column); // never NULL
void fields_equal(fields *f, const char *column, const char *value);

// Says what is wrong with a column, or with the row as a whole.
void fields_refuse(fields *f, const char *column, const char *expected);
void fields_refuse_row(fields *f, const char *what);

// What may stand in a table once only: a sample of a row of the plan in a launch.
typedef struct {
    size_t item, launch, sample, line;
} fields_key;
// Sorts keys and refuses the first line that repeats another.
void fields_unique(fields *f, fields_key *keys, size_t count);

#endif
