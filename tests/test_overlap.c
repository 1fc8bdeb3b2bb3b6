// SPDX-License-Identifier: MIT
// Rows summed while others are written are, bit for bit, those that go by blocks, whatever this CPU does best: at every
// number of rows, in place, where backward follows, and where a row's mean makes layernorm give up the overlap.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "norm.h"

// Widths: the least, some that overlap, the most that does, one step more, and what is no whole number of steps.
static const size_t widths[] = {128, 192, 768, 1536, 1664, 1000};
enum { MOST_ROWS = 9, MOST_COLS = 1664, GAP = 16 };

typedef struct {
    guard_buffer x, y, saved;
    float gamma[MOST_COLS], beta[MOST_COLS];
} tensors;

static void fill_row(float *row, size_t cols, size_t index, bool far) {
    for (size_t c = 0; c < cols; c++)
        row[c] = (float)((c * 37 + index * 101) % 211) / 64.0f - 1.5f + (far ? 1000.0f : 0.0f);
}

// Runs forward with or without the overlap; the buffers end at inaccessible pages. Copies out y and what is saved.
static void run(const norm_impl *impl, tensors *t, size_t rows, size_t cols, size_t far, bool in_place, bool overlaps,
                float *y, unsigned char *saved) {
    const size_t bytes = cols * sizeof(float), stride = cols + GAP, pitch = stride * sizeof(float);
    float *const x = guard_put(&t->x, GUARD_END, 0, rows, bytes, pitch);
    float *const out = in_place ? x : guard_put(&t->y, GUARD_END, 0, rows, bytes, pitch);
    const size_t saved_bytes = norm_saved_bytes(impl, rows, cols);
    void *const kept = guard_put(&t->saved, GUARD_END, 0, 1, saved_bytes, saved_bytes);
    assert_true(x != NULL && out != NULL && kept != NULL);
    for (size_t r = 0; r < rows; r++)
        fill_row(x + r * stride, cols, r, r == far);
    memset(kept, 0, saved_bytes);
    const norm_args args = {.rows = rows,
                            .cols = cols,
                            .x_stride = stride,
                            .y_stride = stride,
                            .x = x,
                            .y = out,
                            .gamma = t->gamma,
                            .beta = t->beta,
                            .eps = 1e-5f,
                            .saved = kept};
    norm_slice slice = norm_part(NORM_SPLIT_ROWS, rows, 0, 1);
    slice.overlaps = overlaps;
    impl->pass[NORM_FORWARD].stages[0].run(&args, &slice);
    ptrdiff_t at;
    assert_true(guard_intact(&t->x, &at));
    assert_true(in_place || guard_intact(&t->y, &at));
    assert_true(guard_intact(&t->saved, &at));
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * cols, out + r * stride, bytes);
    memcpy(saved, kept, saved_bytes);
}

static void same_bits(void **state) {
    (void)state;
    // No other level overlaps rows: without it both runs would be the same code.
    const norm_impl *const widest = norm_find("rmsnorm", "std", "fused", "avx512", "f32");
    if (widest == NULL || norm_missing(widest) != NULL) {
        print_message("no AVX-512 here: no row overlaps another\n");
        skip();
    }
    static tensors t;
    static float y[2][MOST_ROWS * MOST_COLS];
    static unsigned char saved[2][1 << 16];
    for (size_t c = 0; c < MOST_COLS; c++) {
        t.gamma[c] = 0.5f + (float)(c % 13) / 8.0f;
        t.beta[c] = (float)(c % 7) / 4.0f - 1.0f;
    }
    size_t compared = 0;
    for (size_t i = 0; norm_at(i) != NULL; i++) {
        const norm_impl *const impl = norm_at(i);
        const bool norm = impl->op == NORM_RMSNORM || impl->op == NORM_LAYERNORM;
        if (!norm || impl->dtype != NORM_F32 || impl->form != NORM_FUSED || impl->streams ||
            impl->level == NORM_LEVEL_LIBRARY || norm_missing(impl) != NULL)
            continue;
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (size_t rows = 1; rows <= MOST_ROWS; rows++)
                for (size_t far = 0; far <= rows; far++) // the last: none
                    for (int in_place = 0; in_place < 2; in_place++) {
                        const size_t cols = widths[w];
                        assert_true(norm_saved_bytes(impl, rows, cols) <= sizeof saved[0]);
                        for (size_t k = 0; k < 2; k++)
                            run(impl, &t, rows, cols, far, in_place == 1, k == 1, y[k], saved[k]);
                        if (memcmp(y[0], y[1], rows * cols * sizeof(float)) != 0 ||
                            memcmp(saved[0], saved[1], norm_saved_bytes(impl, rows, cols)) != 0)
                            fail_msg("%s %s %s: %zu rows of %zu, row %zu of a large mean%s", norm_op_name(impl->op),
                                     impl->variant, norm_level_name(impl->level), rows, cols, far,
                                     in_place ? ", in place" : "");
                        compared++;
                    }
    }
    assert_true(compared > 0);
    guard_close(&t.x);
    guard_close(&t.y);
    guard_close(&t.saved);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
