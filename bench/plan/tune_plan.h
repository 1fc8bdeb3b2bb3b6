// SPDX-License-Identifier: MIT
// tune_plan.h: what `normbench tune` measures: for each kernel and class of calls (norm.h) a cell by the default
// schedule and by others that may be faster there.
#ifndef TUNE_PLAN_H
#define TUNE_PLAN_H

#include "cell.h"
#include "schedule.h"

// An item; its schedule_kind hands it to what times cells, so the cell stands first.
typedef struct {
    cell cell;
    bool is_default;
    norm_schedule schedule; // all zero if it is
} tune_item;

typedef struct {
    schedule schedule;   // the default stands first in each group
    double confirming_s; // of the budget, for what the first launches ask to confirm; 0: no bound
} tune_plan;
extern const schedule_kind tune_plan_kind;
static inline const tune_item *tune_items(const tune_plan *p) { return p->schedule.names; }
// What norm_args ask for: NULL is the default.
static inline const norm_schedule *tune_item_schedule(const tune_item *item) {
    return item->is_default ? NULL : &item->schedule;
}

// The column of an item beside its cell's.
enum { TUNE_ITEM_COLUMNS = 1 };
extern const table_column tune_item_columns[TUNE_ITEM_COLUMNS];
extern const column_type column_schedule; // a schedule's word

// The caches by which calls have classes; here: of this machine, all zero if it cannot tell.
norm_caches tune_caches(const topology *t);
norm_caches tune_caches_here(void);
// Of the best level's default variants that are selected, by default those of the question's ops, forward, in
// every dtype. false: no memory.
bool tune_plan_make(tune_plan *p, const selection *s, const topology *t);
// How many rounds a launch has of what takes so long in each: four at most.
size_t tune_rounds(double round_s);
// Gives the first launches as many shapes as their share of a budget holds: forward with regular
// stores first, backward last, of either the cheapest first. The rest of it is to confirm.
void tune_plan_spend(schedule *s, double budget_s, size_t launches);

#endif
