// SPDX-License-Identifier: MIT
// Rows summed while others are written are, bit for bit, those that go by blocks, whatever the schedule: in every
// dtype, form and kind of store, at every number of rows, in place, where backward follows, and where a row's mean
// makes layernorm give up the overlap.
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
#include "measure/guard.h"
#include "norm.h"
#include "thin.h"

// Widths: the least, some that overlap, the most that do on Zen 5, one step more, and what is no whole number of steps.
static const size_t widths[] = {128, 192, 768, 1536, 1664, 1000};
enum { MOST_ROWS = 6, MOST_COLS = 1664, GAP = 32, MOST_BYTES = MOST_ROWS * MOST_COLS * sizeof(float) };

// What results are written over.
typedef enum { NOTHING, Y_OVER_X, SUM_OVER_X, SUM_OVER_BRANCH, SUM_OVER_X_Y_OVER_BRANCH, PLACES } place;

typedef struct {
    guard_buffer x, y, branch, sum, saved;
    float gamma[MOST_COLS], beta[MOST_COLS];
} tensors;

typedef struct {
    unsigned char y[MOST_BYTES], sum[MOST_BYTES], saved[1 << 16];
} results;

static size_t element_bytes(norm_dtype dtype) { return norm_dtype_bytes(dtype); }

static void put(norm_dtype dtype, void *row, size_t c, float value) { dtype_set(dtype, row, c, (double)value); }

// Of several magnitudes, so that sums are rounded and the order of their terms shows.
static void fill_row(norm_dtype dtype, void *row, size_t cols, size_t index, bool far) {
    static const float scale[] = {1.0f, 0.0271f, 3.14f, 0.577f, 0.0011f};
    for (size_t c = 0; c < cols; c++)
        put(dtype, row, c,
            ((float)((c * 37 + index * 101) % 211) / 61.0f - 1.5f) * scale[c % (sizeof scale / sizeof *scale)] +
                (far ? 1000.0f : 0.0f));
}

static void fill_parameters(norm_dtype dtype, tensors *t) {
    for (size_t c = 0; c < MOST_COLS; c++) {
        put(dtype, t->gamma, c, 0.5f + (float)(c % 13) / 8.0f);
        put(dtype, t->beta, c, (float)(c % 7) / 4.0f - 1.0f);
    }
}

static void copy_rows(unsigned char *out, const unsigned char *from, size_t rows, size_t bytes, size_t pitch) {
    for (size_t r = 0; r < rows; r++)
        memcpy(out + r * bytes, from + r * pitch, bytes);
}

// Runs forward with these choices; the buffers end at inaccessible pages.
static void run(const norm_impl *impl, tensors *t, size_t rows, size_t cols, size_t far, place at,
                const norm_schedule *schedule, results *out) {
    const size_t size = element_bytes(impl->dtype), bytes = cols * size, stride = cols + GAP, pitch = stride * size;
    const bool adds = impl->form == NORM_ADD_FUSED;
    unsigned char *const x = guard_put(&t->x, GUARD_END, 0, rows, bytes, pitch);
    unsigned char *const branch = guard_put(&t->branch, GUARD_END, 0, rows, bytes, pitch);
    unsigned char *y = guard_put(&t->y, GUARD_END, 0, rows, bytes, pitch);
    unsigned char *sum = guard_put(&t->sum, GUARD_END, 0, rows, bytes, pitch);
    const size_t saved_bytes = norm_saved_bytes(impl, rows, cols);
    void *const saved = guard_put(&t->saved, GUARD_END, 0, 1, saved_bytes, saved_bytes);
    assert_true(x != NULL && branch != NULL && y != NULL && sum != NULL && saved != NULL);
    assert_true(saved_bytes <= sizeof out->saved);
    y = at == Y_OVER_X ? x : at == SUM_OVER_X_Y_OVER_BRANCH ? branch : y;
    sum = at == SUM_OVER_X || at == SUM_OVER_X_Y_OVER_BRANCH ? x : at == SUM_OVER_BRANCH ? branch : sum;
    for (size_t r = 0; r < rows; r++) {
        fill_row(impl->dtype, x + r * pitch, cols, r, r == far);
        fill_row(impl->dtype, branch + r * pitch, cols, r + MOST_ROWS, false);
    }
    memset(saved, 0, saved_bytes);
    norm_args args = call_args(rows, cols, stride);
    args.x = x, args.y = y;
    args.gamma = t->gamma, args.beta = t->beta;
    args.saved = saved;
    if (adds)
        args.branch = branch, args.sum = sum;
    norm_slice slice = norm_part(NORM_SPLIT_ROWS, rows, 0, 1);
    slice.schedule = schedule;
    impl->pass[NORM_FORWARD].stages[0].run(&args, &slice);
    ptrdiff_t dead;
    assert_true(guard_intact(&t->x, &dead) && guard_intact(&t->branch, &dead) && guard_intact(&t->y, &dead) &&
                guard_intact(&t->sum, &dead) && guard_intact(&t->saved, &dead));
    copy_rows(out->y, y, rows, bytes, pitch);
    if (adds)
        copy_rows(out->sum, sum, rows, bytes, pitch);
    memcpy(out->saved, saved, saved_bytes);
}

static void compare(const norm_impl *impl, tensors *t, size_t rows, size_t cols, size_t far, place at) {
    static results apart, together;
    static const norm_schedule none;
    // Every row that can overlap does, or only those of up to 1536 floats; and what else can be asked of them.
    static const char *const some[] = {"overlap", "overlap6144", "overlap+fetch64", "sum1+fetch8192x4",
                                       "sum4+fetch4096"};
    norm_schedule asked;
    run(impl, t, rows, cols, far, at, &none, &apart);
    const size_t bytes = rows * cols * element_bytes(impl->dtype);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        assert_true(norm_schedule_parse(some[i], &asked));
        run(impl, t, rows, cols, far, at, &asked, &together);
        if (memcmp(apart.y, together.y, bytes) != 0 ||
            (impl->form == NORM_ADD_FUSED && memcmp(apart.sum, together.sum, bytes) != 0) ||
            memcmp(apart.saved, together.saved, norm_saved_bytes(impl, rows, cols)) != 0)
            fail_msg("%s %s %s %s %s, %s: %zu rows of %zu, row %zu of a large mean, place %d", norm_op_name(impl->op),
                     impl->variant, norm_form_name(impl->form), norm_level_name(impl->level),
                     norm_dtype_name(impl->dtype), some[i], rows, cols, far, (int)at);
    }
}

static void same_bits(void **state) {
    (void)state;
    // No narrower level overlaps rows: without one of these both runs would be the same code.
    static const char *const wide[] = {"avx2", "sve256", "sve512", "sve1024", "sve2048"};
    bool any = false;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        const norm_impl *const impl = norm_find("rmsnorm", "std", "fused", wide[i], "f32");
        any = any || (impl != NULL && norm_missing(impl) == NULL);
    }
    if (!any) {
        print_message("no vectors of 256 bits or more here: no row overlaps another\n");
        skip();
    }
    static tensors t;
    size_t compared = 0;
    for (size_t i = 0; norm_at(i) != NULL; i++) {
        const norm_impl *const impl = norm_at(i);
        const bool adds = impl->form == NORM_ADD_FUSED;
        if ((impl->op != NORM_RMSNORM && impl->op != NORM_LAYERNORM) || (impl->form != NORM_FUSED && !adds) ||
            impl->level == NORM_LEVEL_LIBRARY || norm_level_is_auto(impl->level) || norm_missing(impl) != NULL)
            continue;
        fill_parameters(norm_affine_dtype(impl), &t);
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (size_t rows = 1; rows <= MOST_ROWS; rows++)
                for (size_t far = 0; far <= rows; far++) // the last: none
                    for (place at = NOTHING; at < (adds ? PLACES : SUM_OVER_X); at++, compared++)
                        if (!thinned_out(i + w + rows + far + at))
                            compare(impl, &t, rows, widths[w], far, at);
    }
    assert_true(compared > 0);
    guard_close(&t.x);
    guard_close(&t.y);
    guard_close(&t.branch);
    guard_close(&t.sum);
    guard_close(&t.saved);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
