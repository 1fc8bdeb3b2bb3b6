// SPDX-License-Identifier: MIT
// The tanhs of SVML keep the classes that svml_tanh.h states, which bounds.c goes by: at every 4099th float of either
// sign and at its ends, at every level that has them, through forward, which by gamma 1 and beta 0 is the tanh alone.
// Where the library is not found, each says by which command it is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bits.h"
#include "norm.h"
#include "peers/peers.h"
#include "peers/svml_tanh.h"

enum { STRIDE = 4099, COLS = 1021, LAST = 0x7f7fffff };

typedef struct {
    const char *variant;
    double most_ulp;
} class;
#define CLASS(ID, name, suffix, ulp) {"svml_" #name, ulp},
static const class classes[] = {SVML_CLASSES(CLASS)};
#undef CLASS

// An ulp of denormals is that of the least normal number: SVML may round them otherwise.
static double error_in_ulp(float x, float y) {
    const double exact = tanh((double)x);
    if (isnan(exact))
        return isnan(y) ? 0 : INFINITY;
    return fabs((double)y - exact) / ldexp(1, (int)fmax(ilogb(exact), -126) - 23);
}

static double worst_of(const norm_impl *impl) {
    static const float ends[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 0x1.fffffep127f, 0x1p-149f, 0x1p-126f};
    static float x[COLS], y[COLS], gamma[COLS], beta[COLS];
    const norm_args args = {.rows = 1,
                            .cols = COLS,
                            .x_stride = COLS,
                            .y_stride = COLS,
                            .x = x,
                            .y = y,
                            .gamma = gamma,
                            .beta = beta,
                            .alpha = 1};
    enum { ENDS = sizeof ends / sizeof *ends };
    for (size_t c = 0; c < COLS; c++)
        gamma[c] = 1;
    double worst = 0;
    for (uint32_t bits = 1; bits <= LAST;) {
        for (size_t c = 0; c < COLS; c++, bits += bits <= LAST ? STRIDE : 0)
            x[c] = c < ENDS ? ends[c] : from_bits((bits <= LAST ? bits : LAST) | (c & 1 ? 0x80000000u : 0));
        assert_int_equal(norm_run(impl, NORM_FORWARD, &args, 1), NORM_OK);
        for (size_t c = 0; c < COLS; c++)
            // The sum with beta makes +0 of -0.
            worst = fmax(worst, x[c] == 0 ? (y[c] == 0 ? 0 : INFINITY) : error_in_ulp(x[c], y[c]));
    }
    return worst;
}

static void keeps_its_class(void **state) {
    const class *const k = *state;
    size_t known = 0;
    for (size_t i = 0; norm_at(i) != NULL; i++) {
        const norm_impl *const impl = norm_at(i);
        if (strcmp(impl->variant, k->variant) != 0 || impl->form != NORM_FUSED || impl->dtype != NORM_F32)
            continue;
        known++;
        if (norm_missing(impl) != NULL) {
            print_message("skipped: %s at %s lacks %s\n", k->variant, norm_level_name(impl->level), norm_missing(impl));
            assert_true(impl->lacks == NULL || strstr(impl->lacks, "sh scripts/setup.sh --svml") != NULL);
            continue;
        }
        const double worst = worst_of(impl);
        print_message("%s at %s: %.4f ulp\n", k->variant, norm_level_name(impl->level), worst);
        assert_true(worst <= k->most_ulp + 1e-6); // the reference is double, not exact
    }
#if defined(__x86_64__)
    assert_int_equal(known, SVML_WIDTHS);
#else
    assert_int_equal(known, 0);
#endif
}

int main(void) {
    peers_register();
    struct CMUnitTest tests[SVML_COUNT];
    for (size_t i = 0; i < SVML_COUNT; i++)
        tests[i] = (struct CMUnitTest){classes[i].variant, keeps_its_class, NULL, NULL, (void *)(uintptr_t)&classes[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
