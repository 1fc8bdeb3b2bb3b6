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

// Who shares, and within which bounds.
typedef struct {
    budget_group *groups;
    size_t count, least, launches, most_rounds;
} sharers;

// Rounds and launches of every group by a share of the time for each of its stakes; the seconds of the run. More time
// never makes a launch or a round less, and neither does it take another's: the whole is monotonic.
static double allot(const sharers *who, double share) {
    double seconds = START_SECONDS * (double)who->launches;
    for (size_t i = 0; i < who->count; i++) {
        budget_group *const g = &who->groups[i];
        const double time = share * (double)g->stake, launches = (double)who->launches;
        g->launches = times(time, g->prepare_s + g->round_s, who->least, who->launches);
        // As long as launches grow, rounds stay one: time / launches is then below twice the cost of a launch.
        g->rounds =
            g->launches < who->launches ? 1 : times(time / launches - g->prepare_s, g->round_s, 1, who->most_rounds);
        seconds += (double)g->launches * group_seconds(g);
    }
    return seconds;
}

// The rounds that fit the share, and the seconds of a launch.
static double set_rounds(const sharers *who, double share) {
    for (size_t i = 0; i < who->count; i++)
        who->groups[i].rounds = times(share, who->groups[i].round_s, 1, who->most_rounds);
    return budget_launch_seconds(who->groups, who->count, 0);
}

// Gives the largest share that keeps to the time.
static void give(const sharers *who, double (*give_share)(const sharers *who, double share), double seconds) {
    double low = 0, high = seconds;
    for (int i = 0; i < HALVINGS; i++) {
        const double share = (low + high) / 2;
        *(give_share(who, share) > seconds ? &high : &low) = share;
    }
    (void)give_share(who, low);
}

void budget_allot(budget_group *groups, size_t count, size_t least, size_t launches, size_t most_rounds,
                  double seconds) {
    give(&(sharers){groups, count, least, launches, most_rounds}, allot, seconds);
}

void budget_spend(budget_group *groups, size_t count, size_t most_rounds, double seconds) {
    give(&(sharers){groups, count, 0, 0, most_rounds}, set_rounds, seconds);
}
