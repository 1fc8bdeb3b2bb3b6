// SPDX-License-Identifier: MIT
// verdicts.h: what the judge found, as a table and in words: for each table of questions a list of its own.
#ifndef VERDICTS_H
#define VERDICTS_H

#include <stdio.h>

#include "judge.h"

// X(ID, name, its table, runs that one judgement may be of, what it says)
#define VERDICT_TABLE_LIST(X)                                                                                          \
    X(CLAIMS, claims, "claims.csv", 1, "which published claims about speed hold in a run of layers and kernels")       \
    X(GOALS, goals, "goals.csv", VERDICT_MOST_RUNS,                                                                    \
      "what the kernels reach of their goals, in two thirds of several runs of make limits")                           \
    X(QUESTIONS, questions, "questions.csv", 1, "where DyT wins in a run of kernels: what its summary ends with")
enum { VERDICT_MOST_RUNS = 64 };
#define VERDICT_TABLE_ROW(ID, ...) VERDICT_TABLE_##ID,
typedef enum { VERDICT_TABLE_LIST(VERDICT_TABLE_ROW) VERDICT_TABLES } verdict_table;
#undef VERDICT_TABLE_ROW

typedef struct {
    verdict_table of;
    questions asked;
    finding *found;     // of each question
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

// What the list of a table of questions looks like.
typedef struct {
    const char *const *columns; // NULL at the end
    void (*write)(csv_writer *w, const verdicts *v, const question *q, const finding *f);
    const char *title; // above it; NULL: none
    bool says_missing; // also says what was not measured
    void (*print)(FILE *out, const verdicts *v, const question *q, const finding *f);
    void (*end)(FILE *out, const verdicts *v, const size_t count[VERDICTS]); // below it; NULL: nothing
} verdict_list;
extern const verdict_list verdict_claims, verdict_goals, verdict_questions;

#endif
