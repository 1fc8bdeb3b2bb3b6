// SPDX-License-Identifier: MIT
// sigmoid: y = gamma sigmoid(alpha x) + beta, sigmoid(z) = 1 / (1 + exp(-z)), f' = f (1 - f).
//
// With e = exp(-|z|) = 2^n (1 + m), sigmoid is 1 / (1 + e) for z >= 0 and e / (1 + e) below: e is at most 1, so nothing
// overflows, and small results keep their relative accuracy. e itself is never rounded.
// Below exp(-87), just above the smallest normal number, sigmoid is zero. Variant `u3`: at
// most 3 ulp; measured 1.96 with an FMA, 2.13 without.
#define OP NORM_SIGMOID
#define PARAMS (NORM_GAMMA | NORM_BETA | NORM_ALPHA)
#include "squash.h"

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    (void)spec;
    const vf one = v_set1(1.0f), least = v_set1(-87.0f);
    vi shifted;
    const vf m = v_exp_parts(v_max(least, v_sub(v_zero(), v_abs(z))), &shifted);
    const vf scale = v_exp_scale(shifted);
    const vf q = v_div(one, v_fma(scale, m, v_add(scale, one)));
    const vf part = v_mul(scale, q); // exact: q is 1 before a power of two could take it below the normal numbers
    const vf below = v_select(v_less(z, least), v_zero(), v_fma(part, m, part));
    const vf s = v_select(v_less(z, v_zero()), below, q); // a NaN is not less than zero, and its q is a NaN
    if (slope != NULL)
        *slope = v_mul(s, v_sub(one, s));
    return s;
}

#define VARIANTS(X, name, DTYPE) NORM_VARIANTS(X, name, DTYPE, u3, 0)
#define STREAMED(X, name, DTYPE) X(name, DTYPE, u3, , PARAMS, 0)
NORM_FUSED_TABLE(sigmoid);
