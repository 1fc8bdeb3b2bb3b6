// SPDX-License-Identifier: MIT
// hardtanh: y = gamma min(1, max(-1, alpha x)) + beta. f' is 1 inside the interval, 0 outside and at its ends, and NaN
// at a NaN, so that one in x is one in dx.
#define OP NORM_HARDTANH
#define PARAMS (NORM_GAMMA | NORM_BETA | NORM_ALPHA)
#include "squash.h"

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    (void)spec;
    const vf one = v_set1(1.0f);
    if (slope != NULL) { // a ramp from 0 at 1 to 1 at the float below it
        const vf steep = v_set1(0x1p24f);
        *slope = v_min(one, v_max(v_zero(), v_fnma(v_abs(z), steep, steep)));
    }
    return v_min(one, v_max(v_set1(-1.0f), z)); // z last: v_min and v_max keep a NaN of their second argument
}

#define VARIANTS(X, name, DTYPE) NORM_VARIANTS(X, name, DTYPE, std, 0)
#define STREAMED(X, name, DTYPE) X(name, DTYPE, std, , PARAMS, 0)
NORM_FUSED_TABLE(hardtanh);
