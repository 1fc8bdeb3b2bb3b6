// SPDX-License-Identifier: MIT
// guard.h: buffers that notice what does not belong to them. A matrix is laid between two inaccessible pages, and every
// byte around and between its rows is a canary.
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stddef.h>

// free: in the middle, at any alignment. end: the last element touches the inaccessible page behind. start: the first
// element touches the inaccessible page before.
typedef enum { GUARD_FREE, GUARD_END, GUARD_START, GUARD_PLACES } guard_place;

typedef struct {
    unsigned char *map; // the mapping, inaccessible pages included
    unsigned char *snapshot;
    size_t map_bytes, page, capacity;
    unsigned char *data; // the matrix placed last
    size_t rows, row_bytes, stride_bytes;
} guard_buffer;

// Lays a matrix, zero-initialised `*g` grown as needed; its elements, the gaps and 256 bytes on either side (where
// there is room) become canaries, which are signalling NaNs in f32 and bf16, so that reading one spoils the result.
// misalign: bytes off a 64-byte boundary, for GUARD_FREE alone. The gap behind the last row is not part of the matrix.
// NULL if memory ran out.
void *guard_put(guard_buffer *g, guard_place place, size_t misalign, size_t rows, size_t row_bytes,
                size_t stride_bytes);

// Whether every canary around and between the rows is alive; the offset of the first dead one, in bytes from the
// matrix, otherwise.
bool guard_intact(const guard_buffer *g, ptrdiff_t *offset);

// Remembers the matrix and its surroundings; later, whether anything changed.
void guard_remember(guard_buffer *g);
bool guard_unchanged(const guard_buffer *g, ptrdiff_t *offset);

void guard_close(guard_buffer *g);

#endif
