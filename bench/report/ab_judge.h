// SPDX-License-Identifier: MIT
// ab_judge.h: what the samples of `normbench ab` say: of each row, of groups of rows, and of the measurement itself.
//
// A row's number is the logarithm of candidate over base, one of each launch, as paired.h has it. It is *slower* if it
// exceeds the threshold, not merely zero, by an exact test, with the share of wrong alarms among all rows held to
// AB_ALARMS (Benjamini and Hochberg), and if launches that were made for the purpose say so again. It is the *same* if
// it is shown to be within the threshold on either side. Nothing else is shown, and the row is *inconclusive*.
#ifndef AB_JUDGE_H
#define AB_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/paired.h"
#include "measure/sample.h"
#include "plan/ab_plan.h"
#include "sample_index.h"

// Of a run without a change, the probability of any alarm is at most twice this before confirmation: rows and groups
// have it each.
#define AB_ALARMS 0.005
// Each of the two tests that show that a row is the same.
#define AB_EQUAL 0.05
// Once is chance, and the confirmation is of launches that the alarm had no part in.
#define AB_CONFIRMED 0.01

// SAME_CODE: of rows that are not timed, for nothing can differ.
#define AB_VERDICT_LIST(X)                                                                                             \
    X(SLOWER, slower)                                                                                                  \
    X(FASTER, faster) X(SAME, same) X(INCONCLUSIVE, inconclusive) X(SAME_CODE, identical) X(MISSING, missing)
#define AB_VERDICT_ID(ID, name) AB_##ID,
typedef enum { AB_VERDICT_LIST(AB_VERDICT_ID) AB_VERDICTS } ab_verdict;
#undef AB_VERDICT_ID
const char *ab_verdict_name(ab_verdict v);

// How much slower, in percent, is no alarm yet: a row, and the mean of a group.
typedef struct {
    double row_pct, group_pct;
} ab_threshold;

// Differences of launches: those of the first look, then those that confirm.
typedef struct {
    double first[PAIRED_MOST], again[PAIRED_MOST];
    size_t first_launch[PAIRED_MOST], again_launch[PAIRED_MOST];
    size_t first_count, again_count;
} ab_differences;

// What is known of a row or a group.
typedef struct {
    ab_differences differences;
    stats_interval change; // log of candidate over base: of the launches that confirm, where there are any
    double deviation;      // of a launch
    double detectable;     // log: what would have been found
    double p[2];           // slower, faster: that the threshold is not exceeded
    double adjusted[2];
    double p_again; // of the confirmation; NaN without one
    ab_verdict verdict;
    char reason[160];
} ab_finding;

// UNKNOWN: shown neither way.
typedef enum { AB_REST_UNKNOWN, AB_REST_STAYS, AB_REST_CHANGES } ab_rest;
// What norms are to the layer that they are part of.
typedef struct {
    stats_interval share;  // of the candidate's time
    stats_interval rest;   // of the rest, log of candidate over base, 90 %: two one-sided tests at 5 %
    stats_interval total;  // of the whole, likewise, 95 %
    stats_interval effect; // what the norms take longer, over the base's whole: exact as long as the rest is the same
    ab_rest stays;         // whether it is, within AB_REST_PCT
    double added;          // by --inject, by its own clock, over the base's norms: what the change should be; or NaN
    double added_to_layer; // likewise over the base's layer
} ab_in_layer;
#define AB_REST_PCT 0.25

enum { AB_TEXT = 256 };
typedef struct {
    size_t base, candidate; // items of the plan
    const void *item;       // the candidate's
    ab_which which;         // of it
    norm_op op;
    norm_level level;
    char name[CELL_NAME_SIZE]; // in one word
    char text[AB_TEXT];        // "dyt/u2 backward fused avx2 f32 64x768, 1 thread cores, warm"
    stats_interval time[AB_SIDES];
    double preempted_pct;
    bool waived;
    ab_finding finding;
    bool of_layer; // the next is set
    ab_in_layer layer;
} ab_row;

// All rows that are judged of an op; or of an op at a level.
typedef struct {
    norm_op op;
    norm_level level; // NORM_ALL_LEVELS: of all
    size_t rows;
    bool waived; // it is slower by rows that a waiver lets be slower
    ab_finding finding;
} ab_group;

typedef struct ab_compared ab_compared;
typedef struct {
    const ab_compared *compared;
    ab_threshold threshold;
    ab_row *rows; // of all roles, in the order of the plan
    size_t row_count;
    ab_group *groups;
    size_t group_count;
    stats_interval controls; // of sentinels and controls together, log
    size_t control_count;
    char disturbed[200]; // why no verdict stands; "" if they do
    char seen[4][100];   // what else was at work, which changes none (ab_seen.h)
    size_t seen_count;
    size_t counts[AB_VERDICTS]; // of rows that are judged or identical
} ab_judgement;

// How many launches a row has: at first, most of those, whatever they show, where they are not precise enough, and more
// to confirm.
enum { AB_LAUNCHES = 20, AB_MOST_LAUNCHES = 30, AB_CONFIRMING = 16, AB_LAYERS_LAUNCHES = 40 };
typedef struct {
    size_t first, most, confirming;
} ab_launches;

// What is compared: kernels, or norms in layers.
struct ab_compared {
    const char *table;    // the file that has all rows
    sample_reading *read; // of a plan, which begins with its schedule
    int time, log_time;   // readings: what a row's numbers are of
    // Of each launch, candidate less base, and which it is; NULL: of log_time, paired by rounds. values and launches
    // have room for as many as there are samples.
    size_t (*differences)(const sample_index *x, const ab_row *r, double *values, size_t *launches);
    void (*know)(const schedule *s, ab_row *r);    // sets which, op, level, name and text of its item
    void (*add)(const sample_index *x, ab_row *r); // more of its numbers, after its differences; NULL: none
    ab_launches launches;
};
extern const ab_compared ab_kernels;

// false if memory ran out.
bool ab_judge(ab_judgement *j, const ab_compared *compared, const schedule *s, const observations *all,
              ab_threshold threshold);
void ab_judgement_free(ab_judgement *j);

// subject.go_on: launches more for what is not known well enough, whatever it is; then for what is to be confirmed.
size_t ab_go_on(const ab_compared *compared, schedule *s, const observations *all, ab_threshold threshold, size_t done);

// From the samples of `normbench ab` to paired differences.
// Sets j's rows, with what was measured of each as j->compared says: times, preemptions, differences. false if memory
// ran out.
bool ab_pairs_make(ab_judgement *j, const schedule *s, const observations *all);
// The mean difference, launch by launch, of the rows that are in a group; of launches that all of them have.
void ab_pairs_mean(const ab_judgement *j, const ab_group *g, bool (*in)(const ab_group *, const ab_row *),
                   ab_differences *mean);

// Paired differences of another reading, one of each launch, before and after the confirmation began alike. values:
// room for PAIRED_MOST. Returns how many; 0 if memory ran out.
size_t ab_pairs_of(const sample_index *x, const ab_row *r, int log_reading, double values[PAIRED_MOST]);

// Norms in layers as `normbench ab` compares them: by their time in place, of which follows what the whole
// layer gains or loses as long as the rest of it, whose code is the same, takes the same time. That is tested, too.
extern const ab_compared ab_norms; // of a layers_plan whose items are ab_layers_item

// What a row's change comes to in its layer, in words that follow it; "" of a row without a layer.
const char *ab_norms_text(const ab_row *r, char text[AB_TEXT]);

#endif
