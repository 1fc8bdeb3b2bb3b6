// SPDX-License-Identifier: MIT
// filter.h: which row of a run's tables is meant.
#ifndef FILTER_H
#define FILTER_H

#include "tables.h"

// Words column=value, where a value may be several, a|b; all must hold. A number may be a least one, 64.. Beside
// columns there are threads=cores, one for each core of the machine, op=native, the own norm of a row's model, and
// data=L1, L2, L3 or memory: the nearest that holds x and y, memory where they are twice what the last cache holds.
enum { FILTER_WORDS = 32, FILTER_TEXT = 768 };
typedef struct {
    char text[FILTER_TEXT]; // as it was written, for messages
    struct {
        char column[24], values[72];
    } words[FILTER_WORDS];
    size_t count;
} filter;

// Adds the words of a text. false with a message that says which is wrong, and how.
bool filter_add(filter *f, const char *text, char message[TABLES_MESSAGE]);
// What is said of a column; "" if nothing.
const char *filter_value(const filter *f, const char *column);
// Adds what a row says of a column; what two rows of a table must share for one to be held against the other; what the
// ends of a model share with its layers.
void filter_add_value(filter *f, table_row row, const char *column);
void filter_add_conditions(filter *f, run_table table, table_row like);
void filter_add_same_run(filter *f, table_row like);

// The next row that fits, after *row; the first after one of none. false: there is no more.
bool filter_next(const filter *f, const run_tables *r, run_table table, table_row *row);
// The measured row that is meant: of several, in this order, the op's default variant, most elements, most threads, the
// strongest level. A row of none if there is none, and then `why` says so.
table_row filter_find(const filter *f, const run_tables *r, run_table table, char why[TABLES_MESSAGE]);

// The nearest place that holds a row's x and y, one of those of data=; "" if the caches are not known, or if it is none
// of them.
const char *filter_place(const run_tables *r, table_row row);

// Whether a row's variant is what the op's name alone stands for, with parameters or without: vocabulary_stands.
int filter_default(table_row row);
// How strong its level is: a hand-written one by its place among those of this architecture, behind them those of
// others; 0: of a compiler or a library.
size_t filter_strength(table_row row);

#endif
