// SPDX-License-Identifier: MIT
// Form add_fused is the addition and then the norm, bit for bit; and norm_run refuses a call that lacks one of its
// tensors.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "measure/inputs.h"
#include "norm.h"
#include "plan/cell.h"

enum { ROWS = 6, MOST_COLS = 300, MATRIX = ROWS * MOST_COLS };

// Large enough for either dtype; all zero at the start, so that elements that no call writes compare equal.
typedef struct {
    float y[MATRIX], sum[MATRIX], dx[MATRIX], dgamma[MOST_COLS], dbeta[MOST_COLS], dalpha, dshift;
    double saved[512], workspace[8192]; // aligned as malloc aligns
} outputs;

static float x[MATRIX], branch[MATRIX], dy[MATRIX], zero[MATRIX], gamma_row[MOST_COLS], beta_row[MOST_COLS];
static outputs apart, together;

static norm_args shaped(outputs *out, size_t cols) {
    return (norm_args){.rows = ROWS,
                       .cols = cols,
                       .x_stride = cols,
                       .y_stride = cols,
                       .dy_stride = cols,
                       .dx_stride = cols,
                       .branch_stride = cols,
                       .sum_stride = cols,
                       .dsum_stride = cols,
                       .x = x,
                       .y = out->y,
                       .dy = dy,
                       .dx = out->dx,
                       .branch = branch,
                       .sum = out->sum,
                       .dsum = zero,
                       .gamma = gamma_row,
                       .beta = beta_row,
                       .alpha = 0.75f,
                       .shift = 0.125f,
                       .eps = 1e-5f,
                       .dgamma = out->dgamma,
                       .dbeta = out->dbeta,
                       .dalpha = &out->dalpha,
                       .dshift = &out->dshift,
                       .saved = out->saved,
                       .workspace = out->workspace};
}

static void run(const norm_impl *impl, norm_pass pass, const norm_args *args) {
    assert_true(norm_saved_bytes(impl, args->rows, args->cols) <= sizeof apart.saved);
    assert_true(norm_workspace_bytes(impl, args->rows, args->cols, 1) <= sizeof apart.workspace);
    assert_int_equal(norm_run(impl, pass, args, 1), NORM_OK);
}

// In two steps: x + branch in f32, rounded to the dtype, and form fused on that.
static void in_two_steps(const norm_impl *fused, size_t cols) {
    norm_args args = shaped(&apart, cols);
    for (size_t i = 0; i < ROWS * cols; i++) {
        const float sum = (float)dtype_get(fused->dtype, x, i) + (float)dtype_get(fused->dtype, branch, i);
        dtype_set(fused->dtype, apart.sum, i, (double)sum);
    }
    args.x = apart.sum;
    run(fused, NORM_FORWARD, &args);
    run(fused, NORM_BACKWARD, &args);
}

static void in_one_sweep(const norm_impl *impl, size_t cols) {
    const norm_args args = shaped(&together, cols), backward = cell_pass_args(impl->form, NORM_BACKWARD, &args);
    run(impl, NORM_FORWARD, &args);
    run(impl, NORM_BACKWARD, &backward);
}

static void compare(const norm_impl *impl, const norm_impl *fused, size_t cols) {
    inputs_fill(INPUT_ACTIVATIONS, impl->dtype, x, cols, cols, 0, ROWS, 1);
    inputs_fill(INPUT_ACTIVATIONS, impl->dtype, branch, cols, cols, 0, ROWS, 2);
    inputs_fill(INPUT_NORMAL, impl->dtype, dy, cols, cols, 0, ROWS, 3);
    inputs_fill(INPUT_NORMAL, impl->dtype, gamma_row, cols, cols, 0, 1, 4);
    inputs_fill(INPUT_NORMAL, impl->dtype, beta_row, cols, cols, 0, 1, 5);
    memset(&apart, 0, sizeof apart);
    memset(&together, 0, sizeof together);
    in_two_steps(fused, cols);
    in_one_sweep(impl, cols);
    assert_memory_equal(together.sum, apart.sum, sizeof apart.sum);
    assert_memory_equal(together.y, apart.y, sizeof apart.y);
    // Nothing arrives along the stream here, so dx is the norm's own, but for the sign of a zero.
    for (size_t i = 0; i < ROWS * cols; i++)
        assert_true(dtype_get(impl->dtype, together.dx, i) == dtype_get(impl->dtype, apart.dx, i));
    assert_memory_equal(together.dgamma, apart.dgamma, sizeof apart.dgamma);
    assert_memory_equal(together.dbeta, apart.dbeta, sizeof apart.dbeta);
    assert_memory_equal(&together.dalpha, &apart.dalpha, sizeof apart.dalpha);
    assert_memory_equal(&together.dshift, &apart.dshift, sizeof apart.dshift);
}

static void one_sweep_is_the_two_steps(void **state) {
    (void)state;
    static const size_t cols[] = {1, 5, 16, 67, 128, MOST_COLS};
    size_t count = 0;
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)); i++) {
        if (impl->form != NORM_ADD_FUSED || norm_level_missing(impl->level) != NULL)
            continue;
        const norm_impl *const fused = norm_find(norm_op_name(impl->op), impl->variant, norm_form_name(NORM_FUSED),
                                                 norm_level_name(impl->level), norm_dtype_name(impl->dtype));
        assert_non_null(fused); // every fused variant has both forms
        for (size_t k = 0; k < sizeof cols / sizeof *cols; k++)
            compare(impl, fused, cols[k]);
        count++;
    }
    assert_true(count > 0);
}

static void expect_refused(const norm_impl *impl, norm_pass pass, const norm_args *args) {
    assert_int_equal(norm_run(impl, pass, args, 1), NORM_BAD_ARGUMENT);
}

static void missing_tensors_are_refused(void **state) {
    (void)state;
    const norm_impl *const impl = norm_find("rmsnorm", "std", "add_fused", "scalar", "f32");
    assert_non_null(impl);
    const norm_args good = shaped(&together, 8);
    norm_args bad = good;
    bad.branch = NULL;
    expect_refused(impl, NORM_FORWARD, &bad);
    bad = good;
    bad.branch_stride = 7;
    expect_refused(impl, NORM_FORWARD, &bad);
    bad = good;
    bad.sum = NULL;
    expect_refused(impl, NORM_FORWARD, &bad);
    bad = good;
    bad.sum_stride = 7;
    expect_refused(impl, NORM_FORWARD, &bad);
    bad = good;
    bad.dsum = NULL;
    expect_refused(impl, NORM_BACKWARD, &bad);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &bad, 1), NORM_OK);
    bad = good;
    bad.dsum_stride = 7;
    expect_refused(impl, NORM_BACKWARD, &bad);

    // Without gamma, what backward of an eager dyt needs of forward is y.
    const norm_impl *const eager = norm_find("dyt", "u2_noaffine", "eager", "scalar", "f32");
    assert_true(eager != NULL && eager->reads_y);
    bad = good;
    bad.y = NULL;
    expect_refused(eager, NORM_BACKWARD, &bad);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &good, 1), NORM_OK);
    bad.x = good.sum;
    assert_int_equal(norm_run(impl, NORM_BACKWARD, &bad, 1), NORM_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sweep_is_the_two_steps),
        cmocka_unit_test(missing_tensors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
