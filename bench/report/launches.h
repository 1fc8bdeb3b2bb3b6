// SPDX-License-Identifier: MIT
// launches.h: what each launch of a run found, from the samples of its folder: the independent values that other tools
// are given to reckon with.
#ifndef LAUNCHES_H
#define LAUNCHES_H

#include "results.h"

typedef struct {
    char name[RESULT_NAME]; // of its result
    size_t launch;
    double ns;    // the median of the launch's samples
    size_t calls; // that were timed
} launch_value;

typedef struct {
    launch_value *values; // in the order of names, then launches
    size_t count;
} launches;

// A folder without samples has none. false with a message if they are no such table.
bool launches_read(launches *l, const results *r, char message[TABLES_MESSAGE]);
void launches_free(launches *l);
// Those of a result, of which there are *count; none of a layer's norms, which samples hold step by step.
const launch_value *launches_of(const launches *l, const result *i, size_t *count);

#endif
