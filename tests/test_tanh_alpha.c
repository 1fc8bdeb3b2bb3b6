// SPDX-License-Identifier: MIT
// dyt's `lp` and `u2` keep their classes, 0.55 ulp of bf16 and 2 ulp of f32, at every alpha, which their lookups have
// folded in where they can: over all 65536 values of bf16, and as many of f32 with other last bits, at every level that
// this CPU can run, in rows whose last columns fill no vector.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "norm.h"

enum { VALUES = 1 << 16, COLS = 1000, ROWS = (VALUES + COLS - 1) / COLS, ELEMENTS = ROWS * COLS };

// Usual ones; both sides of the limits beyond which nothing is folded, and what their squares would make of the range;
// and what makes NaN of some inputs. bf16 holds them all.
static const float alphas[] = {1,           0.5f,    0.75f,      1.6953125f, -0.59765625f, 0x1p-40f,
                               0x1.fep-41f, 0x1p40f, 0x1.02p40f, -0x1p-80f,  0x1p90f,      0x1.8p-127f,
                               0x1.fep127f, 0,       INFINITY,   -INFINITY,  NAN};

typedef struct {
    const char *variant;
    norm_dtype dtype;
    int digits; // of the significand, the first not counted
    double most_ulp;
} class;
static const class classes[] = {{"lp_noaffine", NORM_BF16, 7, 0.55}, {"u2_noaffine", NORM_F32, 23, 2}};

// The unit in the last place at a value, not below that of the least normal one.
static double ulp_of(double value, int digits) {
    return ldexp(1, (value == 0 ? -126 : (int)fmax(ilogb(value), -126)) - digits);
}

static bool is_good(const class *k, float alpha, float x, float y) {
    const double exact = tanh((double)alpha * (double)x), error = fabs((double)y - exact);
    if (isnan(exact))
        return isnan(y);
    if (k->dtype == NORM_BF16) { // denormal inputs and results may become zero
        if (x != 0 && fabsf(x) < 0x1p-126f && !isinf(alpha) && y == 0)
            return true;
        if (fabs(exact) < 0x1p-126)
            return error < 0x1p-126;
    }
    return error <= k->most_ulp * ulp_of(exact, k->digits);
}

// As bf16, or as f32 with 16 more bits that are no bf16's, but for what is infinite or no number.
static float value_at(const class *k, size_t i) {
    const uint32_t high = (uint32_t)i << 16, low = (uint32_t)i * 40503u & 0xffff;
    return from_bits(k->dtype == NORM_BF16 || !isfinite(from_bits(high)) ? high : high | low);
}

static void check(const class *k, const norm_impl *impl, float alpha) {
    static float x[ELEMENTS], y[ELEMENTS];
    uint16_t *const x16 = (void *)x, *const y16 = (void *)y;
    for (size_t i = 0; i < ELEMENTS; i++) {
        const float value = value_at(k, i % VALUES);
        if (k->dtype == NORM_BF16)
            x16[i] = (uint16_t)(to_bits(value) >> 16);
        else
            x[i] = value;
    }
    const norm_args args = {
        .rows = ROWS, .cols = COLS, .x_stride = COLS, .y_stride = COLS, .x = x, .y = y, .alpha = alpha};
    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, 1), NORM_OK);
    for (size_t i = 0; i < VALUES; i++) {
        const float in = value_at(k, i), out = k->dtype == NORM_BF16 ? from_bits((uint32_t)y16[i] << 16) : y[i];
        if (!is_good(k, alpha, in, out))
            fail_msg("%s %s, alpha %a: tanh at %a is %a", impl->variant, norm_level_name(impl->level), (double)alpha,
                     (double)in, (double)out);
    }
}

static void keeps_its_class(void **state) {
    const class *const k = *state;
    size_t checked = 0;
    for (size_t i = 0; norm_at(i) != NULL; i++) {
        const norm_impl *const impl = norm_at(i);
        if (impl->op != NORM_DYT || strcmp(impl->variant, k->variant) != 0 || impl->form != NORM_FUSED ||
            impl->dtype != k->dtype || norm_missing(impl) != NULL)
            continue;
        for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++, checked++)
            check(k, impl, alphas[a]);
    }
    assert_true(checked > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"lp", keeps_its_class, NULL, NULL, (void *)(uintptr_t)&classes[0]},
        {"u2", keeps_its_class, NULL, NULL, (void *)(uintptr_t)&classes[1]},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
