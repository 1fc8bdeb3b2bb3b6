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

#include "call.h"
#include "measure/inputs.h"

enum { ROWS = 6, MOST_COLS = 300 };
static call apart, together;

// Inputs with outliers, the same in both calls; nothing arrives along the stream.
static void make(call *c, const norm_impl *impl, size_t cols) {
    assert_true(call_make(c, impl, ROWS, cols, 1));
    inputs_fill(INPUT_ACTIVATIONS, impl->dtype, c->data[CALL_X], cols, cols, 0, ROWS, 1);
    inputs_fill(INPUT_ACTIVATIONS, impl->dtype, c->data[CALL_BRANCH], cols, cols, 0, ROWS, 2);
    memset(c->data[CALL_DSUM], 0, c->bytes[CALL_DSUM]);
}

// The first of two steps: x + branch in f32, rounded to the dtype, in the place of x.
static void add(call *c) {
    const norm_dtype dtype = c->impl->dtype;
    for (size_t i = 0; i < ROWS * c->args.cols; i++) {
        const float sum =
            (float)dtype_get(dtype, c->data[CALL_X], i) + (float)dtype_get(dtype, c->data[CALL_BRANCH], i);
        dtype_set(dtype, c->data[CALL_X], i, (double)sum);
    }
}

static void assert_same(call_tensor which, call_tensor where) {
    assert_memory_equal(together.data[which], apart.data[where], apart.bytes[where]);
}

static void compare(const norm_impl *impl, const norm_impl *fused, size_t cols) {
    make(&apart, fused, cols);
    make(&together, impl, cols);
    add(&apart);
    assert_int_equal(call_run(&apart, 1, 0), NORM_OK);
    assert_int_equal(call_run(&together, 1, 0), NORM_OK);
    assert_same(CALL_SUM, CALL_X);
    assert_same(CALL_Y, CALL_Y);
    // Nothing arrives along the stream here, so dx is the norm's own, but for the sign of a zero.
    for (size_t i = 0; i < ROWS * cols; i++)
        assert_true(dtype_get(impl->dtype, together.data[CALL_DX], i) ==
                    dtype_get(impl->dtype, apart.data[CALL_DX], i));
    for (call_tensor i = CALL_DGAMMA; i <= CALL_SCALARS; i++)
        assert_same(i, i);
    call_free(&apart);
    call_free(&together);
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
    make(&together, impl, 8);
    const norm_args good = together.args;
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
    call_free(&together);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sweep_is_the_two_steps),
        cmocka_unit_test(missing_tensors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
