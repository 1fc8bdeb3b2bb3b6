// SPDX-License-Identifier: MIT
// dyt_svml.c: our DyT with SVML's tanhs, one variant per class of accuracy; see svml_tanh.h.
#include "svml_tanh.h"

#define OP NORM_DYT
#define PARAMS (NORM_GAMMA | NORM_BETA | NORM_ALPHA)
#include "ops/squash.h"

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    enum { WIDTH = SIMD_WIDTH == 16 ? 2 : SIMD_WIDTH == 8 ? 1 : 0 };
    const vf t = ((vf(*)(vf))svml_tanh[WIDTH][spec.algorithm])(z);
    if (slope != NULL)
        *slope = v_fnma(t, t, v_set1(1.0f));
    return t;
}

#define VARIANTS(X, name, DTYPE)                                                                                       \
    X(name, DTYPE, svml_ha, , PARAMS, SVML_HA)                                                                         \
    X(name, DTYPE, svml_la, , PARAMS, SVML_LA)                                                                         \
    X(name, DTYPE, svml_ep, , PARAMS, SVML_EP)                                                                         \
    X(name, DTYPE, svml_cr, , PARAMS, SVML_CR)
#define STREAMED(X, name, DTYPE)
NORM_FUSED_TABLE(dyt_svml);
