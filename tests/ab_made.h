// SPDX-License-Identifier: MIT
// ab_made.h: runs of `normbench ab` that are made up: rows whose candidate is slower by so much, in launches that
// scatter.
#ifndef AB_MADE_H
#define AB_MADE_H

#include "ab_printed.h"
#include "measure/sampler.h"

enum { ROWS = 12, SENTINELS = 4, ROUNDS = 4 };

// One run: a row's candidate is slower by shift[row], its launches scatter by noise[row].
typedef struct {
    ab_plan plan;
    observations all;
    double shift[ROWS + SENTINELS], noise[ROWS + SENTINELS], preempted[ROWS + SENTINELS];
    size_t launches; // so far
    stats_rng rng;
} ab_made;

extern const ab_threshold ab_made_threshold;

// Rows of dyt in a third, else of rmsnorm, one of each number of rows; sentinels of identity.
void ab_made_make(ab_made *m, uint64_t seed);
void ab_made_forget(ab_made *m);
// Launches up to `end` of all items that have them. Groups are one row each, in the order of their rows.
void ab_made_launch(ab_made *m, size_t end);
// The run to its end, as the engine sees it through. How many launches it has.
size_t ab_made_run_whole(ab_made *m);

// A run whose row 5 is slower by 3 %, and what is said of it.
void ab_made_slower(ab_made *m, ab_judgement *j);

// What is said of it; of a row.
void ab_made_judge(const ab_made *m, ab_judgement *j);
const ab_row *ab_made_row_at(const ab_judgement *j, size_t row);

#endif
