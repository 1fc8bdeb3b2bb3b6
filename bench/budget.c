// SPDX-License-Identifier: MIT
// budget.c: see budget.h.
#include "budget.h"

// To start a process, link it, and read the topology.
#define START_SECONDS 0.02

double budget_launch_seconds(const budget_group *groups, size_t count) {
    double seconds = START_SECONDS;
    for (size_t i = 0; i < count; i++)
        seconds += groups[i].prepare_s + (double)groups[i].rounds * groups[i].round_s;
    return seconds;
}

// Each group gets the rounds that fit `share` seconds.
static void set_rounds(budget_group *groups, size_t count, size_t most_rounds, double share) {
    for (size_t i = 0; i < count; i++) {
        const double fit = share / groups[i].round_s;
        groups[i].rounds = !(fit >= 1) ? 1 : fit > (double)most_rounds ? most_rounds : (size_t)fit;
    }
}

void budget_spend(budget_group *groups, size_t count, size_t most_rounds, double seconds) {
    double low = 0, high = seconds;
    // The time of a launch grows with the share, in steps; forty halvings leave nothing of the budget to argue about.
    for (int i = 0; i < 40; i++) {
        const double share = (low + high) / 2;
        set_rounds(groups, count, most_rounds, share);
        if (budget_launch_seconds(groups, count) > seconds)
            high = share;
        else
            low = share;
    }
    set_rounds(groups, count, most_rounds, low);
}
