// SPDX-License-Identifier: MIT
// Variants `*_nt` compute what their twins do, bit for bit, wherever a row begins; and what stores a shape gets.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "machine/topology.h"
#include "norm.h"

// Columns: seven vectors of 512 bits in f32, and rows that are long to a stream in both dtypes.
enum { ROWS = 6, SHORT = 112, LONG = 4096, ROOM = ROWS * (LONG + 16) * 4 + 128 };

typedef struct {
    unsigned char *x, *y, *dy, *dx, *gamma, *beta;
    float dgamma[LONG], dbeta[LONG], dalpha, dshift;
    void *saved, *workspace;
} tensors;

static unsigned char *room(size_t bytes) {
    unsigned char *const data = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(data);
    memset(data, 0x55, bytes);
    return data;
}

static void tensors_make(tensors *t, const norm_impl *impl, size_t cols) {
    unsigned char **const matrices[] = {&t->x, &t->y, &t->dy, &t->dx, &t->gamma, &t->beta};
    *t = (tensors){.saved = room(norm_saved_bytes(impl, ROWS, cols) + 64),
                   .workspace = room(norm_workspace_bytes(impl, ROWS, cols, 2) + 64)};
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) {
        *matrices[i] = room(ROOM);
        // Bytes that make ordinary numbers in both dtypes: an exponent of 0x3f or 0xbf above a mantissa.
        for (size_t k = 0; k < ROOM; k++)
            (*matrices[i])[k] = (unsigned char)(k % 2 ? (k * 7 + i) % 3 ? 0x3f : 0xbf : k * 37 + i * 11);
    }
}

static void tensors_free(tensors *t) {
    unsigned char *const all[] = {t->x, t->y, t->dy, t->dx, t->gamma, t->beta, t->saved, t->workspace};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

// Results begin `shift` elements behind a cache line.
static void run(const norm_impl *impl, tensors *t, size_t cols, size_t stride, size_t shift, int threads) {
    const size_t bytes = norm_dtype_bytes(impl->dtype) * shift;
    norm_args args = call_args(ROWS, cols, cols);
    args.y_stride = args.dx_stride = stride;
    args.x = t->x, args.y = t->y + bytes;
    args.dy = t->dy, args.dx = t->dx + bytes;
    args.gamma = t->gamma, args.beta = t->beta;
    args.dgamma = t->dgamma, args.dbeta = t->dbeta;
    args.dalpha = &t->dalpha, args.dshift = &t->dshift;
    args.saved = t->saved, args.workspace = t->workspace;
    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, threads), NORM_OK);
    assert_int_equal(norm_run(impl, NORM_BACKWARD, &args, threads), NORM_OK);
}

static void twins_agree(void **state) {
    (void)state;
    static const struct {
        size_t cols, gap, shift;
    } places[] = {{SHORT, 0, 0}, {SHORT, 16, 0}, {SHORT, 1, 0}, {SHORT, 0, 1}, {LONG, 0, 0}, {LONG, 1, 0}};
    const norm_impl *impl;
    size_t tested = 0, built = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (!impl->streams)
            continue;
        built++;
        const norm_impl *const twin = norm_other_stores(impl);
        assert_non_null(twin);
        assert_false(twin->streams);
        assert_ptr_equal(norm_other_stores(twin), impl);
        assert_int_equal(norm_is_default(impl), norm_is_default(twin));
        for (size_t k = 0; norm_level_missing(impl->level) == NULL && k < sizeof places / sizeof *places; k++)
            for (int threads = 1; threads <= 2; threads++) {
                tensors a, b;
                const size_t cols = places[k].cols, stride = cols + places[k].gap;
                tensors_make(&a, twin, cols);
                tensors_make(&b, impl, cols);
                run(twin, &a, cols, stride, places[k].shift, threads);
                run(impl, &b, cols, stride, places[k].shift, threads);
                assert_memory_equal(a.y, b.y, ROOM);
                assert_memory_equal(a.dx, b.dx, ROOM);
                assert_memory_equal(a.dgamma, b.dgamma, cols * sizeof *a.dgamma);
                assert_memory_equal(a.dbeta, b.dbeta, cols * sizeof *a.dbeta);
                assert_memory_equal(&a.dalpha, &b.dalpha, sizeof a.dalpha);
                assert_memory_equal(&a.dshift, &b.dshift, sizeof a.dshift);
                tensors_free(&a);
                tensors_free(&b);
                tested++;
            }
    }
#if defined(__x86_64__)
    assert_true(built > 0 && tested > 0);
#else
    assert_true(tested <= built);
#endif
}

static void large_results_are_streamed(void **state) {
    (void)state;
    char message[TOPOLOGY_ERROR_SIZE];
    topology *const t = topology_open("package:2 l3:1(size=33554432) core:2 pu:1", message);
    assert_non_null(t);
    assert_false(topology_streams(t, 32e6, 1));
    assert_true(topology_streams(t, 34e6, 1));
    assert_false(topology_streams(t, 34e6, 4)); // two caches
    assert_true(topology_streams(t, 68e6, 4));
    topology_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(twins_agree), cmocka_unit_test(large_results_are_streamed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
