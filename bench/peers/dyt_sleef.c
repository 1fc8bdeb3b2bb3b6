// SPDX-License-Identifier: MIT
// dyt_sleef.c: our DyT with SLEEF's tanh: what is left of DyT's time when only the tanh is another's; see sleef_tanh.h.
#include "sleef_tanh.h"

#define OP NORM_DYT
#define PARAMS (NORM_GAMMA | NORM_BETA | NORM_ALPHA)
#include "ops/squash.h"

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    (void)spec;
    const vf t = v_tanh_sleef(z);
    if (slope != NULL)
        *slope = v_fnma(t, t, v_set1(1.0f));
    return t;
}

#define VARIANTS(X, name, DTYPE) X(name, DTYPE, sleef, , PARAMS, 0)
#define STREAMED(X, name, DTYPE)
NORM_FUSED_TABLE(dyt_sleef);
