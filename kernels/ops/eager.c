// SPDX-License-Identifier: MIT
// eager.c: the table of form `eager`; eager.h has the lists.
#include "eager.h"

// The sizes are those of locate(): two row vectors saved, one scratch.
#define IMPLS(T, D)                                                                                                    \
    RMSNORM_IMPL(T, D, D##_BYTES, "", affine, NORM_GAMMA), RMSNORM_IMPL(T, D, D##_BYTES, "_noaffine", noaffine, 0),    \
        LAYERNORM_IMPLS(T, D, D##_BYTES), DYT_IMPLS(D, u2, D##_BYTES), DYT_IMPLS(D, libm, D##_BYTES),                  \
        WITH_MVEC(DYT_IMPLS(D, mvec, D##_BYTES), ) DYT_NOAFFINE_IMPL(D, u2, D##_BYTES),
#define LAYERNORM_IMPLS(T, D, e)                                                                                       \
    IMPL(NORM_LAYERNORM, "twopass", "", D, NORM_GAMMA | NORM_BETA, LAYERNORM_FORWARD(T, D, e),                         \
         LAYERNORM_BACKWARD(T, D, e), 8, 16 + 2 * (e), 4, 32 + 2 * (e)),                                               \
        IMPL(NORM_LAYERNORM, "twopass", "_nobeta", D, NORM_GAMMA, LAYERNORM_FORWARD_NOBETA(T, D, e),                   \
             LAYERNORM_BACKWARD_NOBETA(T, D, e), 8, 16 + 2 * (e), 4, 32 + 2 * (e)),                                    \
        IMPL(NORM_LAYERNORM, "twopass", "_noaffine", D, 0, LAYERNORM_FORWARD_NOAFFINE(T, D, e),                        \
             LAYERNORM_BACKWARD_NOAFFINE(T, D, e), 8, 16 + 2 * (e), 4, 32 + 2 * (e))
#define RMSNORM_IMPL(T, D, e, suffix, A, which)                                                                        \
    IMPL(NORM_RMSNORM, "std", suffix, D, which, RMSNORM_FORWARD(T, D, e, A), RMSNORM_BACKWARD(T, D, e, A), 8,          \
         12 + (e), 4, 32 + 2 * (e))
static const norm_impl impls[] = {NORM_EACH_DTYPE(IMPLS)};
NORM_TABLE(eager, impls);
