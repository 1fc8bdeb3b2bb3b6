// SPDX-License-Identifier: MIT
// sleef.c: see sleef.h.
#include "sleef.h"

#include "norm.h"
#include "table.h"

#ifdef __x86_64__
extern const norm_table norm_dyt_sleef_sse2, norm_dyt_sleef_avx2, norm_dyt_sleef_avx512;
#endif

void sleef_register(void) {
#ifdef __x86_64__
    (void)norm_register(norm_dyt_sleef_sse2.impls, norm_dyt_sleef_sse2.count);
    (void)norm_register(norm_dyt_sleef_avx2.impls, norm_dyt_sleef_avx2.count);
    (void)norm_register(norm_dyt_sleef_avx512.impls, norm_dyt_sleef_avx512.count);
#endif
}
