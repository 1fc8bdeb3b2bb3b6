// SPDX-License-Identifier: MIT
// Form framework allocates and frees what a framework's operations do: each tensor once, until its last user; without
// a backward to come nothing is kept; results are new ones; and a CPU's page faults come from that alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "graph/heap.h"
#include "measure/inputs.h"
#include "norm.h"
#include "peers/peers.h"

enum { MOST = 32 };

// Walks through a pass's operations: the bytes per element that live at once at most; fails where one is made twice, or
// freed before it was made and not kept by forward. alive: what it begins with and leaves, a bit each.
static unsigned peak_of(const norm_impl *impl, norm_pass pass, bool keeps, unsigned *alive) {
    unsigned bytes[MOST] = {0}, now = 0, peak = 0;
    for (size_t i = 0; i < impl->pass[pass].count; i++) {
        const norm_life *const life = &impl->lives[pass][i];
        const unsigned made = life->makes;
        if (made != 0) {
            assert_true(made < MOST);
            // The sum over dalpha's product has the place of the one over gamma's, which is gone by then.
            assert_int_equal(*alive >> made & 1, 0);
            *alive |= 1u << made;
            bytes[made] = life->per_element;
            now += life->per_element;
            peak = now > peak ? now : peak;
        }
        for (unsigned k = 1; k < MOST; k++)
            if ((life->frees & ~(keeps ? impl->keeps : 0u)) >> k & *alive >> k & 1) {
                *alive &= ~(1u << k);
                now -= bytes[k];
            }
    }
    return peak;
}

typedef struct {
    const char *op, *variant, *dtype;
    unsigned inference, training,
        backward; // bytes per element at once: of forward, of it where backward follows, of that
} lifetime;

static void tensors_live_as_long_as_their_users(void **state) {
    (void)state;
    static const lifetime table[] = {
        // x32, its square; x32, normed; normed, h, y. Kept: x32 and h, in f32 normed, which is h.
        {"rmsnorm", "std", "f32", 8, 8, 20},
        {"rmsnorm", "std", "bf16", 8, 12, 20},
        {"rmsnorm", "std", "f16", 8, 12, 20},
        {"layernorm", "welford", "f32", 4, 4, 4},
        {"layernorm", "welford", "bf16", 2, 2, 2},
        // scaled, t; t, weighted, y. Backward: product, d1, dx.
        {"dyt", "u2", "f32", 12, 12, 12},
        {"dyt", "u2_nobeta", "f32", 8, 8, 12},
        {"dyt", "u2_nobeta", "bf16", 4, 4, 6},
        {"dyt", "u2_nobeta", "f16", 4, 4, 6},
        {"dyt", "u2_noaffine", "f32", 8, 8, 12},
        {"identity", "std", "f32", 4, 4, 4},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const lifetime *const l = &table[i];
        const norm_impl *const impl = norm_find(l->op, l->variant, "framework", "scalar", l->dtype);
        assert_non_null(impl);
        unsigned alive = 0, kept = 0;
        const unsigned inference = peak_of(impl, NORM_FORWARD, false, &alive);
        const unsigned training = peak_of(impl, NORM_FORWARD, true, &kept);
        assert_int_equal(kept & impl->keeps, impl->keeps);
        kept &= impl->keeps;
        const unsigned backward = peak_of(impl, NORM_BACKWARD, true, &kept);
        if (inference != l->inference || training != l->training || backward != l->backward)
            fail_msg("%s %s %s: %u, %u and %u bytes per element at once, not %u, %u and %u", l->op, l->variant,
                     l->dtype, inference, training, backward, l->inference, l->training, l->backward);
    }
}

// A call with everything that either pass may read, of ones.
typedef struct {
    norm_args args;
    void *matrix, *row, *out;
} call;

static call call_of(const norm_impl *impl, size_t rows, size_t cols, int threads) {
    const size_t bytes = rows * cols * norm_dtype_bytes(impl->dtype);
    call c = {
        .matrix = malloc(bytes), .row = malloc(cols * sizeof(float)), .out = malloc(2 * cols * sizeof(float) + 8)};
    assert_non_null(c.matrix);
    assert_non_null(c.row);
    assert_non_null(c.out);
    inputs_fill(INPUT_NORMAL, impl->dtype, c.matrix, cols, cols, 0, rows, 1);
    inputs_fill(INPUT_NORMAL, impl->dtype, c.row, cols, cols, 0, 1, 2);
    float *const out = c.out;
    c.args = (norm_args){.rows = rows,
                         .cols = cols,
                         .x_stride = cols,
                         .dy_stride = cols,
                         .x = c.matrix,
                         .dy = c.matrix,
                         .gamma = c.row,
                         .beta = c.row,
                         .alpha = 0.5f,
                         .eps = 1e-5f,
                         .dgamma = out,
                         .dbeta = out + cols,
                         .dalpha = out + 2 * cols,
                         .saved = calloc(1, norm_saved_bytes(impl, rows, cols) + 1),
                         .workspace = malloc(norm_workspace_bytes(impl, rows, cols, threads) + 1)};
    assert_non_null(c.args.saved);
    assert_non_null(c.args.workspace);
    return c;
}

static void close_call(call *c) {
    free(c->args.saved);
    free(c->args.workspace);
    free(c->matrix);
    free(c->row);
    free(c->out);
}

static const norm_impl *next_of_framework(size_t *index) {
    const norm_impl *impl;
    while ((impl = norm_at((*index)++)) != NULL)
        if (impl->form == NORM_FRAMEWORK && norm_missing(impl) == NULL)
            return impl;
    return NULL;
}

// A result is a new tensor, the same as one that is written where the caller says, whatever the team; and nothing that
// a forward leaves outlives its backward.
static void results_are_new_tensors(void **state) {
    (void)state;
    enum { ROWS = 70, COLS = 600, THREADS = 3 }; // 42000 elements: two threads' worth
    size_t index = 0, tested = 0;
    const norm_impl *impl;
    while ((impl = next_of_framework(&index)) != NULL) {
        const size_t bytes = ROWS * COLS * norm_dtype_bytes(impl->dtype);
        call c = call_of(impl, ROWS, COLS, THREADS);
        void *const y = malloc(bytes), *const dx = malloc(bytes), *made[2] = {NULL, NULL};
        assert_true(y != NULL && dx != NULL);
        for (int fresh = 0; fresh < 2; fresh++) {
            norm_args args = c.args;
            args.y = y;
            args.dx = dx;
            args.y_stride = args.dx_stride = COLS;
            args.fresh = fresh ? &made[0] : NULL;
            assert_int_equal(norm_run(impl, NORM_FORWARD, &args, fresh ? THREADS : 1), NORM_OK);
            args.y = fresh ? made[0] : y;
            args.fresh = fresh ? &made[1] : NULL;
            assert_int_equal(norm_run(impl, NORM_BACKWARD, &args, fresh ? THREADS : 1), NORM_OK);
            for (size_t i = 0; i < norm_saved_bytes(impl, ROWS, COLS) / sizeof(void *) && i < MOST / 2; i++)
                assert_null(((void **)c.args.saved)[i]);
        }
        assert_memory_equal(made[0], y, bytes);
        assert_memory_equal(made[1], dx, bytes);
        assert_int_equal((uintptr_t)made[0] % 64, 0);
        free(made[0]);
        free(made[1]);
        free(y);
        free(dx);
        close_call(&c);
        tested++;
    }
    assert_true(tested >= 8);
}

static void a_forward_that_no_backward_follows(void **state) {
    (void)state;
    size_t index = 0;
    const norm_impl *impl;
    while ((impl = next_of_framework(&index)) != NULL) {
        call c = call_of(impl, 3, 50, 1);
        void *y = NULL;
        c.args.fresh = &y;
        for (int i = 0; i < 2; i++) { // the second frees what the first has kept
            assert_int_equal(norm_run(impl, NORM_FORWARD, &c.args, 1), NORM_OK);
            free(y);
        }
        norm_release(impl, c.args.saved);
        for (size_t i = 0; i < norm_saved_bytes(impl, 3, 50) / sizeof(void *) && i < MOST / 2; i++)
            assert_null(((void **)c.args.saved)[i]);
        // Without it, backward has nothing to go by.
        norm_args bad = c.args;
        bad.saved = NULL;
        if (impl->keeps != 0)
            assert_int_equal(norm_run(impl, NORM_BACKWARD, &bad, 1), NORM_BAD_ARGUMENT);
        close_call(&c);
    }
}

// What a framework dispatches: of rmsnorm to float, pow, mean, add, rsqrt, mul, to, mul; of dyt mul, tanh, mul, add;
// layernorm is one. Backward is what autograd runs of them: the root's gradient is three operations.
typedef struct {
    const char *op, *variant, *dtype;
    size_t forward, backward;
} operations_row;

static void operations_are_those_of_a_framework(void **state) {
    (void)state;
    static const operations_row table[] = {
        {"layernorm", "welford", "f32", 1, 1},
        {"layernorm", "welford", "bf16", 1, 1},
        {"layernorm", "welford", "f16", 1, 1},
        {"layernorm", "welford_noaffine", "f32", 1, 1},
        {"rmsnorm", "std", "f32", 6, 14},
        {"rmsnorm", "std", "bf16", 8, 16},
        {"rmsnorm", "std", "f16", 8, 16},
        {"rmsnorm", "std_noaffine", "f32", 5, 11},
        {"dyt", "u2", "f32", 4, 8},
        {"dyt", "u2", "bf16", 4, 8},
        {"dyt", "u2", "f16", 4, 8},
        {"dyt", "u2_nobeta", "f32", 3, 7},
        {"dyt", "u2_noaffine", "f32", 2, 4},
        {"identity", "std", "f32", 1, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const operations_row *const row = &table[i];
        const norm_impl *const impl = norm_find(row->op, row->variant, "framework", "scalar", row->dtype);
        assert_non_null(impl);
        const size_t forward = norm_operations(impl, NORM_FORWARD), backward = norm_operations(impl, NORM_BACKWARD);
        if (forward != row->forward || backward != row->backward)
            fail_msg("%s %s %s: %zu and %zu operations, not %zu and %zu", row->op, row->variant, row->dtype, forward,
                     backward, row->forward, row->backward);
    }
    assert_int_equal(norm_operations(norm_find("dyt", "u2", "fused", "scalar", "f32"), NORM_FORWARD), 0);
}

// Each operation waits at least as long as asked for, and computes the same.
static void operations_wait_for_their_dispatch(void **state) {
    (void)state;
    enum { ROWS = 3, COLS = 50, DISPATCH_NS = 200000 };
    static const char *const dtypes[] = {"f32", "bf16", "f16"};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        const norm_impl *const impl = norm_find("dyt", "u2", "framework", "best", dtypes[i]);
        assert_non_null(impl);
        call c = call_of(impl, ROWS, COLS, 1);
        for (norm_pass pass = NORM_FORWARD; pass < NORM_PASSES; pass++) {
            void *made[2] = {NULL, NULL};
            for (unsigned waits = 0; waits < 2; waits++) {
                norm_args args = c.args;
                struct timespec begin, end;
                args.y = c.matrix;
                args.y_stride = COLS;
                void *y = NULL;
                args.fresh = &y;
                if (pass == NORM_BACKWARD) {
                    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, 1), NORM_OK);
                    free(y);
                }
                args.fresh = &made[waits];
                args.dispatch_ns = waits * DISPATCH_NS;
                assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &begin), 0);
                assert_int_equal(norm_run(impl, pass, &args, 1), NORM_OK);
                assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &end), 0);
                const double ns =
                    1e9 * (double)(end.tv_sec - begin.tv_sec) + (double)end.tv_nsec - (double)begin.tv_nsec;
                assert_true(ns >= (double)args.dispatch_ns * (double)norm_operations(impl, pass));
            }
            assert_memory_equal(made[0], made[1], ROWS * COLS * norm_dtype_bytes(impl->dtype));
            free(made[0]);
            free(made[1]);
        }
        norm_release(impl, c.args.saved);
        close_call(&c);
    }
}

// Steps are timed one by one: none waits less than its operations, and together they are the operations of the pass.
static void steps_are_timed(void **state) {
    (void)state;
    enum { ROWS = 3, COLS = 50, DISPATCH_NS = 100000 };
    size_t index = 0;
    const norm_impl *impl;
    while ((impl = next_of_framework(&index)) != NULL) {
        call c = call_of(impl, ROWS, COLS, 1);
        for (norm_pass pass = NORM_FORWARD; pass < NORM_PASSES; pass++) {
            norm_operation times[MOST];
            size_t count = 0, calls = 0;
            void *made = NULL;
            norm_args args = c.args;
            args.y = c.matrix;
            args.y_stride = COLS;
            args.fresh = &made;
            args.dispatch_ns = DISPATCH_NS;
            assert_int_equal(norm_run_operations(impl, pass, &args, 1, times, &count), NORM_BAD_ARGUMENT);
            count = MOST;
            assert_int_equal(norm_run_operations(impl, pass, &args, 1, times, &count), NORM_OK);
            assert_int_equal(count, impl->pass[pass].count);
            for (size_t i = 0; i < count; i++) {
                calls += times[i].calls;
                assert_true(times[i].ns > 0 && times[i].ns >= (double)DISPATCH_NS * times[i].calls);
            }
            assert_int_equal(calls, norm_operations(impl, pass));
            free(made);
        }
        norm_release(impl, c.args.saved);
        close_call(&c);
    }
    const norm_impl *const fused = norm_find("dyt", "u2", "fused", "scalar", "f32");
    call c = call_of(fused, ROWS, COLS, 1);
    c.args.y = c.matrix;
    c.args.y_stride = COLS;
    norm_operation times[MOST];
    size_t count = MOST;
    assert_int_equal(norm_run_operations(fused, NORM_FORWARD, &c.args, 1, times, &count), NORM_BAD_ARGUMENT);
    close_call(&c);
}

static long page_faults(void) {
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_minflt;
}

// A tensor beyond what the C library keeps for later comes from the kernel page by page, in every call again.
static void large_results_cost_page_faults(void **state) {
    (void)state;
    enum { ROWS = 2304, COLS = 4096, CALLS = 2, PAGE = 4096 }; // 36 MiB of f32
    const norm_impl *const impl = norm_find("identity", "std", "framework", "best", "f32");
    assert_non_null(impl);
    call c = call_of(impl, ROWS, COLS, 1);
    void *y = NULL;
    c.args.fresh = &y;
    const long before = page_faults();
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(norm_run(impl, NORM_FORWARD, &c.args, 1), NORM_OK);
        free(y);
    }
    const long huge = 2 << 20, bytes = (long)ROWS * COLS * (long)sizeof(float);
    assert_true(page_faults() - before >= CALLS * (bytes / huge - 1)); // at least one for each huge page
    close_call(&c);
}

// Whatever the process has freed before: below 32 MiB the next result has the memory of the last one.
static void a_settled_heap_keeps_smaller_results(void **state) {
    (void)state;
    enum { ROWS = 512, COLS = 4096, WARM = 8, CALLS = 3, FEW = 64 }; // 8 MiB of f32
    static const size_t before[] = {0, 5u << 20, 31u << 20};
    const norm_impl *const impl = norm_find("rmsnorm", "std", "framework", "best", "f32");
    assert_non_null(impl);
    if (!heap_settle())
        skip();
    call c = call_of(impl, ROWS, COLS, 1);
    c.args.y = NULL;
    void *y = NULL;
    c.args.fresh = &y;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        void *volatile block = malloc(before[i]);
        free(block);
        long first = 0;
        for (int k = 0; k < WARM + CALLS; k++) { // the first let the heap grow: small blocks cut the large ones
            first = k == WARM ? page_faults() : first;
            assert_int_equal(norm_run(impl, NORM_FORWARD, &c.args, 1), NORM_OK);
            free(y);
        }
        assert_true(page_faults() - first < FEW);
    }
    norm_release(impl, c.args.saved);
    close_call(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_new_tensors),
        cmocka_unit_test(a_forward_that_no_backward_follows),
        cmocka_unit_test(large_results_cost_page_faults),
        cmocka_unit_test(a_settled_heap_keeps_smaller_results),
        cmocka_unit_test(operations_are_those_of_a_framework),
        cmocka_unit_test(operations_wait_for_their_dispatch),
        cmocka_unit_test(steps_are_timed),
        cmocka_unit_test(tensors_live_as_long_as_their_users),
    };
    peers_register();
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
