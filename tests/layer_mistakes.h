// SPDX-License-Identifier: MIT
// layer_mistakes.h: which mistakes of a reference a comparison of which layers must notice.
#ifndef LAYER_MISTAKES_H
#define LAYER_MISTAKES_H

#include "layer_reference.h"

typedef struct {
    mistake mistake;
    const char *shape; // of odd.h
    norm_op op;
    // train, but where only a cache shows it: all that RoPE lets through are differences of positions
    model_phase phase;
} mistake_case;
extern const mistake_case mistake_cases[];
extern const size_t mistake_case_count;

#endif
