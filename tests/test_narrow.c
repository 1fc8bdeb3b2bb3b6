// SPDX-License-Identifier: MIT
// Narrow rows of norms that go together are, bit for bit, those that go by blocks, and what backward makes of what they
// leave, too: at every level and dtype, at widths that fill no vector, one, some and all chains of sums, at every
// number of rows, in place, and where a row among them has a large mean, is extreme, or holds nothing but zeros.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "dtype.h"

static const size_t widths[] = {1, 7, 8, 16, 24, 33, 47, 48, 64, 96, 128, 144, 191, 192, 250, 256, 257};

static void fill_row(const call *c, size_t row, double factor, double plus) {
    unsigned char *const x = call_row(c, CALL_X, row);
    for (size_t k = 0; k < c->args.cols; k++)
        dtype_set(c->impl->dtype, x, k, factor * dtype_get(c->impl->dtype, x, k) + plus);
}

typedef void change(const call *c);
static void nothing(const call *c) { (void)c; }
static void zeros(const call *c) { fill_row(c, 2, 0.0, 0.0); }
static void large_means(const call *c) {
    for (size_t row = 3; row < c->args.rows; row += 5)
        fill_row(c, row, 1.0, 40.0);
}
static void all_means_large(const call *c) {
    for (size_t row = 0; row < c->args.rows; row++)
        fill_row(c, row, 1.0, 40.0);
}
static void extremes(const call *c) {
    fill_row(c, c->args.rows / 2, 0.0, 3e38); // an infinity in f16
    fill_row(c, c->args.rows - 1, 1e-30, 0.0);
}
static change *const changes[] = {nothing, zeros, large_means, all_means_large, extremes};

static void expect_same(const call *together, const call *by_blocks, const char *how) {
    call_tensor where;
    if (!call_same(together, by_blocks, &where))
        fail_msg("%s, %zu rows of %zu: tensor %d differs %s", call_name(together->impl), together->args.rows,
                 together->args.cols, (int)where, how);
    assert_memory_equal(together->data[CALL_SAVED], by_blocks->data[CALL_SAVED], together->bytes[CALL_SAVED]);
}

static void check(const norm_impl *impl, size_t rows, size_t cols, change *apply) {
    static const norm_schedule plain = {0}, blocks = {.rows_summed = 4}; // neither overlaps rows
    call together, by_blocks;
    assert_true(call_make(&together, impl, rows, cols, 1) && call_make(&by_blocks, impl, rows, cols, 1));
    apply(&together);
    apply(&by_blocks);
    together.args.schedule = &plain;
    by_blocks.args.schedule = &blocks;
    assert_int_equal(call_run(&together, 1, 0x55), NORM_OK);
    assert_int_equal(call_run(&by_blocks, 1, 0x55), NORM_OK);
    expect_same(&together, &by_blocks, "from rows by blocks");
    // In place, and with nothing kept.
    memcpy(together.data[CALL_Y], together.data[CALL_X], together.bytes[CALL_X]);
    together.args.x = together.args.y;
    together.args.saved = NULL;
    assert_int_equal(norm_run(impl, NORM_FORWARD, &together.args, 1), NORM_OK);
    assert_memory_equal(together.data[CALL_Y], by_blocks.data[CALL_Y], together.bytes[CALL_Y]);
    call_free(&together);
    call_free(&by_blocks);
}

static bool is_tested(const norm_impl *impl) {
    return norm_missing(impl) == NULL && impl->form == NORM_FUSED && impl->level != NORM_LEVEL_LIBRARY &&
           impl->piece.sum != NULL;
}

static void together_as_by_blocks(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t tested = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (!is_tested(impl))
            continue;
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++, tested++)
            for (size_t k = 0; k < sizeof changes / sizeof *changes; k++)
                check(impl, 77, widths[w], changes[k]);
    }
    assert_true(tested > 0);
}

static void any_number_of_rows(void **state) {
    (void)state;
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        for (size_t rows = 1; is_tested(impl) && norm_is_default(impl) && rows <= 35; rows++) {
            check(impl, rows, 20, nothing);
            check(impl, rows, 128, extremes);
        }
}

// Ops without a sum take the last vectors of several rows together: each row is what it is alone.
static void squash_alone(const norm_impl *impl, size_t cols) {
    enum { ROWS = 7 };
    call c, alone;
    assert_true(call_make(&c, impl, ROWS, cols, 1) && call_make(&alone, impl, ROWS, cols, 1));
    fill_row(&c, 1, 0.0, 3e38);
    fill_row(&alone, 1, 0.0, 3e38);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &c.args, 1), NORM_OK);
    for (size_t row = 0; row < ROWS; row++) {
        norm_args one = alone.args;
        one.rows = 1;
        one.x = call_row(&alone, CALL_X, row);
        one.y = call_row(&alone, CALL_Y, row);
        if (impl->form == NORM_ADD_FUSED) {
            one.branch = call_row(&alone, CALL_BRANCH, row);
            one.sum = call_row(&alone, CALL_SUM, row);
        }
        assert_int_equal(norm_run(impl, NORM_FORWARD, &one, 1), NORM_OK);
    }
    if (memcmp(c.data[CALL_Y], alone.data[CALL_Y], c.bytes[CALL_Y]) != 0 ||
        (impl->form == NORM_ADD_FUSED && memcmp(c.data[CALL_SUM], alone.data[CALL_SUM], c.bytes[CALL_SUM]) != 0))
        fail_msg("%s, rows of %zu: together they differ from each alone", call_name(impl), cols);
    call_free(&c);
    call_free(&alone);
}

static void squashed_together_as_alone(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t tested = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (norm_missing(impl) != NULL || (impl->form != NORM_FUSED && impl->form != NORM_ADD_FUSED) ||
            impl->level == NORM_LEVEL_LIBRARY || impl->piece.sum != NULL)
            continue;
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++, tested++)
            squash_alone(impl, widths[w]);
    }
    assert_true(tested > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(together_as_by_blocks), cmocka_unit_test(any_number_of_rows),
                                       cmocka_unit_test(squashed_together_as_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
