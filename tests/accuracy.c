// SPDX-License-Identifier: MIT
#include "accuracy.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"

#define SIGN 0x80000000u

static int mpfr_tanh_of(mpfr_t y, const mpfr_t x, mpfr_rnd_t rounding) { return mpfr_tanh(y, x, rounding); }
static int mpfr_erf_of(mpfr_t y, const mpfr_t x, mpfr_rnd_t rounding) { return mpfr_erf(y, x, rounding); }
static int mpfr_exp_of(mpfr_t y, const mpfr_t x, mpfr_rnd_t rounding) { return mpfr_exp(y, x, rounding); }

// The last floats whose exponential rounds to a finite number, and is not below the smallest normal one.
#define EXP_HIGHEST 0x1.62e42ep+6f
#define EXP_LOWEST -0x1.5d589ep+6f

const accuracy_class accuracy_classes[MATH_FUNCTIONS] = {
    [MATH_TANH_U2] = {"tanh_u2", tanh, mpfr_tanh_of, false, true, 1, 2, {{0, FLT_MAX, 1}}},
    [MATH_TANH_LP] = {"tanh_lp", tanh, mpfr_tanh_of, true, true, 1, 0.55, {{0, FLT_MAX, 1}}},
    [MATH_ERF_U2] = {"erf_u2", erf, mpfr_erf_of, false, true, 1, 2, {{0, FLT_MAX, 1}}},
    [MATH_EXP_U2] =
        {"exp_u2", exp, mpfr_exp_of, false, false, INFINITY, 2, {{1, EXP_HIGHEST, INFINITY}, {1, EXP_LOWEST, 0}}},
};

// A block of arguments of one sign, by rising magnitude, with what is to be known of them. Small enough for L1.
enum { BLOCK = 1024 };
typedef struct {
    uint64_t begin; // the index of the first; its bit pattern is begin * stride
    size_t count;
    size_t first, last; // between them, errors count
    float x[BLOCK], mirror[BLOCK];
    double exact[BLOCK], per_ulp[BLOCK];
} block;

// What one thread knows of one function.
typedef struct {
    double error;
    float at;
    const char *broken;
    float broken_at, broken_value;
    uint64_t where, broken_where; // blocks, to merge threads by
} findings;

// Of the significand in which a class counts its errors.
static int digits_of(const accuracy_class *c) {
    enum { BF16_DIGITS = 8 };
    return c->bf16 ? BF16_DIGITS : FLT_MANT_DIG;
}

// 1 / ulp of values rounded to so many digits. A power of two may be what a smaller value was rounded to, whose ulp is
// half: hence the 1, which takes the harsher.
static double ulps_per_unit(double value, int digits) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t exponent = (bits - 1) >> 52, smallest = DBL_MAX_EXP - 1 - 126;
    const uint64_t highest = 2 * (DBL_MAX_EXP - 1) + (uint64_t)digits - 1;
    const uint64_t inverse = (highest - (exponent > smallest ? exponent : smallest)) << 52;
    double result;
    memcpy(&result, &inverse, sizeof result);
    return result;
}

static void prepare(block *b, const accuracy_class *c, int side, uint64_t begin, uint32_t stride) {
    const uint64_t total = (SIGN - 1) / stride + UINT64_C(1);
    const uint32_t sign = side ? SIGN : 0, last = to_bits(c->sides[side].last) & ~SIGN;
    b->begin = begin;
    b->count = total - begin < BLOCK ? (size_t)(total - begin) : BLOCK;
    b->first = begin == 0;
    b->last = b->first;
    for (size_t i = 0; i < b->count; i++) {
        const uint32_t bits = (uint32_t)(begin + i) * stride;
        b->x[i] = from_bits(bits | sign);
        b->mirror[i] = from_bits(bits | (SIGN ^ sign));
        if (bits != 0 && bits <= last)
            b->last = i + 1;
    }
    for (size_t i = b->first; i < b->last; i++)
        b->exact[i] = c->reference((double)b->x[i]);
    const int digits = digits_of(c);
    for (size_t i = b->first; i < b->last; i++)
        b->per_ulp[i] = ulps_per_unit(b->exact[i], digits);
}

static void evaluate(const accuracy_class *c, math_function *function, size_t count, const float *x, float *y) {
    function(count, x, y);
    for (size_t i = 0; c->bf16 && i < count; i++)
        y[i] = round_to_bf16(y[i]);
}

static double error_of(const block *b, size_t i, float y) { return fabs((double)y - b->exact[i]) * b->per_ulp[i]; }

// Notes what there is to be noted of one value.
static void examine(findings *f, const accuracy_class *c, const accuracy_side *side, const block *b, size_t i,
                    float y) {
    const char *broken = NULL;
    const float x = b->x[i];
    if (isnan(x)) {
        if (!isnan(y))
            broken = "does not keep NaN";
    } else if (to_bits(y) > to_bits(c->most)) {
        broken = "is out of range";
    } else if (i < b->first || i >= b->last) {
        if (to_bits(y) != to_bits(x == 0 ? side->at_zero : side->beyond))
            broken = "is not the exact value";
    } else {
        double error = error_of(b, i, y);
        if (!(error <= DBL_MAX))
            error = (double)INFINITY;
        if (error > f->error) {
            f->error = error;
            f->at = x;
            f->where = b->begin;
        }
        const bool close = !f->broken && fabs(error - c->bound) <= ACCURACY_MARGIN;
        if ((close ? accuracy_settle(c, x, y) : error) > c->bound)
            broken = "is off by more than the bound";
    }
    if (broken && !f->broken) {
        f->broken = broken;
        f->broken_at = x;
        f->broken_value = y;
        f->broken_where = b->begin;
    }
}

// Judges the values at a block's arguments. Where errors count, values that break nothing and are no worse than what
// was seen before, nearly all, are told from the rest without a branch.
static void judge(findings *f, const accuracy_class *c, const accuracy_side *side, const block *b, const float *y) {
    const double settled = f->broken ? (double)INFINITY : c->bound - ACCURACY_MARGIN;
    const double limit = f->error < settled ? f->error : settled;
    const uint32_t most = to_bits(c->most);
    int notable = 0;
    for (size_t i = b->first; i < b->last; i++) {
        notable |= !(error_of(b, i, y[i]) <= limit);
        notable |= to_bits(y[i]) > most;
    }
    for (size_t i = 0; i < b->count; i++)
        if (notable || i < b->first || i >= b->last)
            examine(f, c, side, b, i, y[i]);
}

// Judges the values at the negatives of a block's arguments, y being those at the arguments.
static void judge_mirror(findings *f, const block *b, const float *y, const float *mirrored) {
    int differ = 0;
    for (size_t i = 0; i < b->count; i++)
        differ |= to_bits(mirrored[i]) != (to_bits(y[i]) ^ SIGN);
    for (size_t i = 0; differ && !f->broken && i < b->count; i++) {
        const bool number = !isnan(b->x[i]);
        if (number ? to_bits(mirrored[i]) == (to_bits(y[i]) ^ SIGN) : isnan(mirrored[i]))
            continue;
        f->broken = number ? "is not odd" : "does not keep NaN";
        f->broken_at = b->mirror[i];
        f->broken_value = mirrored[i];
        f->broken_where = b->begin;
    }
}

// What is larger, and of the same size what comes first, however the blocks were shared out.
static void merge(findings *into, const findings *from) {
    if (from->error > into->error || (from->error == into->error && from->where < into->where)) {
        into->error = from->error;
        into->at = from->at;
        into->where = from->where;
    }
    if (from->broken && (!into->broken || from->broken_where < into->broken_where)) {
        into->broken = from->broken;
        into->broken_at = from->broken_at;
        into->broken_value = from->broken_value;
        into->broken_where = from->broken_where;
    }
}

void accuracy_judge(const accuracy_class *c, size_t count, math_function *const functions[], uint32_t stride,
                    accuracy_result results[]) {
    const uint64_t total = (SIGN - 1) / stride + UINT64_C(1);
    findings *const all = calloc(count, sizeof *all);
    if (!all)
        abort();
#pragma omp parallel
    {
        findings *const mine = calloc(count, sizeof *mine);
        if (!mine)
            abort();
            // Monotonic: a thread meets the first of what it meets first.
#pragma omp for schedule(monotonic : dynamic, 64)
        for (uint64_t begin = 0; begin < total; begin += BLOCK) {
            block b;
            float y[BLOCK], mirrored[BLOCK];
            for (int side = 0; side < (c->odd ? 1 : 2); side++) {
                prepare(&b, c, side, begin, stride);
                for (size_t k = 0; k < count; k++) {
                    evaluate(c, functions[k], b.count, b.x, y);
                    judge(&mine[k], c, &c->sides[side], &b, y);
                    if (c->odd) {
                        evaluate(c, functions[k], b.count, b.mirror, mirrored);
                        judge_mirror(&mine[k], &b, y, mirrored);
                    }
                }
            }
        }
#pragma omp critical
        for (size_t k = 0; k < count; k++)
            merge(&all[k], &mine[k]);
        free(mine);
        mpfr_free_cache();
    }
    for (size_t k = 0; k < count; k++)
        results[k] =
            (accuracy_result){2 * total, all[k].error, all[k].at, all[k].broken, all[k].broken_at, all[k].broken_value};
    free(all);
}

// Twice double's digits: what MPFR rounds away is no part of any error here.
enum { DIGITS = 2 * DBL_MANT_DIG };

// |value - f(x)| in units of 2^-digits of f(x)'s binade, or of the smallest unit of f32.
static double exact_error(const accuracy_class *c, float x, double value, int digits) {
    mpfr_t exact;
    mpfr_init2(exact, DIGITS);
    mpfr_set_flt(exact, x, MPFR_RNDN);
    c->exact(exact, exact, MPFR_RNDN);
    const bool large = mpfr_regular_p(exact) && mpfr_get_exp(exact) > FLT_MIN_EXP;
    const long exponent = large ? mpfr_get_exp(exact) : FLT_MIN_EXP;
    mpfr_sub_d(exact, exact, value, MPFR_RNDN);
    mpfr_mul_2si(exact, exact, digits - exponent, MPFR_RNDN);
    const double error = fabs(mpfr_get_d(exact, MPFR_RNDN));
    mpfr_clear(exact);
    return error;
}

double accuracy_settle(const accuracy_class *c, float x, float value) {
    return exact_error(c, x, (double)value, digits_of(c));
}

static double reference_error(const accuracy_class *c, float x) {
    return exact_error(c, x, c->reference((double)x), DBL_MANT_DIG);
}

double accuracy_of_reference(const accuracy_class *c, size_t count, const float *points, uint64_t *inputs) {
    // Coarsely over all magnitudes, finely where the functions are neither their argument nor at their limit. Strides
    // are prime, so that every digit varies.
    static const struct {
        float first, last;
        uint32_t stride;
    } ranges[] = {{FLT_TRUE_MIN, FLT_MAX, 31687}, {0x1p-13f, 128, 839}};
    double worst = 0;
    *inputs = 0;
    for (size_t i = 0; i < count; i++, ++*inputs)
        worst = fmax(worst, reference_error(c, points[i]));
    for (int side = 0; side < (c->odd ? 1 : 2); side++)
        for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
            const uint32_t first = to_bits(ranges[r].first), sign = side ? SIGN : 0;
            const uint32_t end = to_bits(fminf(ranges[r].last, fabsf(c->sides[side].last)));
            uint64_t used = 0;
#pragma omp parallel reduction(max : worst) reduction(+ : used)
            {
#pragma omp for schedule(dynamic, 256)
                for (uint32_t bits = first; bits <= end; bits += ranges[r].stride) {
                    worst = fmax(worst, reference_error(c, from_bits(bits | sign)));
                    used++;
                }
                mpfr_free_cache();
            }
            *inputs += used;
        }
    return worst;
}
