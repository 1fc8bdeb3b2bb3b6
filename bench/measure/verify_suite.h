// SPDX-License-Identifier: MIT
// verify_suite.h: holds many implementations against the double reference, over shapes, thread counts and inputs of
// every kind; what `normbench verify` runs.
#ifndef VERIFY_SUITE_H
#define VERIFY_SUITE_H

#include <stdbool.h>

#include "base/progress.h"
#include "inputs.h"
#include "plan/cell.h"
#include "plan/cli.h"
#include "verify.h"

// The worst that was seen of one output, and in which case.
typedef struct {
    verify_worst worst;
    input_kind kind;
    size_t rows, cols;
} suite_finding;

typedef struct {
    const norm_impl *impl;
    const char *missing; // the feature that this CPU lacks; NULL: it was checked
    bool complained;
    bool ended; // it ended the process that tried it, and is tried no more
    suite_finding outputs[NORM_OUTPUTS];
} suite_item;

typedef struct {
    const cli_command *command;
    selection selection;
    uint64_t seed;
    topology *topology;
    suite_item *items;
    cell *cells; // room for one of each item
    size_t count;
    progress progress;
    double elements; // checked so far
    bool foreign;    // the turn of kernels of others, in a process of their own (foreign_run)
    int tell;        // whose parent hears this
} verify_suite;

// The pass that leaves an output, and whether an implementation leaves it.
norm_pass suite_pass_of(norm_output output);
bool suite_writes(const norm_impl *impl, norm_output output);

// Whether it is the item's turn: it can run here, and it is of others or not, as the suite's turn is.
bool suite_is_due(const verify_suite *v, size_t item);
// Finds an item wrong in every output, whatever it wrote, and says why.
void suite_condemn(verify_suite *v, size_t item, shape s, size_t threads, input_kind kind, const char *why);

// Fills items and cells from the selection. false, after a message, if that holds nothing that this CPU could check.
bool suite_take(verify_suite *v);
// Says so if a shape needs more memory than there is, before any is taken.
bool suite_fits(const verify_suite *v);
// Checks all of it. false, after a message, if something could not be checked.
bool suite_run(verify_suite *v);
void suite_free(verify_suite *v);

// The part of a suite that is kernels of others, in processes of their own: one that crashes, hangs
// or ends its process is found wrong, and the next process goes on without it.
// check: what such a process runs, with v->foreign set, which tells before each item (foreign_begin) that it begins,
// and behind it what is known of it by now (foreign_end). What it found stands in v's items afterwards. false, after a
// message: something could not be checked. To be called before the first team of threads, which a forked process would
// not have.
bool foreign_run(verify_suite *v, bool (*check)(verify_suite *v));
void foreign_begin(const verify_suite *v, size_t item, input_kind kind, shape s, size_t threads);
void foreign_end(const verify_suite *v, size_t item);

#endif
