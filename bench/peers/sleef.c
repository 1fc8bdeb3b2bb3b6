// SPDX-License-Identifier: MIT
// sleef.c: see peers.h.
#include "peers.h"

#include "table.h"

#ifdef __x86_64__
#define SLEEF_TABLES(X) X(dyt_sleef) X(eager_sleef) X(framework_sleef)
#define DECLARE_TABLES(unit) extern const norm_table norm_##unit##_sse2, norm_##unit##_avx2, norm_##unit##_avx512;
SLEEF_TABLES(DECLARE_TABLES)
#endif

void sleef_register(void) {
#ifdef __x86_64__
#define TABLES(unit) &norm_##unit##_sse2, &norm_##unit##_avx2, &norm_##unit##_avx512,
    static const norm_table *const tables[] = {SLEEF_TABLES(TABLES)};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        (void)norm_register(tables[i]->impls, tables[i]->count);
#endif
}
