// SPDX-License-Identifier: MIT
// tuning.c: the choices by kind of CPU, each named by where it was measured (docs/tuning.md), and which kind this is.
#include <stdatomic.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "tuning.h"

typedef enum { OTHER, AMD, AMD_ZEN_5, INTEL } kind;

enum { UP_TO_1536 = 6144, UP_TO_2048 = 8192 }; // columns of f32
#define ANY SIZE_MAX
static const norm_tuning choices[] = {
    [OTHER] = {"any other: untried", false, 0, 0, 0, 0, 0},
    [AMD] = {"AMD, by Zen 3 and Zen 4", true, 0, 0, 0, 0, 0},
    [AMD_ZEN_5] = {"AMD Zen 5", true, UP_TO_1536, 0, 0, 0, 0},
    [INTEL] = {"Intel, by Emerald Rapids and Granite Rapids", false, UP_TO_2048, ANY, UP_TO_2048, ANY, ANY},
};

static kind look(void) {
#if defined(__x86_64__)
    enum { BASE = 8, EXTENDED = 20, ZEN_5 = 26 };
    unsigned a = 0, b, c, d;
    const int told = __get_cpuid(1, &a, &b, &c, &d);
    const unsigned family = (a >> BASE & 0xf) + (a >> EXTENDED & 0xff);
    if (__builtin_cpu_is("amd"))
        return told && family == ZEN_5 ? AMD_ZEN_5 : AMD;
    return __builtin_cpu_is("intel") ? INTEL : OTHER;
#else
    return OTHER;
#endif
}

// CPUID is asked once: in a virtual machine it leaves the guest, which costs more than a small call of a kernel.
const norm_tuning *tuning_here(void) {
    static _Atomic(const norm_tuning *) here;
    const norm_tuning *known = atomic_load_explicit(&here, memory_order_relaxed);
    if (known == NULL) {
        known = &choices[look()];
        atomic_store_explicit(&here, known, memory_order_relaxed);
    }
    return known;
}
