// SPDX-License-Identifier: MIT
// framework_run.h: what the stages of form framework and those that run them have in common: the tensors that
// operations allocate.
#ifndef FRAMEWORK_RUN_H
#define FRAMEWORK_RUN_H

#include "norm.h"

// By what they hold, as eager.h names them. MADE_RESULT: y or dx.
typedef enum {
    MADE_NOTHING,
    MADE_X32,
    MADE_SQUARE,
    MADE_STATS, // of each row: rstd; of layernorm mean and rstd
    MADE_NORMED,
    MADE_H,
    MADE_SCALED,
    MADE_T,
    MADE_WEIGHTED,
    MADE_PRODUCT,
    MADE_DH,
    MADE_DH32,
    MADE_D1,
    MADE_Q,
    MADE_ROW,
    MADE_SPREAD,
    MADE_P1,
    MADE_P2,
    MADE_D2,
    MADE_RESULT,
    MADE_TENSORS
} norm_tensor;
#define MADE(tensor) (1u << MADE_##tensor)

// What a stage's args->workspace points to. The tensors are also what a forward leaves in norm_args.saved.
typedef struct {
    void *at[MADE_TENSORS];
    void *scratch; // the caller's workspace
    size_t slices; // of the last operation on the whole tensor
} norm_made;

norm_error framework_run(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads);

#endif
