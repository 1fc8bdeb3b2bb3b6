// SPDX-License-Identifier: MIT
// tune_table.h: from the samples of `normbench tune` to the schedules that are kept: tune.csv.
#ifndef TUNE_TABLE_H
#define TUNE_TABLE_H

#include <stdio.h>

#include "measure/run.h"
#include "measure/sample.h"
#include "plan/tune_plan.h"

// Of each class that was measured, what it keeps (tune_choice.h). 0 or errno.
int tune_table_write(const tune_plan *p, const observations *all, const norm_caches *caches, const run *r,
                     const char *path);
// How many classes there are, how many have another schedule, and what that gains.
void tune_table_print(const tune_plan *p, const observations *all, FILE *out);

#endif
