// SPDX-License-Identifier: MIT
// The forms op by op do what a framework's operations do, cast by cast: forward bit for bit against a straight-line
// emulation, on inputs whose sums are exact so that their order cannot matter; and the traffic that each form reports
// is that of its list of operations.
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

#include "measure/inputs.h"
#include "norm.h"

enum { ROWS = 5 };

// Stores a float as dtype and reads it back: what every operation of a framework does to its result.
static float stored(norm_dtype dtype, float value) {
    float memory = 0; // large enough for either
    dtype_set(dtype, &memory, 0, (double)value);
    return (float)dtype_get(dtype, &memory, 0);
}

typedef struct {
    norm_dtype dtype;
    unsigned params;
    size_t cols;
    float alpha, eps;
    const float *x, *gamma, *beta; // values that dtype holds
    float *y;
} row;

// An exact sum: every partial sum fits f32, so double and any order of f32 additions agree.
static float exact_mean(const float *values, size_t cols) {
    double sum = 0;
    for (size_t i = 0; i < cols; i++)
        sum += (double)values[i];
    assert_true((double)(float)sum == sum);
    return (float)sum / (float)cols;
}

// Upcast, square, mean, rsqrt of mean + eps, multiply, downcast, weight * h; the weight where there is one.
static void emulate_rmsnorm(const row *r) {
    float *const squares = malloc(r->cols * sizeof *squares);
    assert_non_null(squares);
    for (size_t i = 0; i < r->cols; i++)
        squares[i] = r->x[i] * r->x[i];
    const float rstd = 1 / sqrtf(exact_mean(squares, r->cols) + r->eps);
    for (size_t i = 0; i < r->cols; i++) {
        const float h = stored(r->dtype, r->x[i] * rstd);
        r->y[i] = r->params & NORM_GAMMA ? stored(r->dtype, r->gamma[i] * h) : h;
    }
    free(squares);
}

// Upcast, mean, subtract, square, mean, rsqrt of mean + eps, multiply, downcast, weight * h, + beta.
static void emulate_layernorm(const row *r) {
    float *const centred = malloc(2 * r->cols * sizeof *centred), *const squares = centred + r->cols;
    assert_non_null(centred);
    const float mean = exact_mean(r->x, r->cols);
    for (size_t i = 0; i < r->cols; i++) {
        centred[i] = r->x[i] - mean;
        squares[i] = centred[i] * centred[i];
    }
    const float rstd = 1 / sqrtf(exact_mean(squares, r->cols) + r->eps);
    for (size_t i = 0; i < r->cols; i++) {
        const float h = stored(r->dtype, centred[i] * rstd);
        const float weighted = r->params & NORM_GAMMA ? stored(r->dtype, r->gamma[i] * h) : h;
        r->y[i] = r->params & NORM_BETA ? stored(r->dtype, weighted + r->beta[i]) : weighted;
    }
    free(centred);
}

// alpha * x, tanh, weight * t, + beta; each stored in 16 bits. false where tanh is so near to a rounding boundary of
// the dtype that a tanh off by 2 ulp of f32, which its variant may be, can fall on the other side.
static bool emulate_dyt_element(const row *r, size_t i) {
    const float z = stored(r->dtype, r->alpha * r->x[i]);
    const float t = tanhf(z), tolerance = t * 0x1p-21f;
    const float low = stored(r->dtype, t - tolerance), high = stored(r->dtype, t + tolerance);
    float y = r->params & NORM_GAMMA ? stored(r->dtype, r->gamma[i] * low) : low;
    if (r->params & NORM_BETA)
        y = stored(r->dtype, y + r->beta[i]);
    r->y[i] = y;
    return low == high;
}

typedef struct {
    norm_args args;
    float *x, *y, *gamma, *beta; // the same values as floats; y is the emulation's
} problem;

static void *allocate(size_t bytes) {
    void *const data = calloc(1, bytes + 64);
    assert_non_null(data);
    return data;
}

static float *as_floats(norm_dtype dtype, const void *data, size_t n) {
    float *const values = allocate(n * sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)dtype_get(dtype, data, i);
    return values;
}

static void problem_open(problem *p, const norm_impl *impl, size_t cols, input_kind kind, uint64_t seed) {
    const size_t bytes = norm_dtype_bytes(impl->dtype), n = ROWS * cols;
    void *const x = allocate(n * bytes), *const gamma = allocate(cols * bytes), *const beta = allocate(cols * bytes);
    inputs_fill(kind, impl->dtype, x, cols, cols, 0, ROWS, seed);
    inputs_fill(INPUT_NORMAL, impl->dtype, gamma, cols, cols, 0, 1, seed + 1);
    inputs_fill(INPUT_NORMAL, impl->dtype, beta, cols, cols, 0, 1, seed + 2);
    p->args = (norm_args){
        .rows = ROWS,
        .cols = cols,
        .x_stride = cols,
        .y_stride = cols,
        .x = x,
        .y = allocate(n * bytes),
        .gamma = gamma,
        .beta = beta,
        .alpha = 0.203125f, // every dtype holds it, but those of 16 bits not its products
        .eps = 1e-5f,
        .saved = allocate(norm_saved_bytes(impl, ROWS, cols)),
        .workspace = allocate(norm_workspace_bytes(impl, ROWS, cols, 1)),
    };
    p->x = as_floats(impl->dtype, x, n);
    p->gamma = as_floats(impl->dtype, gamma, cols);
    p->beta = as_floats(impl->dtype, beta, cols);
    p->y = allocate(n * sizeof *p->y);
}

static void problem_close(problem *p, const norm_impl *impl) {
    norm_release(impl, p->args.saved);
    free((void *)(uintptr_t)p->args.x);
    free((void *)(uintptr_t)p->args.gamma);
    free((void *)(uintptr_t)p->args.beta);
    free(p->args.y);
    free(p->args.saved);
    free(p->args.workspace);
    free(p->x);
    free(p->y);
    free(p->gamma);
    free(p->beta);
}

static row row_of(const problem *p, const norm_impl *impl, size_t index) {
    const size_t start = index * p->args.cols;
    return (row){impl->dtype,  impl->params, p->args.cols, p->args.alpha, p->args.eps,
                 p->x + start, p->gamma,     p->beta,      p->y + start};
}

static void expect_bits(const norm_impl *impl, float got, float want, size_t index, size_t col) {
    if (memcmp(&got, &want, sizeof got) != 0)
        fail_msg("%s %s %s %s: y[%zu, %zu] is %a, the list of operations gives %a", norm_op_name(impl->op),
                 impl->variant, norm_level_name(impl->level), norm_dtype_name(impl->dtype), index, col, (double)got,
                 (double)want);
}

// Returns the share of elements that could be compared.
static double compare(const norm_impl *impl, size_t cols, input_kind kind, uint64_t seed) {
    problem p;
    problem_open(&p, impl, cols, kind, seed);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &p.args, 1), NORM_OK);
    size_t compared = 0;
    for (size_t index = 0; index < ROWS; index++) {
        const row r = row_of(&p, impl, index);
        if (impl->op == NORM_RMSNORM)
            emulate_rmsnorm(&r);
        if (impl->op == NORM_LAYERNORM)
            emulate_layernorm(&r);
        for (size_t i = 0; i < cols; i++) {
            if (impl->op == NORM_DYT && !emulate_dyt_element(&r, i))
                continue;
            compared++;
            expect_bits(impl, (float)dtype_get(impl->dtype, p.args.y, index * cols + i), r.y[i], index, i);
        }
    }
    problem_close(&p, impl);
    return (double)compared / (double)(ROWS * cols);
}

// Whether this CPU can run the implementation, which is one of those lists in either form that has them.
static bool runnable(const norm_impl *impl) { return impl->op_by_op && norm_level_missing(impl->level) == NULL; }

// Rows of a power of two, so that dividing by their length and multiplying by its inverse agree.
static void normalisations_match_their_lists(void **state) {
    (void)state;
    static const size_t cols[] = {1, 2, 16, 64, 256, 1024, 4096};
    size_t count = 0;
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)); i++) {
        if (!runnable(impl) || (impl->op != NORM_RMSNORM && impl->op != NORM_LAYERNORM))
            continue;
        count++;
        for (size_t j = 0; j < sizeof cols / sizeof *cols; j++)
            assert_true(compare(impl, cols[j], INPUT_SYMMETRIC, 40 + j) == 1);
    }
    assert_true(count >= 12); // two ops, with parameters and without, three dtypes, one level at least
}

// Of 16 bits alone: in f32 nothing is rounded beyond the tanh itself, which a variant may choose.
static void dyt_matches_its_list(void **state) {
    (void)state;
    size_t count = 0;
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)); i++) {
        if (!runnable(impl) || impl->op != NORM_DYT || impl->dtype == NORM_F32)
            continue;
        count++;
        assert_true(compare(impl, 1000, INPUT_SWEEP, 50) > 0.99);
        assert_true(compare(impl, 1000, INPUT_ACTIVATIONS, 51) > 0.99);
    }
    assert_true(count >= 6); // with beta and without, and without gamma; bf16 and f16
}

// Bytes per element, by dtype. Fused and add_fused: one read of each input and one write of each output. Eager: the
// sums over the lists of operations; that of layernorm's backward is our own. With e bytes an element: dgamma's product
// 3e and column sum e, dbeta's column sum e, dy * gamma 2e, times rstd 8, drstd's product 12 and row sum 4, its spread
// 4, the square's gradient 8 + 8 + 12, the sum of both 12, then for the mean negation 8, row sum 4, spread 4, addition
// 12: 96
// + 7e, and of 16 bits a cast up and one down, 6 each. Without gamma and beta the steps that have them are gone, and
// with them, backward, those of the product, the two column sums and dy * gamma.
typedef struct {
    norm_op op;
    norm_form form;
    unsigned without;                 // parameters that it lacks
    unsigned forward[2], backward[2]; // of f32, and of 16 bits
} traffic;

static const traffic *traffic_of(const norm_impl *impl) {
    enum { AFFINE = NORM_GAMMA | NORM_BETA };
    static const traffic table[] = {
        {NORM_RMSNORM, NORM_EAGER, 0, {28, 36}, {92, 92}},
        {NORM_RMSNORM, NORM_EAGER, NORM_GAMMA, {20, 32}, {68, 80}},
        {NORM_LAYERNORM, NORM_EAGER, 0, {48, 52}, {124, 122}},
        {NORM_LAYERNORM, NORM_EAGER, NORM_BETA, {40, 48}, {120, 120}},
        {NORM_LAYERNORM, NORM_EAGER, AFFINE, {32, 44}, {96, 108}},
        {NORM_DYT, NORM_EAGER, 0, {32, 16}, {64, 32}},
        {NORM_DYT, NORM_EAGER, NORM_BETA, {24, 12}, {60, 30}},
        {NORM_DYT, NORM_EAGER, AFFINE, {16, 8}, {36, 18}},
        {NORM_RMSNORM, NORM_FRAMEWORK, 0, {28, 36}, {92, 92}},
        {NORM_RMSNORM, NORM_FRAMEWORK, NORM_GAMMA, {20, 32}, {68, 80}},
        {NORM_LAYERNORM, NORM_FRAMEWORK, 0, {8, 4}, {12, 6}},
        {NORM_LAYERNORM, NORM_FRAMEWORK, NORM_BETA, {8, 4}, {12, 6}},
        {NORM_LAYERNORM, NORM_FRAMEWORK, AFFINE, {8, 4}, {12, 6}},
        {NORM_DYT, NORM_FRAMEWORK, 0, {32, 16}, {64, 32}},
        {NORM_DYT, NORM_FRAMEWORK, NORM_BETA, {24, 12}, {60, 30}},
        {NORM_DYT, NORM_FRAMEWORK, AFFINE, {16, 8}, {36, 18}},
        {NORM_IDENTITY, NORM_FRAMEWORK, 0, {8, 4}, {8, 4}},
    };
    static const traffic one_sweep[] = {
        {NORM_OPS, NORM_FUSED, 0, {8, 4}, {12, 6}},
        {NORM_OPS, NORM_ADD_FUSED, 0, {16, 8}, {16, 8}},
        {NORM_IDENTITY, NORM_FUSED, 0, {8, 4}, {8, 4}},
        {NORM_IDENTITY, NORM_ADD_FUSED, 0, {16, 8}, {12, 6}},
    };
#define PARAMETERS(ID, name, parameters, formula) parameters,
    static const unsigned has[NORM_OPS] = {NORM_OP_LIST(PARAMETERS)};
#undef PARAMETERS
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].op == impl->op && table[i].form == impl->form &&
            table[i].without == (has[impl->op] & ~impl->params))
            return &table[i];
    for (size_t i = 0; i < sizeof one_sweep / sizeof *one_sweep; i++)
        if (one_sweep[i].op == (impl->op == NORM_IDENTITY ? NORM_IDENTITY : NORM_OPS) &&
            one_sweep[i].form == impl->form)
            return &one_sweep[i];
    return NULL;
}

static void traffic_is_that_of_the_lists(void **state) {
    (void)state;
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)); i++) {
        const traffic *const t = traffic_of(impl);
        assert_non_null(t);
        const size_t half = impl->dtype != NORM_F32;
        const unsigned forward = norm_bytes_per_element(impl, NORM_FORWARD),
                       backward = norm_bytes_per_element(impl, NORM_BACKWARD);
        if (forward != t->forward[half] || backward != t->backward[half])
            fail_msg("%s %s %s %s: %u and %u bytes per element, not %u and %u", norm_op_name(impl->op), impl->variant,
                     norm_form_name(impl->form), norm_dtype_name(impl->dtype), forward, backward, t->forward[half],
                     t->backward[half]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalisations_match_their_lists),
        cmocka_unit_test(dyt_matches_its_list),
        cmocka_unit_test(traffic_is_that_of_the_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
