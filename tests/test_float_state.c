// SPDX-License-Identifier: MIT
// Results do not depend on the floating-point state of the caller, before or after the first team, and the caller's is
// afterwards as it was, flags included: every implementation, one thread and two, rows whole and cut.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fenv.h>
#include <stdlib.h>

#include "call.h"
#include "measure/inputs.h"
#ifdef __x86_64__
#include <xmmintrin.h>
#endif

// The state as one number, and states that a caller may be in: each way of rounding, denormals flushed, traps on.
#if defined(__x86_64__)
static const uint64_t states[] = {0x1f80, 0x1f80 | 0x8040, 0x3f80, 0x5f80, 0x7f80, 0x7f80 | 0x8040, 0x0000, 0x1fbf};
static uint64_t state_get(void) { return _mm_getcsr(); }
static void state_set(uint64_t state) { _mm_setcsr((unsigned)state); }
#elif defined(__aarch64__)
// FZ is bit 24, the ways of rounding are bits 22 and 23, and FZ16 is bit 19.
static const uint64_t states[] = {0, 1 << 24, 1 << 22, 2 << 22, 3 << 22, 3 << 22 | 1 << 24 | 1 << 19};
static uint64_t state_get(void) {
    uint64_t control, flags;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control), "=r"(flags));
    return control | flags << 32;
}
static void state_set(uint64_t state) {
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" ::"r"(state & 0xffffffff), "r"(state >> 32));
}
#else
static const uint64_t states[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
static uint64_t state_get(void) { return (uint64_t)fegetround(); }
static void state_set(uint64_t state) { fesetround((int)state); }
#endif
enum { STATES = sizeof states / sizeof *states, ROWS = 5, COLS = 37, LONG = 49181 };

// Denormal inputs beside ordinary ones, so that results are denormal too, and ones whose exponentials underflow.
static void draw(call *c) {
    const norm_dtype dtype = c->impl->dtype;
    const size_t cols = c->args.cols;
    for (size_t row = 1; row < c->args.rows; row += 2)
        inputs_fill(INPUT_DENORMAL, dtype, c->data[CALL_X], cols, cols, row, row + 1, 3);
    for (size_t i = 0; i < cols; i += 3) {
        dtype_set(dtype, c->data[CALL_X], i, 90.0 + (double)i);
        dtype_set(dtype, c->data[CALL_DY], i, 1e-39 * (double)(i + 1));
    }
}

static void check(const norm_impl *impl, size_t rows, size_t cols, int threads) {
    call usual, other;
    call_tensor where;
    assert_true(call_make(&usual, impl, rows, cols, threads) && call_make(&other, impl, rows, cols, threads));
    draw(&usual);
    draw(&other);
    assert_int_equal(call_run(&usual, threads, 0x55), NORM_OK);
    const uint64_t own = state_get();
    for (size_t i = 0; i < STATES; i++) {
        state_set(states[i]);
        const norm_error error = call_run(&other, threads, 0x33);
        const uint64_t after = state_get();
        state_set(own);
        assert_int_equal(error, NORM_OK);
        if (after != states[i])
            fail_msg("%s: state %#jx became %#jx", call_name(impl), (uintmax_t)states[i], (uintmax_t)after);
        // Of bytes that nothing writes, one filling differs from the other.
        if (i == 0)
            assert_int_equal(call_run(&usual, threads, 0x33), NORM_OK);
        if (!call_same(&usual, &other, &where))
            fail_msg("%s, %zux%zu, %d threads: tensor %d differs in state %#jx", call_name(impl), rows, cols, threads,
                     (int)where, (uintmax_t)states[i]);
    }
    call_free(&usual);
    call_free(&other);
}

static void of_every_implementation(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t tested = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (norm_missing(impl) != NULL)
            continue;
        for (int threads = 1; threads <= 2; threads++, tested++)
            check(impl, ROWS, COLS, threads);
        if (impl->piece.sum != NULL)
            check(impl, 1, LONG, 2);
    }
    assert_true(tested > 0);
}

// The threads of a team may have been started in a state of the caller's, which they keep.
static void of_a_team_that_was_started_in_another(void **state) {
    (void)state;
    const norm_impl *const impl = norm_find("dyt", "u2", "fused", "best", "f32");
    call c;
    const uint64_t own = state_get();
    assert_true(call_make(&c, impl, ROWS, COLS, 3));
    state_set(states[STATES / 2]);
    const norm_error error = call_run(&c, 3, 0);
    state_set(own);
    assert_int_equal(error, NORM_OK);
    check(impl, ROWS, COLS, 3);
    call_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_a_team_that_was_started_in_another),
                                       cmocka_unit_test(of_every_implementation)};
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
