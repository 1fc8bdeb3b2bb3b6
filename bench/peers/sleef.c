// SPDX-License-Identifier: MIT
// sleef.c: see peers.h.
#include "peers.h"

#include "table.h"

#define SLEEF_TABLES(X) X(dyt_sleef) X(eager_sleef) X(framework_sleef)
#if defined(__x86_64__)
#define DECLARE_TABLES(unit) extern const norm_table norm_##unit##_sse2, norm_##unit##_avx2, norm_##unit##_avx512;
#define TABLES(unit) &norm_##unit##_sse2, &norm_##unit##_avx2, &norm_##unit##_avx512,
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define DECLARE_TABLES(unit) extern const norm_table norm_##unit##_neon;
#define TABLES(unit) &norm_##unit##_neon,
#endif
#ifdef TABLES
SLEEF_TABLES(DECLARE_TABLES)
#endif

void sleef_register(void) {
#ifdef TABLES
    static const norm_table *const tables[] = {SLEEF_TABLES(TABLES)};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        (void)norm_register(tables[i]->impls, tables[i]->count);
#endif
}
