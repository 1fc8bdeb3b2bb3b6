// SPDX-License-Identifier: MIT
// schema.h: every table of the project, and what is printed from their columns.
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdio.h>

#include "curves_table.h"

// Of runs; of what others published; of what is made from both.
extern const column_table kernels_table, verify_table, layers_table, steps_table, efficiency_table, others_table,
    claims_table, goals_table, questions_table, pairs_table, verdicts_table, comparison_table, limits_table,
    answers_table, natives_table, peers_table, compare_table, history_table, law_table, predictions_table,
    validation_table, validation_rows_table, validation_gates_table, tune_table, needs_table, patterns_table,
    parity_runs_table, parity_table, sharded_table;

// How sure we are of what others published.
extern const column_type column_confidence;

// The tables in the order in which they are printed; NULL behind the last.
const column_table *schema_at(size_t index);
const column_table *schema_find(const char *name); // NULL: there is none of this name

// What a table is printed as. json: results/datapackage.json (Table Schema); markdown: the tables of results/README.md.
#define SCHEMA_FORMAT_LIST(X) X(TEXT, text) X(CSV, csv) X(JSON, json) X(MARKDOWN, markdown)
#define SCHEMA_FORMAT_ROW(ID, name) SCHEMA_##ID,
typedef enum { SCHEMA_FORMAT_LIST(SCHEMA_FORMAT_ROW) SCHEMA_FORMATS } schema_format;
#undef SCHEMA_FORMAT_ROW
extern const char *const schema_format_names[SCHEMA_FORMATS];

// Prints one table, or all of them if it is NULL. 0 or errno.
int schema_print(FILE *out, const column_table *only, schema_format format);

// What a command found, row by row, in the format that was asked for.
typedef struct {
    const column_table *table; // csv and json: the rows as they are
    const void *rows;
    size_t count, size; // of rows; of one, in bytes
    schema_format format;
    // text and markdown: what people are to see.
    void (*print)(FILE *out, const void *what, bool markdown);
    const void *what;
} rows_file;
// A files_writer of a rows_file.
int rows_file_write(const void *file, const char *path);

#endif
