// SPDX-License-Identifier: MIT
// Attention, forward and backward, against a double-precision reference whose own gradients are held against finite
// differences: causal or not, grouped heads, a cache longer than the queries, decode, several blocks and tiles, both
// dtypes, one thread and two, in matrices with gaps between their rows.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "math/attention.h"
#include "math/scratch.h"
#include "measure/guard.h"
#include "measure/inputs.h"

// ---- The reference

typedef struct {
    const attention_spec *s;
    double *q, *k, *v, *dout;                           // dense, as attention.h orders them
    double *out, *dq, *dk, *dv;                         // results
    double *out_error, *dq_error, *dk_error, *dv_error; // what f32 arithmetic may be off by
} reference;

static size_t query_count(const attention_spec *s) { return s->batch * s->tokens * s->heads * s->head_dim; }
static size_t key_count(const attention_spec *s) { return s->batch * s->context * s->kv_heads * s->head_dim; }

static double *doubles(size_t count) {
    double *const data = calloc(count, sizeof *data);
    assert_non_null(data);
    return data;
}

static reference reference_make(const attention_spec *s) {
    const size_t nq = query_count(s), nk = key_count(s);
    return (reference){s,           doubles(nq), doubles(nk), doubles(nk), doubles(nq), doubles(nq), doubles(nq),
                       doubles(nk), doubles(nk), doubles(nq), doubles(nq), doubles(nk), doubles(nk)};
}

static void reference_free(reference *r) {
    double *const all[] = {r->q,  r->k,  r->v,         r->dout,     r->out,      r->dq,
                           r->dk, r->dv, r->out_error, r->dq_error, r->dk_error, r->dv_error};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

// One query: its probabilities, output and parts of all gradients, and bounds of the error of f32 arithmetic, to first
// order in u = 2^-24. With n keys and head_dim d:
// - a score, a sum of d products and a scaling, is off by (d + 3) u times the sum of magnitudes, and by the rounding of
//   its difference from the row's maximum, at most 2 u of the largest; e is the largest of a row.
// - a probability is off relatively by 2 e (its own exponent and those in the sum), n u for the sum, and 20 u for two
//   exponentials of a few units each and the division: r.
// - a sum over keys or queries of n products adds (n + 1) u to that.
// - dp, a sum of d products, is off by (d + 1) u of its magnitude a; sum(p dp), of magnitude b, by (r + (d + n + 2) u)
// b;
//   so scale p (dp - sum(p dp)) is off by at most 2 (r + (d + n + 8) u) scale p (a + b).
static void query(reference *r, size_t sequence, size_t t, size_t h, double *p, double *a) {
    const attention_spec *const s = r->s;
    const size_t d = s->head_dim, group = s->heads / s->kv_heads, kv = h / group;
    const size_t n = s->causal ? s->context - s->tokens + t + 1 : s->context;
    const size_t row = ((sequence * s->tokens + t) * s->heads + h) * d;
    const double u = 0x1p-24, scale = 1 / sqrt((double)d);
#define KEY(j) (((sequence * s->context + (j)) * s->kv_heads + kv) * d)
    double most = -INFINITY, e = 0, largest = 0, total = 0;
    for (size_t j = 0; j < n; j++) {
        double sum = 0, magnitude = 0;
        for (size_t c = 0; c < d; c++) {
            sum += r->q[row + c] * r->k[KEY(j) + c];
            magnitude += fabs(r->q[row + c] * r->k[KEY(j) + c]);
        }
        p[j] = scale * sum;
        most = fmax(most, p[j]);
        largest = fmax(largest, fabs(p[j]));
        e = fmax(e, (double)(d + 3) * u * scale * magnitude);
    }
    e += 2 * u * largest;
    for (size_t j = 0; j < n; j++)
        total += p[j] = exp(p[j] - most);
    double mean = 0, b = 0;
    for (size_t j = 0; j < n; j++) {
        double dp = 0;
        p[j] /= total;
        a[j] = 0;
        for (size_t c = 0; c < d; c++) {
            r->out[row + c] += p[j] * r->v[KEY(j) + c];
            dp += r->dout[row + c] * r->v[KEY(j) + c];
            a[j] += fabs(r->dout[row + c] * r->v[KEY(j) + c]);
        }
        mean += p[j] * dp;
        b += p[j] * a[j];
    }
    const double rel = 2 * e + (double)(n + 20) * u, sums = (double)(n + 1) * u;
    const double over_queries = (double)(s->tokens * group + 1) * u;
    for (size_t j = 0; j < n; j++) {
        double dp = 0;
        for (size_t c = 0; c < d; c++)
            dp += r->dout[row + c] * r->v[KEY(j) + c];
        const double ds = scale * p[j] * (dp - mean), weight = scale * p[j] * (a[j] + b);
        const double off = 2 * (rel + (double)(d + n + 8) * u) * weight;
        for (size_t c = 0; c < d; c++) {
            r->out_error[row + c] += (rel + sums) * p[j] * fabs(r->v[KEY(j) + c]);
            r->dv[KEY(j) + c] += p[j] * r->dout[row + c];
            r->dv_error[KEY(j) + c] += (rel + over_queries) * p[j] * fabs(r->dout[row + c]);
            r->dq[row + c] += ds * r->k[KEY(j) + c];
            r->dq_error[row + c] += (off + sums * weight) * fabs(r->k[KEY(j) + c]);
            r->dk[KEY(j) + c] += ds * r->q[row + c];
            r->dk_error[KEY(j) + c] += (off + over_queries * weight) * fabs(r->q[row + c]);
        }
    }
#undef KEY
}

static void reference_run(reference *r) {
    const attention_spec *const s = r->s;
    const size_t query_bytes = query_count(s) * sizeof(double), key_bytes = key_count(s) * sizeof(double);
    memset(r->out, 0, query_bytes);
    memset(r->dq, 0, query_bytes);
    memset(r->dk, 0, key_bytes);
    memset(r->dv, 0, key_bytes);
    double *const p = doubles(s->context), *const a = doubles(s->context);
    for (size_t i = 0; i < s->batch * s->tokens * s->heads; i++)
        query(r, i / (s->tokens * s->heads), i / s->heads % s->tokens, i % s->heads, p, a);
    free(p);
    free(a);
}

static void draw(double *data, size_t count, norm_dtype dtype, uint64_t seed) {
    void *const values = malloc(count * norm_dtype_bytes(dtype));
    assert_non_null(values);
    inputs_fill(INPUT_NORMAL, dtype, values, count, count, 0, 1, seed);
    for (size_t i = 0; i < count; i++)
        data[i] = dtype_get(dtype, values, i);
    free(values);
}

static void draw_all(reference *r) {
    draw(r->q, query_count(r->s), r->s->dtype, 1);
    draw(r->k, key_count(r->s), r->s->dtype, 2);
    draw(r->v, key_count(r->s), r->s->dtype, 3);
    draw(r->dout, query_count(r->s), r->s->dtype, 4);
}

// ---- Shapes

static const attention_spec shapes[] = {
    {.batch = 2, .heads = 4, .kv_heads = 2, .head_dim = 6, .tokens = 5, .context = 5, .causal = true},
    {.batch = 1, .heads = 3, .kv_heads = 3, .head_dim = 8, .tokens = 7, .context = 7},
    {.batch = 2, .heads = 4, .kv_heads = 2, .head_dim = 6, .tokens = 5, .context = 9, .causal = true},
    {.batch = 1, .heads = 2, .kv_heads = 1, .head_dim = 1, .tokens = 6, .context = 3},
    {.batch = 3, .heads = 6, .kv_heads = 2, .head_dim = 10, .tokens = 1, .context = 11, .causal = true},
    {.batch = 1, .heads = 2, .kv_heads = 2, .head_dim = 5, .tokens = 1, .context = 1},
    // Blocks of causal queries, and of others; more keys than a tile has.
    {.batch = 1, .heads = 2, .kv_heads = 1, .head_dim = 4, .tokens = 301, .context = 701, .causal = true},
    {.batch = 1, .heads = 2, .kv_heads = 1, .head_dim = 4, .tokens = 301, .context = 701},
    {.batch = 1, .heads = 4, .kv_heads = 2, .head_dim = 7, .tokens = 1, .context = 1100, .causal = true},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, TINY = 6 };

static double loss(reference *r) {
    double sum = 0;
    reference_run(r);
    for (size_t i = 0; i < query_count(r->s); i++)
        sum += r->out[i] * r->dout[i];
    return sum;
}

// Central differences of step h are off by h^2 / 6 times the third derivative, and by the rounding of the loss over h:
// at 1e-4 and values of order one, some 1e-8 and 1e-11. 1e-6 is far below any gradient that matters, of order 0.1.
static void check_differences(reference *r, double *x, const double *dx, size_t count) {
    const double h = 1e-4;
    double *const gradient = doubles(count);
    memcpy(gradient, dx, count * sizeof *gradient);
    for (size_t i = 0; i < count; i++) {
        const double value = x[i];
        x[i] = value + h;
        const double above = loss(r);
        x[i] = value - h;
        const double below = loss(r);
        x[i] = value;
        assert_true(fabs((above - below) / (2 * h) - gradient[i]) < 1e-6);
    }
    free(gradient);
}

static void reference_has_the_gradients_of_its_output(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY; i++) {
        reference r = reference_make(&shapes[i]);
        draw_all(&r);
        reference_run(&r);
        check_differences(&r, r.q, r.dq, query_count(r.s));
        reference_run(&r);
        check_differences(&r, r.k, r.dk, key_count(r.s));
        reference_run(&r);
        check_differences(&r, r.v, r.dv, key_count(r.s));
        reference_free(&r);
    }
}

// ---- The implementation

// A matrix of the values, in a buffer whose gaps are canaries.
static matrix put(guard_buffer *g, norm_dtype dtype, size_t rows, size_t cols, size_t gap, const double *values) {
    const size_t size = norm_dtype_bytes(dtype);
    const matrix m = {dtype, rows, cols, cols + gap,
                      guard_put(g, GUARD_END, 0, rows, cols * size, (cols + gap) * size)};
    assert_non_null(m.data);
    for (size_t i = 0; values && i < rows * cols; i++)
        dtype_set(dtype, m.data, i / cols * m.stride + i % cols, values[i]);
    guard_remember(g);
    return m;
}

static void check(const char *what, const attention_spec *s, const guard_buffer *g, matrix m, const double *expected,
                  const double *error) {
    ptrdiff_t at;
    if (!guard_intact(g, &at))
        fail_msg("%s: byte %td was written, which is between rows", what, at);
    // 1.05: higher orders of the bound. What is stored is rounded to its dtype.
    const double stored = m.dtype == NORM_F32 ? 0x1p-24 : 0x1p-8;
    for (size_t i = 0; i < m.rows * m.cols; i++) {
        const double got = dtype_get(m.dtype, m.data, i / m.cols * m.stride + i % m.cols);
        const double bound = 1.05 * (error[i] + stored * fabs(expected[i]));
        if (!(fabs(got - expected[i]) <= bound))
            fail_msg("%s of %zu tokens, %zu keys, %s, row %zu col %zu: %.9g, expected %.9g within %.2g", what,
                     s->tokens, s->context, norm_dtype_name(s->dtype), i / m.cols, i % m.cols, got, expected[i], bound);
    }
}

static void check_shape(const attention_spec *s) {
    enum { Q, K, V, DOUT, OUT, DQ, DK, DV, MATRICES };
    reference r = reference_make(s);
    draw_all(&r);
    reference_run(&r);
    guard_buffer g[MATRICES] = {0};
    const size_t query_rows = s->batch * s->tokens, query_cols = s->heads * s->head_dim;
    const size_t key_rows = s->batch * s->context, key_cols = s->kv_heads * s->head_dim;
    const double *const values[MATRICES] = {r.q, r.k, r.v, r.dout};
    const bool of_keys[MATRICES] = {[K] = true, [V] = true, [DK] = true, [DV] = true};
    matrix m[MATRICES];
    for (size_t i = 0; i < MATRICES; i++) // strides all differ, so that one taken for another shows
        m[i] = put(&g[i], s->dtype, of_keys[i] ? key_rows : query_rows, of_keys[i] ? key_cols : query_cols, 3 + i,
                   values[i]);
    char error[ATTENTION_ERROR_SIZE];
    attention *const a = attention_make(s, error);
    if (!a)
        fail_msg("%s", error);
    for (int run = 0; run < 2; run++) {                   // what a run leaves in scratch must not show in the next
        memset(scratch_data(), 0xff, attention_bytes(a)); // NaN
        assert_true(attention_forward(a, m[Q], m[K], m[V], m[OUT]));
        if (s->train)
            assert_true(attention_backward(a, m[Q], m[K], m[V], m[DOUT], m[DQ], m[DK], m[DV]));
        else
            assert_false(attention_backward(a, m[Q], m[K], m[V], m[DOUT], m[DQ], m[DK], m[DV]));
    }
    attention_free(a);
    check("out", s, &g[OUT], m[OUT], r.out, r.out_error);
    if (s->train) {
        check("dq", s, &g[DQ], m[DQ], r.dq, r.dq_error);
        check("dk", s, &g[DK], m[DK], r.dk, r.dk_error);
        check("dv", s, &g[DV], m[DV], r.dv, r.dv_error);
    }
    for (size_t i = 0; i < MATRICES; i++) {
        ptrdiff_t at;
        assert_true(i >= OUT || guard_unchanged(&g[i], &at));
        guard_close(&g[i]);
    }
    reference_free(&r);
}

static void forward_and_backward_at_odd_shapes(void **state) {
    (void)state;
    for (int threads = 1; threads <= 2; threads++)
        for (int dtype = 0; dtype < MODEL_DTYPES; dtype++)
            for (size_t i = 0; i < SHAPES; i++)
                for (int train = 0; train < 2; train++) {
                    attention_spec s = shapes[i];
                    s.dtype = (norm_dtype)dtype;
                    s.train = train;
                    omp_set_num_threads(threads);
                    check_shape(&s);
                }
}

static void a_smaller_team_may_run_it(void **state) {
    (void)state;
    enum { TOKENS = 3, COLS = 4 };
    const attention_spec s = {
        .batch = 1, .heads = 2, .kv_heads = 1, .head_dim = 2, .tokens = TOKENS, .context = TOKENS};
    float q[TOKENS * COLS], kv[TOKENS * COLS], out[2][TOKENS * COLS] = {{0}};
    inputs_fill(INPUT_NORMAL, NORM_F32, q, COLS, COLS, 0, TOKENS, 1);
    inputs_fill(INPUT_NORMAL, NORM_F32, kv, COLS, COLS, 0, TOKENS, 2);
    char error[ATTENTION_ERROR_SIZE];
    omp_set_num_threads(2);
    attention *const a = attention_make(&s, error);
    assert_non_null(a);
    for (int i = 0; i < 2; i++) {
        omp_set_num_threads(2 - i);
        const matrix k = {NORM_F32, TOKENS, 2, COLS, kv}, v = {NORM_F32, TOKENS, 2, COLS, kv + 2}; // one fused tensor
        assert_true(attention_forward(a, (matrix){NORM_F32, TOKENS, COLS, COLS, q}, k, v,
                                      (matrix){NORM_F32, TOKENS, COLS, COLS, out[i]}));
    }
    attention_free(a);
    assert_memory_equal(out[0], out[1], sizeof out[0]);
}

static void memory_is_bounded(void **state) {
    (void)state;
    char error[ATTENTION_ERROR_SIZE];
    for (int threads = 1; threads <= 16; threads *= 4)
        for (size_t context = 4096; context <= 1 << 20; context *= 16) {
            omp_set_num_threads(threads);
            const attention_spec s = {.batch = 1,
                                      .heads = 32,
                                      .kv_heads = 32,
                                      .head_dim = 128,
                                      .tokens = context,
                                      .context = context,
                                      .causal = true,
                                      .dtype = NORM_BF16};
            attention *const a = attention_make(&s, error);
            assert_non_null(a);
            // 64 MiB of scores, or a row for each thread; copies of 256 KiB of keys and two blocks of 64 KiB for each.
            const size_t row = context * sizeof(float) * (size_t)threads, most = 64 << 20;
            assert_true(attention_bytes(a) <= (row > most ? row : most) + (size_t)threads * ((256 + 2 * 64) << 10));
            attention_free(a);
        }
    omp_set_num_threads(2);
}

static void nonsense_is_refused(void **state) {
    (void)state;
    static const attention_spec bad[] = {
        {.batch = 1, .heads = 3, .kv_heads = 2, .head_dim = 4, .tokens = 2, .context = 2},
        {.batch = 1, .heads = 2, .kv_heads = 2, .head_dim = 0, .tokens = 2, .context = 2},
        {.batch = 1, .heads = 2, .kv_heads = 2, .head_dim = 4, .tokens = 3, .context = 2, .causal = true},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char error[ATTENTION_ERROR_SIZE] = "";
        assert_null(attention_make(&bad[i], error));
        assert_non_null(strstr(error, "no attention has 1 sequences"));
    }
    attention_free(NULL);
    assert_int_equal(scratch_bytes(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_has_the_gradients_of_its_output),
        cmocka_unit_test(forward_and_backward_at_odd_shapes),
        cmocka_unit_test(a_smaller_team_may_run_it),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
