// SPDX-License-Identifier: MIT
// hardtanh: y = gamma min(1, max(-1, alpha x)) + beta. f' is 1 inside the interval, 0 outside and at its ends.
#define OP NORM_HARDTANH
#define PARAMS (NORM_GAMMA | NORM_BETA | NORM_ALPHA)
#define ALGORITHMS(X, DTYPE) X(0, DTYPE)
#include "squash.h"

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    (void)spec;
    const vf one = v_set1(1.0f);
    if (slope != NULL)
        *slope = v_select(v_less(v_abs(z), one), one, v_zero());
    return v_min(one, v_max(v_set1(-1.0f), z)); // z last: v_min and v_max keep a NaN of their second argument
}

#define VARIANTS(X, name, DTYPE) SQUASH_VARIANTS(X, name, DTYPE, std, 0)
#define STREAMED(X, name, DTYPE) X(name, DTYPE, std, PARAMS, 0)
NORM_FUSED_TABLE(hardtanh);
