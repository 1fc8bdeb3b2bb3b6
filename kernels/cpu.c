// SPDX-License-Identifier: MIT
// cpu.c: which levels this CPU and its operating system can run. Never compiled with a level's flags.
#include <stdatomic.h>
#include <string.h>

#include "norm.h"

// The builtin's own CPUID code also asks the operating system (XCR0) whether it saves the wider registers, which a look
// at CPUID alone would miss. clang 14's does not know F16C by name; its registers are AVX's, so that its CPUID bit is
// enough beside avx2.
#if defined(__x86_64__)
#include <cpuid.h>
static bool has_f16c(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#define HAS_sse2 __builtin_cpu_supports("sse2")
#define HAS_avx2 __builtin_cpu_supports("avx2")
#define HAS_fma __builtin_cpu_supports("fma")
#define HAS_f16c has_f16c()
#define HAS_avx512f __builtin_cpu_supports("avx512f")
#define HAS_avx512bw __builtin_cpu_supports("avx512bw")
#define HAS_avx512dq __builtin_cpu_supports("avx512dq")
#define HAS_avx512vl __builtin_cpu_supports("avx512vl")
#define HAS_avx512bf16 __builtin_cpu_supports("avx512bf16")
#elif defined(__aarch64__)
#if defined(__linux__)
#include <sys/auxv.h>
#include <sys/prctl.h>
// As Linux numbers them, for a C library's headers may be older.
enum { CAP_SVE = 1 << 22, CAP2_BF16 = 1 << 14, SVE_GET_LENGTH = 51, SVE_LENGTH_MASK = 0xffff };
#define HAS_bf16 ((getauxval(AT_HWCAP2) & CAP2_BF16) != 0)
#define HAS_sve ((getauxval(AT_HWCAP) & CAP_SVE) != 0)
// Of the calling thread; those that it makes have the same.
static bool has_sve_bits(int bits) {
    const int length = HAS_sve ? prctl(SVE_GET_LENGTH) : -1;
    return length >= 0 && 8 * (length & SVE_LENGTH_MASK) == bits;
}
#elif defined(__APPLE__)
#include <sys/sysctl.h>
static bool has_bf16(void) {
    int has = 0;
    size_t size = sizeof has;
    return sysctlbyname("hw.optional.arm.FEAT_BF16", &has, &size, NULL, 0) == 0 && has != 0;
}
#define HAS_bf16 has_bf16()
#define HAS_sve false
static bool has_sve_bits(int bits) { return bits < 0; }
#else
#define HAS_bf16 false
#define HAS_sve false
static bool has_sve_bits(int bits) { return bits < 0; }
#endif
#define HAS_asimd true
#define HAS_sve128 has_sve_bits(128)
#define HAS_sve256 has_sve_bits(256)
#define HAS_sve512 has_sve_bits(512)
#define HAS_sve1024 has_sve_bits(1024)
#define HAS_sve2048 has_sve_bits(2048)
#endif
#define NEEDS(feature)                                                                                                 \
    if (!HAS_##feature)                                                                                                \
        return #feature;
#define LEVEL(ID, name, features)                                                                                      \
    case NORM_LEVEL_##ID:                                                                                              \
        features(NEEDS) return NULL;

static const char *look_for(norm_level level) {
    switch (level) {
        NORM_LEVEL_LIST(LEVEL)
    case NORM_LEVEL_LIBRARY: // sees to its own instructions
        return NULL;
    case NORM_ALL_LEVELS:
        break;
    }
    return "a known level";
}

// Looked for once: asked at each call, a level of many features would cost as much as the rest of a small one.
const char *norm_level_missing(norm_level level) {
    static atomic_bool runs[NORM_ALL_LEVELS];
    if (level < NORM_ALL_LEVELS && atomic_load_explicit(&runs[level], memory_order_relaxed))
        return NULL;
    const char *const missing = look_for(level);
    if (missing == NULL)
        atomic_store_explicit(&runs[level], true, memory_order_relaxed);
    return missing;
}

bool norm_level_is_auto(norm_level level) { return strncmp(norm_level_name(level), "auto_", 5) == 0; }
