// SPDX-License-Identifier: MIT
// scratch.h: memory to compute in. One scratch buffer serves all prepared products, attentions and convolutions of the
// process, because they run one after another: it is as large as the largest of them needs, however many layers there
// are. Not for concurrent use.
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

// Aligned to a cache line, with huge-page advice where large. NULL if memory ran out. Freed by free().
void *scratch_allocate(size_t bytes);

// Makes the buffer at least this large until the matching release; what it holds is lost. false: memory ran out, and
// nothing is to be released.
bool scratch_reserve(size_t bytes);
void scratch_release(void);
void *scratch_data(void); // of the buffer as it is now: ask again in every call
size_t scratch_bytes(void);

// The next multiple of a cache line: where parts of the buffer begin.
static inline size_t scratch_align(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

#endif
