// SPDX-License-Identifier: MIT
// mman.h: without the advice that only Linux takes.
#include_next <sys/mman.h>
#undef MADV_HUGEPAGE
