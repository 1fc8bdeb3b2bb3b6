// SPDX-License-Identifier: MIT
// The SIMD levels of this architecture, weakest first: the only list of them in C. Their compiler flags are in
// levels.mk. Level `library`, which is not compiled here, stands behind them in norm.h.
#ifndef NORM_LEVELS_H
#define NORM_LEVELS_H

// X(ID, name, features): `features` are the CPU features that a CPU and its operating system must both have before code
// of this level may run, in the spelling of -m<feature> on x86 and of Linux on Arm. A level's bits name exactly what
// its flags enable.
//
//   scalar       one element at a time; no vector instruction at all
//   sse2         128 bit; the x86-64 baseline
//   avx2         256 bit; AVX2, FMA and F16C
//   avx512       512 bit; AVX-512 F, BW, DQ and VL on top of avx2
//   avx512bf16   avx512 with the hardware conversion from f32 to bf16; holds bf16 implementations only
//   neon         128 bit; the baseline of 64-bit Arm, with FMA
//   neon_bf16    neon with the hardware conversion from f32 to bf16; holds bf16 implementations only
//   sve<bits>    SVE where its vectors have this length: one of them runs on a CPU that has SVE
//   auto_*       the same source at width one, left to the compiler's vectoriser: a baseline, never `best`
#define NORM_FEATURES_NONE(F)
#define NORM_FEATURES_SSE2(F) F(sse2)
#define NORM_FEATURES_AVX2(F) F(avx2) F(fma) F(f16c)
#define NORM_FEATURES_AVX512(F) NORM_FEATURES_AVX2(F) F(avx512f) F(avx512bw) F(avx512dq) F(avx512vl)
#define NORM_FEATURES_AVX512BF16(F) NORM_FEATURES_AVX512(F) F(avx512bf16)
#define NORM_LEVELS_EVERYWHERE(X) X(SCALAR, scalar, NORM_FEATURES_NONE)
#define NORM_LEVELS_X86(X)                                                                                             \
    X(SSE2, sse2, NORM_FEATURES_SSE2)                                                                                  \
    X(AVX2, avx2, NORM_FEATURES_AVX2)                                                                                  \
    X(AVX512, avx512, NORM_FEATURES_AVX512)                                                                            \
    X(AVX512BF16, avx512bf16, NORM_FEATURES_AVX512BF16)                                                                \
    X(AUTO_AVX2, auto_avx2, NORM_FEATURES_AVX2)                                                                        \
    X(AUTO_AVX512, auto_avx512, NORM_FEATURES_AVX512)
#define NORM_FEATURES_NEON(F) F(asimd)
#define NORM_FEATURES_NEON_BF16(F) NORM_FEATURES_NEON(F) F(bf16)
#define NORM_FEATURES_SVE(F) NORM_FEATURES_NEON(F) F(sve)
#define NORM_FEATURES_SVE128(F) NORM_FEATURES_SVE(F) F(sve128)
#define NORM_FEATURES_SVE256(F) NORM_FEATURES_SVE(F) F(sve256)
#define NORM_FEATURES_SVE512(F) NORM_FEATURES_SVE(F) F(sve512)
#define NORM_FEATURES_SVE1024(F) NORM_FEATURES_SVE(F) F(sve1024)
#define NORM_FEATURES_SVE2048(F) NORM_FEATURES_SVE(F) F(sve2048)
// Of bf16, neon_bf16 is before narrow vectors that round by integers: untimed, by their number of instructions.
#define NORM_LEVELS_ARM(X)                                                                                             \
    X(NEON, neon, NORM_FEATURES_NEON)                                                                                  \
    X(SVE128, sve128, NORM_FEATURES_SVE128)                                                                            \
    X(SVE256, sve256, NORM_FEATURES_SVE256)                                                                            \
    X(NEON_BF16, neon_bf16, NORM_FEATURES_NEON_BF16)                                                                   \
    X(SVE512, sve512, NORM_FEATURES_SVE512)                                                                            \
    X(SVE1024, sve1024, NORM_FEATURES_SVE1024)                                                                         \
    X(SVE2048, sve2048, NORM_FEATURES_SVE2048)                                                                         \
    X(AUTO_NEON, auto_neon, NORM_FEATURES_NEON)                                                                        \
    X(AUTO_SVE, auto_sve, NORM_FEATURES_SVE)
// Those of every architecture, for whoever reads results: they travel.
#define NORM_ANY_LEVEL_LIST(X) NORM_LEVELS_EVERYWHERE(X) NORM_LEVELS_X86(X) NORM_LEVELS_ARM(X)

#if defined(__x86_64__)
#define NORM_LEVEL_LIST(X) NORM_LEVELS_EVERYWHERE(X) NORM_LEVELS_X86(X)
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define NORM_LEVEL_LIST(X) NORM_LEVELS_EVERYWHERE(X) NORM_LEVELS_ARM(X)
#else
#define NORM_LEVEL_LIST(X) NORM_LEVELS_EVERYWHERE(X)
#endif

#endif
