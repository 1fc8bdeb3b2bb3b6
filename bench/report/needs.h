// SPDX-License-Identifier: MIT
// needs.h: what has to be run for a published claim to be judged, and no more: one command of this program.
#ifndef NEEDS_H
#define NEEDS_H

#include "judge.h"
#include "results.h"

// The tokens of a language model's sequence, unless said: enough for products and norms to be what they are in a long
// prompt. The source had 4096, so that a claim is called scaled.
enum { NEEDS_TOKENS = 512 };
typedef struct {
    size_t tokens;
    const char *budget; // as typed; NULL: what the claim is given
} needs_sizes;

enum { NEEDS_COMMAND = 512, NEEDS_LACKS = 200 };
typedef struct {
    const question *asked;
    char command[NEEDS_COMMAND]; // what follows "normbench", a budget at its end
    size_t seconds;              // of the budget that a claim is given
    char lacks[NEEDS_LACKS];     // for which it cannot be judged here; "": it can
} claim_need;

typedef struct {
    questions asked;
    claim_need *items; // of each claim, in their order
    size_t count;
    const results *runs; // what runs of several machines say of them stands beside; the caller's
    size_t run_count;
} claim_needs;

// Of the program's own claims. only: the id of one of them, NULL: all. false with a message; of an unknown one, with
// those that are near.
bool claim_needs_make(claim_needs *n, const char *only, const needs_sizes *sizes, char message[TABLES_MESSAGE]);
void claim_needs_free(claim_needs *n);

// For people; what of: claim_needs.
void claim_needs_print(FILE *out, const void *what, bool markdown);

// What a run says of one claim, as `normbench judge claims` does. false: no memory.
bool claim_verdict_print(FILE *out, const claim_need *n, const run_tables *run, verdict *said);

#endif
