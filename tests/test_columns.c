// SPDX-License-Identifier: MIT
// Forward of an elementwise op splits columns where rows are fewer than threads: the result is that of one thread, bit
// for bit, and nothing beyond a row is touched.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "norm.h"

enum { MOST_ROWS = 3, STRIDE = 331, BYTES = MOST_ROWS * STRIDE * 4, THREADS = 4 };

static _Alignas(64) unsigned char x[BYTES], branch[BYTES], gamma_row[STRIDE * 4], beta_row[STRIDE * 4], y[2][BYTES],
    sum[2][BYTES];

// Bytes that make ordinary numbers in both dtypes: an exponent of 0x3f or 0xbf above a mantissa.
static void fill(unsigned char *data, size_t bytes, size_t seed) {
    for (size_t k = 0; k < bytes; k++)
        data[k] = (unsigned char)(k % 2 ? (k * 7 + seed) % 3 ? 0x3f : 0xbf : k * 37 + seed * 11);
}

static void run(const norm_impl *impl, size_t rows, size_t cols, int threads, size_t which) {
    const norm_args args = {.rows = rows,
                            .cols = cols,
                            .x_stride = STRIDE,
                            .y_stride = STRIDE,
                            .branch_stride = STRIDE,
                            .sum_stride = STRIDE,
                            .x = x,
                            .y = y[which],
                            .branch = branch,
                            .sum = sum[which],
                            .gamma = gamma_row,
                            .beta = beta_row,
                            .alpha = 0.5f,
                            .shift = 0.25f};
    memset(y[which], 0x55, BYTES);
    memset(sum[which], 0x55, BYTES);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, threads), NORM_OK);
}

static void split_rows_are_whole_ones(void **state) {
    (void)state;
    static const size_t widths[] = {1, 7, 63, 64, 65, 127, 200, 256, 331};
    const norm_impl *impl;
    size_t tested = 0;
    fill(x, sizeof x, 1);
    fill(branch, sizeof branch, 2);
    fill(gamma_row, sizeof gamma_row, 3);
    fill(beta_row, sizeof beta_row, 4);
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        // An op that sums over a row cannot be elementwise; eager code works on temporaries of the whole tensor.
        assert_int_equal(impl->elementwise,
                         impl->form != NORM_EAGER && impl->op != NORM_LAYERNORM && impl->op != NORM_RMSNORM);
        if (!impl->elementwise || norm_level_missing(impl->level) != NULL)
            continue;
        for (size_t rows = 1; rows <= MOST_ROWS; rows++)
            for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
                run(impl, rows, widths[w], 1, 0);
                run(impl, rows, widths[w], THREADS, 1);
                assert_memory_equal(y[0], y[1], BYTES);
                assert_memory_equal(sum[0], sum[1], BYTES);
                tested++;
            }
    }
    assert_true(tested > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(split_rows_are_whole_ones)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
