// SPDX-License-Identifier: MIT
// eager.c: the table of form `eager`; eager.h has the lists.
#include "eager.h"

// The sizes are those of locate(): two row vectors saved, one scratch.
#define IMPLS(T, D)                                                                                                    \
    NORM_IMPLS(T, D, D##_BYTES, "", affine, NORM_GAMMA, NORM_BETA),                                                    \
        NORM_IMPLS(T, D, D##_BYTES, "_noaffine", noaffine, 0, 0), DYT_IMPLS(D, u2, D##_BYTES),                         \
        DYT_IMPLS(D, libm, D##_BYTES),                                                                                 \
        WITH_MVEC(DYT_IMPLS(D, mvec, D##_BYTES), ) DYT_NOAFFINE_IMPL(D, u2, D##_BYTES),
#define NORM_IMPLS(T, D, e, suffix, A, gamma, beta)                                                                    \
    IMPL(NORM_LAYERNORM, "twopass" suffix, D, gamma | beta, LAYERNORM_FORWARD(T, D, e, A),                             \
         LAYERNORM_BACKWARD(T, D, e, A), 8, 16 + 2 * (e), 4, 32 + 2 * (e)),                                            \
        IMPL(NORM_RMSNORM, "std" suffix, D, gamma, RMSNORM_FORWARD(T, D, e, A), RMSNORM_BACKWARD(T, D, e, A), 8,       \
             12 + (e), 4, 32 + 2 * (e))
static const norm_impl impls[] = {NORM_EACH_DTYPE(IMPLS)};
NORM_TABLE(eager, impls);
