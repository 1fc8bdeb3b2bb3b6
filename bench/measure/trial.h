// SPDX-License-Identifier: MIT
// trial.h: one guarded, verified run of an implementation, forward and then backward: what is done to kernels of others
// before they are timed (verify_cell.h), by test_kernels to ours and by test_broken to broken ones.
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard.h"
#include "inputs.h"
#include "norm.h"
#include "verify.h"

// Which outputs lie over inputs, of the ways that norm.h allows. IN_PLACE: y over x, dx over dy; in form add_fused sum
// over x and y over branch, as serving engines do it. SWAPPED, in form add_fused: sum over branch, y over x, dx over
// dsum.
typedef enum { TRIAL_APART, TRIAL_IN_PLACE, TRIAL_SWAPPED, TRIAL_OVERLAPS } trial_overlap;

typedef struct {
    input_kind kind;
    size_t rows, cols;
    size_t gap; // elements between rows; other strides are a little larger, unless in place
    guard_place place;
    size_t misalign; // bytes off a 64-byte boundary; see guard_put
    int threads;
    trial_overlap overlap;
    bool specials;     // NaN and both infinities strewn over x
    bool forward_only; // without a saved buffer
    bool ends_forward; // forward alone, but with one
    uint64_t seed;
} trial;

// What inputs and the references of a trial depend on, beside the trial: not level, variant or form, add_fused aside.
typedef struct {
    norm_op op;
    unsigned params;
    norm_dtype dtype;
    bool adds;
} trial_subject;
trial_subject trial_subject_of(const norm_impl *impl);
// An order: 0 if they are the same.
int trial_subject_compare(trial_subject a, trial_subject b);

// Zero-initialised before the first trial and shared by all. Where the next trial is of the same subject, and the same
// but for threads, its inputs lie there already, and its results are held against the same references.
typedef struct {
    guard_buffer x, y, dy, dx, branch, sum, dsum, gamma, beta, dgamma, dbeta, dalpha, dshift, saved, workspace;
    bool holds[NORM_PASSES]; // inputs and reference of a pass, of this trial and subject
    trial held;
    trial_subject subject;
    verify_reference *reference[NORM_PASSES];
    unsigned char *held_sum; // add_fused: the sum that the references are of
} trial_buffers;

enum { TRIAL_TEXT = 512 };

// false, with the reason in `why`, if anything is wrong: an error code, a value out of its bound, a dead canary, a
// changed input. *result holds the errors of this trial alone.
bool trial_run(const norm_impl *impl, const trial *t, trial_buffers *b, verify_result *result, char why[TRIAL_TEXT]);

void trial_close(trial_buffers *b);

#endif
