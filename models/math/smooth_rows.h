// SPDX-License-Identifier: MIT
// smooth_rows.h: the formulas of sine and softplus for pointwise_rows.c, which includes it after simd_math.h. Their
// constants are those of the series.
#ifndef SMOOTH_ROWS_H
#define SMOOTH_ROWS_H

// sin(x), or where `derivative` cos(x), for |x| < 2^12: within 2 units in the last place of 1, a NaN beyond where x is
// none. x = h pi + r, |r| <= pi / 2, h a whole number for the sine, and a half more for the cosine. pi is taken in
// parts of eight and ten bits and the rest, so that products with h are exact.
SIMD_INLINE vf sine(vf x, bool derivative) {
    const vf half = v_set1(derivative ? 0.5f : 0.0f), magic = v_set1(0x1.8p23f);
    const vf shifted = v_add(v_fma(x, v_set1(0x1.45f306dc9c883p-2f), half), magic);
    const vf h = v_sub(v_sub(shifted, magic), half);
    vf r = v_fnma(h, v_set1(0x1.92p1f), x);
    r = v_fnma(h, v_set1(0x1.fb4p-11f), r);
    r = v_fnma(h, v_set1(0x1.4442d18469899p-23f), r);
    // Its whole number is odd or not, by the lowest bit of what was shifted: times 3 - 2 * 2^1 or 3 - 2 * 2^0.
    const vf power = v_exp_scale(vi_and(v_bits(shifted), vi_set1(1)));
    r = v_mul(r, v_fnma(v_set1(2.0f), power, v_set1(3.0f)));
    const vf square = v_mul(r, r);
    vf p = v_fma(v_set1(0x1.6124613a86d09p-33f), square, v_set1(-0x1.ae64567f544e4p-26f));
    p = v_fma(p, square, v_set1(0x1.71de3a556c734p-19f));
    p = v_fma(p, square, v_set1(-0x1.a01a01a01a01ap-13f));
    p = v_fma(p, square, v_set1(0x1.1111111111111p-7f));
    p = v_fma(p, square, v_set1(-0x1.5555555555555p-3f));
    return v_fma(v_mul(p, square), r, r);
}

// log(1 + exp(x)) = max(x, 0) + log(1 + w), w = exp(-|x|); log(1 + w) = 2 artanh(s), s = w / (2 + w) <= 1/3, by its
// series to s^15. Derivative: the logistic function.
SIMD_INLINE vf softplus(vf x, bool derivative) {
    if (derivative)
        return v_sigmoid(x);
    const vf w = v_exp_u2(v_sub(v_zero(), v_abs(x))), s = v_div(w, v_add(v_set1(2.0f), w)), square = v_mul(s, s);
    vf p = v_fma(v_set1(1.0f / 15), square, v_set1(1.0f / 13));
    p = v_fma(p, square, v_set1(1.0f / 11));
    p = v_fma(p, square, v_set1(1.0f / 9));
    p = v_fma(p, square, v_set1(1.0f / 7));
    p = v_fma(p, square, v_set1(1.0f / 5));
    p = v_fma(p, square, v_set1(1.0f / 3));
    const vf artanh = v_fma(v_mul(p, square), s, s);
    return v_add(v_max(v_zero(), x), v_add(artanh, artanh));
}

#endif
