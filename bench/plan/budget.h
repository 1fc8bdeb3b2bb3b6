// SPDX-License-Identifier: MIT
// budget.h: how many rounds, and how many launches, each group of a plan gets, so that a run keeps to its time.
#ifndef BUDGET_H
#define BUDGET_H

#include <stddef.h>

typedef struct {
    double prepare_s, round_s; // before the first round; one round
    size_t stake;              // what budget_allot deals time out by: its arms, more if wanted closely
    size_t rounds;             // the answer: in each launch,
    size_t launches;           // of which the first so many have this group
} budget_group;

// Sets every group's rounds so that a launch takes at most `seconds`: every group one round at least, then those that
// take least time first, up to most_rounds each, for a round of something small costs next to nothing.
void budget_spend(budget_group *groups, size_t count, size_t most_rounds, double seconds);
// Sets rounds and launches so that a run of at most `launches` launches takes at most `seconds`, with the same time for
// every stake as far as it goes. Launches come first: what a launch draws anew, its memory above all, is most of what
// an interval is made of, and an interval over seven launches is as wide as their whole range, while one over seventeen
// leaves out the four at either end; further rounds of the same launch narrow it less. Every group gets at least
// `least` launches of one round, be it above the time.
void budget_allot(budget_group *groups, size_t count, size_t least, size_t launches, size_t most_rounds,
                  double seconds);
// What a launch saves of a group that has so many of its rounds already: with all of them, the preparation as well.
double budget_had_seconds(const budget_group *group, size_t rounds);
// Seconds that launch number `launch`, from 0, takes with rounds and launches as they are set.
double budget_launch_seconds(const budget_group *groups, size_t count, size_t launch);

#endif
