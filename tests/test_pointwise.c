// SPDX-License-Identifier: MIT
// Every pointwise function against loops in double, at every level that this CPU can run: odd widths, gaps between
// rows, results in place of operands, teams, both dtypes. The derivatives those loops use are themselves held against
// finite differences.
//
// Bounds: u is half an ulp of 1 in f32, 2^-24. A function's result may be off by k * u * scale before it is stored,
// where scale is the magnitude that its roundings are relative to; k counts the roundings, derived beside each check. A
// function of simd_math.h counts 4 (2 ulp are at most 4 u of the value).
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "math/pointwise_rows.h"

#define U 0x1p-24
// Results may be flushed to zero below this, f32's smallest normal number, or a few times it where a factor follows.
#define FLOOR 1e-36

enum { MOST_ROWS = 12, MOST_COLS = 4100 };

// ---- Tensors

typedef struct {
    guard_buffer guard;
    matrix m;
    double *was; // the elements before the call, row by row
} tensor;

static uint64_t state;
static double uniform(void) { // in [-1, 1)
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)(int64_t)(z ^ (z >> 31)) * 0x1p-63;
}

// Mostly of order one, some in the tails of every activation.
static double wide(void) {
    static const double spreads[] = {1, 1, 3, 3, 6, 12, 95};
    return uniform() * spreads[(size_t)fabs(uniform() * 6.999)];
}

static double load(norm_dtype dtype, const void *data, size_t i) {
    float value;
    if (dtype == NORM_F32) {
        memcpy(&value, (const float *)data + i, sizeof value);
    } else {
        const uint32_t bits = (uint32_t)((const uint16_t *)data)[i] << 16;
        memcpy(&value, &bits, sizeof value);
    }
    return (double)value;
}

static void store(norm_dtype dtype, void *data, size_t i, double value) {
    const float rounded = (float)value;
    if (dtype == NORM_F32) {
        memcpy((float *)data + i, &rounded, sizeof rounded);
    } else {
        uint32_t bits;
        memcpy(&bits, &rounded, sizeof bits);
        ((uint16_t *)data)[i] = (uint16_t)(bits >> 16);
    }
}

static matrix tensor_put(tensor *t, norm_dtype dtype, size_t rows, size_t cols, size_t gap, double (*draw)(void)) {
    const size_t size = norm_dtype_bytes(dtype);
    t->m = (matrix){dtype, rows, cols, cols + gap, NULL};
    t->m.data = guard_put(&t->guard, GUARD_END, 0, rows, cols * size, (cols + gap) * size);
    assert_non_null(t->m.data);
    if (t->was == NULL)
        t->was = malloc((size_t)MOST_ROWS * MOST_COLS * sizeof *t->was);
    assert_non_null(t->was);
    assert_true(rows * cols <= (size_t)MOST_ROWS * MOST_COLS);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) {
            store(dtype, t->m.data, r * t->m.stride + c, draw());
            t->was[r * cols + c] = load(dtype, t->m.data, r * t->m.stride + c);
        }
    return t->m;
}

static double was(const tensor *t, size_t r, size_t c) { return t->was[r * t->m.cols + c]; }
static double now(const tensor *t, size_t r, size_t c) { return load(t->m.dtype, t->m.data, r * t->m.stride + c); }

// Every canary of every tensor is alive, and what is not a result has not changed.
static void intact(const tensor *t, bool result) {
    ptrdiff_t offset;
    if (!guard_intact(&t->guard, &offset))
        fail_msg("a canary %td bytes from a matrix is dead", offset);
    for (size_t r = 0; r < t->m.rows && !result; r++)
        for (size_t c = 0; c < t->m.cols; c++)
            if (now(t, r, c) != was(t, r, c))
                fail_msg("an operand changed at %zu, %zu", r, c);
}

// error: of the f32 value that is then rounded to the dtype.
static void near(const char *what, const tensor *t, size_t r, size_t c, double want, double error) {
    const double got = now(t, r, c);
    const double unit = t->m.dtype == NORM_F32 ? U : 0x1p-8;
    const double bound = error + unit * (fabs(want) + error) + FLOOR;
    if (!(fabs(got - want) <= bound))
        fail_msg("%s, %zu columns of %s, at %zu, %zu: %.9g instead of %.9g, bound %.3g", what, t->m.cols,
                 norm_dtype_name(t->m.dtype), r, c, got, want, bound);
}

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
    default:
        return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
    }
}

static double loss_of(const double *x, size_t cols, size_t label) {
    // Relative to the label's: the sum is at least 1, and small enough for a double.
    double sum = 1;
    for (size_t c = 0; c < cols; c++)
        if (c != label)
            sum += exp(x[c] - x[label]);
    return log(sum);
}

static double probability(const double *x, size_t cols, size_t c, double scale) {
    double sum = 0;
    for (size_t k = 0; k < cols; k++)
        sum += exp(scale * (x[k] - x[c]));
    return 1 / sum;
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
    double x[7];
    for (size_t i = 0; i < 7; i++)
        x[i] = 3 * uniform();
    for (size_t i = 0; i < 7; i++) {
        const double middle = x[i], gradient = probability(x, 7, i, 1) - (i == 2);
        x[i] = middle + h;
        const double above = loss_of(x, 7, 2);
        x[i] = middle - h;
        const double below = loss_of(x, 7, 2);
        x[i] = middle;
        assert_true(fabs((above - below) / (2 * h) - gradient) < 1e-8);
    }
}

// ---- One call of everything at one size

typedef struct {
    norm_dtype dtype;
    size_t rows, cols, gap;
    int threads;
    bool in_place;
} setting;

static tensor ta, tb, tc, td, te, tf; // operands and results, in the order of a call

static void check_adds(const setting *s) {
    tensor_put(&tb, s->dtype, s->rows, s->cols, s->gap, wide);
    tensor_put(&tc, s->dtype, s->rows, s->cols, s->in_place ? s->gap : 0, wide);
    tensor_put(&ta, s->dtype, s->rows, s->cols, 2 * s->gap, wide);
    tensor *const out = s->in_place ? &tc : &ta;
    pointwise_add(s->threads, out->m, tb.m, tc.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++)
            near("add", out, r, c, was(&tb, r, c) + was(&tc, r, c), 0);
    intact(&ta, !s->in_place);
    intact(&tb, false);
    intact(&tc, s->in_place);

    for (int other = 0; other < 2; other++) {
        const norm_dtype to = other ? (s->dtype == NORM_F32 ? NORM_BF16 : NORM_F32) : s->dtype;
        tensor_put(&ta, to, s->rows, s->cols, 2 * s->gap, wide);
        pointwise_copy(s->threads, ta.m, tb.m);
        for (size_t r = 0; r < s->rows; r++)
            for (size_t c = 0; c < s->cols; c++)
                if (other)
                    near("convert", &ta, r, c, was(&tb, r, c), 0);
                else
                    assert_true(now(&ta, r, c) == was(&tb, r, c));
        intact(&ta, true);
        intact(&tb, false);
    }
}

// sigmoid: exp 4, times exp / (1 + exp) < 1, the sum 1, the division 1: 6 u of the value.
static void check_swiglu(const setting *s) {
    tensor_put(&tc, s->dtype, s->rows, s->cols, s->gap, wide);                   // gate
    tensor_put(&td, s->dtype, s->rows, s->cols, s->in_place ? s->gap : 0, wide); // up
    tensor_put(&ta, s->dtype, s->rows, s->cols, s->gap, wide);
    tensor *out = s->in_place ? &td : &ta;
    pointwise_swiglu(s->threads, out->m, tc.m, td.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++) {
            const double want = value_of(ACTIVATION_SILU, was(&tc, r, c)) * was(&td, r, c);
            near("swiglu", out, r, c, want, 8 * U * fabs(want) + FLOOR * fabs(was(&td, r, c))); // two products
        }
    intact(&ta, !s->in_place);
    intact(&tc, false);
    intact(&td, s->in_place);

    tensor_put(&tc, s->dtype, s->rows, s->cols, s->gap, wide);
    tensor_put(&td, s->dtype, s->rows, s->cols, s->gap, wide);
    tensor_put(&te, s->dtype, s->rows, s->cols, 0, wide); // dout
    tensor_put(&ta, s->dtype, s->rows, s->cols, 1, wide);
    tensor_put(&tb, s->dtype, s->rows, s->cols, 2, wide);
    tensor *const dgate = s->in_place ? &tc : &ta, *const dup = s->in_place ? &td : &tb;
    pointwise_swiglu_backward(s->threads, dgate->m, dup->m, tc.m, td.m, te.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++) {
            const double gate = was(&tc, r, c), up = was(&td, r, c), dout = was(&te, r, c);
            const double value = value_of(ACTIVATION_SILU, gate) * dout;
            near("swiglu dup", dup, r, c, value, 8 * U * fabs(value) + FLOOR * fabs(dout));
            // As silu's slope below, and two more products.
            const double scale = sigmoid(gate) * (1 + fabs(gate));
            near("swiglu dgate", dgate, r, c, slope_of(ACTIVATION_SILU, gate) * up * dout,
                 (14 * U * scale + FLOOR) * fabs(up * dout));
        }
    intact(&ta, !s->in_place);
    intact(&tb, !s->in_place);
    intact(&tc, s->in_place);
    intact(&td, s->in_place);
    intact(&te, false);
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
    default:
        // Slope: s 6, z s 7, 1 - s 6 s + 1, product and sum 2.
        return slope ? 12 * U * sigmoid(x) * (1 + fabs(x)) + FLOOR : 7 * U * fabs(value_of(kind, x)) + FLOOR;
    }
}

static void check_activations(const setting *s) {
    for (int k = 0; k < ACTIVATIONS; k++) {
        const activation kind = (activation)k;
        tensor_put(&tb, s->dtype, s->rows, s->cols, s->gap, wide);
        tensor_put(&ta, s->dtype, s->rows, s->cols, 0, wide);
        tensor *const out = s->in_place ? &tb : &ta;
        pointwise_activation(s->threads, kind, out->m, tb.m);
        for (size_t r = 0; r < s->rows; r++)
            for (size_t c = 0; c < s->cols; c++) {
                const double x = was(&tb, r, c);
                near("activation", out, r, c, value_of(kind, x), activation_error(kind, x, false));
            }
        intact(&ta, !s->in_place);
        intact(&tb, s->in_place);

        tensor_put(&tb, s->dtype, s->rows, s->cols, s->gap, wide);
        tensor_put(&tc, s->dtype, s->rows, s->cols, 0, wide); // dout
        tensor_put(&ta, s->dtype, s->rows, s->cols, s->gap, wide);
        tensor *const dx = s->in_place ? &tc : &ta;
        pointwise_activation_backward(s->threads, kind, dx->m, tb.m, tc.m);
        for (size_t r = 0; r < s->rows; r++)
            for (size_t c = 0; c < s->cols; c++) {
                const double x = was(&tb, r, c), dout = was(&tc, r, c), want = slope_of(kind, x) * dout;
                near("activation dx", dx, r, c, want,
                     activation_error(kind, x, true) * fabs(dout) + U * fabs(want)); // one product
            }
        intact(&ta, !s->in_place);
        intact(&tb, false);
        intact(&tc, s->in_place);
    }
}

static size_t samples_of(size_t rows) { return rows % 3 == 0 ? 3 : 1; }

static void check_modulation(const setting *s) {
    const size_t samples = samples_of(s->rows), each = s->rows / samples;
    tensor_put(&tb, s->dtype, s->rows, s->cols, s->gap, wide);
    tensor_put(&tc, s->dtype, samples, s->cols, 3 * s->gap, wide); // shift
    tensor_put(&td, s->dtype, samples, s->cols, 0, wide);          // scale
    tensor_put(&ta, s->dtype, s->rows, s->cols, 0, wide);
    tensor *out = s->in_place ? &tb : &ta;
    pointwise_modulate(s->threads, out->m, tb.m, tc.m, td.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++) {
            const double x = was(&tb, r, c), shift = was(&tc, r / each, c), scale = was(&td, r / each, c);
            near("modulate", out, r, c, x * (1 + scale) + shift, 3 * U * (fabs(x) * (1 + fabs(scale)) + fabs(shift)));
        }
    intact(&ta, !s->in_place);
    intact(&tb, s->in_place);
    intact(&tc, false);
    intact(&td, false);

    tensor_put(&td, s->dtype, s->rows, s->cols, s->gap, wide); // x
    tensor_put(&te, s->dtype, samples, s->cols, s->gap, wide); // scale
    tensor_put(&tf, s->dtype, s->rows, s->cols, s->gap, wide); // dout
    tensor_put(&ta, s->dtype, s->rows, s->cols, s->gap, wide);
    tensor_put(&tb, NORM_F32, samples, s->cols, 0, wide); // dshift
    tensor_put(&tc, NORM_F32, samples, s->cols, s->gap, wide);
    tensor *dx = s->in_place ? &tf : &ta;
    pointwise_modulate_backward(s->threads, dx->m, tb.m, tc.m, td.m, te.m, tf.m);
    for (size_t c = 0; c < s->cols; c++)
        for (size_t sample = 0; sample < samples; sample++) {
            double dshift = 0, dscale = 0, shift_scale = 0, scale_scale = 0;
            for (size_t r = sample * each; r < (sample + 1) * each; r++) {
                const double x = was(&td, r, c), scale = was(&te, sample, c), dout = was(&tf, r, c);
                near("modulate dx", dx, r, c, dout * (1 + scale), 2 * U * fabs(dout) * (1 + fabs(scale)));
                dshift += dout;
                shift_scale += fabs(dout);
                dscale += dout * x;
                scale_scale += fabs(dout * x);
            }
            near("dshift", &tb, sample, c, dshift, (double)each * U * shift_scale);
            near("dscale", &tc, sample, c, dscale, (double)(each + 1) * U * scale_scale);
        }
    intact(&ta, !s->in_place);
    intact(&tb, true);
    intact(&tc, true);
    intact(&td, false);
    intact(&te, false);
    intact(&tf, s->in_place);
}

static void check_gates(const setting *s) {
    const size_t samples = samples_of(s->rows), each = s->rows / samples;
    tensor_put(&tb, s->dtype, s->rows, s->cols, s->gap, wide);
    tensor_put(&tc, s->dtype, samples, s->cols, s->gap, wide); // gate
    tensor_put(&ta, s->dtype, s->rows, s->cols, 0, wide);
    tensor *const out = s->in_place ? &tb : &ta;
    pointwise_gate(s->threads, out->m, tb.m, tc.m);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++)
            near("gate", out, r, c, was(&tb, r, c) * was(&tc, r / each, c), 0);
    intact(&ta, !s->in_place);
    intact(&tb, s->in_place);
    intact(&tc, false);

    tensor_put(&tc, s->dtype, s->rows, s->cols, s->gap, wide); // x
    tensor_put(&td, s->dtype, samples, s->cols, 0, wide);      // gate
    tensor_put(&te, s->dtype, s->rows, s->cols, s->gap, wide); // dout
    tensor_put(&ta, s->dtype, s->rows, s->cols, 0, wide);
    tensor_put(&tb, NORM_F32, samples, s->cols, s->gap, wide); // dgate
    tensor *const dx = s->in_place ? &te : &ta;
    pointwise_gate_backward(s->threads, dx->m, tb.m, tc.m, td.m, te.m);
    for (size_t c = 0; c < s->cols; c++)
        for (size_t sample = 0; sample < samples; sample++) {
            double sum = 0, scale = 0;
            for (size_t r = sample * each; r < (sample + 1) * each; r++) {
                const double product = was(&tc, r, c) * was(&te, r, c);
                near("gate dx", dx, r, c, was(&td, sample, c) * was(&te, r, c), 0);
                sum += product;
                scale += fabs(product);
            }
            near("dgate", &tb, sample, c, sum, (double)(each + 1) * U * scale);
        }
    intact(&ta, !s->in_place);
    intact(&tb, true);
    intact(&tc, false);
    intact(&td, false);
    intact(&te, s->in_place);
}

static void check_sums_and_tables(const setting *s) {
    tensor_put(&tb, s->dtype, s->rows, s->cols, s->gap, wide);
    tensor_put(&ta, NORM_F32, 1, s->cols, 0, wide);
    pointwise_col_sums(s->threads, ta.m.data, tb.m);
    for (size_t c = 0; c < s->cols; c++) {
        double sum = was(&ta, 0, c), scale = fabs(sum);
        for (size_t r = 0; r < s->rows; r++) {
            sum += was(&tb, r, c);
            scale += fabs(was(&tb, r, c));
        }
        near("column sum", &ta, 0, c, sum, (double)s->rows * U * scale);
    }
    intact(&ta, true);
    intact(&tb, false);

    enum { VOCABULARY = 5 };
    int32_t ids[MOST_ROWS]; // 2 comes up again and again, 4 never
    for (size_t r = 0; r < s->rows; r++)
        ids[r] = r % 2 ? 2 : (int32_t)(r % 4);
    tensor_put(&tb, s->dtype, VOCABULARY, s->cols, s->gap, wide);
    tensor_put(&ta, s->dtype, s->rows, s->cols, 0, wide);
    pointwise_gather(s->threads, ta.m, tb.m, ids);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++)
            assert_true(now(&ta, r, c) == was(&tb, (size_t)ids[r], c));
    intact(&ta, true);
    intact(&tb, false);

    tensor_put(&tb, s->dtype, s->rows, s->cols, s->gap, wide);
    tensor_put(&ta, NORM_F32, VOCABULARY, s->cols, 0, wide);
    pointwise_scatter(s->threads, ta.m.data, VOCABULARY, tb.m, ids);
    for (size_t id = 0; id < VOCABULARY; id++)
        for (size_t c = 0; c < s->cols; c++) {
            double sum = was(&ta, id, c), scale = fabs(sum);
            for (size_t r = 0; r < s->rows; r++)
                if ((size_t)ids[r] == id) {
                    sum += was(&tb, r, c);
                    scale += fabs(was(&tb, r, c));
                }
            near("scatter", &ta, id, c, sum, (double)s->rows * U * scale);
        }
    intact(&ta, true);
    intact(&tb, false);
}

// cols is taken as half a head here, so that odd widths meet the vectors' tails.
static void check_rope(const setting *s) {
    enum { TOKENS = 4, FIRST = 3 };
    const size_t half = s->cols, head_dim = 2 * half, heads = half < 100 ? 3 : 1;
    float *const angles = malloc((TOKENS + FIRST) * head_dim * sizeof *angles);
    assert_non_null(angles);
    pointwise_angles(angles, TOKENS + FIRST, head_dim, 10000);
    for (size_t position = 0; position < TOKENS + FIRST; position++)
        for (size_t i = 0; i < half; i++) {
            const double angle = (double)position / pow(10000, (double)(2 * i) / (double)head_dim);
            assert_true(fabs((double)angles[position * head_dim + i] - cos(angle)) < 1.01 * U);
            assert_true(fabs((double)angles[position * head_dim + half + i] - sin(angle)) < 1.01 * U);
        }
    for (int inverse = 0; inverse < 2; inverse++) {
        tensor_put(&ta, s->dtype, s->rows, heads * head_dim, s->gap, wide);
        pointwise_rope(s->threads, ta.m, head_dim, angles, TOKENS, FIRST, inverse);
        for (size_t r = 0; r < s->rows; r++)
            for (size_t c = 0; c < heads * head_dim; c++) {
                const size_t i = c % head_dim, pair = i < half ? c + half : c - half;
                const float *const row = angles + (FIRST + r % TOKENS) * head_dim;
                const double cosine = (double)row[i % half], sine = (double)row[half + i % half];
                const double sign = (i < half) == (inverse == 0) ? -1 : 1;
                const double kept = was(&ta, r, c) * cosine, turned = was(&ta, r, pair) * sine;
                near("rope", &ta, r, c, kept + sign * turned, 2 * U * (fabs(kept) + fabs(turned)));
            }
        intact(&ta, true);
    }
    free(angles);
}

// exp: 4, and its argument: the product and the subtraction, each relative to at most the largest |scale x| or twice
// it. The sum: the same, at most 64 additions of a block and 8 of a vector. The division and the product: 2.
static double softmax_error(double largest) { return (2 * (4 + 3 * largest) + 72 + 4) * U; }

static void check_softmax(const setting *s) {
    if (s->dtype != NORM_F32)
        return;
    const float scales[] = {1.0f, 0.125f};
    for (size_t k = 0; k < 4; k++) {
        const bool causal = k / 2;
        const size_t first = s->cols / 3;
        const double scale = (double)scales[k % 2];
        tensor_put(&ta, NORM_F32, s->rows, s->cols, s->gap, wide);
        pointwise_softmax(s->threads, ta.m, scales[k % 2], causal, first);
        for (size_t r = 0; r < s->rows; r++) {
            const size_t length = causal && first + r + 1 < s->cols ? first + r + 1 : s->cols;
            const double *const row = ta.was + r * s->cols;
            double most = row[0], largest = 0, sum = 0;
            for (size_t c = 0; c < length; c++) {
                most = fmax(most, row[c]);
                largest = fmax(largest, scale * fabs(row[c]));
            }
            for (size_t c = 0; c < length; c++)
                sum += exp(scale * (row[c] - most));
            for (size_t c = 0; c < length; c++) {
                const double want = exp(scale * (row[c] - most)) / sum;
                near("softmax", &ta, r, c, want, softmax_error(largest) * want);
            }
            for (size_t c = length; c < s->cols; c++)
                assert_true(now(&ta, r, c) == 0);
        }
        intact(&ta, true);
    }
}

static void check_loss(const setting *s) {
    const double weight = 0.0625;
    int32_t labels[MOST_ROWS];
    for (size_t r = 0; r < s->rows; r++)
        labels[r] = (int32_t)((r * 5 + s->cols - 1) % s->cols);
    tensor_put(&ta, s->dtype, s->rows, s->cols, s->gap, wide);
    const double got = pointwise_cross_entropy(s->threads, ta.m, labels, weight);
    double loss = 0, loss_error = 0;
    for (size_t r = 0; r < s->rows; r++) {
        const double *const row = ta.was + r * s->cols;
        const size_t label = (size_t)labels[r];
        double most = row[0], largest = 0, sum = 0;
        for (size_t c = 0; c < s->cols; c++) {
            most = fmax(most, row[c]);
            largest = fmax(largest, fabs(row[c]));
        }
        for (size_t c = 0; c < s->cols; c++)
            sum += exp(row[c] - most);
        loss += loss_of(row, s->cols, label);
        loss_error += softmax_error(largest) + U * fabs(most - row[label]); // of log(sum) and of its other term
        for (size_t c = 0; c < s->cols; c++) {
            const double p = exp(row[c] - most) / sum;
            near("loss gradient", &ta, r, c, weight * (p - (c == label)),
                 weight * (softmax_error(largest) * p + 2 * U));
        }
    }
    intact(&ta, true);
    if (!(fabs(got - weight * loss) <= weight * loss_error + 1e-12))
        fail_msg("loss %.9g instead of %.9g", got, weight * loss);
}

static norm_level level_of(void **unit) {
    const norm_level level = (norm_level)(uintptr_t)*unit;
    if (!pointwise_select(level)) {
        print_message("skipped: this CPU lacks %s\n", norm_level_missing(level));
        skip();
    }
    return level;
}

static void check_level(void **unit) {
    level_of(unit);
    static const size_t widths[] = {1, 3, 7, 8, 9, 15, 17, 31, 64, 197, 768, 4100};
    state = 1;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (unsigned k = 0; k < 32; k++) {
            const setting s = {.dtype = k & 1 ? NORM_BF16 : NORM_F32,
                               .rows = k & 2 ? 6 : 1,
                               .cols = widths[i],
                               .gap = k & 4 ? 5 : 0,
                               .threads = k & 8 ? 2 : 1,
                               .in_place = k & 16};
            if (widths[i] > 1000 && k != 2 && k != 3)
                continue;
            check_adds(&s);
            check_swiglu(&s);
            check_activations(&s);
            check_modulation(&s);
            check_gates(&s);
            check_sums_and_tables(&s);
            check_rope(&s);
            check_softmax(&s);
            check_loss(&s);
        }
}

// What is summed over rows, and the loss, bit by bit as with one thread, whatever the team.
static void check_teams(void **unit) {
    level_of(unit);
    enum { ROWS = 12, SAMPLES = 3, COLS = 321 };
    int32_t ids[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        ids[r] = (int32_t)(r * 7 % 5);
    static float first[4][SAMPLES * COLS];
    double first_loss = 0;
    for (int threads = 1; threads <= 7; threads++) {
        state = 2;
        float sums[4][SAMPLES * COLS] = {{0}};
        const matrix x = tensor_put(&ta, NORM_F32, ROWS, COLS, 3, wide);
        const matrix dout = tensor_put(&tb, NORM_F32, ROWS, COLS, 0, wide);
        const matrix scale = tensor_put(&tc, NORM_F32, SAMPLES, COLS, 0, wide);
        const matrix dx = tensor_put(&td, NORM_F32, ROWS, COLS, 0, wide);
        const matrix dshift = {NORM_F32, SAMPLES, COLS, COLS, sums[0]},
                     dscale = {NORM_F32, SAMPLES, COLS, COLS, sums[1]};
        pointwise_modulate_backward(threads, dx, dshift, dscale, x, scale, dout);
        pointwise_col_sums(threads, sums[2], dout);
        pointwise_scatter(threads, sums[3], 5, tensor_put(&te, NORM_F32, ROWS, COLS / 2, 0, wide), ids);
        const double loss = pointwise_cross_entropy(threads, x, ids, 1);
        if (threads == 1) {
            memcpy(first, sums, sizeof first);
            first_loss = loss;
        }
        assert_memory_equal(first, sums, sizeof first);
        assert_true(loss == first_loss);
    }
}

// Where a careless softmax overflows, and what becomes of infinities and NaN.
static void check_extremes(void **unit) {
    level_of(unit);
    float row[21];
    const matrix m = {NORM_F32, 1, 21, 21, row};
    for (size_t c = 0; c < 21; c++)
        row[c] = c % 2 ? 1e4f : -1e4f;
    pointwise_softmax(1, m, 1.0f, false, 0);
    for (size_t c = 0; c < 21; c++)
        assert_true(c % 2 ? fabs((double)row[c] - 0.1) < 1e-7 : row[c] == 0.0f);
    for (size_t c = 0; c < 21; c++)
        row[c] = c == 20 ? 0.0f : -INFINITY;
    pointwise_softmax(1, m, 1.0f, false, 0);
    for (size_t c = 0; c < 21; c++)
        assert_true(row[c] == (c == 20 ? 1.0f : 0.0f));
    row[5] = NAN;
    pointwise_softmax(1, m, 1.0f, false, 0);
    for (size_t c = 0; c < 21; c++)
        assert_true(isnan(row[c]));
    for (int kind = 0; kind < ACTIVATIONS; kind++) {
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

static int finish(void **unused) {
    (void)unused;
    tensor *const all[] = {&ta, &tb, &tc, &td, &te, &tf};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        guard_close(&all[i]->guard);
        free(all[i]->was);
    }
    return pointwise_select(NORM_LEVELS) ? 0 : -1;
}

int main(void) {
    static const struct {
        const char *name;
        CMUnitTestFunction run;
    } kinds[] = {{"formulas", check_level}, {"teams", check_teams}, {"extremes", check_extremes}};
    enum { KINDS = sizeof kinds / sizeof *kinds, NAME_SIZE = 64 };
    static struct CMUnitTest tests[KINDS * NORM_LEVELS + 1];
    static char names[KINDS * NORM_LEVELS][NAME_SIZE];
    size_t count = 0;
    for (norm_level level = 0; level < NORM_LEVELS; level++)
        for (size_t k = 0; k < KINDS; k++) {
            snprintf(names[count], NAME_SIZE, "%s %s", kinds[k].name, norm_level_name(level));
            tests[count] = (struct CMUnitTest){names[count], kinds[k].run, NULL, NULL, (void *)(uintptr_t)level};
            count++;
        }
    tests[count++] = (struct CMUnitTest){"slopes by finite differences", check_slopes, NULL, NULL, NULL};
    return _cmocka_run_group_tests("pointwise", tests, count, NULL, finish) ? EXIT_FAILURE : EXIT_SUCCESS;
}
