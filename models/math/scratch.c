// SPDX-License-Identifier: MIT
// The process's scratch buffer.
#include "scratch.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { LINE = 64, HUGE_PAGE = 2 << 20 };

static struct {
    void *data;
    size_t bytes, users;
} scratch;

void *scratch_allocate(size_t bytes) {
    const size_t unit = bytes < HUGE_PAGE ? LINE : HUGE_PAGE;
    size_t rounded;
    if (__builtin_add_overflow(bytes, unit - 1, &rounded))
        return NULL;
    rounded -= rounded % unit;
    void *const data = aligned_alloc(unit, rounded ? rounded : unit);
#ifdef MADV_HUGEPAGE
    // Advice: where it is not taken, pages are small.
    if (data && unit == HUGE_PAGE)
        (void)madvise(data, rounded, MADV_HUGEPAGE);
#endif
    return data;
}

bool scratch_reserve(size_t bytes) {
    if (bytes > scratch.bytes) {
        void *const data = scratch_allocate(bytes);
        if (!data)
            return false;
        free(scratch.data);
        scratch.data = data;
        scratch.bytes = bytes;
    }
    scratch.users++;
    return true;
}

void scratch_release(void) {
    if (--scratch.users > 0)
        return;
    free(scratch.data);
    scratch.data = NULL;
    scratch.bytes = 0;
}

void *scratch_data(void) { return scratch.data; }
size_t scratch_bytes(void) { return scratch.bytes; }
