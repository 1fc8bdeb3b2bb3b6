// SPDX-License-Identifier: MIT
// What is computed element by element has the same bits on every architecture: at every level with an FMA, and at those
// without. Expected are hashes, of which each CPU computes its own levels' and compares. Left out are the calls of
// another library and, of dyt and derf, levels with tables instead of formulas.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/program.h"
#include "call.h"
#include "dtype.h"

enum { ROWS = 5, COLS = 203 };

typedef struct {
    const char *op, *base;
    norm_dtype dtype;
    uint64_t fma, no_fma;
} expectation;

static const expectation expected[] = {
    {"dyt", "u2", NORM_F32, 0x618aa5779abee4e9, 0x7b3ddfebde90dcdf},
    {"dyt", "u2", NORM_BF16, 0x571a97c3bc07c241, 0x8ef3e69d8d18fa36},
    {"dyt", "u2", NORM_F16, 0xd1923cc409b9bc65, 0xbd2ca306b23cfd52},
    {"dyt", "lp", NORM_BF16, 0xe40be34d48fdbc80, 0xe40be34d48fdbc80},
    {"derf", "u2", NORM_F32, 0x4bed6f38066bffa5, 0xf887b3e7fcf31951},
    {"derf", "u2", NORM_BF16, 0x49734a8e1b80fafb, 0x4de2df9afc616bb1},
    {"derf", "u2", NORM_F16, 0x3aedf8d727a3e6be, 0x3aedf8d727a3e6be},
    {"hardtanh", "std", NORM_F32, 0x81c7391d75f08c18, 0x3d055b56861ec6e8},
    {"hardtanh", "std", NORM_BF16, 0xae730bea2b76c418, 0xae730bea2b76c418},
    {"hardtanh", "std", NORM_F16, 0x0cf6ab9d5ba648e9, 0x0cf6ab9d5ba648e9},
    {"sigmoid", "u3", NORM_F32, 0x4dd96f97bc95fd3a, 0x35b5aa62c8c4ad7d},
    {"sigmoid", "u3", NORM_BF16, 0xa818f0640fd58cc1, 0xa818f0640fd58cc1},
    {"sigmoid", "u3", NORM_F16, 0xa23bef7aee3ffab3, 0xa23bef7aee3ffab3},
    {"isru", "std", NORM_F32, 0xfe71ceab7973da0b, 0x856624182827f119},
    {"isru", "std", NORM_BF16, 0x5005e1b03c4f2720, 0x5005e1b03c4f2720},
    {"isru", "std", NORM_F16, 0x82ff017b70b1a5cd, 0x82ff017b70b1a5cd},
    {"identity", "std", NORM_F32, 0xc70000644fc9229a, 0xc70000644fc9229a},
    {"identity", "std", NORM_BF16, 0xde22c1ffd3359d4d, 0xde22c1ffd3359d4d},
    {"identity", "std", NORM_F16, 0xe169b6e60a207993, 0xe169b6e60a207993},
};

// Numbers of 16 bits within +-8, by integers alone, so that they are the same everywhere.
static void fill(const call *c, call_tensor which, uint64_t *state) {
    const size_t count = c->bytes[which] / norm_dtype_bytes(c->impl->dtype);
    for (size_t i = 0; i < count; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        dtype_set(c->impl->dtype, c->data[which], i, ((double)(int64_t)(*state >> 48) - 0x1p15) * 0x1p-12);
    }
}

static uint64_t hash_of(const norm_impl *impl) {
    static const call_tensor results[] = {CALL_Y, CALL_SUM, CALL_DX};
    uint64_t state = 1, hash = PROGRAM_HASH;
    call c;
    assert_true(call_make(&c, impl, ROWS, COLS, 1));
    c.args.alpha = 0.75f;
    c.args.shift = 0.125f;
    for (call_tensor which = 0; which < CALL_INPUTS; which++)
        fill(&c, which, &state);
    assert_int_equal(call_run(&c, 1, 0), NORM_OK);
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        hash = program_hash(hash, c.data[results[i]], c.bytes[results[i]]);
    call_free(&c);
    return hash;
}

static bool has_fma(const norm_impl *impl) {
    const char *const level = norm_level_name(impl->level);
    return strcmp(level, "scalar") != 0 && strcmp(level, "sse2") != 0;
}
static bool has_table(const norm_impl *impl) {
    return (impl->op == NORM_DYT || impl->op == NORM_DERF) && strncmp(norm_level_name(impl->level), "avx512", 6) == 0;
}

static uint64_t hash_expected(const norm_impl *impl) {
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (strcmp(expected[i].op, norm_op_name(impl->op)) == 0 && strcmp(expected[i].base, impl->base) == 0 &&
            expected[i].dtype == impl->dtype)
            return has_fma(impl) ? expected[i].fma : expected[i].no_fma;
    return 0;
}

static void everywhere(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t compared = 0, differ = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (!impl->elementwise || impl->form != NORM_ADD_FUSED || impl->level == NORM_LEVEL_LIBRARY ||
            strcmp(impl->variant, impl->base) != 0 || strcmp(impl->base, "libm") == 0 ||
            strcmp(impl->base, "mvec") == 0 || has_table(impl) || impl->flushes || norm_missing(impl) != NULL)
            continue;
        const uint64_t got = hash_of(impl);
        compared++;
        if (got == hash_expected(impl))
            continue;
        differ++;
        print_error("%s: 0x%016llx, expected 0x%016llx\n", call_name(impl), (unsigned long long)got,
                    (unsigned long long)hash_expected(impl));
    }
    assert_int_equal(differ, 0);
    assert_true(compared >= sizeof expected / sizeof *expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(everywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
