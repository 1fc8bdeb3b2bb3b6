// SPDX-License-Identifier: MIT
// framework_run.h: what the stages of form framework and those that run them have in common: the tensors that
// operations allocate.
#ifndef FRAMEWORK_RUN_H
#define FRAMEWORK_RUN_H

#include <stddef.h>

#include "norm.h"

// By what they hold, as eager.h names them. MADE_RESULT: y or dx. Of those that are freed together, the first one
// first, as PyTorch frees them.
typedef enum {
    MADE_NOTHING,
    MADE_HALF,
    MADE_CUBE,
    MADE_ROW,
    MADE_SHIFTED, // the mean square with eps
    MADE_ROOT,
    MADE_SQUARE,
    MADE_SCALED,
    MADE_WEIGHTED,
    MADE_Q,
    MADE_PRODUCT,
    MADE_P2,
    MADE_P1,
    MADE_SPREAD,
    MADE_DH,
    MADE_DH32,
    MADE_D1,
    MADE_D2,
    MADE_H,
    MADE_T,
    MADE_NORMED,
    MADE_STATS, // of each row: rstd; of layernorm mean and rstd
    MADE_X32,
    MADE_MEAN,
    MADE_RESULT,
    MADE_DGAMMA, // gradients of parameters stand in the caller's buffers: theirs are allocated, and not written
    MADE_DBETA,
    MADE_TENSORS
} norm_tensor;
#define MADE(tensor) (1u << MADE_##tensor)

// What a stage's args->workspace points to. The first two are also what a forward leaves in norm_args.saved.
enum { MADE_HEADS = 3 }; // framework_run.c
typedef struct {
    void *at[MADE_TENSORS], *heads[MADE_TENSORS][MADE_HEADS];
    void *scratch; // the caller's workspace
    size_t slices; // of the last operation on the whole tensor
} norm_made;
#define MADE_SAVED offsetof(norm_made, scratch)

// times: of each stage of the pass, or NULL.
norm_error framework_run(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads,
                         norm_operation *times);

#endif
