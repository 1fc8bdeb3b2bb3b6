// SPDX-License-Identifier: MIT
// What programs and plug-ins are compiled with stays as it is, or NORM_ABI says that it changed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "norm_plugin.h"

typedef struct {
    const char *what;
    size_t is, was;
} fact;

#define SIZE(type, bytes)                                                                                              \
    { "sizeof(" #type ")", sizeof(type), bytes }
#define AT(type, field, bytes)                                                                                         \
    { #type "." #field, offsetof(type, field), bytes }
#define NUMBER(name, number)                                                                                           \
    { #name, name, number }

// With pointers of 8 bytes. Fields that are appended leave all others where they are: the size alone tells of them.
static const fact facts[] = {
    SIZE(norm_args, 232),
    AT(norm_args, x, 72),
    AT(norm_args, dsum, 120),
    AT(norm_args, gamma, 128),
    AT(norm_args, alpha, 144),
    AT(norm_args, eps, 152),
    AT(norm_args, dgamma, 160),
    AT(norm_args, saved, 192),
    AT(norm_args, workspace, 200),
    AT(norm_args, fresh, 208),
    AT(norm_args, batch_invariant, 216),
    AT(norm_args, dispatch_ns, 220),
    AT(norm_args, schedule, 224),
    SIZE(norm_slice, 40),
    AT(norm_slice, schedule, 32),
    SIZE(norm_schedule, 32),
    AT(norm_schedule, rows_summed, 8),
    AT(norm_schedule, tile_rows, 24),
    SIZE(norm_stage, 16),
    AT(norm_stage, split, 8),
    AT(norm_stage, bytes, 12),
    SIZE(norm_life, 16),
    AT(norm_life, calls, 12),
    SIZE(norm_moments, 16),
    SIZE(norm_size, 20),
    SIZE(norm_impl, 184),
    AT(norm_impl, variant, 8),
    AT(norm_impl, form, 16),
    AT(norm_impl, level, 20),
    AT(norm_impl, dtype, 24),
    AT(norm_impl, params, 28),
    AT(norm_impl, streams, 34),
    AT(norm_impl, pass, 40),
    AT(norm_impl, piece, 72),
    AT(norm_impl, saved, 88),
    AT(norm_impl, workspace, 108),
    AT(norm_impl, lacks, 128),
    AT(norm_impl, lives, 144),
    AT(norm_impl, keeps, 160),
    AT(norm_impl, flushes, 164),
    AT(norm_impl, base, 168),
    AT(norm_impl, run, 176),
    SIZE(norm_plugin, 32),
    AT(norm_plugin, name, 8),
    AT(norm_plugin, impls, 16),
    AT(norm_plugin, count, 24),
    NUMBER(NORM_LAYERNORM, 0),
    NUMBER(NORM_RMSNORM, 1),
    NUMBER(NORM_DYT, 2),
    NUMBER(NORM_DERF, 3),
    NUMBER(NORM_HARDTANH, 4),
    NUMBER(NORM_SIGMOID, 5),
    NUMBER(NORM_ISRU, 6),
    NUMBER(NORM_IDENTITY, 7),
    NUMBER(NORM_FORWARD, 0),
    NUMBER(NORM_FUSED, 0),
    NUMBER(NORM_EAGER, 1),
    NUMBER(NORM_ADD_FUSED, 2),
    NUMBER(NORM_FRAMEWORK, 3),
    NUMBER(NORM_F32, 0),
    NUMBER(NORM_BF16, 1),
    NUMBER(NORM_F16, 2),
    NUMBER(NORM_SPLIT_COLS, 1),
    NUMBER(NORM_SHIFT, 8),
#if defined(__x86_64__)
    NUMBER(NORM_LEVEL_LIBRARY, 7),
#elif defined(__aarch64__)
    NUMBER(NORM_LEVEL_LIBRARY, 10),
#else
    NUMBER(NORM_LEVEL_LIBRARY, 1),
#endif
};

static void layouts_are_those_of_the_abi(void **state) {
    size_t changed = 0;
    (void)state;
    if (sizeof(void *) != 8)
        skip();
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].is != facts[i].was) {
            changed++;
            print_error("%s is %zu, and was %zu when NORM_ABI became %d\n", facts[i].what, facts[i].is, facts[i].was,
                        NORM_ABI);
        }
    if (changed > 0)
        fail_msg("%zu of what plug-ins and programs are compiled with changed: raise NORM_ABI in norm.h, then put "
                 "these numbers here",
                 changed);
}

static void library_says_its_abi(void **state) {
    (void)state;
    assert_int_equal(norm_abi, NORM_ABI);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(layouts_are_those_of_the_abi),
                                       cmocka_unit_test(library_says_its_abi)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
