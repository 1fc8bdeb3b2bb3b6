// SPDX-License-Identifier: MIT
// How a budget is dealt out, and what a campaign says of the time left, on made-up plans with a made-up clock.
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/exit_code.h"
#include "base/stats.h"
#include "measure/campaign.h"
#include "plan/budget.h"

enum { LEAST = 6, LAUNCHES = 17, ROUNDS = 8 };

// ---- Launches and rounds

static double seconds_of(const budget_group *groups, size_t count, size_t launches) {
    double seconds = 0;
    for (size_t i = 0; i < launches; i++)
        seconds += budget_launch_seconds(groups, count, i);
    return seconds;
}

// A small layer, two of the same cost, one of which has twice the arms, and a giant.
static const budget_group costs[] = {{.prepare_s = 0.05, .round_s = 0.1, .stake = 4},
                                     {.prepare_s = 4, .round_s = 6, .stake = 4},
                                     {.prepare_s = 4, .round_s = 6, .stake = 8},
                                     {.prepare_s = 10, .round_s = 20, .stake = 4}};
enum { GROUPS = sizeof costs / sizeof *costs };

static void launches_come_before_rounds(void **state) {
    (void)state;
    double before = 0;
    for (double budget = 10; budget < 4000; budget *= 1.1) {
        budget_group groups[GROUPS];
        memcpy(groups, costs, sizeof costs);
        budget_allot(groups, GROUPS, LEAST, LAUNCHES, ROUNDS, budget);
        const double spent = seconds_of(groups, GROUPS, LAUNCHES);
        size_t least = 0;
        for (size_t i = 0; i < GROUPS; i++) {
            const budget_group *const g = &groups[i];
            assert_in_range(g->launches, LEAST, LAUNCHES);
            assert_in_range(g->rounds, 1, ROUNDS);
            assert_true(g->rounds == 1 || g->launches == LAUNCHES);
            least += g->launches == LEAST && g->rounds == 1;
        }
        // A budget is kept, but for the least that an interval takes, and more of it is never less measured.
        assert_true(spent <= budget || least == GROUPS);
        assert_true(spent >= before);
        before = spent;
        // The cheaper an arm, the more launches.
        assert_true(groups[0].launches >= groups[2].launches && groups[2].launches >= groups[1].launches &&
                    groups[1].launches >= groups[3].launches);
    }
    budget_group groups[GROUPS];
    memcpy(groups, costs, sizeof costs);
    budget_allot(groups, GROUPS, LEAST, LAUNCHES, ROUNDS, 420);
    // 180 s for the least launches of the giant, 60 s for those of the first of the two; the other has what is left.
    assert_int_equal(groups[3].launches, LEAST);
    assert_true(groups[2].launches > groups[1].launches);
    assert_int_equal(groups[0].launches, LAUNCHES);
    assert_int_equal(groups[0].rounds, ROUNDS);
    budget_allot(groups, GROUPS, 2, 2, ROUNDS, 1e6);
    for (size_t i = 0; i < GROUPS; i++)
        assert_true(groups[i].launches == 2 && groups[i].rounds == ROUNDS);
}

static void rounds_had_are_saved(void **state) {
    (void)state;
    const budget_group g = {.prepare_s = 3, .round_s = 2, .rounds = 4, .launches = 1};
    assert_true(budget_had_seconds(&g, 0) == 0);
    assert_true(budget_had_seconds(&g, 3) == 6); // the group is prepared again
    assert_true(budget_had_seconds(&g, 4) == 11);
}

// ---- The time left

static double clock_s;
static double clock_now(void) { return clock_s; }

enum { MOST_SAMPLES = 1 << 14 };

// The truth of a campaign: how much longer than planned things take, with noise, and what each group costs.
typedef struct {
    double slower, noise;
    budget_group groups[GROUPS];
    bool resumed; // the first launch is there already, and half of the second's rounds
} truth;

typedef struct {
    campaign c; // first, for the launcher
    const truth *t;
    stats_rng rng;
    double said[MOST_SAMPLES], at[MOST_SAMPLES]; // of the time left, and when
    size_t count;
} conducted;

static void pass(conducted *s, double seconds) {
    clock_s += seconds * s->t->slower * exp(s->t->noise * stats_rng_normal(&s->rng));
}

static void note(conducted *s) {
    assert_true(s->count < MOST_SAMPLES);
    s->at[s->count] = clock_s;
    s->said[s->count++] = progress_eta(&s->c.progress);
}

static launch_end launch_of(campaign *c, size_t launch, char *how, size_t size) {
    conducted *const s = (conducted *)c;
    (void)how, (void)size;
    for (size_t i = 0; i < GROUPS; i++) {
        const budget_group *const g = &s->t->groups[i];
        const size_t had = !s->t->resumed || launch > 1 ? 0 : launch == 0 ? g->rounds : g->rounds / 2;
        if (g->launches > launch)
            campaign_skip(c, budget_had_seconds(g, had));
    }
    for (size_t i = 0; i < GROUPS; i++) {
        const budget_group *const g = &s->t->groups[i];
        const size_t had = !s->t->resumed || launch > 1 ? 0 : launch == 0 ? g->rounds : g->rounds / 2;
        if (g->launches <= launch || had == g->rounds)
            continue;
        campaign_group(c, g->prepare_s);
        campaign_say(c, "group");
        pass(s, g->prepare_s);
        for (size_t k = 2 * g->stake * had; k < 2 * g->stake * g->rounds; k++) {
            const double sample_s = g->round_s / (2 * (double)g->stake);
            pass(s, sample_s);
            campaign_advance(c, sample_s);
            note(s);
        }
    }
    return LAUNCH_DONE;
}

// What is said of the time left, over what was left: from the share `from` of the time on, until `until` is left.
static void conduct(const truth *t, double from, double until, double *least, double *most) {
    static conducted s;
    s = (conducted){.t = t};
    FILE *const nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    schedule made_up = {.groups = GROUPS};
    const subject nothing = {.schedule = &made_up};
    budget_group groups[GROUPS];
    memcpy(groups, t->groups, sizeof groups);
    stats_rng_seed(&s.rng, 7, 0);
    s.c.subject = &nothing;
    s.c.costs = groups;
    s.c.launch = launch_of;
    s.c.run.experiment.launches = LAUNCHES;
    clock_s = 1000;
    assert_int_equal(campaign_measure(&s.c, (progress_output){.file = nowhere, .now = clock_now}), 0);
    fclose(nowhere);
    *least = INFINITY;
    *most = 0;
    for (size_t i = 0; i < s.count; i++) {
        const double left = clock_s - s.at[i], passed = s.at[i] - 1000;
        if (passed < from * (clock_s - 1000) || left < until * (clock_s - 1000))
            continue;
        assert_true(!isnan(s.said[i]));
        *least = fmin(*least, s.said[i] / left);
        *most = fmax(*most, s.said[i] / left);
    }
}

// A plan as budget_allot makes it: giants in the first launches alone, the others to the end.
static truth made(double slower, double noise, bool resumed) {
    truth t = {.slower = slower, .noise = noise, .resumed = resumed};
    memcpy(t.groups, costs, sizeof costs);
    budget_allot(t.groups, GROUPS, LEAST, LAUNCHES, ROUNDS, 600);
    return t;
}

static void the_time_left_is_told_truly(void **state) {
    (void)state;
    // As planned, and half as slow again: true from the first sample on but for what a process takes to start.
    double least, most;
    for (double slower = 1; slower < 2; slower += 0.5) {
        const truth t = made(slower, 0, false);
        conduct(&t, 0.02, 0.02, &least, &most);
        assert_true(least > 0.99 && most < 1.01);
    }
    // Preparations and samples that scatter by 10 % each, of which the giant's count most: 2 s of deviation in the 50 s
    // of a launch, so that after a fifth of the time (three launches) the pace is known to 2.5 %, and what is left,
    // down to a tenth of the time, scatters by 3.5 %: three deviations of both.
    const truth noisy = made(1.3, 0.1, false);
    conduct(&noisy, 0.2, 0.1, &least, &most);
    assert_true(least > 0.87 && most < 1.13);
    // Taken up: what an earlier process did counts neither as done nor as left.
    const truth resumed = made(1.5, 0, true);
    conduct(&resumed, 0.02, 0.02, &least, &most);
    assert_true(least > 0.99 && most < 1.01);
}

// ---- A signal

static volatile sig_atomic_t signals;
static size_t launched;
static launch_end signalled_at_its_end(campaign *c, size_t launch, char *how, size_t size) {
    (void)c, (void)launch, (void)how, (void)size;
    launched++;
    signals = 1;
    return LAUNCH_DONE;
}

// It comes when there is no process any more to be told.
static void a_signal_between_launches_ends_the_run(void **state) {
    (void)state;
    FILE *const nowhere = fopen("/dev/null", "w");
    schedule made_up = {.groups = GROUPS};
    const subject nothing = {.schedule = &made_up};
    budget_group groups[GROUPS];
    memcpy(groups, costs, sizeof groups);
    campaign c = {.subject = &nothing, .costs = groups, .launch = signalled_at_its_end, .stop = &signals};
    c.run.experiment.launches = LAUNCHES;
    assert_non_null(nowhere);
    assert_int_equal(campaign_measure(&c, (progress_output){.file = nowhere, .now = clock_now}), EXIT_INTERRUPTED);
    assert_int_equal(launched, 1);
    fclose(nowhere);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(launches_come_before_rounds),
        cmocka_unit_test(rounds_had_are_saved),
        cmocka_unit_test(the_time_left_is_told_truly),
        cmocka_unit_test(a_signal_between_launches_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
