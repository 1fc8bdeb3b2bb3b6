// SPDX-License-Identifier: MIT
// Sums do not lose accuracy with their length: parameter gradients over up to 20 million rows, whoever shares them, and
// the moments of rows of up to 20 million columns, at every level and in every form.
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

#include "base/stats.h"
#include "measure/inputs.h"
#include "norm.h"
#include "side_by_side.h"
#include "thin.h"

// What a parameter gradient may be off by, of the sum of its terms' magnitudes.
static const double goal = 2e-6;

static void *room(size_t bytes) {
    void *const data = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(data);
    return data;
}

typedef struct {
    size_t rows, cols;
    double dy; // the same in every row
    int threads;
} many_rows;

static void name_of(const norm_impl *impl, char *text, size_t size) {
    snprintf(text, size, "%s %s %s %s %s", norm_op_name(impl->op), impl->variant, norm_form_name(impl->form),
             norm_level_name(impl->level), norm_dtype_name(impl->dtype));
}

static void expect(const norm_impl *impl, const many_rows *c, const char *what, double got, double want, double scale) {
    char name[96];
    name_of(impl, name, sizeof name);
    if (!(fabs(got - want) <= goal * scale))
        fail_msg("%s, %zux%zu of dy = %g, %d threads: %s is %.9g, not %.9g", name, c->rows, c->cols, c->dy, c->threads,
                 what, got, want);
}

// Every row of a matrix as its first, or as another one.
static void fill_rows(unsigned char *matrix, const unsigned char *row, size_t rows, size_t row_bytes) {
    for (size_t i = 0; i < rows; i++)
        if (matrix + i * row_bytes != row)
            memcpy(matrix + i * row_bytes, row, row_bytes);
}

// The gradients are those of one row times their number. The errors of one term are the same in each and no matter of
// sums: larger where it is rounded to 16 bits, or as if.
static void expect_sums(const norm_impl *impl, const many_rows *c, const norm_args *a, const norm_reference_sums *one) {
    const double rows = (double)c->rows;
    const bool rough = (impl->op_by_op && impl->dtype != NORM_F32) || strcmp(impl->base, "lp") == 0;
    const double term = rough ? 2 * dtype_epsilon(impl->dtype) / goal : 1;
    for (size_t i = 0; i < c->cols; i++) {
        if (impl->params & NORM_GAMMA)
            expect(impl, c, "dgamma", (double)a->dgamma[i], rows * one->dgamma[i], rows * one->dgamma_scale[i] * term);
        if (impl->params & NORM_BETA)
            expect(impl, c, "dbeta", (double)a->dbeta[i], rows * one->dbeta[i], rows * one->dbeta_scale[i]);
    }
    if (impl->params & NORM_SHIFT)
        expect(impl, c, "dshift", (double)*a->dshift, rows * one->dshift, rows * one->dshift_scale);
    if (impl->params & NORM_ALPHA)
        expect(impl, c, "dalpha", (double)*a->dalpha, rows * one->dalpha, rows * one->dalpha_scale * term);
}

// Every row is the same.
static void check_many(const norm_impl *impl, const many_rows *c) {
    const size_t bytes = norm_dtype_bytes(impl->dtype), row_bytes = c->cols * bytes;
    norm_args a = {.rows = c->rows, .cols = c->cols, .alpha = 0.5f, .shift = 0.25f, .eps = 1e-6f};
    a.x_stride = a.y_stride = a.dy_stride = a.dx_stride = a.branch_stride = a.sum_stride = a.dsum_stride = c->cols;
    unsigned char *const x = room(c->rows * row_bytes), *const dy = room(c->rows * row_bytes);
    // What is not looked at is written over what has been read; eager, which must not, writes elsewhere.
    unsigned char *const out = impl->form == NORM_FUSED ? NULL : room(c->rows * row_bytes);
    float dgamma[8], dbeta[8], gamma[8], dalpha, dshift;
    for (size_t i = 0; i < c->cols; i++) {
        dtype_set(impl->dtype, x, i, i % 2 ? 0.7 : 0.1);
        dtype_set(impl->dtype, dy, i, c->dy);
        dtype_set(norm_affine_dtype(impl), gamma, i, 1);
    }
    fill_rows(x, x, c->rows, row_bytes);
    fill_rows(dy, dy, c->rows, row_bytes);
    a.x = a.branch = x;
    a.gamma = a.beta = gamma;
    a.saved = room(norm_saved_bytes(impl, c->rows, c->cols));
    if (impl->form == NORM_FRAMEWORK)
        memset(a.saved, 0, norm_saved_bytes(impl, c->rows, c->cols));
    a.workspace = room(norm_workspace_bytes(impl, c->rows, c->cols, c->threads));
    a.y = a.dx = out != NULL ? out : dy;
    a.sum = x;
    a.dy = dy;
    a.dsum = x;
    a.dgamma = dgamma;
    a.dbeta = dbeta;
    a.dalpha = &dalpha;
    a.dshift = &dshift;
    unsigned char first[8 * sizeof(float)];
    memcpy(first, dy, row_bytes);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &a, c->threads), NORM_OK);
    if (out == NULL)
        fill_rows(dy, first, c->rows, row_bytes);
    double want[4][8] = {{0}};
    norm_reference_sums sums = {.dgamma = want[0], .dgamma_scale = want[1], .dbeta = want[2], .dbeta_scale = want[3]};
    norm_args one = a;
    one.rows = 1;
    norm_reference_backward(impl->op, impl->params, impl->dtype, &one, 0, NULL, NULL, &sums);
    assert_int_equal(norm_run(impl, NORM_BACKWARD, &a, c->threads), NORM_OK);
    expect_sums(impl, c, &a, &sums);
    free(x);
    free(dy);
    free(out);
    free(a.saved);
    free(a.workspace);
}

static bool runs_here(const norm_impl *impl) {
    return impl->level != NORM_LEVEL_LIBRARY && norm_missing(impl) == NULL && impl->pass[NORM_BACKWARD].count > 0;
}

static void gradients_of_many_rows(void **state) {
    (void)state;
    static const many_rows cases[] = {{256, 8, 0.1, 1}, {4096, 8, 0.1, 1}, {4096, 8, 0.1, 2}, {20011, 3, 1. / 3, 1}};
    const norm_impl *impl;
    size_t checked = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        for (size_t c = 0; runs_here(impl) && c < sizeof cases / sizeof *cases; c++, checked++)
            if (!thinned_out(i + c))
                check_many(impl, &cases[c]);
    assert_true(checked > 0);
}

// Where the sums of before stood still, or were off by a hundredth.
static void gradients_of_millions_of_rows(void **state) {
    (void)state;
    static const struct {
        const char *op, *variant, *form, *level, *dtype;
        many_rows c;
    } cases[] = {
        {"layernorm", "onepass", "fused", "best", "f32", {1000000, 8, 0.1, 1}},
        {"layernorm", "onepass", "fused", "best", "f32", {1000000, 8, 0.1, 2}},
        {"layernorm", "onepass", "fused", "scalar", "bf16", {802816, 8, 0.1, 1}},
        {"layernorm", "onepass", "add_fused", "best", "bf16", {802816, 8, 0.1, 2}},
        {"rmsnorm", "std", "fused", "best", "bf16", {1000000, 8, 0.1, 1}},
        {"dyt", "u2", "fused", "best", "bf16", {20000000, 1, 1, 1}},
        {"hardtanh", "std", "fused", "scalar", "bf16", {20000000, 1, 1, 2}},
        {"dyt", "u2", "eager", "best", "f32", {300000, 8, 0.1, 2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (thinned_out(i))
            continue;
        const norm_impl *const impl =
            norm_find(cases[i].op, cases[i].variant, cases[i].form, cases[i].level, cases[i].dtype);
        assert_non_null(impl);
        check_many(impl, &cases[i].c);
    }
}

static void fill_uniform(float *x, size_t cols) {
    stats_rng rng;
    stats_rng_seed(&rng, 7, 0);
    for (size_t i = 0; i + 1 < cols; i += 2) {
        const uint64_t bits = stats_rng_next(&rng);
        x[i] = (float)(bits >> 40) * 0x1p-24f;
        x[i + 1] = (float)(bits >> 8 & 0xffffff) * 0x1p-24f;
    }
    if (cols % 2)
        x[cols - 1] = 0.5f;
}

// The largest absolute error of y, without parameters, on a row of uniform numbers.
static double long_row_error(const norm_impl *impl, const float *x, float *y, size_t cols, int threads) {
    const norm_args a = {.rows = 1, .cols = cols, .x_stride = cols, .y_stride = cols, .x = x, .y = y, .eps = 1e-5f};
    assert_int_equal(norm_run(impl, NORM_FORWARD, &a, threads), NORM_OK);
    double mean = 0, squares = 0, worst = 0;
    for (size_t i = 0; i < cols && impl->op == NORM_LAYERNORM; i++)
        mean += (double)x[i] / (double)cols;
    for (size_t i = 0; i < cols; i++)
        squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    const double rstd = 1 / sqrt(squares / (double)cols + (double)a.eps);
    for (size_t i = 0; i < cols; i++)
        worst = fmax(worst, fabs((double)y[i] - ((double)x[i] - mean) * rstd));
    return worst;
}

// What PyTorch promises of a row of 75 million (its issue 59987).
static void rows_of_millions(void **state) {
    (void)state;
    static const size_t lengths[] = {100000, 262144, 4000000, 20000001};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    const size_t most = lengths[LENGTHS - 1];
    float *const x = room(most * sizeof *x), *const y = room(most * sizeof *y);
    fill_uniform(x, most);
    static const char *const ops[][2] = {{"layernorm", "onepass_noaffine"}, {"rmsnorm", "std_noaffine"}};
    static const char *const levels[] = {"scalar", "sse2",   "avx2",   "avx512",  "auto_avx2", "neon",
                                         "sve128", "sve256", "sve512", "sve1024", "sve2048",   "auto_neon"};
    for (size_t op = 0; op < 2; op++)
        for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
            const norm_impl *const impl = norm_find(ops[op][0], ops[op][1], "fused", levels[l], "f32");
            for (size_t n = 0; impl != NULL && norm_missing(impl) == NULL && n < LENGTHS; n++) {
                // The longest at one level alone, the one with the longest chains.
                if ((lengths[n] == most && l > 0) || thinned_out(l + n))
                    continue;
                const double error = long_row_error(impl, x, y, lengths[n], 1 + (int)(n % 2));
                if (!(error < 1e-6))
                    fail_msg("%s %s, %zu columns: off by %.3g", ops[op][0], levels[l], lengths[n], error);
            }
        }
    free(x);
    free(y);
}

static bool sums_columns(const norm_impl *impl) {
    return runs_here(impl) && (impl->op == NORM_LAYERNORM || impl->op == NORM_RMSNORM);
}

static void fail_unless_ok(const norm_impl *impl, const verify_result *result, const char *what) {
    char name[96], why[256];
    if (result->ok)
        return;
    name_of(impl, name, sizeof name);
    verify_explain(result, why, sizeof why);
    fail_msg("%s, %s: %s", name, what, why);
}

enum { LONG_ROW = 20011 };
static void check_long_row(const norm_impl *impl, bool is_first, verify_reference *reference[NORM_PASSES],
                           const void *context) {
    static _Alignas(64) float x[LONG_ROW], dy[LONG_ROW], y[LONG_ROW], dx[LONG_ROW], gamma[LONG_ROW], dgamma[LONG_ROW],
        dbeta[LONG_ROW], sum[LONG_ROW], branch[LONG_ROW];
    const input_kind kind = *(const input_kind *)context;
    if (is_first) {
        inputs_fill(kind, impl->dtype, x, LONG_ROW, LONG_ROW, 0, 1, 1);
        inputs_fill(INPUT_ZERO, impl->dtype, branch, LONG_ROW, LONG_ROW, 0, 1, 2);
        inputs_fill(INPUT_NORMAL, impl->dtype, dy, LONG_ROW, LONG_ROW, 0, 1, 3);
        inputs_fill(INPUT_NORMAL, impl->dtype, gamma, LONG_ROW, LONG_ROW, 0, 1, 4);
    }
    norm_args a = {.rows = 1, .cols = LONG_ROW, .eps = 1e-5f};
    a.x_stride = a.y_stride = a.dy_stride = a.dx_stride = a.branch_stride = a.sum_stride = a.dsum_stride = LONG_ROW;
    a.x = x;
    a.y = y;
    a.branch = a.dsum = branch;
    a.sum = sum;
    a.dy = dy;
    a.dx = dx;
    a.gamma = a.beta = gamma;
    a.dgamma = dgamma;
    a.dbeta = dbeta;
    a.saved = room(norm_saved_bytes(impl, 1, LONG_ROW));
    if (impl->form == NORM_FRAMEWORK)
        memset(a.saved, 0, norm_saved_bytes(impl, 1, LONG_ROW));
    a.workspace = room(norm_workspace_bytes(impl, 1, LONG_ROW, 1));
    verify_result result = {.ok = true};
    assert_int_equal(norm_run(impl, NORM_FORWARD, &a, 1), NORM_OK);
    verify_against(impl, NORM_FORWARD, &a, reference[NORM_FORWARD], &result);
    if (impl->form == NORM_ADD_FUSED)
        a.x = sum;
    assert_int_equal(norm_run(impl, NORM_BACKWARD, &a, 1), NORM_OK);
    verify_against(impl, NORM_BACKWARD, &a, reference[NORM_BACKWARD], &result);
    fail_unless_ok(impl, &result, input_name(kind));
    free(a.saved);
    free(a.workspace);
}

// Both passes of every form against the reference, in rows longer than any piece, of which a few numbers stick out.
static void long_rows_keep_their_bounds(void **state) {
    (void)state;
    static const input_kind kinds[] = {INPUT_MASSIVE, INPUT_NORMAL};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        assert_true(side_by_side(sums_columns, 1, LONG_ROW, check_long_row, &kinds[k]) > 0);
}

static bool sums_tensors(const norm_impl *impl) {
    return runs_here(impl) && impl->params & NORM_ALPHA && !(impl->params & NORM_GAMMA) && impl->form == NORM_FUSED;
}

enum { EQUAL_ROWS = 64, EQUAL_COLS = 768 };
static void check_equal_terms(const norm_impl *impl, bool is_first, verify_reference *reference[NORM_PASSES],
                              const void *context) {
    static _Alignas(64) float x[EQUAL_ROWS * EQUAL_COLS], dy[EQUAL_ROWS * EQUAL_COLS], dx[EQUAL_ROWS * EQUAL_COLS];
    const uint64_t seed = *(const uint64_t *)context;
    float dalpha, dshift;
    norm_args a = {.rows = EQUAL_ROWS, .cols = EQUAL_COLS, .x = x, .dy = dy, .dx = dx};
    a.x_stride = a.dy_stride = a.dx_stride = EQUAL_COLS;
    a.dalpha = &dalpha;
    a.dshift = &dshift;
    a.workspace = room(norm_workspace_bytes(impl, EQUAL_ROWS, EQUAL_COLS, 1));
    inputs_scalars(INPUT_EQUAL, seed, &a);
    if (is_first) {
        inputs_fill(INPUT_EQUAL, impl->dtype, x, EQUAL_COLS, EQUAL_COLS, 0, EQUAL_ROWS, seed);
        inputs_fill(inputs_gradient(INPUT_EQUAL), impl->dtype, dy, EQUAL_COLS, EQUAL_COLS, 0, EQUAL_ROWS, seed + 1);
    }
    verify_result result = {.ok = true};
    assert_int_equal(norm_run(impl, NORM_BACKWARD, &a, 1), NORM_OK);
    verify_against(impl, NORM_BACKWARD, &a, reference[NORM_BACKWARD], &result);
    char what[32];
    snprintf(what, sizeof what, "seed %u", (unsigned)seed);
    fail_unless_ok(impl, &result, what);
    free(a.workspace);
}

// dalpha and dshift are sums over the whole tensor. Where nothing tells its terms apart they are rounded the same way
// each time: a chain of 32 of them was off by 3.1 epsilons, where 3 are allowed.
static void equal_terms_of_one_number(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++)
        assert_true(side_by_side(sums_tensors, EQUAL_ROWS, EQUAL_COLS, check_equal_terms, &seed) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_many_rows),    cmocka_unit_test(gradients_of_millions_of_rows),
        cmocka_unit_test(rows_of_millions),          cmocka_unit_test(long_rows_keep_their_bounds),
        cmocka_unit_test(equal_terms_of_one_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
