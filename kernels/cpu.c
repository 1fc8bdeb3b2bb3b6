// SPDX-License-Identifier: MIT
// cpu.c: which levels this CPU and its operating system can run. Never compiled with a level's flags.
#include <string.h>

#include "norm.h"

// The builtin's own CPUID code also asks the operating system (XCR0) whether it saves the wider registers, which a look
// at CPUID alone would miss; it is the same in gcc and clang.
#if defined(__x86_64__)
#define NEEDS(feature)                                                                                                 \
    if (!__builtin_cpu_supports(feature))                                                                              \
        return feature;
#else
#define NEEDS(feature)
#endif
#define LEVEL(ID, name, features)                                                                                      \
    case NORM_LEVEL_##ID:                                                                                              \
        features(NEEDS) return NULL;

const char *norm_level_missing(norm_level level) {
    switch (level) {
        NORM_LEVEL_LIST(LEVEL)
    case NORM_LEVELS:
        break;
    }
    return "a known level";
}

bool norm_level_is_auto(norm_level level) { return strncmp(norm_level_name(level), "auto_", 5) == 0; }
