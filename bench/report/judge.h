// SPDX-License-Identifier: MIT
// judge.h: the one judge. Which rows a question is about, and when it holds, is data: claims.csv, goals.csv and
// questions.csv of results/published. What is here is how: it holds if the whole interval lies between holds_lo and
// holds_hi, does not if all of it lies outside, and else nobody can tell: so, too, where an end is a bound, for a
// table's numbers are cut to the digits that they support. Where a value is expected, an interval beside it does not
// hold, wherever it lies. An interval that reaches across a question's only bound, but stays within its margin of it,
// shows that there is no difference that matters.
#ifndef JUDGE_H
#define JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/stats.h"
#include "filter.h"
#include "peer_ratio.h"
#include "quantities.h"

#define VERDICT_LIST(X)                                                                                                \
    X(HOLDS, "holds")                                                                                                  \
    X(DOES_NOT_HOLD, "does not hold")                                                                                  \
    X(CANNOT_TELL, "cannot tell")                                                                                      \
    X(NO_DIFFERENCE, "no difference that matters")
#define VERDICT_ROW(ID, name) VERDICT_##ID,
typedef enum { VERDICT_LIST(VERDICT_ROW) VERDICTS } verdict;
#undef VERDICT_ROW
const char *verdict_name(verdict v);
const char *verdict_at(size_t index); // the same, NULL behind the last: the words of a column

// What a value must be: between lo and hi, and its interval one that has `expected` in it. NaN: open.
typedef struct {
    double expected, lo, hi;
} judge_bounds;
// Where an interval lies with respect to them.
verdict judge_place(const stats_interval *i, const judge_bounds *b);
// Decimals with which the interval, as it is printed, lies where it lies: 1.0 for 1.04 would seem to touch a bound
// of 1.
int judge_decimals(const stats_interval *i, const judge_bounds *b);

// X(ID, name, table, whether it has a baseline, meaning). From least_time on a run has one value and no interval: what
// counts is how many of several runs hold (judge_runs.h).
#define ASKED_LIST(X)                                                                                                  \
    X(NORM_CHANGE, norm_change, LAYERS, true, "change of the time of all norms, timed in place")                       \
    X(TOTAL_CHANGE, total_change, LAYERS, true, "change of the time of the part")                                      \
    X(NORM_SHARE, norm_share, LAYERS, false, "share of the part's time")                                               \
    X(CALL, call, LAYERS, false, "what a call of a norm takes by whole layers over what it takes by the clock")        \
    X(COMPOSITION, composition, LAYERS, false, "time of a model's parts, measured apart, over that of the whole")      \
    X(TIMING_COST, timing_cost, LAYERS, false, "share of the time that timing each step takes")                        \
    X(PEAK_FRACTION, peak_fraction, LAYERS, false, "rate of the products over the peak of the CPU's units for them")   \
    X(TIME_RATIO, time_ratio, KERNELS, true, "time over time")                                                         \
    X(LEAST_TIME, least_time, KERNELS, true, "least time of an element over least time")                               \
    X(LEAST_SPEED, least_speed, KERNELS, true, "bytes a second over those of the baseline, of least times")            \
    X(LEAST_CYCLES, least_cycles, KERNELS, false, "cycles an element, of the row with the least time")                 \
    X(BOUND_FRACTION, bound_fraction, KERNELS, false, "the least time that its bound leaves a row over its own")
#define ASKED_ROW(ID, ...) ASKED_##ID,
typedef enum { ASKED_LIST(ASKED_ROW) ASKED } asked;
#undef ASKED_ROW
const char *asked_name(asked what);

// X(ID, name): of which of the rows that fit a question is asked. least and most: of that with such a value; of kernels
// over several runs, of the fastest row of each shape.
#define WHICH_LIST(X) X(ONE, "one") X(EACH, "each") X(LEAST, "least") X(MOST, "most")
#define WHICH_ROW(ID, name) WHICH_##ID,
typedef enum { WHICH_LIST(WHICH_ROW) WHICHES } which_rows;
#undef WHICH_ROW
const char *which_name(which_rows w);

// A row of a table of questions. Columns that are not listed here are the lists' own.
typedef struct {
    table_row row;
    asked what;
    which_rows which;
    filter subject, baseline, where;
    extent extent;
    double tokens; // NaN: not said
    judge_bounds holds;
    double margin; // so near to its only bound nothing matters; 0: everything does
} question;

typedef struct {
    csv_table table;
    question *items;
    size_t count;
} questions;
// Reads a table of questions; path NULL: `text`, which the program holds. false with a message that says which line is
// wrong, and how to mend it.
// Besides holds_lo and holds_hi there may be a column margin.
bool questions_read(questions *q, const char *path, const char *text, char message[TABLES_MESSAGE]);
void questions_free(questions *q);

// judge_place by a question's bounds, and by its margin what that leaves open.
verdict judge_answer(const stats_interval *i, const question *q);
// The bound that a margin is about: the only one of a question; NaN if it has none or two.
double judge_edge(const question *q);

// What the tables say of a question.
typedef struct {
    const question *asked;
    verdict verdict;
    stats_interval value; // over several runs: the median, the least and the largest
    size_t runs;          // that have a value
    size_t rows, failing; // that have a value, in the run with most; of them those for which it does not hold
    table_row subject;    // of the first of these; of none if there is none
    table_row baseline;   // what that is held against; itself where nothing is
    const char *method;
    peer_ratio peer; // PyTorch's own, of which value is in the question's unit, too
    bool scaled;     // fewer tokens, or rows, than the source had
    bool unstable;
    char why[TABLES_MESSAGE]; // there is no value
    // Of all findings together (verdicts.h), where they are asked so: NaN of what is not told.
    double p_value, p_together;
    verdict verdict_together;
} finding;
typedef struct {
    finding *items;
    size_t count;
} findings;
// Adds what there is to say: of each row that has a value, or once; if none has one, why. false: no memory.
bool judge(const question *q, const run_tables *runs, size_t count, findings *all);
void findings_free(findings *all);

#endif
