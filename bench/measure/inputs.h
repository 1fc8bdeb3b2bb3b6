// SPDX-License-Identifier: MIT
// inputs.h: the named, seeded distributions that tensors are filled from. Owns the one list of them.
#ifndef INPUTS_H
#define INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtype.h"

// X(ID, name, meaning)
#define INPUT_LIST(X)                                                                                                  \
    X(ACTIVATIONS, activations, "normal, deviation per token 0.5 to 2, 1 % of the channels 20 to 60 times larger")     \
    X(NORMAL, normal, "normal, mean 0, deviation 1")                                                                   \
    X(SYMMETRIC, symmetric, "pairs of dyadic values around an exact dyadic mean: every sum is exact in any order")     \
    X(OFFSET, offset, "mean 10000, deviation 1")                                                                       \
    X(CONSTANT, constant, "every element of a row the same value")                                                     \
    X(ZERO, zero, "zeros of both signs")                                                                               \
    X(DENORMAL, denormal, "below the smallest normal number of the dtype, both signs")                                 \
    X(LARGE, large, "just inside the supported range: |x| * sqrt(cols) near 1e19, or in f16 half its largest")         \
    X(SWEEP, sweep, "evenly spaced over +-20: through the S of tanh into saturation at alpha 0.5 and up")              \
    X(EQUAL, equal, "every row the same, of two numbers with long significands")                                       \
    X(MASSIVE, massive, "normal, deviation 0.5, and one activation of 3000 in each row")                               \
    X(TINY, tiny, "1e-34 to 1e-22 by rows, whose squares no float holds; eps is zero")                                 \
    X(HUGE, huge, "1e21 to 1e35 by rows, whose squares no float holds")

#define INPUT_ROW(ID, ...) INPUT_##ID,
typedef enum { INPUT_LIST(INPUT_ROW) INPUTS } input_kind;
#undef INPUT_ROW
const char *input_name(input_kind kind);

// Fills rows [begin, end) of a (rows, cols) matrix. A row's values depend on (kind, seed, row, cols) alone, so any
// split of the rows over threads gives the same matrix. Elements between cols and stride are not touched.
void inputs_fill(input_kind kind, norm_dtype dtype, void *data, size_t cols, size_t stride, size_t begin, size_t end,
                 uint64_t seed);

// The distribution of dy that goes with one of x: the same where that keeps sums exact, everything small or every row
// alike, else normal.
input_kind inputs_gradient(input_kind kind);

// The distribution of branch, which form add_fused adds to x: the same, unless that would take from the sum what is
// special about x.
input_kind inputs_branch(input_kind kind);

// Sets alpha, shift and eps for a check, by its seed: alphas and shifts of both signs, which bf16 can hold, and the
// usual epsilons, or what the kind needs.
void inputs_scalars(input_kind kind, uint64_t seed, norm_args *args);

// Whether an implementation is asked for right results: some kinds need what norm.h promises of its own alone.
bool inputs_suit(input_kind kind, const norm_impl *impl);

#endif
