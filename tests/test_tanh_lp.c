// SPDX-License-Identifier: MIT
// dyt's `lp` keeps its class, 0.55 ulp of bf16, at every alpha, which its lookups have folded in where they can: over
// all 65536 values of bf16, at every level that this CPU can run, in rows whose last columns fill no vector.
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

enum { VALUES = 1 << 16, COLS = 1000, ROWS = (VALUES + COLS - 1) / COLS };
static const double MOST_ULP = 0.55;

// Usual ones; both sides of the limits beyond which nothing is folded, and what their squares would make of the range;
// and what makes NaN of some inputs. bf16 holds them all.
static const float alphas[] = {1,           0.5f,    0.75f,      1.6953125f, -0.59765625f, 0x1p-40f,
                               0x1.fep-41f, 0x1p40f, 0x1.02p40f, -0x1p-80f,  0x1p90f,      0x1.8p-127f,
                               0x1.fep127f, 0,       INFINITY,   -INFINITY,  NAN};

static float widened(uint16_t bits) { return from_bits((uint32_t)bits << 16); }

// The unit in the last place of bf16 at a value, not below that of the least normal one.
static double ulp_of(double value) { return ldexp(1, (value == 0 ? -126 : (int)fmax(ilogb(value), -126)) - 7); }

static void check(const norm_impl *impl, float alpha, const uint16_t *x, uint16_t *y) {
    const norm_args args = {
        .rows = ROWS, .cols = COLS, .x_stride = COLS, .y_stride = COLS, .x = x, .y = y, .alpha = alpha};
    memset(y, 0, (size_t)ROWS * COLS * sizeof *y);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, 1), NORM_OK);
    for (size_t i = 0; i < VALUES; i++) {
        const float in = widened(x[i]), out = widened(y[i]);
        // Denormal inputs and results may become zero.
        const bool denormal = in != 0 && fabsf(in) < 0x1p-126f;
        const double exact = tanh((double)alpha * (double)in), error = fabs((double)out - exact);
        const bool good = isnan(exact)                            ? isnan(out)
                          : denormal && !isinf(alpha) && out == 0 ? true
                          : fabs(exact) < 0x1p-126                ? error < 0x1p-126
                                                                  : error <= MOST_ULP * ulp_of(exact);
        if (!good)
            fail_msg("%s %s, alpha %a: tanh at %a is %a, not %a", impl->variant, norm_level_name(impl->level),
                     (double)alpha, (double)in, (double)out, exact);
    }
}

static void keeps_its_class(void **state) {
    (void)state;
    static uint16_t x[ROWS * COLS], y[ROWS * COLS];
    for (size_t i = 0; i < VALUES; i++)
        x[i] = (uint16_t)i;
    size_t checked = 0;
    for (size_t i = 0; norm_at(i) != NULL; i++) {
        const norm_impl *const impl = norm_at(i);
        if (impl->op != NORM_DYT || strcmp(impl->variant, "lp_noaffine") != 0 || impl->form != NORM_FUSED ||
            norm_missing(impl) != NULL)
            continue;
        for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++, checked++)
            check(impl, alphas[a], x, y);
    }
    assert_true(checked > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_its_class)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
