// SPDX-License-Identifier: MIT
// tune_choice.h: which schedule a class of calls keeps. Kernels that are held against each other choose together: all
// norms of a class one schedule, all elementwise ops another; and what looked fastest in the first launches is kept
// only if launches that had no part in its choice show it.
#ifndef TUNE_CHOICE_H
#define TUNE_CHOICE_H

#include "plan/tune_plan.h"
#include "sample_index.h"

// What is faster by less is not worth a schedule of its own; no kernel may lose more than that by its class's choice.
#define TUNE_LEAST 0.02
#define TUNE_LOSS 0.01
// The first launches pass on what seems to be faster by this. So many more confirm it: all of them but one, for the
// interval is one of 98 %.
#define TUNE_HOPE 0.015
enum { TUNE_CONFIRMING = 11 };

// What is read off a sample, for sample_index_make: the logarithm of its time.
double tune_log_time(const void *of, const observation *o, int reading);

// The item that a group keeps: its first, the default, unless another was confirmed.
size_t tune_kept(const tune_plan *p, const sample_index *x, size_t group);
// Time of an item over its group's default, in the launches that decide: those that confirm it, if it was to be.
stats_interval tune_ratio(const tune_plan *p, const sample_index *x, size_t item);

// subject.go_on: launches more for what is to be confirmed, as many as the plan's budget holds.
size_t tune_go_on(schedule *s, const observations *all, size_t done);

#endif
