// SPDX-License-Identifier: MIT
// tables.h: the tables of a run, read strictly, and the values of their rows.
#ifndef TABLES_H
#define TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/csv.h"
#include "base/stats.h"

// The first RUN_OWN_TABLES are what a run measured itself; peers.csv is what `make peers` adds of PyTorch.
#define RUN_TABLE_LIST(X) X(KERNELS, kernels) X(LAYERS, layers) X(PEERS, peers)
enum { RUN_OWN_TABLES = 2 };
#define RUN_TABLE_ROW(ID, name) RUN_TABLE_##ID,
typedef enum { RUN_TABLE_LIST(RUN_TABLE_ROW) RUN_TABLES } run_table;
#undef RUN_TABLE_ROW
const char *run_table_name(run_table table);

// A run that is read: each table of one file, or of a file for each part. What meta.json says of the machine is zero
// where it does not.
typedef struct {
    struct {
        csv_table *files;
        size_t count;
    } tables[RUN_TABLES];
    size_t cores;
    double l1_bytes, l2_bytes, llc_bytes;
} run_tables;

enum { TABLES_MESSAGE = 1024 };
// Reads what there is in a folder; a table that is not there has no rows. false with a message if a file is no such
// table or holds what cannot be.
bool run_tables_read(run_tables *r, const char *folder, char message[TABLES_MESSAGE]);
void run_tables_free(run_tables *r);

// A row; table NULL: none.
typedef struct {
    const csv_table *table;
    size_t at;
} table_row;
bool row_is(table_row r);
const char *row_text(table_row r, const char *column); // "" if the table has no such column
double row_real(table_row r, const char *column);      // NaN: empty
// Column stem + suffix with stem_lo95 and stem_hi95.
stats_interval row_interval(table_row r, const char *stem, const char *suffix);

bool row_is_measured(table_row r);

// Columns base and streams; of a row without them, as of a run from before them, what its variant's name says.
enum { ROW_BASE = 72 };
const char *row_base(table_row r, char base[ROW_BASE]);
bool row_streams(table_row r);

#endif
