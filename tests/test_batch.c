// SPDX-License-Identifier: MIT
// The bits of a row of y, sum and dx are its own: the same alone, at every place of a batch and on any team, wherever
// rows are not cut, which a caller may ask for.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "call.h"

enum { ROWS = 7, LONG = 49187 };

static void copy_row(const call *from, size_t from_row, call *to, size_t to_row) {
    const size_t bytes = from->args.cols * norm_dtype_bytes(from->impl->dtype);
    for (call_tensor i = CALL_X; i < CALL_GAMMA; i++)
        memcpy(call_row(to, i, to_row), call_row(from, i, from_row), bytes);
}

static void expect_row(const call *want, size_t want_row, const call *got, size_t got_row, const char *how) {
    const size_t bytes = want->args.cols * norm_dtype_bytes(want->impl->dtype);
    for (call_tensor i = CALL_INPUTS; i < CALL_MATRICES; i++)
        if (memcmp(call_row(want, i, want_row), call_row(got, i, got_row), bytes) != 0)
            fail_msg("%s, cols %zu: tensor %d of row %zu differs %s", call_name(want->impl), want->args.cols, (int)i,
                     got_row, how);
}

// Each row alone against the batch, and the first at every place of it.
static void check(const norm_impl *impl, size_t rows, size_t cols) {
    call batch, alone, moved;
    assert_true(call_make(&batch, impl, rows, cols, 3) && call_make(&alone, impl, 1, cols, 3) &&
                call_make(&moved, impl, rows, cols, 3));
    batch.args.batch_invariant = alone.args.batch_invariant = moved.args.batch_invariant = true;
    assert_int_equal(call_run(&batch, 1, 0), NORM_OK);
    for (size_t row = 0; row < rows; row++) {
        copy_row(&batch, row, &alone, 0);
        assert_int_equal(call_run(&alone, 1 + (int)row % 3, 0), NORM_OK);
        expect_row(&batch, row, &alone, 0, "alone");
        for (size_t k = 0; k < rows; k++)
            copy_row(&batch, (k + rows - row) % rows, &moved, k);
        assert_int_equal(call_run(&moved, 1 + (int)row % 3, 0), NORM_OK);
        for (size_t k = 0; k < rows; k++)
            expect_row(&batch, (k + rows - row) % rows, &moved, k, "at another place");
    }
    call_free(&batch);
    call_free(&alone);
    call_free(&moved);
}

static void rows_are_independent(void **state) {
    (void)state;
    static const size_t widths[] = {1, 37, 263};
    const norm_impl *impl;
    size_t tested = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (norm_missing(impl) != NULL || impl->level == NORM_LEVEL_LIBRARY)
            continue;
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++, tested++)
            check(impl, ROWS, widths[w]);
        check(impl, 9, 512); // more than one block, and rows that are summed while others are written
        if (impl->piece.sum != NULL && norm_is_default(impl))
            check(impl, 2, norm_whole_cols(impl) + 67);
    }
    assert_true(tested > 0);
}

// A row that is cut has its own part of gamma and beta, whatever these are stored in.
static void cut_rows_have_their_parameters(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t tested = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (norm_missing(impl) != NULL || !impl->elementwise || impl->level == NORM_LEVEL_LIBRARY ||
            !(impl->params & NORM_GAMMA) || !(norm_is_default(impl) || impl->params & NORM_F32_AFFINE))
            continue;
        const size_t cols = norm_whole_cols(impl) + 67;
        call whole, team;
        assert_true(call_make(&whole, impl, 1, cols, 2) && call_make(&team, impl, 1, cols, 2));
        assert_int_equal(norm_run(impl, NORM_FORWARD, &whole.args, 1), NORM_OK);
        assert_int_equal(norm_run(impl, NORM_FORWARD, &team.args, 2), NORM_OK);
        if (memcmp(whole.data[CALL_Y], team.data[CALL_Y], whole.bytes[CALL_Y]) != 0)
            fail_msg("%s: a row of %zu columns is another on two threads", call_name(impl), cols);
        tested += (impl->params & NORM_F32_AFFINE) != 0;
        call_free(&whole);
        call_free(&team);
    }
    assert_true(tested > 0);
}

// In how many of two teams a long row has other bits than on one thread; asked to be invariant, in none.
static size_t cut_differently(const norm_impl *impl) {
    const size_t bytes = LONG * sizeof(float);
    call whole, team;
    size_t different = 0;
    assert_true(call_make(&whole, impl, 1, LONG, 3) && call_make(&team, impl, 1, LONG, 3));
    assert_int_equal(call_run(&whole, 1, 0), NORM_OK);
    for (int threads = 2; threads <= 3; threads++) {
        team.args.batch_invariant = false;
        assert_int_equal(call_run(&team, threads, 0), NORM_OK);
        different += memcmp(team.data[CALL_Y], whole.data[CALL_Y], bytes) != 0;
        team.args.batch_invariant = true;
        assert_int_equal(call_run(&team, threads, 0), NORM_OK);
        assert_memory_equal(team.data[CALL_Y], whole.data[CALL_Y], bytes);
    }
    call_free(&whole);
    call_free(&team);
    return different;
}

// What is asked for does something: without it such rows are cut, and some have another sum.
static void cut_rows_are_not(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t different = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (norm_missing(impl) == NULL && impl->piece.sum != NULL && impl->dtype == NORM_F32 && norm_is_default(impl))
            different += cut_differently(impl);
    assert_true(different > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_independent),
                                       cmocka_unit_test(cut_rows_have_their_parameters),
                                       cmocka_unit_test(cut_rows_are_not)};
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
