// SPDX-License-Identifier: MIT
// verdicts.h: what the judge found, as a table and in words: for each table of questions a list of its own.
#ifndef VERDICTS_H
#define VERDICTS_H

#include <stdio.h>

#include "base/columns.h"
#include "judge.h"

// X(ID, name, its table, runs that one judgement may be of, what it says)
#define VERDICT_TABLE_LIST(X)                                                                                          \
    X(CLAIMS, claims, "claims.csv", 1, "which published claims about speed hold in a run of layers and kernels")       \
    X(GOALS, goals, "goals.csv", VERDICT_MOST_RUNS,                                                                    \
      "what the kernels reach of their goals, in two thirds of several runs of make limits")                           \
    X(QUESTIONS, questions, "questions.csv", 1,                                                                        \
      "where DyT wins in a run of kernels or layers: what its summary ends with")
enum { VERDICT_MOST_RUNS = 64 };
#define VERDICT_TABLE_ROW(ID, ...) VERDICT_TABLE_##ID,
typedef enum { VERDICT_TABLE_LIST(VERDICT_TABLE_ROW) VERDICT_TABLES } verdict_table;
#undef VERDICT_TABLE_ROW

typedef struct {
    verdict_table of;
    questions asked;
    findings found;     // of each question in turn
    size_t runs, cores; // of the machine with most
} verdicts;

// Asks a table of questions of some runs: that in the file `path`, NULL: the program's own. false with a message.
bool verdicts_make(verdicts *v, verdict_table of, const char *path, const run_tables *runs, size_t count,
                   char message[TABLES_MESSAGE]);
void verdicts_free(verdicts *v);

// A files_writer of verdicts.
int verdicts_write(const void *v, const char *path);
// For people. false: there was nothing to say.
bool verdicts_print(const verdicts *v, FILE *out);

// A question and its answer, as a row and in words.
typedef struct {
    const question *q;
    const finding *f;
    size_t cores;
    char why[2 * TABLES_MESSAGE]; // the reason, in a sentence or two
    char variant[72];             // that is asked about, without its twin with the other stores
    char threads[24];
} verdict_row;
static inline column_value value_asked(const verdict_row *r, const char *column) {
    return value_text(row_text(r->q->row, column));
}
static inline column_value value_found(const verdict_row *r, const char *column) {
    return value_text(row_text(r->f->subject, column));
}
static inline column_value value_peer(const verdict_row *r, const char *column) {
    return value_text(row_text(r->f->peer.row, column));
}

// What the list of a table of questions looks like.
typedef struct {
    const column_table *table;
    void (*prepare)(verdict_row *r);           // sets what a row has in words; NULL: nothing
    const char *(*heading)(const question *q); // above what is found of it, once; NULL: none
    bool says_missing;                         // also says what was not measured
    bool together;                             // its verdicts are also told together (verdicts.h)
    void (*print)(FILE *out, const verdict_row *r);
    void (*end)(FILE *out, const verdicts *v, const size_t count[VERDICTS]); // below it; NULL: nothing
} verdict_list;
extern const verdict_list verdict_claims, verdict_goals, verdict_questions;

// Columns that tables of questions share, and that what is found of them begins with or ends in. What asks is no row of
// the program: people write those tables.
#define VERDICT_HOLDS_COLUMNS(X)                                                                                       \
    X(OPTIONAL, holds_lo, real, "{unit}", value_asked(r, "holds_lo"),                                                  \
      "It holds if the whole 95 % interval lies above this, where it is not empty,")                                   \
    X(OPTIONAL, holds_hi, real, "{unit}", value_asked(r, "holds_hi"),                                                  \
      "and below this. It does not hold if all of the interval lies outside. Else, and where an end is a bound, for "  \
      "digits are cut, nobody can tell.")
#define VERDICT_HERE_COLUMNS(X)                                                                                        \
    X(OPTIONAL, here, real, "{unit}", value_real(r->f->value.median, 6),                                               \
      "The value in this run; empty if it was not measured.")                                                          \
    X(OPTIONAL, here_lo, real, "{unit}", value_real(r->f->value.lo, 6), "Lower end of its 95 % interval.")             \
    X(OPTIONAL, here_hi, real, "{unit}", value_real(r->f->value.hi, 6), "Upper end of its 95 % interval.")
// PyTorch's own; what answers ends with it.
#define VERDICT_PEER_COLUMNS(X)                                                                                        \
    X(OPTIONAL, peer, name, NULL, value_peer(r, "system"),                                                             \
      "What of PyTorch stands beside it, from the peers.csv of `make peers`: pytorch_eager where the form runs op by " \
      "op, torch_compile where it is fused. Empty where that table has no such norms, shape, dtype, pass and "         \
      "threads.")                                                                                                      \
    X(OPTIONAL, peer_version, id, NULL, value_peer(r, "pytorch"), "Version of that PyTorch.")                          \
    X(OPTIONAL, peer_heap, name, NULL, value_peer(r, "heap"), "State of its heap, as in peers.csv.")                   \
    X(OPTIONAL, peer_here, real, "{unit}", value_real(r->f->peer.value.median, 6),                                     \
      "Its own value, of the norms alone, in the unit of column unit.")                                                \
    X(OPTIONAL, peer_lo, real, "{unit}", value_real(r->f->peer.value.lo, 6), "Lower end of its 95 % interval.")        \
    X(OPTIONAL, peer_hi, real, "{unit}", value_real(r->f->peer.value.hi, 6), "Upper end of its 95 % interval.")
#define VERDICT_WHICH_COLUMNS(X)                                                                                       \
    X(REQUIRED, subject, text, NULL, value_asked(r, "subject"),                                                        \
      "Which rows it is about: words column=value, where a value may be several, a|b; threads=cores is one for each "  \
      "core, data=L1, L2, L3 or memory the nearest that holds x and y.")                                               \
    X(OPTIONAL, baseline, text, NULL, value_asked(r, "baseline"),                                                      \
      "What it is held against, in the same run and conditions.")                                                      \
    X(REQUIRED, where, text, NULL, value_asked(r, "where"), "What both have in common.")

// Many findings of one run, taken together. Each interval of 95 % misses the truth once in twenty, so that
// of forty verdicts two are wrong where each alone has that right to be.
// Sets every finding's p_value, p_together and verdict_together: what can still be said if one wrong verdict among all
// of them is to be as rare as one was for each (Holm, 1979). The p-value is the interval's: its ends are taken for
// those of a normal distribution, 1.96 deviations from the middle, as tables hold no more of it.
void judge_together(findings *all);

// The level of one side of an interval of 95 %.
#define TOGETHER_LEVEL 0.025

#endif
