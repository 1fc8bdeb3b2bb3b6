// SPDX-License-Identifier: MIT
// results.h: a results folder as a list of named times, whatever it holds: what is exported, compared and followed over
// the days.
#ifndef RESULTS_H
#define RESULTS_H

#include <jansson.h>

#include "tables.h"

// What is timed: a call of a kernel, a layer, or its norms in place.
#define RESULT_QUANTITY_LIST(X) X(TIME, time, "time_ns") X(NORM_TIME, norm_time, "norm_time_ns")
#define RESULT_QUANTITY_ROW(ID, ...) RESULT_##ID,
typedef enum { RESULT_QUANTITY_LIST(RESULT_QUANTITY_ROW) RESULT_QUANTITIES } result_quantity;
#undef RESULT_QUANTITY_ROW
const char *result_quantity_name(result_quantity q);

enum { RESULT_NAME = 320, RESULT_KEY = 192 };
typedef struct {
    run_table table;
    table_row row;
    result_quantity quantity;
    stats_interval ns;
    // op/variant/pass/form/level/dtype/ROWSxCOLS/threads/placement/cache, of layers with model, phase and sizes behind
    // it and /norm_time of their norms: the same in every run, and once in each.
    char name[RESULT_NAME];
    // What it shares with a sentinel, a copy in its place: the same shape, or else data in the same cache.
    char shape_key[RESULT_KEY], place_key[RESULT_KEY];
} result;

typedef struct {
    const char *folder;
    run_tables tables;
    json_t *meta; // NULL: there is none
    char run_id[128], machine_id[128], commit[64];
    char time[24];  // "2026-11-30T11:54:32Z"; "": the run's name does not tell
    double seconds; // since 1970; NaN likewise
    bool complete;  // as meta.json says; true without it
    result *items;  // that were measured, in the order of their names
    size_t count, missing;
} results;

const result *results_find(const results *r, const char *name); // NULL: it was not measured

// false with a message: the run's name does not tell when it was.
bool results_have_time(const results *r, char message[TABLES_MESSAGE]);

// Several folders, in the order of their times, no run twice. NULL with a message.
results *results_read_all(char *const *folders, size_t count, char message[TABLES_MESSAGE]);
void results_free_all(results *all, size_t count);

bool result_is_sentinel(const result *i);

// The name of a row; keyed: with the column before each value, as op=dyt/variant=u2.
void results_name(table_row row, bool keyed, char name[RESULT_NAME]);

// What meta.json says at a path such as "machine.cpu.CPUModel"; NULL: nothing.
const json_t *results_fact(const json_t *meta, const char *path);

#endif
