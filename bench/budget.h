// SPDX-License-Identifier: MIT
// budget.h: how many rounds each group of a plan gets, so that a launch keeps to its time.
#ifndef BUDGET_H
#define BUDGET_H

#include <stddef.h>

typedef struct {
    double prepare_s, round_s; // before the first round; one round
    size_t rounds;             // the answer
} budget_group;

// Sets every group's rounds so that a launch takes at most `seconds`: every group one round at least, then those that
// take least time first, up to most_rounds each, for a round of something small costs next to nothing.
void budget_spend(budget_group *groups, size_t count, size_t most_rounds, double seconds);
// Seconds that a launch takes with the rounds as they are set.
double budget_launch_seconds(const budget_group *groups, size_t count);

#endif
