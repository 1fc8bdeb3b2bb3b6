// SPDX-License-Identifier: MIT
// budget.c: see budget.h.
#include "budget.h"

// To start a process, link it, and read the topology.
#define START_SECONDS 0.02

// The time of a launch, and of a run, grows with the share, in steps; so many halvings leave nothing to argue about.
enum { HALVINGS = 40 };

static double group_seconds(const budget_group *g) { return g->prepare_s + (double)g->rounds * g->round_s; }

double budget_had_seconds(const budget_group *group, size_t rounds) {
    return rounds >= group->rounds ? group_seconds(group) : (double)rounds * group->round_s;
}

double budget_launch_seconds(const budget_group *groups, size_t count, size_t launch) {
    double seconds = START_SECONDS;
    for (size_t i = 0; i < count; i++)
        seconds += groups[i].launches > launch ? group_seconds(&groups[i]) : 0;
    return seconds;
}

// How often `cost` goes into `seconds`, from `least` to `most`.
static size_t times(double seconds, double cost, size_t least, size_t most) {
    const double fit = seconds / cost;
    return !(fit >= (double)least) ? least : fit > (double)most ? most : (size_t)fit;
}

// More time never makes a launch or a round less, and neither does it take another's: the whole is monotonic.
static double allot(budget_group *groups, size_t count, size_t least, size_t launches, size_t most_rounds,
                    double share) {
    double seconds = START_SECONDS * (double)launches;
    for (size_t i = 0; i < count; i++) {
        budget_group *const g = &groups[i];
        const double time = share * (double)g->stake;
        g->launches = times(time, g->prepare_s + g->round_s, least, launches);
        // As long as launches grow, rounds stay one: time / launches is then below twice the cost of a launch.
        g->rounds =
            g->launches < launches ? 1 : times(time / (double)launches - g->prepare_s, g->round_s, 1, most_rounds);
        seconds += (double)g->launches * group_seconds(g);
    }
    return seconds;
}

void budget_allot(budget_group *groups, size_t count, size_t least, size_t launches, size_t most_rounds,
                  double seconds) {
    double low = 0, high = seconds;
    for (int i = 0; i < HALVINGS; i++) {
        const double share = (low + high) / 2;
        if (allot(groups, count, least, launches, most_rounds, share) > seconds)
            high = share;
        else
            low = share;
    }
    (void)allot(groups, count, least, launches, most_rounds, low);
}

// Each group gets the rounds that fit `share` seconds.
static void set_rounds(budget_group *groups, size_t count, size_t most_rounds, double share) {
    for (size_t i = 0; i < count; i++)
        groups[i].rounds = times(share, groups[i].round_s, 1, most_rounds);
}

void budget_spend(budget_group *groups, size_t count, size_t most_rounds, double seconds) {
    double low = 0, high = seconds;
    for (int i = 0; i < HALVINGS; i++) {
        const double share = (low + high) / 2;
        set_rounds(groups, count, most_rounds, share);
        if (budget_launch_seconds(groups, count, 0) > seconds)
            high = share;
        else
            low = share;
    }
    set_rounds(groups, count, most_rounds, low);
}
