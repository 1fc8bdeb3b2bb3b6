// SPDX-License-Identifier: MIT
// validation.h: the gate, `normbench ab`, where the truth is known: how often it was right. The gates that
// scripts/validate.sh has made lie in a folder, each called by its kind and a number, with what it reported beside it
// as JSON.
#ifndef VALIDATION_H
#define VALIDATION_H

#include "ab_judge.h"
#include "judge.h"
#include "results.h"

// X(ID, name, meaning)
#define VALIDATION_KIND_LIST(X)                                                                                        \
    X(SAME, same, "the same library on both sides")                                                                    \
    X(RELINKED, relinked, "the same objects on both sides, linked anew for each launch")                               \
    X(POWER, power, "the same, with extra work in the candidate's rows")                                               \
    X(GROUP, group, "the same, with the same little extra work in each row of an op")                                  \
    X(BUSY, busy, "relinked, with a busy loop on every processing unit")                                               \
    X(STOPPED, stopped, "relinked, with the process that measures stopped now and then")                               \
    X(MOVED, moved, "relinked, with its threads moved to other processing units")                                      \
    X(PULL_SLOWER, pull_slower, "a commit that makes one kernel do some 5 % more work, and the one before")            \
    X(PULL_README, pull_readme, "a commit that changes README.md alone, and the one before")                           \
    X(LAYERS_SLOWER, layers_slower, "norms in layers, the candidate's with extra work")                                \
    X(LAYERS_SAME, layers_same, "norms in layers, relinked")
#define VALIDATION_KIND_ID(ID, ...) VALIDATION_##ID,
typedef enum { VALIDATION_KIND_LIST(VALIDATION_KIND_ID) VALIDATION_KINDS } validation_kind;
#undef VALIDATION_KIND_ID
const char *validation_kind_name(validation_kind k);

// A row that a gate judged and measured.
typedef struct {
    size_t gate; // of validation.gates
    char name[RESULT_NAME], op[32];
    double inject_pct;
    // Of norms in layers, as ab_layers.csv has it: their share, what was added by the clock, what their change comes to
    // in the layer. NaN: of kernels.
    double norm_share, added_pct, added_layer_pct, layer_pct;
    size_t launches, confirming;
    stats_interval change; // in percent, as ab.csv has it
    double p_value, p_adjusted;
    ab_verdict verdict;
    double *differences; // of the launches of the first look, as ab_judge.h has them; NULL: there are no samples
    size_t difference_count;
} validation_row;

typedef struct {
    validation_kind kind;
    double p_value;
    ab_verdict verdict;
} validation_group;

typedef struct {
    validation_kind kind;
    char name[64], machine_id[128];
    size_t exit;
    bool disturbed;
    bool tells, told; // its report is of a version that says what else was at work, and says something
    double seconds;   // that it took; NaN: not kept
} validation_gate;

// The op that scripts/pulls/slower.patch changes.
#define VALIDATION_PULL_OP "dyt"
// So many pull requests of a kind, and each as it should be, are what is to be reached.
enum { VALIDATION_PULLS = 10 };

// Of a gate's rows, how many were judged, and called slower; how many of those though nothing of them had changed.
typedef struct {
    size_t rows, slower, unchanged;
} validation_counts;

// A gate is given as many rows and groups as the default one has, though it had fewer: a row is found if it would have
// been as the only slow one among so many. Benjamini and Hochberg's p is then the number times p.
enum { VALIDATION_OF_ROWS = 128, VALIDATION_OF_GROUPS = 16 };

// X(ID, name, meaning): of trials, some are hits.
#define VALIDATION_PROPERTY_LIST(X)                                                                                    \
    X(FIRST, first_alarms, "rows that were an alarm before launches of their own confirmed or refuted it")             \
    X(ALARMS, false_alarms, "rows that were called slower or faster though nothing had changed")                       \
    X(FAILED, failed_gates, "gates that called something slower, and ended with 1, though nothing had changed")        \
    X(VAGUE, inconclusive_gates, "gates that could not tell, and ended with 5")                                        \
    X(DOUBTFUL, inconclusive_rows, "rows of which nothing could be told")                                              \
    X(COVERAGE, coverage, "intervals of ab.csv that hold the truth, no change")                                        \
    X(EXCLUDES, excludes_truth,                                                                                        \
      "order-statistic intervals of a paired difference, as kernels and layers give them, that exclude the truth")     \
    X(FOUND, found, "rows with so much extra work that were called slower, each as if alone among 128")                \
    X(ESTIMATE, estimate,                                                                                              \
      "rows with so much extra work whose change is known to 15 % of it, in layers of what its own clock has it")      \
    X(GROUPS, group_found, "ops with so much extra work in each row that were called slower, as if alone among 16")    \
    X(WRONG, slower_disturbed, "disturbed gates that called something slower though nothing had changed")              \
    X(PULLS_FOUND, pulls_found,                                                                                        \
      "pull requests that made a kernel slower and ended with 1, with rows of that kernel, and of no other, named")    \
    X(PULLS_PASSED, pulls_passed, "pull requests that changed no kernel and ended with 0")                             \
    X(TOLD, disturbance_told, "disturbed gates that said that something else was at work")                             \
    X(LAYER_ESTIMATE, layer_estimate,                                                                                  \
      "rows with so much extra work of which it is known to 15 % what that adds to the whole layer")
#define VALIDATION_PROPERTY_ID(ID, ...) VALIDATION_##ID,
typedef enum { VALIDATION_PROPERTY_LIST(VALIDATION_PROPERTY_ID) VALIDATION_PROPERTIES } validation_property;
#undef VALIDATION_PROPERTY_ID
const char *validation_property_name(validation_property p);

// A row of validation.csv. Shares in percent.
typedef struct {
    const char *machine_id; // of the gates; "" if they are of several
    validation_property property;
    validation_kind kind;
    double inject_pct; // NaN: nothing was injected
    size_t launches;   // of an interval; 0: those of the gate
    size_t trials, hits;
    judge_bounds goal; // at most 0 is reached by no hit, at least 100 by VALIDATION_PULLS without a miss
    stats_interval share;
    stats_interval estimate; // the middle of the changes, in percent, where something was injected
} validation_finding;

typedef struct {
    validation_gate *gates;
    size_t gate_count, unfinished;
    validation_row *rows;
    size_t row_count;
    validation_group *groups;
    size_t group_count;
    validation_finding *findings;
    size_t finding_count;
} validation;

// Adds the gates of a folder (validation_read.c). false with a message: a file is wrong, or there are none.
bool validation_read(validation *v, const char *folder, char message[TABLES_MESSAGE]);
// What they come to. false: no memory.
bool validation_judge(validation *v);
void validation_free(validation *v);

validation_counts validation_count(const validation *v, size_t gate);

// Whether a goal is reached; none: VERDICT_CANNOT_TELL.
bool validation_has_goal(const validation_finding *f);
verdict validation_reached(const validation_finding *f);

// A files_writer of validation_rows.csv, of a validation; and what people read.
int validation_write_rows(const void *what, const char *path);
int validation_write_gates(const void *what, const char *path);
void validation_print(FILE *out, const void *what, bool markdown);

#endif
