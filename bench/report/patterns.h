// SPDX-License-Identifier: MIT
// patterns.h: whether one run shows what another showed, as patterns: never as times, which are of a machine and a day.
//
// A pattern is a claim's verdict; the side of 1 (or of no change) on which a ratio's whole interval lies; the order of
// the ops at one place; or the sizes between which a ratio changes its side along rows or columns. It agrees if both
// runs tell the same, and differs if they tell opposite things further apart than the tolerance, which depends on
// whether the same machine took both. Where the interval of either reaches across the bound nobody can tell: what
// agrees by luck is not counted as agreeing.
#ifndef PATTERNS_H
#define PATTERNS_H

#include "judge.h"
#include "results.h"

#define PATTERN_KIND_LIST(X) X(CLAIM, claim) X(SIDE, side) X(ORDER, order) X(CROSSING, crossing)
#define PATTERN_KIND_ROW(ID, name) PATTERN_##ID,
typedef enum { PATTERN_KIND_LIST(PATTERN_KIND_ROW) PATTERN_KINDS } pattern_kind;
#undef PATTERN_KIND_ROW

#define PATTERN_OUTCOME_LIST(X) X(AGREES, "agrees") X(DIFFERS, "differs") X(CANNOT_TELL, "cannot tell")
#define PATTERN_OUTCOME_ROW(ID, name) PATTERN_##ID,
typedef enum { PATTERN_OUTCOME_LIST(PATTERN_OUTCOME_ROW) PATTERN_OUTCOMES } pattern_outcome;
#undef PATTERN_OUTCOME_ROW

// X(ID, words, tolerance of a ratio, sizes by which a crossing may move beyond those that surround it)
#define PATTERN_CLASS_LIST(X)                                                                                          \
    X(SAME, "the same machine and build", 0.02, 0)                                                                     \
    X(LEVEL, "another machine or build, with the same strongest SIMD level", 0.05, 1)                                  \
    X(OTHER, "a machine of another kind, or one that nothing is known of", 0.10, 2)
#define PATTERN_CLASS_ROW(ID, ...) PATTERN_CLASS_##ID,
typedef enum { PATTERN_CLASS_LIST(PATTERN_CLASS_ROW) PATTERN_CLASSES } pattern_class;
#undef PATTERN_CLASS_ROW

// The share of the patterns told by both runs that has to agree: each interval is one of 95 %.
#define PATTERN_SHARE 0.95

enum { PATTERN_NAME = RESULT_NAME + 64, PATTERN_WORDS = 160 };
typedef struct {
    const struct reproduction *of;
    pattern_kind kind;
    pattern_outcome outcome;
    bool old_tells; // the old run shows it, whatever the new one does
    bool missing;   // the new run has no such row
    char name[PATTERN_NAME], old[PATTERN_WORDS], now[PATTERN_WORDS], why[PATTERN_WORDS];
} pattern;

// The hand-written levels that a run has rows of, the strongest first.
enum { PATTERN_LEVELS = 32 };
typedef struct {
    const char *names[PATTERN_LEVELS];
    size_t strengths[PATTERN_LEVELS], count;
} pattern_levels;

typedef struct reproduction {
    const results *old, *now;
    pattern_levels old_levels, now_levels;
    pattern_class class;
    double tolerance;
    size_t steps;
    pattern *items; // claims first, then as in the list of kinds
    size_t count, counts[PATTERN_KINDS][PATTERN_OUTCOMES];
    size_t unasked; // claims about what neither run measured
    bool failed;    // no memory
} reproduction;

// Of two runs, which are the caller's. false with a message: one of them is of another version of the tables, or there
// is no memory.
bool reproduction_make(reproduction *r, const results *old, const results *now, char message[TABLES_MESSAGE]);
void reproduction_free(reproduction *r);
size_t reproduction_count(const reproduction *r, pattern_outcome o); // of all kinds
// An exit code: 0, most of what both tell agrees, and no claim differs; 1, not so; 5, nothing, or less than half of
// what the old run tells, is told by the new one; 6, the new run is unfinished.
int reproduction_status(const reproduction *r);
// For people; what of: reproduction. all: whatever agrees as well.
void reproduction_print(FILE *out, const void *what, bool markdown);

const char *pattern_outcome_name(pattern_outcome o);

// ---- Within: what the kinds of patterns are made with

// What the new run has where the old one has this; NULL: nothing. On another machine the strongest level stands for the
// strongest, and all cores for all cores.
const result *patterns_counterpart(const reproduction *r, const result *old);
// How two values, in a unit, stand to each other and to a bound. allowed: how far apart they may be on opposite sides.
// why: it cannot be told, or differs.
pattern_outcome patterns_hold(const stats_interval *old, const stats_interval *now, const judge_bounds *b,
                              double allowed, const char *unit, char why[PATTERN_WORDS]);
// Adds one, whose kind and name are given; NULL: no memory.
pattern *patterns_add(reproduction *r, pattern_kind kind, const char *name);
// A name of results with another text in one of the places that are separated by strokes.
enum { PATTERNS_LEVEL = 4, PATTERNS_SHAPE = 6, PATTERNS_THREADS = 7 };
void patterns_rename(const char *name, size_t place, const char *text, char out[RESULT_NAME]);
// In patterns_lines.c: all orders, all crossings.
void patterns_add_orders(reproduction *r);
void patterns_add_crossings(reproduction *r);

#endif
