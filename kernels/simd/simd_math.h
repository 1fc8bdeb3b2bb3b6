// SPDX-License-Identifier: MIT
// simd_math.h: elementary functions over the vector vocabulary, the accuracy in the name: _u2 is at most 2 units in the
// last place of f32 over every float; exp's where the result is a normal number. Constants: scripts/simd_math.py.
#ifndef SIMD_MATH_H
#define SIMD_MATH_H

#include <math.h>

#include "simd.h"
#include "simd_math_table.h"

// exp(x) = 2^n (1 + e): returns e, and n, an integer, in the low bits of *shifted. For |x| < 2^15; a NaN gives a NaN.
// Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits, from where it becomes an exponent.
SIMD_INLINE vf v_exp_parts(vf x, vi *shifted) {
    const vf magic = v_set1(0x1.8p23f);
    const vf rounded = v_fma(x, v_set1(EXP_LOG2_E), magic);
    const vf n = v_sub(rounded, magic);
#if SIMD_FMA
    const vf r = v_fnma(n, v_set1(EXP_LN2_LOW), v_fnma(n, v_set1(EXP_LN2_HIGH), x));
#else
    const vf r = v_fnma(n, v_set1(EXP_LN2_REST), v_fnma(n, v_set1(EXP_LN2_SHORT), x));
#endif
    vf q = v_fma(v_set1(EXP_Q4), r, v_set1(EXP_Q3));
    q = v_fma(q, r, v_set1(EXP_Q2));
    q = v_fma(q, r, v_set1(EXP_Q1));
    q = v_fma(q, r, v_set1(EXP_Q0));
    *shifted = v_bits(rounded);
    return v_fma(v_mul(q, r), r, r);
}
// 2^n, -126 <= n <= 127, and zero for n = -127.
SIMD_INLINE vf v_exp_scale(vi shifted) { return v_float(vi_shl23(vi_add(shifted, vi_set1(127)))); }

// 0 where the result would be below the smallest normal number, infinity where it would be above the largest; NaN kept.
// n is added to the exponent of 1 + e: as a factor, 2^n would be infinite for the largest results, n = 128. Lanes out
// of range hold anything until the selections.
SIMD_INLINE vf v_exp_u2(vf x) {
    vi shifted;
    const vf e = v_exp_parts(x, &shifted);
    const vf y = v_float(vi_add(v_bits(v_add(e, v_set1(1.0f))), vi_shl23(shifted)));
    // x + infinity is infinity, or NaN: which is why the comparison asks for what is in range.
    const vf high = v_select(v_less(x, v_set1(EXP_BEYOND)), y, v_add(x, v_set1(INFINITY)));
    return v_select(v_less(x, v_set1(EXP_LOWEST)), v_zero(), high);
}

#ifdef SIMD_LOOKUP32

// An odd function by a lookup with the upper bits of |x| + offset, then degree 4 about the interval's centre: 16
// instructions, where two formulas take 27 and a division (tanh) or 33 (erf). The sum's rounding may pick the neighbour
// of the right interval at a cut, where both hold. A NaN passes the clamp, for v_min keeps its second argument.
SIMD_INLINE vf v_odd_polynomial(const odd_lookup *k, vi slot, vf d, vf x) {
    vf t = v_lookup32(slot, k->c4);
    t = v_fma(t, d, v_lookup32(slot, k->c3));
    t = v_fma(t, d, v_lookup32(slot, k->c2));
    t = v_fma(t, d, v_lookup32(slot, k->c1));
    t = v_fma(t, d, v_lookup32(slot, k->c0));
    return v_float(vi_xor(v_bits(t), v_sign(x)));
}
SIMD_INLINE vf v_odd_lookup(const odd_lookup *k, vf x) {
    const vf a = v_min(v_set1(k->last), v_abs(x));
    const vi slot = vi_shr20(v_bits(v_add(a, v_set1(k->offset))));
    return v_odd_polynomial(k, slot, v_sub(a, v_lookup32(slot, k->centre)), x);
}
// Measured over every float: 1.06 ulp. With c0 and c1 the function and its slope at the centre, instead of fitted with
// the rest, 1.37.
SIMD_INLINE vf v_tanh_u2(vf x) { return v_odd_lookup(&tanh_lookup, x); }
// 1.9 ulp, near zero, where c1, rounded, is all there is.
SIMD_INLINE vf v_erf_u2(vf x) { return v_odd_lookup(&erf_lookup, x); }

// Enough for a result that is rounded to bf16 next, at most 0.55 ulp of it, and for nothing else: exact about zero only
// to 2^-12 relative. Three lookups and degree 2, clamped where it is 1 in bf16; a NaN passes as in v_odd_lookup. By the
// rational of the other levels, whose division takes long, dyt took 1.3 times as long on Granite Rapids, and 0.92 to
// 1.01 on Zen 4.
SIMD_INLINE vf v_coarse_lookup(const coarse_lookup *k, vf x) {
    const vf a = v_min(v_set1(k->last), v_abs(x));
    const vi slot = v_bits(v_fma(a, v_set1(k->steps), v_set1(0x1.8p23f)));
    const vf t = v_fma(v_lookup32(slot, k->c2), a, v_lookup32(slot, k->c1));
    return v_float(vi_xor(v_bits(v_fma(t, a, v_lookup32(slot, k->c0))), v_sign(x)));
}
SIMD_INLINE vf v_tanh_lp(vf x) { return v_coarse_lookup(&tanh_coarse_lookup, x); }

// tanh(alpha x) by lookups with x itself, a multiplication less for each vector. False where alpha, its inverse or its
// square might leave the range of normal numbers: at zero, too.
SIMD_INLINE bool alpha_folds(float alpha) { return fabsf(alpha) >= 0x1p-40f && fabsf(alpha) <= 0x1p40f; }

// |alpha| x is part of two multiply-adds, so that it is never rounded. The sign of alpha is the table's.
typedef struct {
    float last, size;
    const odd_lookup *table;
    odd_lookup negated;
} tanh_u2_folded;
SIMD_INLINE bool tanh_u2_fold(float alpha, tanh_u2_folded *out) {
    const odd_lookup *const k = &tanh_lookup;
    if (!alpha_folds(alpha))
        return false;
    out->size = fabsf(alpha);
    out->last = k->last / out->size;
    out->table = k;
    if (alpha < 0) {
        out->table = &out->negated;
        out->negated.offset = k->offset;
        for (size_t i = 0; i < sizeof k->c0 / sizeof *k->c0; i += SIMD_WIDTH) {
            v_store(out->negated.centre + i, v_load(k->centre + i));
            v_store(out->negated.c0 + i, v_sub(v_zero(), v_load(k->c0 + i)));
            v_store(out->negated.c1 + i, v_sub(v_zero(), v_load(k->c1 + i)));
            v_store(out->negated.c2 + i, v_sub(v_zero(), v_load(k->c2 + i)));
            v_store(out->negated.c3 + i, v_sub(v_zero(), v_load(k->c3 + i)));
            v_store(out->negated.c4 + i, v_sub(v_zero(), v_load(k->c4 + i)));
        }
    }
    return true;
}
SIMD_INLINE vf v_tanh_u2_folded(const tanh_u2_folded *folded, vf x) {
    const odd_lookup *const k = folded->table;
    const vf a = v_min(v_set1(folded->last), v_abs(x)), size = v_set1(folded->size);
    const vi slot = vi_shr20(v_bits(v_fma(a, size, v_set1(k->offset))));
    return v_odd_polynomial(k, slot, v_fms(a, size, v_lookup32(slot, k->centre)), x);
}

// The constants are multiplied by what they belong to, each rounded once more.
typedef coarse_lookup tanh_lp_folded;
SIMD_INLINE bool tanh_lp_fold(float alpha, tanh_lp_folded *out) {
    const coarse_lookup *const k = &tanh_coarse_lookup;
    const float size = fabsf(alpha);
    if (!alpha_folds(alpha))
        return false;
    out->last = k->last / size;
    out->steps = k->steps * size;
    const vf sign = v_set1(copysignf(1.0f, alpha)), first = v_set1(alpha), second = v_set1(alpha * size);
    for (size_t i = 0; i < sizeof k->c0 / sizeof *k->c0; i += SIMD_WIDTH) {
        v_store(out->c0 + i, v_mul(v_load(k->c0 + i), sign));
        v_store(out->c1 + i, v_mul(v_load(k->c1 + i), first));
        v_store(out->c2 + i, v_mul(v_load(k->c2 + i), second));
    }
    return true;
}
SIMD_INLINE vf v_tanh_lp_folded(const tanh_lp_folded *k, vf x) { return v_coarse_lookup(k, x); }

#else

// Two formulas, both computed, one kept:
//   |x| < TANH_CUT    x + x^3 P(x^2): the leading term is exact, so the rest may be rounded coarsely;
//   otherwise         1 - 2 / (exp(2|x|) + 1), whose subtraction cannot cancel since the quotient is at most 1/2.
// An error of exp counts for at most a third of itself, and for less as |x| grows, so exp needs neither its degree 6
// nor ln 2 in two parts. Beyond 10 the quotient is below half an ulp of 1 and the result is exactly 1: never above,
// whatever the rounding. A NaN passes the clamp (v_min keeps its second argument), fails the comparison and comes out
// of the second formula. Rejected: expm1(2x) / (expm1(2x) + 2), one formula for all x, but 3.6 ulp; a rational, x
// P(x^2) / Q(x^2), 4.6 ulp and above 1 before saturation; exp's polynomial by Estrin's scheme, no faster. Measured over
// every float: 1.46 ulp with an FMA, 1.50 without.
SIMD_INLINE vf v_tanh_u2(vf x) {
    const vf a = v_min(v_set1(10.0f), v_abs(x)), one = v_set1(1.0f);

    const vf s = v_mul(a, a);
    vf p = v_fma(v_set1(TANH_P4), s, v_set1(TANH_P3));
    p = v_fma(p, s, v_set1(TANH_P2));
    p = v_fma(p, s, v_set1(TANH_P1));
    p = v_fma(p, s, v_set1(TANH_P0));
    const vf small = v_fma(v_mul(p, s), a, a);

    // exp(2a) = 2^n exp(2r), n in the low bits of `shifted`. 2^n multiplies: added to the exponent it could make a
    // number of a NaN.
    const vf magic = v_set1(0x1.8p23f);
    const vf shifted = v_fma(a, v_set1(TANH_2_LOG2_E), magic);
    const vf r = v_fnma(v_sub(shifted, magic), v_set1(TANH_HALF_LN2), a);
    vf q = v_fma(v_set1(TANH_Q5), r, v_set1(TANH_Q4));
    q = v_fma(q, r, v_set1(TANH_Q3));
    q = v_fma(q, r, v_set1(TANH_Q2));
    q = v_fma(q, r, v_set1(TANH_Q1));
    q = v_fma(q, r, one);
    const vf divisor = v_fma(v_exp_scale(v_bits(shifted)), q, one);
    const vf large = v_sub(one, v_div(v_set1(2.0f), divisor));

    return v_with_sign(v_select(v_less(a, v_set1(TANH_CUT)), small, large), v_sign(x));
}

// Two formulas, both computed, one kept:
//   |x| < 15/16    x + x P(x^2): the leading term is exact;
//   otherwise      1 - exp(|x| Q(|x|) - |x|), exp at most 0.19, so its errors count for a quarter.
// Beyond 4 exp is below half an ulp of 1 and the result is exactly 1. A NaN passes as in v_tanh_u2.
SIMD_INLINE vf v_erf_u2(vf x) {
    const vf a = v_min(v_set1(ERF_LAST), v_abs(x));

    const vf s = v_mul(a, a);
    vf p = v_fma(v_set1(ERF_P5), s, v_set1(ERF_P4));
    p = v_fma(p, s, v_set1(ERF_P3));
    p = v_fma(p, s, v_set1(ERF_P2));
    p = v_fma(p, s, v_set1(ERF_P1));
    p = v_fma(p, s, v_set1(ERF_P0));
    const vf small = v_fma(p, a, a);

    vf q = v_fma(v_set1(ERF_Q6), a, v_set1(ERF_Q5));
    q = v_fma(q, a, v_set1(ERF_Q4));
    q = v_fma(q, a, v_set1(ERF_Q3));
    q = v_fma(q, a, v_set1(ERF_Q2));
    q = v_fma(q, a, v_set1(ERF_Q1));
    q = v_fma(q, a, v_set1(ERF_Q0));
    vi shifted;
    const vf expm1 = v_exp_parts(v_fma(q, a, v_sub(v_zero(), a)), &shifted);
    const vf scale = v_exp_scale(shifted);
    // 1 - 2^n is exact, n >= -24.
    const vf large = v_fnma(scale, expm1, v_sub(v_set1(1.0f), scale));

    return v_with_sign(v_select(v_less(a, v_set1(ERF_CUT)), small, large), v_sign(x));
}

// As accurate as v_tanh_lp by lookup above: an odd rational, clamped where it is 1 in bf16. A NaN passes both clamps.
SIMD_INLINE vf v_tanh_lp(vf x) {
    const vf z = v_max(v_set1(-TANH_LP_LAST), v_min(v_set1(TANH_LP_LAST), x));
    const vf s = v_mul(z, z);
    const vf p = v_fma(v_set1(TANH_LP_P1), s, v_set1(TANH_LP_P0));
    const vf q = v_fma(v_fma(v_set1(TANH_LP_Q2), s, v_set1(TANH_LP_Q1)), s, v_set1(1.0f));
    return v_div(v_mul(z, p), q);
}

// Formulas have no use for a folded alpha.
typedef struct {
    vf alpha;
} tanh_u2_folded, tanh_lp_folded;
SIMD_INLINE bool tanh_u2_fold(float alpha, tanh_u2_folded *out) {
    out->alpha = v_set1(alpha);
    return true;
}
SIMD_INLINE bool tanh_lp_fold(float alpha, tanh_lp_folded *out) { return tanh_u2_fold(alpha, out); }
SIMD_INLINE vf v_tanh_u2_folded(const tanh_u2_folded *k, vf x) { return v_tanh_u2(v_mul(k->alpha, x)); }
SIMD_INLINE vf v_tanh_lp_folded(const tanh_lp_folded *k, vf x) { return v_tanh_lp(v_mul(k->alpha, x)); }

#endif

// What one gets without effort: a call of libm for each lane.
SIMD_INLINE vf v_tanh_libm(vf x) {
    float lanes[SIMD_WIDTH];
    v_store(lanes, x);
    for (size_t k = 0; k < SIMD_WIDTH; k++)
        lanes[k] = tanhf(lanes[k]);
    return v_load(lanes);
}

#endif
