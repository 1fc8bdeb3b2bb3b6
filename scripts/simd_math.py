#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes every constant of simd_math.h: prints kernels/simd/simd_math_table.h, which has the error of each approximation beside its constants;
and those of the layers' GELU.

    python3 scripts/simd_math.py > kernels/simd/simd_math_table.h         (needs mpmath: package python3-mpmath)
    python3 scripts/simd_math.py gelu > models/math/gelu_table.h

Polynomials are fitted by least squares on Chebyshev nodes, which is within a few percent of minimax here. The coefficient that matters most
is rounded to f32 first and the others are fitted anew around it, and so on, so that rounding one is made good by the next.
"""
import struct
import sys
from mpmath import cos, erf, erfc, exp, floor, fabs, log, lu_solve, matrix, mp, mpf, nint, pi, sqrt, tanh

mp.prec = 200
NODES = 60


def f32(x):
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])  # double first: 53 bits hold what matters of 24


def fit(f, low, high, powers, weight=lambda x: 1, exact=False):
    """f32 coefficients of the given powers, rounded lowest power first, for f on [low, high]; errors are weighted by 1 / weight. exact: not
    rounded."""
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (k + mpf(1) / 2) / NODES) for k in range(NODES)]
    rounded = {}
    while len(rounded) < len(powers):
        free = [p for p in powers if p not in rounded]
        rows = [[x**p / weight(x) for p in free] for x in nodes]
        rest = [(f(x) - sum(c * x**p for p, c in rounded.items())) / weight(x) for x in nodes]
        a = matrix(rows)
        solution = lu_solve(a.T * a, a.T * matrix(rest))
        if exact:
            return list(solution)
        rounded[free[0]] = f32(solution[0])
    return [rounded[p] for p in powers]


def largest(error, low, high, points=4000):
    return max(fabs(error(low + (high - low) * k / points)) for k in range(points + 1))


def horner(coefficients, x):
    value = mpf(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def literal(x):
    return float(x).hex().replace("0000000p", "p").replace("000000p", "p") + "f"


def define(name, x):
    print(f"#define {name} {literal(x)}")


def exponential():
    half = log(2) / 2
    q = fit(lambda r: (exp(r) - 1 - r) / r**2 if r else mpf(1) / 2, -half, half, [0, 1, 2, 3, 4], lambda r: 1 / (r * r + mpf(2) ** -20))
    error = largest(lambda r: (1 + r + r * r * horner(q, r)) / exp(r) - 1, -half, half)
    print(f"// exp(r) = 1 + r + r^2 Q(r) on [-ln 2 / 2, ln 2 / 2]: relative error {float(error):.2g}")
    for k, c in enumerate(q):
        define(f"EXP_Q{k}", c)
    define("EXP_LOG2_E", 1 / log(2))
    print("// ln 2 in two parts: with an FMA, whose product is exact; and with a first part short enough that n times it is exact, |n| < 2^15.")
    define("EXP_LN2_HIGH", f32(log(2)))
    define("EXP_LN2_LOW", log(2) - f32(log(2)))
    short = nint(log(2) * 512) / 512
    define("EXP_LN2_SHORT", short)
    define("EXP_LN2_REST", log(2) - short)
    print("// Below the first, exp is less than the smallest normal float; from the second on, it rounds to infinity.")
    lowest, highest = f32(log(mpf(2) ** -126)), f32(log(mpf(2) ** 128 - mpf(2) ** 103))
    ulp = mpf(2) ** -17  # of both
    define("EXP_LOWEST", lowest if exp(lowest) >= mpf(2) ** -126 else lowest + ulp)
    define("EXP_BEYOND", highest + ulp if exp(highest) < mpf(2) ** 128 - mpf(2) ** 103 else highest)


def tanh_formulas():
    cut = f32(mpf("0.6875"))  # the two formulas' largest errors meet about here: 1.9 ulp with a cut at 0.55, 1.5 at 0.75
    tiny = mpf(2) ** -12
    p = fit(lambda x: (tanh(x) - x) / x**3, tiny, cut, [0, 2, 4, 6, 8], lambda x: tanh(x) / x**3)
    error = largest(lambda x: (x + x**3 * horner(p, x * x)) / tanh(x) - 1, tiny, cut)
    print(f"\n// tanh(x) = x + x^3 P(x^2) on [0, TANH_CUT]: relative error {float(error):.2g}")
    for k, c in enumerate(p):
        define(f"TANH_P{k}", c)
    define("TANH_CUT", cut)
    quarter = log(2) / 4
    # An error of exp counts most at the smallest |x| that has this r.
    smallest = lambda r: r + log(2) if r + log(2) >= cut else r + log(2) * 3 / 2
    q = fit(lambda r: exp(2 * r) - 1, -quarter, quarter, [1, 2, 3, 4, 5], lambda r: exp(2 * r) / (1 - tanh(smallest(r)) ** 2))
    error = largest(lambda r: (1 + r * horner(q, r)) / exp(2 * r) - 1, -quarter, quarter)
    print(f"// exp(2r) = 1 + r (Q1 + r (Q2 + ...)) on [-ln 2 / 4, ln 2 / 4]: relative error {float(error):.2g}")
    for k, c in enumerate(q, 1):
        define(f"TANH_Q{k}", c)
    define("TANH_2_LOG2_E", f32(2 / log(2)))
    define("TANH_HALF_LN2", f32(log(2) / 2))


def print_columns(names, rows):
    for k, name in enumerate(names):
        print(f"    .{name} = {{")
        for i in range(0, 32, 4):
            print("        " + ", ".join(literal(r[k]) for r in rows[i : i + 4]) + ",")
        print("    },")
    print("};")


def coarse_tanh():
    """x (P0 + P1 s) / (1 + Q1 s + Q2 s^2), s = x^2, minimax in units of a bf16's last place: Lawson's iteration, which gives more weight
    to where the error is large, over a fit linear in the coefficients, whose denominator is that of the fit before."""
    # From 3.47 on a bf16 rounds to 1; the fit goes a little further, to where its own value does, and is clamped where it turns down.
    reach, last = mpf("3.53"), f32(mpf("3.6"))
    unit = lambda t: mpf(2) ** (floor(log(t, 2)) - 7)
    nodes = [reach * (1 - cos(pi * (k + mpf(1) / 2) / 300)) / 2 for k in range(300)]
    curve = [(x * x, tanh(x) / x, x / unit(tanh(x))) for x in nodes]
    weights, denominators, best = [mpf(1)] * 300, [mpf(1)] * 300, None
    for _ in range(80):
        rows = [[w * u / d, w * u * s / d, -w * u * t * s / d, -w * u * t * s * s / d] for (s, t, u), w, d in zip(curve, weights, denominators)]
        a, right = matrix(rows), matrix([w * u * t / d for (s, t, u), w, d in zip(curve, weights, denominators)])
        p0, p1, q1, q2 = lu_solve(a.T * a, a.T * right)
        denominators = [1 + q1 * s + q2 * s * s for s, _, _ in curve]
        errors = [fabs((p0 + p1 * s) / d - t) * u for (s, t, u), d in zip(curve, denominators)]
        if best is None or max(errors) < best[0]:
            best = (max(errors), p0, p1, q1, q2)
        weights = [w * (mpf(1) / 4 + e / max(errors)) for w, e in zip(weights, errors)]
        weights = [w / max(weights) for w in weights]
    p0, p1, q1, q2 = (f32(c) for c in best[1:])
    rational = lambda x: x * (p0 + p1 * x * x) / (1 + q1 * x * x + q2 * x**4)
    error = largest(lambda x: (rational(x) - tanh(x)) / unit(tanh(x)), mpf(2) ** -12, reach)
    print(f"\n// tanh(x) = x (P0 + P1 x^2) / (1 + Q1 x^2 + Q2 x^4) on [0, 3.53]: error {float(error):.2g} of a bf16's last place; at TANH_LP_LAST and with it beyond, 1 in bf16")
    for name, c in ("P0", p0), ("P1", p1), ("Q1", q1), ("Q2", q2), ("LAST", last):
        define(f"TANH_LP_{name}", c)


def coarse_tanh_table():
    """c0 + c1 x + c2 x^2 about each multiple of 1/9 up to 31/9, for an error in units of a bf16's last place. From 3.47 on a bf16 rounds to 1."""
    last, steps, rows, worst = f32(mpf("3.49")), mpf(9), [], mpf(0)
    unit = lambda x: mpf(2) ** (floor(log(tanh(x), 2)) - 7)
    for slot in range(32):
        low, high = max((slot - mpf(1) / 2) / steps, mpf(2) ** -12), min((slot + mpf(1) / 2) / steps, last)
        row = fit(tanh, low, high, [0, 1, 2], unit) if slot else [mpf(0)] + fit(tanh, low, high, [1, 2], unit)
        worst = max(worst, largest(lambda x: (horner(row, x) - tanh(x)) / unit(x), low, high))
        rows.append(row)
    print(f"\n// Error {float(worst):.2g} of a bf16's last place; at `last`, and so beyond, 1 in bf16.")
    print("static const coarse_lookup tanh_coarse_lookup = {")
    print(f"    .last = {literal(last)}, .steps = {literal(steps)},")
    print_columns(["c0", "c1", "c2"], rows)


def error_function():
    cut, last = mpf(15) / 16, mpf(4)
    tiny = mpf(2) ** -12
    p = fit(lambda x: erf(x) / x - 1, tiny, cut, [0, 2, 4, 6, 8, 10], lambda x: erf(x) / x)
    error = largest(lambda x: x * (1 + horner(p, x * x)) / erf(x) - 1, tiny, cut)
    print(f"\n// erf(x) = x + x P(x^2) on [0, 15/16]: relative error {float(error):.2g}")
    for k, c in enumerate(p):
        define(f"ERF_P{k}", c)
    # An error of exp's argument counts as erfc / erf of itself.
    q = fit(lambda x: 1 + log(erfc(x)) / x, cut, last, list(range(7)), lambda x: erf(x) / (x * erfc(x)))
    error = largest(lambda x: (1 - exp(x * horner(q, x) - x)) / erf(x) - 1, cut, last)
    print(f"// erf(x) = 1 - exp(x Q(x) - x) on [15/16, 4]: relative error {float(error):.2g}; at 4 it is 1 to the last bit")
    for k, c in enumerate(q):
        define(f"ERF_Q{k}", c)
    define("ERF_CUT", cut)
    define("ERF_LAST", last)


def interval(slot, offset, last):
    """The |x| that look up this slot. |x| + offset has the slot in the low two bits of its exponent and the first three of its mantissa.
    Five octaves share four, so that a slot has two intervals; offset keeps one of them out of reach."""
    for exponent in range(-3, 5):
        octave = mpf(2) ** exponent
        low = octave * (1 + mpf(slot % 8) / 8) - offset
        if (exponent + 127) % 4 == slot // 8 and low + octave / 8 > 0 and low < last:
            return max(low, mpf(0)), min(low + octave / 8, last)


def centre(f, derivative, low, high):
    """Of the floats about the middle, one where c0 and c1, which decide the last bit, are nearly floats, so that they carry hardly any rounding
    error of their own. They are not quite the function and its slope there, for the error is spread over the interval; what they are off by
    is the same for all these floats."""
    middle, best = f32((low + high) / 2), None
    step = mpf(2) ** (floor(log(middle, 2)) - 23)
    spread = fit(lambda d: f(middle + d), low - middle, high - middle, [0, 1, 2, 3, 4], lambda d: f(middle + d), exact=True)
    off, slope_off = spread[0] - f(middle), spread[1] - derivative(middle)
    for k in range(-1500, 1501):
        c = middle + k * step
        t, slope = f(c) + off, derivative(c) + slope_off
        miss = (fabs(t - f32(t)) + fabs(slope - f32(slope)) * (high - low) / 2) / t
        if best is None or miss < best[0]:
            best = (miss, c)
    return best[1]


def table(name, f, derivative, offset, last):
    rows, worst = [], mpf(0)
    for slot in range(32):
        low, high = interval(slot, offset, last)
        if low == 0:  # through the origin: a relative error needs c0 = 0
            c1 = f32(derivative(mpf(0)))
            rest = fit(lambda x: f(x) / x - c1, mpf(2) ** -12, high, [1, 2, 3])
            c, row = mpf(0), [mpf(0), c1] + rest
            error = largest(lambda x: horner(row, x) / f(x) - 1, mpf(2) ** -12, high)
        else:
            c = centre(f, derivative, low, high)
            row = fit(lambda d: f(c + d), low - c, high - c, [0, 1, 2, 3, 4], lambda d: f(c + d))
            error = largest(lambda x: horner(row, x - c) / f(x) - 1, low, high)
        rows.append([c] + row)
        worst = max(worst, error)
    print(f"\n// Relative error at most {float(worst):.2g}.")
    print(f"static const odd_lookup {name}_lookup = {{")
    print(f"    .last = {literal(last)}, .offset = {literal(offset)},")
    print_columns(["centre", "c0", "c1", "c2", "c3", "c4"], rows)


def tail(a):
    """P(-a), the normal distribution below zero, of which the absolute error matters."""
    return erfc(a / sqrt(mpf(2))) / 2


def tail_power():
    last, tiny = mpf("5.5"), mpf(2) ** -12
    p = fit(lambda a: (log(tail(a), 2) + 1) / a, tiny, last, list(range(8)), lambda a: 1 / (a * tail(a)))
    error = largest(lambda a: mpf(2) ** (a * horner(p, a) - 1) - tail(a), 0, last)
    print(f"// P(-a) = 2^(a R(a) - 1) on [0, {float(last)}]: error {float(error):.2g}; beyond, it falls on, to below 2^-126 at 10")
    for k, c in enumerate(p):
        define(f"TAIL_R{k}", c)
    half = mpf(1) / 2
    q = fit(lambda r: (mpf(2) ** r - 1) / r if r else log(mpf(2)), -half, half, list(range(5)), lambda r: mpf(2) ** r / (fabs(r) + mpf(2) ** -20))
    error = largest(lambda r: (1 + r * horner(q, r)) / mpf(2) ** r - 1, -half, half)
    print(f"// 2^r = 1 + r Q(r) on [-1/2, 1/2]: relative error {float(error):.2g}")
    for k, c in enumerate(q):
        define(f"TAIL_Q{k}", c)
    assert all(a * horner(p, a) - 1 < -126 for a in (10, 11, 12, 14, 16))
    define("TAIL_LAST", mpf(16))


def tail_table():
    step, rows, worst = mpf(3) / 16, [], mpf(0)
    last = 31 * step
    for slot in range(32):  # the last one's row is zero, as the tail is beyond
        c = slot * step
        low, high = max(c - step / 2, mpf(0)), min(c + step / 2, last)
        row = fit(lambda d: tail(c + d), low - c, high - c, [0, 1, 2, 3, 4]) if slot < 31 else [mpf(0)] * 5
        worst = max(worst, largest(lambda a: horner(row, a - c) - tail(a), low, high))
        rows.append(row)
    print(f"// P(-a) = c0 + d (c1 + d (c2 + d (c3 + d c4))), d = a - k TAIL_STEP, one row of constants for each whole number k that a / TAIL_STEP")
    print(f"// rounds to: error {float(worst):.2g}; at TAIL_LAST, and so beyond, zero.")
    define("TAIL_STEP", step)
    define("TAIL_STEPS", 1 / step)
    define("TAIL_LAST", last)
    print("static const struct {\n    float c0[32], c1[32], c2[32], c3[32], c4[32];\n} tail_lookup = {")
    print_columns(["c0", "c1", "c2", "c3", "c4"], rows)


if sys.argv[1:] == ["gelu"]:
    print("// SPDX-License-Identifier: MIT")
    print("// Made by scripts/simd_math.py gelu; not edited by hand. The errors are those of exact arithmetic.")
    print("#ifndef GELU_TABLE_H\n#define GELU_TABLE_H\n\n// clang-format off")
    print("#ifdef SIMD_LOOKUP32")
    tail_table()
    print("#else")
    tail_power()
    print("#endif\n// clang-format on\n\n#endif")
    sys.exit()

print("// SPDX-License-Identifier: MIT")
print("// Made by scripts/simd_math.py; not edited by hand. The errors are those of exact arithmetic: rounding comes on top.")
print("#ifndef SIMD_MATH_TABLE_H\n#define SIMD_MATH_TABLE_H\n")
print("// clang-format off")
exponential()
tanh_formulas()
coarse_tanh()
error_function()
print("\n#ifdef SIMD_LOOKUP32")
print("// f(|x|) = c0 + d (c1 + d (c2 + d (c3 + d c4))), d = |x| - centre, one row of constants for each of 32 intervals, whose width grows with")
print("// |x| as the curve flattens. |x| is first clamped to `last`, which comes out as 1.")
print("typedef struct {\n    float last, offset, centre[32], c0[32], c1[32], c2[32], c3[32], c4[32];\n} odd_lookup;")
table("tanh", tanh, lambda x: 1 - tanh(x) ** 2, mpf("0.65625"), f32(mpf("9.3")))
table("erf", erf, lambda x: 2 / sqrt(pi) * exp(-x * x), mpf("0.328125"), f32(mpf("4.2")))
print("\n// f(|x|) = c0 + |x| (c1 + |x| c2), one row of constants for each whole number that steps |x| rounds to.")
print("typedef struct {\n    float last, steps, c0[32], c1[32], c2[32];\n} coarse_lookup;")
coarse_tanh_table()
print("#endif\n// clang-format on\n\n#endif")
