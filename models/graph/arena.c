// SPDX-License-Identifier: MIT
// arena.c: where each storage lies in the arena. Two share memory only if they are of one size and their lives do not
// meet.
#include <stdlib.h>

#include "compile.h"

// Every storage begins a cache line, five lines further into its 4 KiB page than the end of the one before: activations
// are multiples of 4 KiB, and at equal offsets in a page stores would look like they collide with later loads.
enum { LINE = 64, STAGGER = 5 * LINE };

static size_t room(const storage *s) {
    return s->bytes > SIZE_MAX - STAGGER - LINE ? SIZE_MAX : (s->bytes + LINE - 1) / LINE * LINE + STAGGER;
}

// Two that must not share memory: their lives meet, or they differ in size. Rows of two sizes are divided over the team
// at different bytes, so that a thread would write to what another has in its cache: in ConvNeXt-B on cores that pass a
// line in 175 ns (Zen 5, two threads), norms then took 2 to 5 times as long and the steps beside them up to 5 times. A
// place of its own for what the library writes, which divides columns as well, gave no more.
static bool apart(const storage *a, const storage *b) {
    return a->bytes != b->bytes || (a->first <= b->last && b->first <= a->last);
}

static int larger_first(const void *a, const void *b) {
    const storage *const x = *(const storage *const *)a, *const y = *(const storage *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : x > y;
}

// The largest first, each into the first gap that is wide enough among those it must be apart from (Pisarchyk and Lee
// 2020, arXiv 2001.03288, "greedy by size"): quadratic in a few thousand storages.
size_t arena_place(storage *storages, size_t count) {
    storage **const by_size = malloc((count + 1) * sizeof *by_size);
    storage **const by_offset = malloc((count + 1) * sizeof *by_offset);
    size_t total = 0, placed = 0, used = 0;
    if (by_size == NULL || by_offset == NULL)
        total = SIZE_MAX;
    for (size_t i = 0; total != SIZE_MAX && i < count; i++)
        if (storages[i].first <= storages[i].last && storages[i].bytes > 0)
            by_size[used++] = &storages[i];
    if (total != SIZE_MAX)
        qsort(by_size, used, sizeof *by_size, larger_first);
    for (size_t i = 0; total != SIZE_MAX && i < used; i++) {
        storage *const s = by_size[i];
        size_t offset = 0;
        for (size_t k = 0; k < placed; k++) {
            if (!apart(s, by_offset[k]))
                continue;
            if (by_offset[k]->offset >= offset && by_offset[k]->offset - offset >= room(s))
                break;
            const size_t end = by_offset[k]->offset + room(by_offset[k]);
            offset = end > offset ? end : offset;
        }
        if (room(s) > SIZE_MAX - offset) {
            total = SIZE_MAX;
            break;
        }
        s->offset = offset;
        total = offset + room(s) > total ? offset + room(s) : total;
        size_t k = placed++;
        for (; k > 0 && by_offset[k - 1]->offset > offset; k--)
            by_offset[k] = by_offset[k - 1];
        by_offset[k] = s;
    }
    free(by_size);
    free(by_offset);
    return total;
}
