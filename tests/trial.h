// SPDX-License-Identifier: MIT
// trial.h: one guarded, verified run of an implementation, forward and then backward: what test_kernels does to the
// real ones and test_broken to broken ones.
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard.h"
#include "measure/inputs.h"
#include "measure/verify.h"
#include "norm.h"

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
    uint64_t seed;
} trial;

// Zero-initialised before the first trial and shared by all.
typedef struct {
    guard_buffer x, y, dy, dx, branch, sum, dsum, gamma, beta, dgamma, dbeta, dalpha, dshift, saved, workspace;
} trial_buffers;

enum { TRIAL_TEXT = 512 };

// The trial as one word, which trial_parse reads back: the reproducer.
void trial_print(const trial *t, char text[TRIAL_TEXT]);
bool trial_parse(const char *text, trial *t);

// false, with the reason in `why`, if anything is wrong: an error code, a value out of its bound, a dead canary, a
// changed input. *result holds the errors of this trial alone.
bool trial_run(const norm_impl *impl, const trial *t, trial_buffers *b, verify_result *result, char why[TRIAL_TEXT]);

void trial_close(trial_buffers *b);

#endif
