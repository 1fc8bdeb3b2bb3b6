// SPDX-License-Identifier: MIT
// Pointwise functions of an element at a time, against loops in double, at every level that this CPU can run. The
// derivatives those loops use are themselves held against finite differences. Bounds: see pointwise_check.h; k is
// derived beside each check.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "pointwise_check.h"

// ---- The formulas in double

static double sigmoid(double z) { return 1 / (1 + exp(-z)); }
static double normal(double x) { return 0.5 * erfc(-x / sqrt(2)); }
static double tanh_argument(double x) { return sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x); }
static double tanh_slope(double x) { return x * sqrt(2 / acos(-1)) * (1 + 3 * 0.044715 * x * x); }

static double value_of(activation kind, double x) {
    switch (kind) {
    case ACTIVATION_GELU_ERF:
        return x * normal(x);
    case ACTIVATION_GELU_TANH:
        return 0.5 * x * (1 + tanh(tanh_argument(x)));
    case ACTIVATION_SINE:
        return sin(x);
    case ACTIVATION_SOFTPLUS:
        return fmax(x, 0) + log1p(exp(-fabs(x)));
    default:
        return x * sigmoid(x);
    }
}

static double slope_of(activation kind, double x) {
    switch (kind) {
    case ACTIVATION_GELU_ERF:
        return normal(x) + x * exp(-0.5 * x * x) / sqrt(2 * acos(-1));
    case ACTIVATION_GELU_TANH: {
        const double t = tanh(tanh_argument(x));
        return 0.5 * (1 + t) + 0.5 * (1 - t * t) * tanh_slope(x);
    }
    case ACTIVATION_SINE:
        return cos(x);
    case ACTIVATION_SOFTPLUS:
        return sigmoid(x);
    default:
        return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
    }
}

static void check_slopes(void **unused) {
    (void)unused;
    // The central difference is off by h^2 f''' / 6, f''' below 3, and by the roundings of f over h.
    const double h = 1e-4;
    for (int kind = 0; kind < ACTIVATIONS; kind++)
        for (double x = -12; x <= 12; x += 0.0371) {
            const activation a = (activation)kind;
            const double difference = (value_of(a, x + h) - value_of(a, x - h)) / (2 * h);
            assert_true(fabs(difference - slope_of(a, x)) < 1e-8);
        }
}

// ---- One call of everything at one size

static void check_adds(const pointwise_setting *s) {
    operand_put(&tb, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&tc, s->dtype, s->rows, s->cols, s->in_place ? s->gap : 0);
    operand_put(&ta, s->dtype, s->rows, s->cols, 2 * s->gap);
    operand *const out = s->in_place ? &tc : &ta;
    pointwise_add(s->threads, out->m, tb.m, tc.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++)
            operand_near("add", out, r, c, was(&tb, r, c) + was(&tc, r, c), 0);
    operand_intact(&ta, !s->in_place);
    operand_intact(&tb, false);
    operand_intact(&tc, s->in_place);

    for (norm_dtype to = 0; to < MODEL_DTYPES; to++) {
        if (to != s->dtype && to != NORM_F32 && s->dtype != NORM_F32)
            continue; // not between two of 16 bits
        operand_put(&ta, to, s->rows, s->cols, 2 * s->gap);
        pointwise_copy(s->threads, ta.m, tb.m);
        for (size_t r = 0; r < s->rows; r++)
            for (size_t c = 0; c < s->cols; c++)
                if (to != s->dtype)
                    operand_near("convert", &ta, r, c, was(&tb, r, c), 0);
                else
                    assert_true(now(&ta, r, c) == was(&tb, r, c));
        operand_intact(&ta, true);
        operand_intact(&tb, false);
    }
}

// As swiglu's below, without its product with the gate.
static void check_glu(const pointwise_setting *s) {
    operand_put(&tc, s->dtype, s->rows, s->cols, s->gap);                   // x
    operand_put(&td, s->dtype, s->rows, s->cols, s->in_place ? s->gap : 0); // gate
    operand_put(&ta, s->dtype, s->rows, s->cols, s->gap);
    operand *out = s->in_place ? &td : &ta;
    pointwise_glu(s->threads, out->m, tc.m, td.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++) {
            const double want = was(&tc, r, c) * sigmoid(was(&td, r, c));
            operand_near("glu", out, r, c, want, 7 * U * fabs(want) + FLOOR * fabs(was(&tc, r, c)));
        }
    operand_intact(&ta, !s->in_place);
    operand_intact(&tc, false);
    operand_intact(&td, s->in_place);

    operand_put(&tc, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&td, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&te, s->dtype, s->rows, s->cols, 0); // dout
    operand_put(&ta, s->dtype, s->rows, s->cols, 1);
    operand_put(&tb, s->dtype, s->rows, s->cols, 2);
    operand *const dx = s->in_place ? &tc : &ta, *const dgate = s->in_place ? &td : &tb;
    pointwise_glu_backward(s->threads, dx->m, dgate->m, tc.m, td.m, te.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++) {
            const double x = was(&tc, r, c), gate = was(&td, r, c), dout = was(&te, r, c), sigma = sigmoid(gate);
            operand_near("glu dx", dx, r, c, dout * sigma, 7 * U * fabs(dout * sigma) + FLOOR * fabs(dout));
            // 1 - sigma errs by 6 u of sigma and its own rounding: by 7 u of 1.
            operand_near("glu dgate", dgate, r, c, dout * x * sigma * sigmoid(-gate),
                         fabs(dout * x) * (16 * U * sigma + FLOOR));
        }
    operand_intact(&ta, !s->in_place);
    operand_intact(&tb, !s->in_place);
    operand_intact(&tc, s->in_place);
    operand_intact(&td, s->in_place);
    operand_intact(&te, false);
}

// sigmoid: exp 4, times exp / (1 + exp) < 1, the sum 1, the division 1: 6 u of the value.
static void check_swiglu(const pointwise_setting *s) {
    operand_put(&tc, s->dtype, s->rows, s->cols, s->gap);                   // gate
    operand_put(&td, s->dtype, s->rows, s->cols, s->in_place ? s->gap : 0); // up
    operand_put(&ta, s->dtype, s->rows, s->cols, s->gap);
    operand *out = s->in_place ? &td : &ta;
    pointwise_swiglu(s->threads, out->m, tc.m, td.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++) {
            const double want = value_of(ACTIVATION_SILU, was(&tc, r, c)) * was(&td, r, c);
            operand_near("swiglu", out, r, c, want, 8 * U * fabs(want) + FLOOR * fabs(was(&td, r, c))); // two products
        }
    operand_intact(&ta, !s->in_place);
    operand_intact(&tc, false);
    operand_intact(&td, s->in_place);

    operand_put(&tc, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&td, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&te, s->dtype, s->rows, s->cols, 0); // dout
    operand_put(&ta, s->dtype, s->rows, s->cols, 1);
    operand_put(&tb, s->dtype, s->rows, s->cols, 2);
    operand *const dgate = s->in_place ? &tc : &ta, *const dup = s->in_place ? &td : &tb;
    pointwise_swiglu_backward(s->threads, dgate->m, dup->m, tc.m, td.m, te.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++) {
            const double gate = was(&tc, r, c), up = was(&td, r, c), dout = was(&te, r, c);
            const double value = value_of(ACTIVATION_SILU, gate) * dout;
            operand_near("swiglu dup", dup, r, c, value, 8 * U * fabs(value) + FLOOR * fabs(dout));
            // As silu's slope below, and two more products.
            const double scale = sigmoid(gate) * (1 + fabs(gate));
            operand_near("swiglu dgate", dgate, r, c, slope_of(ACTIVATION_SILU, gate) * up * dout,
                         (14 * U * scale + FLOOR) * fabs(up * dout));
        }
    operand_intact(&ta, !s->in_place);
    operand_intact(&tb, !s->in_place);
    operand_intact(&tc, s->in_place);
    operand_intact(&td, s->in_place);
    operand_intact(&te, false);
}

// How far off an activation's value or slope may be.
static double activation_error(activation kind, double x, bool slope) {
    switch (kind) {
    case ACTIVATION_GELU_ERF:
        // The tail P(-a) = 2^R: R's last two roundings, |R| + |R + 1| in the sum, times 2^R ln 2, are at most 0.7, its
        // formula 0.2; 2^r's formula 1.7 and roundings 1.5 of the tail, at most a half of them; the sum 1. Slope: the
        // tail's 2.5 and 1 of P; exp 4 and its argument's 3 u x^2 / 2 on x * density, together below 2; products and
        // the sum 2.
        return slope ? 8 * U : 4 * U * fabs(x);
    case ACTIVATION_GELU_TANH:
        // tanh 4, its argument 6 (constants 3, products 3) times at most 0.45, halved; sum 1, product 1. Slope:
        // besides, 1 - t^2 is off by twice what t is, and by 1, and multiplies half of x u'.
        return slope ? 10 * U * (1 + fabs(tanh_slope(x))) : 6 * U * fabs(x);
    case ACTIVATION_SINE:
        // r's three roundings of at most pi / 2, by slopes of at most 1; the polynomial's last two.
        return 4 * U;
    case ACTIVATION_SOFTPLUS:
        // Value: w 4, s 2, its polynomial 2, of the logarithm; one of the sum. Slope: exp 4, sum 1, quotient 1.
        return slope ? 6 * U * sigmoid(x) + FLOOR : 9 * U * value_of(kind, x) + FLOOR;
    default:
        // Slope: s 6, z s 7, 1 - s 6 s + 1, product and sum 2.
        return slope ? 12 * U * sigmoid(x) * (1 + fabs(x)) + FLOOR : 7 * U * fabs(value_of(kind, x)) + FLOOR;
    }
}

static void check_activations(const pointwise_setting *s) {
    for (int k = 0; k < ACTIVATIONS; k++) {
        const activation kind = (activation)k;
        operand_put(&tb, s->dtype, s->rows, s->cols, s->gap);
        operand_put(&ta, s->dtype, s->rows, s->cols, 0);
        operand *const out = s->in_place ? &tb : &ta;
        pointwise_activation(s->threads, kind, out->m, tb.m);
        for (size_t r = 0; r < s->rows; r++)
            for (size_t c = 0; c < s->cols; c++) {
                const double x = was(&tb, r, c);
                operand_near("activation", out, r, c, value_of(kind, x), activation_error(kind, x, false));
            }
        operand_intact(&ta, !s->in_place);
        operand_intact(&tb, s->in_place);

        operand_put(&tb, s->dtype, s->rows, s->cols, s->gap);
        operand_put(&tc, s->dtype, s->rows, s->cols, 0); // dout
        operand_put(&ta, s->dtype, s->rows, s->cols, s->gap);
        operand *const dx = s->in_place ? &tc : &ta;
        pointwise_activation_backward(s->threads, kind, dx->m, tb.m, tc.m);
        for (size_t r = 0; r < s->rows; r++)
            for (size_t c = 0; c < s->cols; c++) {
                const double x = was(&tb, r, c), dout = was(&tc, r, c), want = slope_of(kind, x) * dout;
                operand_near("activation dx", dx, r, c, want,
                             activation_error(kind, x, true) * fabs(dout) + U * fabs(want)); // one product
            }
        operand_intact(&ta, !s->in_place);
        operand_intact(&tb, false);
        operand_intact(&tc, s->in_place);
    }
}

static size_t samples_of(size_t rows) { return rows % 3 == 0 ? 3 : 1; }

static void check_modulation(const pointwise_setting *s) {
    const size_t samples = samples_of(s->rows), each = s->rows / samples;
    operand_put(&tb, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&tc, s->dtype, samples, s->cols, 3 * s->gap); // shift
    operand_put(&td, s->dtype, samples, s->cols, 0);          // scale
    operand_put(&ta, s->dtype, s->rows, s->cols, 0);
    operand *out = s->in_place ? &tb : &ta;
    pointwise_modulate(s->threads, out->m, tb.m, tc.m, td.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++) {
            const double x = was(&tb, r, c), shift = was(&tc, r / each, c), scale = was(&td, r / each, c);
            operand_near("modulate", out, r, c, x * (1 + scale) + shift,
                         3 * U * (fabs(x) * (1 + fabs(scale)) + fabs(shift)));
        }
    operand_intact(&ta, !s->in_place);
    operand_intact(&tb, s->in_place);
    operand_intact(&tc, false);
    operand_intact(&td, false);

    operand_put(&td, s->dtype, s->rows, s->cols, s->gap); // x
    operand_put(&te, s->dtype, samples, s->cols, s->gap); // scale
    operand_put(&tf, s->dtype, s->rows, s->cols, s->gap); // dout
    operand_put(&ta, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&tb, NORM_F32, samples, s->cols, 0); // dshift
    operand_put(&tc, NORM_F32, samples, s->cols, s->gap);
    operand *dx = s->in_place ? &tf : &ta;
    pointwise_modulate_backward(s->threads, dx->m, tb.m, tc.m, td.m, te.m, tf.m);
    for (size_t c = 0; c < s->cols; c++)
        for (size_t sample = 0; sample < samples; sample++) {
            double dshift = 0, dscale = 0, shift_scale = 0, scale_scale = 0;
            for (size_t r = sample * each; r < (sample + 1) * each; r++) {
                const double x = was(&td, r, c), scale = was(&te, sample, c), dout = was(&tf, r, c);
                operand_near("modulate dx", dx, r, c, dout * (1 + scale), 2 * U * fabs(dout) * (1 + fabs(scale)));
                dshift += dout;
                shift_scale += fabs(dout);
                dscale += dout * x;
                scale_scale += fabs(dout * x);
            }
            operand_near("dshift", &tb, sample, c, dshift, (double)each * U * shift_scale);
            operand_near("dscale", &tc, sample, c, dscale, (double)(each + 1) * U * scale_scale);
        }
    operand_intact(&ta, !s->in_place);
    operand_intact(&tb, true);
    operand_intact(&tc, true);
    operand_intact(&td, false);
    operand_intact(&te, false);
    operand_intact(&tf, s->in_place);
}

static void check_gates(const pointwise_setting *s) {
    const size_t samples = samples_of(s->rows), each = s->rows / samples;
    operand_put(&tb, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&tc, s->dtype, samples, s->cols, s->gap); // gate
    operand_put(&ta, s->dtype, s->rows, s->cols, 0);
    operand *const out = s->in_place ? &tb : &ta;
    pointwise_gate(s->threads, out->m, tb.m, tc.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++)
            operand_near("gate", out, r, c, was(&tb, r, c) * was(&tc, r / each, c), 0);
    operand_intact(&ta, !s->in_place);
    operand_intact(&tb, s->in_place);
    operand_intact(&tc, false);

    operand_put(&tc, s->dtype, s->rows, s->cols, s->gap); // x
    operand_put(&td, s->dtype, samples, s->cols, 0);      // gate
    operand_put(&te, s->dtype, s->rows, s->cols, s->gap); // dout
    operand_put(&ta, s->dtype, s->rows, s->cols, 0);
    operand_put(&tb, NORM_F32, samples, s->cols, s->gap); // dgate
    operand *const dx = s->in_place ? &te : &ta;
    pointwise_gate_backward(s->threads, dx->m, tb.m, tc.m, td.m, te.m);
    for (size_t c = 0; c < s->cols; c++)
        for (size_t sample = 0; sample < samples; sample++) {
            double sum = 0, scale = 0;
            for (size_t r = sample * each; r < (sample + 1) * each; r++) {
                const double product = was(&tc, r, c) * was(&te, r, c);
                operand_near("gate dx", dx, r, c, was(&td, sample, c) * was(&te, r, c), 0);
                sum += product;
                scale += fabs(product);
            }
            operand_near("dgate", &tb, sample, c, sum, (double)(each + 1) * U * scale);
        }
    operand_intact(&ta, !s->in_place);
    operand_intact(&tb, true);
    operand_intact(&tc, false);
    operand_intact(&td, false);
    operand_intact(&te, s->in_place);
}

static void check_setting(const pointwise_setting *s) {
    check_adds(s);
    check_glu(s);
    check_swiglu(s);
    check_activations(s);
    check_modulation(s);
    check_gates(s);
}

static void check_level(void **unit) {
    pointwise_check_level(unit);
    pointwise_check_all(check_setting);
}

// Where a careless exp overflows, and what becomes of NaN, in value and slope.
static void check_extremes(void **unit) {
    pointwise_check_level(unit);
    float row[21];
    const matrix m = {NORM_F32, 1, 21, 21, row};
    for (int kind = 0; kind < ACTIVATIONS; kind++) {
        if (kind == ACTIVATION_SINE) // which has no limit
            continue;
        for (size_t c = 0; c < 21; c++)
            row[c] = c == 3 ? NAN : c % 2 ? 1e10f : -1e10f;
        pointwise_activation(1, (activation)kind, m, m);
        for (size_t c = 0; c < 21; c++)
            assert_true(c == 3 ? isnan(row[c]) : row[c] == (c % 2 ? 1e10f : 0.0f));
        for (size_t c = 0; c < 21; c++)
            row[c] = c % 2 ? 1e10f : -1e10f;
        float slope[21];
        for (size_t c = 0; c < 21; c++)
            slope[c] = 1.0f;
        const matrix dx = {NORM_F32, 1, 21, 21, slope};
        pointwise_activation_backward(1, (activation)kind, dx, m, dx);
        for (size_t c = 0; c < 21; c++)
            assert_true(slope[c] == (c % 2 ? 1.0f : 0.0f));
    }
}

int main(void) {
    static const pointwise_kind kinds[] = {{"formulas", check_level}, {"extremes", check_extremes}};
    return pointwise_check_run(kinds, sizeof kinds / sizeof *kinds, check_slopes);
}
