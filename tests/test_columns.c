// SPDX-License-Identifier: MIT
// Forward cuts rows where they are fewer than threads and longer than norm_whole_cols. Of an elementwise op the
// result is that of one thread, bit for bit, and nothing beyond a row is touched; of an op that sums over a row it is
// right, with pieces whose means differ as well.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "measure/inputs.h"
#include "norm.h"
#include "side_by_side.h"
#include "thin.h"

// Widths are short, cut where tanh is computed, just whole and just cut in f32, and cut in both dtypes; parts of the
// last are of different sizes.
enum { MOST_ROWS = 3, STRIDE = 49187, BYTES = MOST_ROWS * STRIDE * 4, THREADS = 4 };
static const size_t widths[] = {1, 65, 6151, 24576, 24639, 49181};
enum { WIDTHS = sizeof widths / sizeof *widths };

static _Alignas(64) unsigned char x[BYTES], branch[BYTES], gamma_row[STRIDE * 4], beta_row[STRIDE * 4], y[2][BYTES],
    sum[2][BYTES];
static float dgamma[STRIDE], dbeta[STRIDE];

// Bytes that make ordinary numbers in both dtypes: an exponent of 0x3f or 0xbf above a mantissa.
static void fill(unsigned char *data, size_t bytes, size_t seed) {
    for (size_t k = 0; k < bytes; k++)
        data[k] = (unsigned char)(k % 2 ? (k * 7 + seed) % 3 ? 0x3f : 0xbf : k * 37 + seed * 11);
}

// The bytes of whole rows, with what is behind each.
static size_t watched(const norm_impl *impl, size_t rows) { return rows * STRIDE * norm_dtype_bytes(impl->dtype); }

static void run(const norm_impl *impl, size_t rows, size_t cols, int threads, size_t which) {
    norm_args args = call_args(rows, cols, STRIDE);
    args.x = x, args.y = y[which];
    args.branch = branch, args.sum = sum[which];
    args.gamma = gamma_row, args.beta = beta_row;
    memset(y[which], 0x55, watched(impl, rows));
    memset(sum[which], 0x55, watched(impl, rows));
    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, threads), NORM_OK);
}

static void split_rows_are_whole_ones(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t tested = 0;
    fill(x, sizeof x, 1);
    fill(branch, sizeof branch, 2);
    fill(gamma_row, sizeof gamma_row, 3);
    fill(beta_row, sizeof beta_row, 4);
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        // An op that sums over a row cannot be elementwise; op by op there are temporaries of the whole tensor.
        const bool op_by_op = impl->form == NORM_EAGER || impl->form == NORM_FRAMEWORK;
        assert_int_equal(impl->elementwise, !op_by_op && impl->op != NORM_LAYERNORM && impl->op != NORM_RMSNORM);
        if (!impl->elementwise || norm_level_missing(impl->level) != NULL)
            continue;
        for (size_t rows = 1; rows <= MOST_ROWS; rows += 2)
            for (size_t w = 0; w < WIDTHS; w++) {
                if (thinned_out(i + rows / 2 + w))
                    continue;
                run(impl, rows, widths[w], 1, 0);
                run(impl, rows, widths[w], THREADS, 1);
                // Not cmocka's comparison, which goes byte by byte.
                assert_int_equal(memcmp(y[0], y[1], watched(impl, rows)), 0);
                assert_int_equal(memcmp(sum[0], sum[1], watched(impl, rows)), 0);
                tested++;
            }
    }
    assert_true(tested > 0);
}

// The implementation that is counted, and how often a piece of a row has been summed.
static const norm_impl *counted;
static int pieces;
static void count_sum(const norm_args *piece, size_t row, norm_moments *out) {
    counted->piece.sum(piece, row, out);
#pragma omp atomic
    pieces++;
}

static norm_args summed(const norm_impl *impl, size_t rows, size_t cols) {
    norm_args args = call_args(rows, cols, STRIDE);
    args.x = x, args.y = y[0];
    args.branch = args.dy = args.dsum = branch;
    args.sum = sum[0], args.dx = y[1];
    args.gamma = gamma_row, args.beta = beta_row;
    args.dgamma = dgamma, args.dbeta = dbeta;
    args.eps = 1e-6f;
    args.saved = malloc(norm_saved_bytes(impl, rows, cols) + 1);
    args.workspace = malloc(norm_workspace_bytes(impl, rows, cols, THREADS) + 1);
    return args;
}

typedef struct {
    size_t rows, cols;
} piece_shape;
static void check_pieces(const norm_impl *impl, bool is_first, verify_reference *reference[NORM_PASSES],
                         const void *context) {
    const piece_shape *const shape = context;
    const size_t size = norm_dtype_bytes(impl->dtype);
    if (is_first) { // drawn, for sums of a few numbers again and again round the same way each time
        inputs_fill(INPUT_NORMAL, impl->dtype, x, STRIDE, STRIDE, 0, shape->rows, 1);
        inputs_fill(INPUT_NORMAL, impl->dtype, branch, STRIDE, STRIDE, 0, shape->rows, 2);
        inputs_fill(INPUT_NORMAL, impl->dtype, gamma_row, STRIDE, STRIDE, 0, 1, 3);
        inputs_fill(INPUT_NORMAL, impl->dtype, beta_row, STRIDE, STRIDE, 0, 1, 4);
    }
    norm_args args = summed(impl, shape->rows, shape->cols);
    norm_impl counting = *impl;
    verify_result result = {.ok = true};
    counting.piece.sum = count_sum;
    counted = impl;
    pieces = 0;
    assert_non_null(args.saved);
    assert_non_null(args.workspace);
    memset(y[0], 0x55, watched(impl, shape->rows));
    assert_int_equal(norm_run(&counting, NORM_FORWARD, &args, THREADS), NORM_OK);
    assert_int_equal(pieces, shape->cols > norm_whole_cols(impl) ? (int)shape->rows * THREADS : 0);
    verify_against(impl, NORM_FORWARD, &args, reference[NORM_FORWARD], &result);
    // What forward saved, backward reads.
    if (impl->form == NORM_ADD_FUSED)
        args.x = sum[0];
    assert_int_equal(norm_run(impl, NORM_BACKWARD, &args, THREADS), NORM_OK);
    verify_against(impl, NORM_BACKWARD, &args, reference[NORM_BACKWARD], &result);
    if (!result.ok) {
        char why[512];
        verify_explain(&result, why, sizeof why);
        fail_msg("%s/%s %s %s %s, %zux%zu: %s", norm_op_name(impl->op), impl->variant, norm_form_name(impl->form),
                 norm_level_name(impl->level), norm_dtype_name(impl->dtype), shape->rows, shape->cols, why);
    }
    // Behind a row all bytes are what the first is.
    const unsigned char *const behind = y[0] + shape->cols * size;
    assert_int_equal(*behind, 0x55);
    assert_int_equal(memcmp(behind, behind + 1, (STRIDE - shape->cols) * size - 1), 0);
    free(args.saved);
    free(args.workspace);
}

static bool sums_pieces(const norm_impl *impl) {
    return impl->piece.sum != NULL && norm_level_missing(impl->level) == NULL;
}

static void sums_of_pieces_are_those_of_rows(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t expected = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        const bool op_by_op = impl->form == NORM_EAGER || impl->form == NORM_FRAMEWORK;
        const bool sums = !op_by_op && (impl->op == NORM_LAYERNORM || impl->op == NORM_RMSNORM);
        assert_int_equal(impl->piece.sum != NULL, sums);
        expected += sums_pieces(impl);
    }
    assert_true(expected > 0);
    for (size_t rows = 1; rows <= MOST_ROWS; rows += 2)
        for (size_t w = 0; w < WIDTHS; w++) {
            const piece_shape shape = {rows, widths[w]};
            assert_int_equal(side_by_side(sums_pieces, rows, widths[w], check_pieces, &shape), expected);
        }
}

// Every piece has a mean of its own, far from zero: the moments are joined right, or the variance is another.
static void pieces_with_means_of_their_own(void **state) {
    (void)state;
    const size_t cols = 28701;
    static double want[STRIDE], scale[STRIDE];
    const norm_impl *impl;
    size_t tested = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (impl->op != NORM_LAYERNORM || impl->piece.sum == NULL || impl->dtype != NORM_F32 ||
            impl->form != NORM_FUSED || norm_level_missing(impl->level) != NULL)
            continue;
        float *const values = (float *)x;
        for (size_t k = 0; k < cols; k++) {
            values[k] = 1e5f + (float)(4 * k / cols) + (float)(k * 37 % 101) / 50;
            ((float *)gamma_row)[k] = 1;
            ((float *)beta_row)[k] = 0;
        }
        const norm_args args = summed(impl, 1, cols);
        assert_int_equal(norm_run(impl, NORM_FORWARD, &args, THREADS), NORM_OK);
        norm_reference_forward(impl->op, impl->params, NORM_F32, &args, 0, want, scale);
        for (size_t k = 0; k < cols; k++)
            assert_true(fabs((double)((const float *)y[0])[k] - want[k]) <= 0x1p-19);
        free(args.saved);
        free(args.workspace);
        tested++;
    }
    assert_true(tested > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(split_rows_are_whole_ones),
                                       cmocka_unit_test(sums_of_pieces_are_those_of_rows),
                                       cmocka_unit_test(pieces_with_means_of_their_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
