// SPDX-License-Identifier: MIT
// sample.h: what is known of a sample, each quantity once: what it is called, its unit, what it means, with how many
// digits it is told and kept, and within what bounds it is believed. The line that a worker tells, the columns of
// samples.csv and how they are read back are made from such lists; whoever takes the sample sets value[ID].
//
// A list has rows X(ID, need, name, type, unit, digits, least, most, meaning). A subject's own begins at SAMPLE_OWN:
//
//     enum { MINE_BEFORE = SAMPLE_OWN - 1, MY_QUANTITIES(SAMPLE_ID) MINE_END };
//     const sample_quantity mine[] = {MY_QUANTITIES(SAMPLE_ROW)};
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "plan/schedule.h"

// LIST: several amounts, as many as the sample's item has (schedule_kind.list_length); they stand in sample.list.
typedef enum { SAMPLE_AMOUNT, SAMPLE_FLAG, SAMPLE_LIST } sample_type;
enum { SAMPLE_OPTIONAL, SAMPLE_REQUIRED };

typedef struct {
    const char *name; // the column of samples.csv
    sample_type type;
    const char *unit; // as UCUM spells it; NULL: none
    bool required;    // else NaN, an empty field, where it cannot be told
    int digits;
    double least, most;
    const char *meaning;
} sample_quantity;

#define SAMPLE_ID(ID, ...) ID,
#define SAMPLE_ROW(ID, need, name, type, unit, digits, least, most, meaning)                                           \
    {#name, SAMPLE_##type, unit, SAMPLE_##need, digits, least, most, meaning},

#define SAMPLE_QUANTITIES(X)                                                                                           \
    X(SAMPLE_TIME, REQUIRED, time_ns, AMOUNT, "ns", 9, 1e-3, PLAN_MOST_NS,                                             \
      "Time of one call: the mean over the sample.")                                                                   \
    X(SAMPLE_PREEMPTED, REQUIRED, preempted, FLAG, NULL, 1, 0, 1,                                                      \
      "1 if the kernel preempted a thread during the sample, else 0.")
enum { SAMPLE_QUANTITIES(SAMPLE_ID) SAMPLE_OWN, SAMPLE_MOST = 12 };

typedef struct {
    double value[SAMPLE_MOST];
    double *list;
    size_t list_length;
} sample;

// A sample of an item of a plan. index: within item and launch; order: within the launch.
typedef struct {
    size_t item, launch, index, order, calls;
    sample sample;
} observation;

// All samples of a run, in the order in which they were taken.
typedef struct {
    observation *items;
    size_t count;
} observations;
bool observations_add(observations *all, const observation *o); // takes its list over. false: no memory
void observations_drop(observations *all, size_t item);
void observations_free(observations *all);

#endif
