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

#include "attention_reference.h"
#include "math/scratch.h"
#include "measure/guard.h"
#include "measure/inputs.h"
#include "rounding.h"

// ---- Shapes

static const attention_spec shapes[] = {
    {.batch = 2, .heads = 4, .kv_heads = 2, .head_dim = 6, .tokens = 5, .context = 5, .causal = true},
    {.batch = 1, .heads = 3, .kv_heads = 3, .head_dim = 8, .tokens = 7, .context = 7},
    {.batch = 2, .heads = 4, .kv_heads = 2, .head_dim = 6, .tokens = 5, .context = 9, .causal = true},
    {.batch = 1, .heads = 2, .kv_heads = 1, .head_dim = 1, .tokens = 6, .context = 3},
    {.batch = 3, .heads = 6, .kv_heads = 2, .head_dim = 10, .tokens = 1, .context = 11, .causal = true},
    {.batch = 1, .heads = 2, .kv_heads = 2, .head_dim = 5, .tokens = 1, .context = 1},
    // A bias for each half of the batch; one for all windows of images that were moved round.
    {.batch = 4, .heads = 2, .kv_heads = 2, .head_dim = 3, .tokens = 5, .context = 5, .bias_groups = 2},
    {.batch = 8,
     .heads = 3,
     .kv_heads = 3,
     .head_dim = 4,
     .tokens = 4,
     .context = 4,
     .bias_groups = 1,
     .window = 2,
     .windows_across = 2,
     .shift = 1},
    // Blocks of causal queries, and of others; more keys than a tile has.
    {.batch = 1, .heads = 2, .kv_heads = 1, .head_dim = 4, .tokens = 301, .context = 701, .causal = true},
    {.batch = 1, .heads = 2, .kv_heads = 1, .head_dim = 4, .tokens = 301, .context = 701},
    {.batch = 1, .heads = 4, .kv_heads = 2, .head_dim = 7, .tokens = 1, .context = 1100, .causal = true},
    {.batch = 3, .heads = 1, .kv_heads = 1, .head_dim = 4, .tokens = 301, .context = 301, .bias_groups = 1},
    // More scores than are kept for the gradient of a bias at a time.
    {.batch = 7, .heads = 1, .kv_heads = 1, .head_dim = 1, .tokens = 800, .context = 800, .bias_groups = 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, TINY = 8 };

static double loss(reference *r) {
    double sum = 0;
    reference_run(r);
    for (size_t i = 0; i < attention_queries(r->s); i++)
        sum += r->out[i] * r->dout[i];
    return sum;
}

// Central differences of step h are off by h^2 / 6 times the third derivative, and by the rounding of the loss over h:
// at 1e-4 and values of order one, some 1e-8 and 1e-11. 1e-6 is far below any gradient that matters, of order 0.1.
static void check_differences(reference *r, double *x, const double *dx, size_t count) {
    const double h = 1e-4;
    double *const gradient = reference_doubles(count);
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
        reference_draw(&r);
        reference_run(&r);
        check_differences(&r, r.q, r.dq, attention_queries(r.s));
        reference_run(&r);
        check_differences(&r, r.k, r.dk, attention_keys(r.s));
        reference_run(&r);
        check_differences(&r, r.v, r.dv, attention_keys(r.s));
        reference_run(&r);
        check_differences(&r, r.bias, r.dbias, attention_biases(r.s));
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
    for (size_t i = 0; i < m.rows * m.cols; i++) {
        const double got = dtype_get(m.dtype, m.data, i / m.cols * m.stride + i % m.cols);
        const double bound = 1.05 * (error[i] + rounding_of(m.dtype, expected[i]));
        if (!(fabs(got - expected[i]) <= bound))
            fail_msg("%s of %zu tokens, %zu keys, %s, row %zu col %zu: %.9g, expected %.9g within %.2g", what,
                     s->tokens, s->context, norm_dtype_name(s->dtype), i / m.cols, i % m.cols, got, expected[i], bound);
    }
}

static void check_shape(const attention_spec *s) {
    enum { Q, K, V, DOUT, OUT, DQ, DK, DV, MATRICES };
    const bool biased = s->bias_groups > 0;
    reference r = reference_make(s);
    reference_draw(&r);
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
    guard_buffer of_bias = {0}, of_dbias = {0};
    const size_t bias_rows = biased ? s->heads * s->bias_groups * s->tokens : 1;
    const matrix bias = put(&of_bias, s->dtype, bias_rows, s->context, 0, biased ? r.bias : NULL),
                 dbias = put(&of_dbias, NORM_F32, bias_rows, s->context, 0, NULL);
    char error[ATTENTION_ERROR_SIZE];
    attention *const a = attention_make(s, error);
    if (!a)
        fail_msg("%s", error);
    for (int run = 0; run < 2; run++) {                   // what a run leaves in scratch must not show in the next
        memset(scratch_data(), 0xff, attention_bytes(a)); // NaN
        assert_true(biased ? attention_forward_biased(a, m[Q], m[K], m[V], bias, m[OUT])
                           : attention_forward(a, m[Q], m[K], m[V], m[OUT]));
        assert_int_equal(biased
                             ? attention_backward_biased(a, m[Q], m[K], m[V], bias, m[DOUT], m[DQ], m[DK], m[DV], dbias)
                             : attention_backward(a, m[Q], m[K], m[V], m[DOUT], m[DQ], m[DK], m[DV]),
                         s->train);
    }
    attention_free(a);
    check("out", s, &g[OUT], m[OUT], r.out, r.out_error);
    if (s->train) {
        check("dq", s, &g[DQ], m[DQ], r.dq, r.dq_error);
        check("dk", s, &g[DK], m[DK], r.dk, r.dk_error);
        check("dv", s, &g[DV], m[DV], r.dv, r.dv_error);
        if (biased)
            check("dbias", s, &of_dbias, dbias, r.dbias, r.dbias_error);
    }
    ptrdiff_t at_bias;
    assert_true(guard_unchanged(&of_bias, &at_bias));
    guard_close(&of_bias);
    guard_close(&of_dbias);
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
