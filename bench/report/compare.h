// SPDX-License-Identifier: MIT
// compare.h: a run held against earlier runs of the same machine. Files of different days cannot show a regression: the
// machine was another on each day in ways that no file records. So a row is `suspect` at most, and the gate settles it.
//
// The value is the logarithm of a row's time over its sentinels' (sentinels.h). A row is suspect if it lies above the
// median of the baseline runs by more than one more run of their kind may: beyond ln(1 + COMPARE_LEAST), and beyond
// their spread, by the median absolute deviation, times the factor that one run in 1 / COMPARE_ALPHA exceeds
// (paired.h). Intervals within a run say nothing of other days, and are not used.
#ifndef COMPARE_H
#define COMPARE_H

#include "fingerprint.h"
#include "sentinels.h"

enum { COMPARE_RUNS = 10, COMPARE_DAYS = 3, COMPARE_LIFE_DAYS = 30 };
#define COMPARE_LEAST 0.05
#define COMPARE_ALPHA 0.001
#define COMPARE_FLOOR 0.003 // s is taken for no less: quieter baselines are luck

#define COMPARE_VERDICT_LIST(X)                                                                                        \
    X(SUSPECT, "suspect")                                                                                              \
    X(NOT_SUSPECT, "not suspect")                                                                                      \
    X(CANNOT_TELL, "cannot tell") X(MISSING, "missing") X(NEW, "new") X(SENTINEL, "sentinel")
#define COMPARE_VERDICT_ROW(ID, name) COMPARE_##ID,
typedef enum { COMPARE_VERDICT_LIST(COMPARE_VERDICT_ROW) COMPARE_VERDICTS } compare_verdict;
#undef COMPARE_VERDICT_ROW
const char *compare_verdict_name(compare_verdict v);

enum { COMPARE_TEXT = 640 };
typedef struct {
    const results *now, *before; // the new run; the last of the baseline
    const result *item;          // the new run's, else the last that there was
    size_t runs;                 // of the baseline, that have it
    sentinel_kind sentinel;
    double base_ns; // the median of the baseline's times; NaN: none
    double change;  // of the value, as a ratio: 1.05 is 5 % slower; NaN: there is none
    double limit;   // beyond which it is suspect; NaN: nobody can tell
    double spread;  // s, of the logarithm; NaN likewise
    compare_verdict verdict;
    char reason[160], settle[COMPARE_TEXT]; // the command that does
} compare_row;

typedef struct {
    results *runs;               // in the order of their times, the new one last
    size_t count, expired, days; // the first `expired` runs are too old; days on which the others were taken
    fingerprint_difference differences[FINGERPRINT_MOST]; // of the first run that is of another machine, or the last
    size_t difference_count;
    const results *other; // the run that cannot be compared; NULL: all can
    double *factors;      // of each number of runs; NaN: not asked for yet
    double sentinels;     // how the sentinels stand to the baseline's, as a ratio; NaN: there are none
    compare_row *rows;    // suspect ones first, then by change
    size_t row_count, counts[COMPARE_VERDICTS];
} comparison;

// Takes over runs, of which there are at least two and the last is the new one. false: no memory.
bool compare_make(comparison *c, results *runs, size_t count);
void compare_free(comparison *c);
// Whether there are as many baseline runs, on as many days, as a verdict takes.
bool compare_is_enough(const comparison *c);
// One of the exit codes.
int compare_status(const comparison *c);

// For people; what of: comparison. And what goes to stderr beside any format: what differs, what is missing for a
// verdict.
void compare_print(FILE *out, const void *what, bool markdown);
void compare_warn(FILE *out, const comparison *c);

#endif
