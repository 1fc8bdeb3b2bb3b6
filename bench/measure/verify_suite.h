// SPDX-License-Identifier: MIT
// verify_suite.h: holds many implementations against the double reference, over shapes, thread counts and inputs of
// every kind; what `normbench verify` runs.
#ifndef VERIFY_SUITE_H
#define VERIFY_SUITE_H

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
} verify_suite;

// The pass that leaves an output, and whether an implementation leaves it.
norm_pass suite_pass_of(norm_output output);
bool suite_writes(const norm_impl *impl, norm_output output);

// Fills items and cells from the selection. false, after a message, if that holds nothing that this CPU could check.
bool suite_take(verify_suite *v);
// Says so if a shape needs more memory than there is, before any is taken.
bool suite_fits(const verify_suite *v);
// Checks all of it. false, after a message, if something could not be checked.
bool suite_run(verify_suite *v);
void suite_free(verify_suite *v);

#endif
