// SPDX-License-Identifier: MIT
// peak_bf16.c: see peak_loop.h. Intrinsics stand here, for no kernel has a use for these instructions.
#include "peak_loop.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// What a tile has at most; a row of one is as wide as a vector, and holds pairs of bf16 or sums in f32.
enum { TILE_ROWS = 16, ROW_BYTES = 64, PAIRS = 2 };

// Two bf16 of this value, as operands hold them.
static uint32_t pair_of(float value) {
    const union {
        float f;
        uint32_t bits;
    } a = {value};
    return (a.bits & 0xffff0000u) | a.bits >> 16;
}

// Chains as in peak_loop.c; an instruction multiplies two bf16 and adds both products to each of 16 sums.
enum { CHAINS = 12 };
__attribute__((target("avx512f,avx512bf16"))) static float run_dots(size_t count, float factor, float addend) {
    const __m512bh a = (__m512bh)_mm512_set1_epi32((int)pair_of(factor));
    __m512 sums[CHAINS];
#pragma GCC unroll 12
    for (size_t k = 0; k < CHAINS; k++)
        sums[k] = _mm512_set1_ps(addend);
    for (size_t i = 0; i < count; i++) {
#pragma GCC unroll 12
        for (size_t k = 0; k < CHAINS; k++)
            sums[k] = _mm512_dpbf16_ps(sums[k], a, a);
    }
    __m512 sum = sums[0];
#pragma GCC unroll 11
    for (size_t k = 1; k < CHAINS; k++)
        sum = _mm512_add_ps(sum, sums[k]);
    return _mm512_cvtss_f32(sum);
}

// What LDTILECFG reads.
typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;
_Static_assert(sizeof(tile_config) == 64, "as the instruction reads it");

// Four tiles of sums from two tiles of either operand, as a product's inner loop has them.
enum { TILES = 8, SUMS = 4 };
__attribute__((target("amx-tile,amx-bf16"))) static float run_tiles(size_t count, float factor, float addend) {
    tile_config config = {.palette = 1};
    for (size_t i = 0; i < TILES; i++) {
        config.row_bytes[i] = ROW_BYTES;
        config.rows[i] = TILE_ROWS;
    }
    uint32_t data[TILE_ROWS][ROW_BYTES / sizeof(uint32_t)];
    float sums[TILE_ROWS][ROW_BYTES / sizeof(float)];
    for (size_t i = 0; i < TILE_ROWS; i++)
        for (size_t k = 0; k < ROW_BYTES / sizeof(uint32_t); k++)
            data[i][k] = pair_of(factor);
    _tile_loadconfig(&config);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, data, ROW_BYTES);
    _tile_loadd(5, data, ROW_BYTES);
    _tile_loadd(6, data, ROW_BYTES);
    _tile_loadd(7, data, ROW_BYTES);
    for (size_t i = 0; i < count; i++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums, ROW_BYTES);
    _tile_release();
    return sums[0][0] + addend;
}

// Besides the CPU the operating system must have them, and this process ask for the room that their state takes.
static bool has_tiles(void) {
    enum { LEAF = 7, TILE_AND_BF16 = 1 << 24 | 1 << 22, ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    unsigned a, b, c, d;
    return __get_cpuid_count(LEAF, 0, &a, &b, &c, &d) != 0 && (d & TILE_AND_BF16) == TILE_AND_BF16 &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

const peak_loop *peak_bf16_loop(void) {
    static const peak_loop tiles = {run_tiles, 2.0 * (double)SUMS * (double)TILE_ROWS * (ROW_BYTES / sizeof(float)) *
                                                   (double)PAIRS * (ROW_BYTES / sizeof(uint32_t))};
    static const peak_loop dots = {run_dots, 2.0 * (double)CHAINS * (ROW_BYTES / sizeof(float)) * (double)PAIRS};
    return has_tiles() ? &tiles : __builtin_cpu_supports("avx512bf16") ? &dots : NULL;
}
#else
const peak_loop *peak_bf16_loop(void) { return NULL; }
#endif
