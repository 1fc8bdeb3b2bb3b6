// SPDX-License-Identifier: MIT
// Guarded buffers over mmap.
#include "guard.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MARGIN = 256 };

// By address, so that every aligned half word is 0x7fa5: a NaN in bf16, and in f32 when doubled.
static unsigned char canary(const unsigned char *p) { return (uintptr_t)p % 2 ? 0x7f : 0xa5; }

// Whole blocks instead of bytes: the guards, not the kernels, would take most of a trial's time, above all under
// sanitizers. What has a period of two is what equals itself two bytes on.
static void spread(unsigned char *begin, const unsigned char *end) {
    const size_t bytes = (size_t)(end - begin);
    for (size_t i = 0; i < bytes && i < 2; i++)
        begin[i] = canary(begin + i);
    for (size_t done = 2; done < bytes; done *= 2)
        memcpy(begin + done, begin, done < bytes - done ? done : bytes - done);
}

// The first dead canary, or NULL.
static const unsigned char *first_dead(const unsigned char *begin, const unsigned char *end) {
    const size_t bytes = (size_t)(end - begin);
    if (bytes > 2 && begin[0] == canary(begin) && begin[1] == canary(begin + 1) &&
        memcmp(begin, begin + 2, bytes - 2) == 0)
        return NULL;
    for (const unsigned char *p = begin; p < end; p++)
        if (*p != canary(p))
            return p;
    return NULL;
}

static unsigned char *usable(const guard_buffer *g) { return g->map + g->page; }

static size_t extent(const guard_buffer *g) { return (g->rows - 1) * g->stride_bytes + g->row_bytes; }

// The bytes watched: the matrix and up to MARGIN on either side.
static void window(const guard_buffer *g, unsigned char **begin, unsigned char **end) {
    const size_t before = (size_t)(g->data - usable(g));
    const size_t after = g->capacity - before - extent(g);
    *begin = g->data - (before < MARGIN ? before : MARGIN);
    *end = g->data + extent(g) + (after < MARGIN ? after : MARGIN);
}

static bool grow(guard_buffer *g, size_t bytes) {
    if (g->map && bytes <= g->capacity)
        return true;
    guard_close(g);
    g->page = (size_t)sysconf(_SC_PAGESIZE);
    g->capacity = (bytes + g->page - 1) / g->page * g->page;
    g->map_bytes = g->capacity + 2 * g->page;
    void *const map = mmap(NULL, g->map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return false;
    g->map = map;
    g->snapshot = malloc(g->capacity);
    if (g->snapshot && mprotect(usable(g), g->capacity, PROT_READ | PROT_WRITE) == 0)
        return true;
    guard_close(g);
    return false;
}

void *guard_put(guard_buffer *g, guard_place place, size_t misalign, size_t rows, size_t row_bytes,
                size_t stride_bytes) {
    const size_t bytes = (rows - 1) * stride_bytes + row_bytes;
    if (!grow(g, bytes + 2 * (size_t)MARGIN + misalign))
        return NULL;
    g->rows = rows;
    g->row_bytes = row_bytes;
    g->stride_bytes = stride_bytes;
    g->data = usable(g);
    if (place == GUARD_FREE)
        g->data += MARGIN + misalign;
    else if (place == GUARD_END)
        g->data += g->capacity - bytes;
    unsigned char *begin, *end;
    window(g, &begin, &end);
    spread(begin, end);
    return g->data;
}

bool guard_intact(const guard_buffer *g, ptrdiff_t *offset) {
    unsigned char *begin, *end;
    window(g, &begin, &end);
    const unsigned char *dead = first_dead(begin, g->data);
    for (size_t row = 1; row < g->rows && dead == NULL; row++) // the gap before each
        dead = first_dead(g->data + (row - 1) * g->stride_bytes + g->row_bytes, g->data + row * g->stride_bytes);
    if (dead == NULL)
        dead = first_dead(g->data + extent(g), end);
    if (dead != NULL)
        *offset = dead - g->data;
    return dead == NULL;
}

void guard_remember(guard_buffer *g) {
    unsigned char *begin, *end;
    window(g, &begin, &end);
    memcpy(g->snapshot, begin, (size_t)(end - begin));
}

bool guard_unchanged(const guard_buffer *g, ptrdiff_t *offset) {
    unsigned char *begin, *end;
    window(g, &begin, &end);
    if (memcmp(begin, g->snapshot, (size_t)(end - begin)) == 0)
        return true;
    for (size_t i = 0; i < (size_t)(end - begin); i++) {
        if (begin[i] != g->snapshot[i]) {
            *offset = begin + i - g->data;
            return false;
        }
    }
    return true;
}

void guard_close(guard_buffer *g) {
    if (g->map)
        munmap(g->map, g->map_bytes);
    free(g->snapshot);
    *g = (guard_buffer){0};
}
