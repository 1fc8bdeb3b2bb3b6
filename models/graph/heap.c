// SPDX-License-Identifier: MIT
// heap.c: see heap.h.
#include "heap.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

// Where glibc's own adaptation of the first ends, DEFAULT_MMAP_THRESHOLD_MAX (mallopt(3)). The second ends at twice
// that, which PyTorch's rmsnorm of 512x4096 passes in one backward of two: never, so that every call is alike. What is
// set is no longer adapted. scripts/peers.py sets the same in PyTorch's process.
bool heap_settle(void) {
    enum { MAPPED_ALONE = 32 << 20 };
    return mallopt(M_MMAP_THRESHOLD, MAPPED_ALONE) == 1 && mallopt(M_TRIM_THRESHOLD, -1) == 1;
}
#else
bool heap_settle(void) { return false; }
#endif
