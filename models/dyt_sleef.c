// SPDX-License-Identifier: MIT
// dyt_sleef.c: our DyT with SLEEF's tanh of at most 1 ulp, the most widely used vector tanh: what is left of DyT's time
// when only the tanh is another's. Compiled once per level that SLEEF has a vector of, and part of the program rather
// than of libnorm, whose callers so need no SLEEF; peers.c makes it known.
#include "simd.h"

// The sizes of <sleef.h>'s vectors, by name, for the function without a suffix would pick its instructions by itself.
#include <sleef.h>
#if SIMD_WIDTH == 16
#define TANH Sleef_tanhf16_u10avx512f
#elif SIMD_WIDTH == 8
#define TANH Sleef_tanhf8_u10avx2
#else
#define TANH Sleef_tanhf4_u10sse2
#endif

#define OP NORM_DYT
#define PARAMS (NORM_GAMMA | NORM_BETA | NORM_ALPHA)
#define ALGORITHMS(X, DTYPE) X(0, DTYPE)
#include "squash.h"

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    (void)spec;
    const vf t = TANH(z);
    if (slope != NULL)
        *slope = v_fnma(t, t, v_set1(1.0f));
    return t;
}

#define VARIANTS(X, name, DTYPE) X(name, DTYPE, sleef, PARAMS, 0)
#define STREAMED(X, name, DTYPE)
NORM_FUSED_TABLE(dyt_sleef);
