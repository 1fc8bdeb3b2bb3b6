// SPDX-License-Identifier: MIT
// Every bf16 and f16 there is, denormals and NaNs too, comes out of every implementation as it should, and sums and
// products that are denormal are rounded to the dtype's denormals as level scalar does it; what an implementation that
// `flushes` may do is to make zeros of them, and nothing else.
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
#include "thin.h"

enum { PATTERNS = 65536, SIGN = 0x8000, MAGNITUDE = 0x7fff };
typedef struct {
    uint16_t infinite, smallest_normal, one, twenty, half;
} numbers;
static const numbers known[NORM_DTYPES] = {
    [NORM_BF16] = {0x7f80, 0x80, 0x3f80, 0x41a0, 0x3f00}, [NORM_F16] = {0x7c00, 0x400, 0x3c00, 0x4d00, 0x3800}};

static uint16_t *of(const call *c, call_tensor which) { return (uint16_t *)c->data[which]; }
static const numbers *numbers_of(const call *c) { return &known[c->impl->dtype]; }
static bool is_nan(const call *c, uint16_t value) { return (value & MAGNITUDE) > numbers_of(c)->infinite; }

static size_t flushed; // of one implementation

// The same but for the sign of a zero, which beta may change.
static void expect(const call *c, call_tensor which, size_t i, uint16_t want) {
    const uint16_t got = of(c, which)[i];
    if (got == want || (is_nan(c, got) && is_nan(c, want)) || ((got | want) & MAGNITUDE) == 0)
        return;
    // Denormal before it was rounded: up to the smallest normal number.
    if (c->impl->flushes && (got & MAGNITUDE) == 0 && (want & MAGNITUDE) <= numbers_of(c)->smallest_normal) {
        flushed++;
        return;
    }
    fail_msg("%s: element %zu of tensor %d is 0x%04x, not 0x%04x", call_name(c->impl), i, (int)which, got, want);
}

// Element i of gamma or beta, which may be f32.
static void put_parameter(const call *c, call_tensor which, size_t i, uint16_t value) {
    dtype_set(norm_affine_dtype(c->impl), c->data[which], i, dtype_get(c->impl->dtype, &value, 0));
}
static void fill_parameter(const call *c, call_tensor which, uint16_t value) {
    for (size_t i = 0; i < PATTERNS; i++)
        put_parameter(c, which, i, value);
}

static void fill(uint16_t *data, size_t count, uint16_t value) {
    for (size_t i = 0; i < count; i++)
        data[i] = value;
}
static void fill_patterns(uint16_t *data) {
    for (size_t i = 0; i < PATTERNS; i++)
        data[i] = (uint16_t)i;
}

// One row of all patterns; alpha 1 and the others of no effect.
static void make(call *c, const norm_impl *impl) {
    assert_true(call_make(c, impl, 1, PATTERNS, 1));
    c->args.alpha = 1;
    c->args.shift = c->args.eps = 0;
    fill(of(c, CALL_BRANCH), PATTERNS, SIGN);
    fill(of(c, CALL_DSUM), PATTERNS, SIGN);
    fill_parameter(c, CALL_BETA, SIGN);
    fill_parameter(c, CALL_GAMMA, numbers_of(c)->one);
}

// gamma goes through all patterns where what it multiplies is 1 or -1 exactly: a norm of those, tanh and erf of 20.
static void through_gamma(const norm_impl *impl) {
    const bool is_norm = impl->op == NORM_LAYERNORM || impl->op == NORM_RMSNORM;
    const bool saturates = impl->op == NORM_DYT || impl->op == NORM_DERF || impl->op == NORM_HARDTANH;
    call c;
    if (!(impl->params & NORM_GAMMA) || !(is_norm || saturates))
        return;
    make(&c, impl);
    for (size_t i = 0; i < PATTERNS; i++)
        of(&c, CALL_X)[i] =
            (uint16_t)((is_norm ? numbers_of(&c)->one : numbers_of(&c)->twenty) | (i / 3 % 2 ? SIGN : 0));
    of(&c, CALL_X)[PATTERNS - 1] ^= SIGN * (of(&c, CALL_X)[PATTERNS - 1] == of(&c, CALL_X)[0]); // mean zero
    for (size_t i = 0; i < PATTERNS; i++)
        put_parameter(&c, CALL_GAMMA, i, (uint16_t)i);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &c.args, 1), NORM_OK);
    for (size_t i = 0; i < PATTERNS; i++)
        expect(&c, CALL_Y, i, (uint16_t)(i ^ (of(&c, CALL_X)[i] & SIGN)));
    call_free(&c);
}

// A sum goes through all patterns, as that of a pattern and zero; and so does dx, of a row that has a variance, where
// only dsum is not zero.
static void through_sums(const norm_impl *impl) {
    call c;
    if (impl->form != NORM_ADD_FUSED)
        return;
    make(&c, impl);
    fill_patterns(of(&c, CALL_X));
    assert_int_equal(norm_run(impl, NORM_FORWARD, &c.args, 1), NORM_OK);
    for (size_t i = 0; i < PATTERNS; i++)
        expect(&c, CALL_SUM, i, (uint16_t)i);
    for (size_t i = 0; i < PATTERNS; i++)
        of(&c, CALL_X)[i] = (uint16_t)(numbers_of(&c)->half | (i % 2 ? SIGN : 0));
    fill_patterns(of(&c, CALL_DSUM));
    fill(of(&c, CALL_DY), PATTERNS, 0);
    assert_int_equal(call_run(&c, 1, 0), NORM_OK);
    for (size_t i = 0; i < PATTERNS; i++)
        expect(&c, CALL_DX, i, (uint16_t)i);
    call_free(&c);
}

// Differences of neighbours among the small: normal numbers whose sum is denormal, and denormal ones; products of all
// patterns with a gamma of half the smallest normal number. By level scalar and by this one.
static void as_scalar(const norm_impl *impl) {
    const bool exact = impl->op == NORM_HARDTANH || (impl->op == NORM_IDENTITY && impl->form == NORM_ADD_FUSED);
    const norm_impl *const scalar = norm_find(norm_op_name(impl->op), impl->streams ? "std" : impl->variant,
                                              norm_form_name(impl->form), "scalar", norm_dtype_name(impl->dtype));
    call c, want;
    if (!exact)
        return;
    assert_non_null(scalar);
    make(&c, impl);
    make(&want, scalar);
    call *const both[] = {&c, &want};
    for (size_t k = 0; k < 2; k++) {
        fill_patterns(of(both[k], CALL_X));
        fill_patterns(of(both[k], CALL_DY));
        fill_parameter(both[k], CALL_GAMMA, numbers_of(both[k])->smallest_normal / 2 + 1);
        for (size_t i = 0; i < PATTERNS; i++)
            of(both[k], CALL_BRANCH)[i] = (uint16_t)(i % 5 == 0 ? SIGN : (i ^ SIGN) + 37 * (i % 3));
        assert_int_equal(call_run(both[k], 1, 0), NORM_OK);
    }
    for (call_tensor which = CALL_Y; which < CALL_MATRICES; which++)
        for (size_t i = 0; i < PATTERNS; i++)
            expect(&c, which, i, of(&want, which)[i]);
    call_free(&c);
    call_free(&want);
}

static void every_pattern(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t tested = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (norm_dtype_bytes(impl->dtype) != sizeof(uint16_t) || impl->level == NORM_LEVEL_LIBRARY ||
            norm_missing(impl) != NULL || thinned_out(i))
            continue;
        const bool copies = impl->op == NORM_IDENTITY && impl->form == NORM_FUSED;
        assert_false(copies && impl->flushes);
        flushed = 0;
        through_gamma(impl);
        through_sums(impl);
        as_scalar(impl);
        tested++;
        if (impl->flushes && impl->op != NORM_SIGMOID && impl->op != NORM_ISRU &&
            (impl->params & NORM_GAMMA || impl->form == NORM_ADD_FUSED))
            assert_true(flushed > 0); // or it need not be said
    }
    assert_true(tested > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_pattern)};
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
