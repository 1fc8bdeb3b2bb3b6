// SPDX-License-Identifier: MIT
// isru, the inverse square root unit: y = gamma z / sqrt(1 + z^2) + beta, z = alpha x; f' = (1 + z^2)^(-3/2). DyISRU,
// sqrt(C) x / sqrt(x^2 + b), is the case of gamma = sqrt(C), alpha = 1 / sqrt(b).
#define OP NORM_ISRU
#define PARAMS (NORM_GAMMA | NORM_BETA | NORM_ALPHA)
#include "squash.h"

// |z| is held at 2^60, where f is 1 to the last bit since 2^12 and f' is zero since 2^50, so that its square is in
// range.
//
// A rounded sqrt(1 + z^2) is no smaller than |z|, so the quotient is never above 1; the product with the reciprocal, by
// which backward saves the second division, may be, by an ulp.
SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    (void)spec;
    const vf one = v_set1(1.0f);
    const vf held = v_min(v_set1(0x1p60f), v_max(v_set1(-0x1p60f), z));
    const vf root = v_sqrt(v_fma(held, held, one));
    if (slope == NULL)
        return v_div(held, root);
    const vf r = v_div(one, root);
    *slope = v_mul(r, v_mul(r, r));
    return v_mul(held, r);
}

#define VARIANTS(X, name, DTYPE) NORM_VARIANTS(X, name, DTYPE, std, 0)
#define STREAMED(X, name, DTYPE) X(name, DTYPE, std, , PARAMS, 0)
NORM_FUSED_TABLE(isru);
