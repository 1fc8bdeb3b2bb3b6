// SPDX-License-Identifier: MIT
// memory.h: how much memory there is to take, asked before taking it: an allocation that Linux grants may still kill
// the process later.
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>

// Bytes that may be taken without pushing the machine into swap or the container over its limit.
size_t memory_available(void);

// Whether `bytes` (SIZE_MAX: overflowed) may be taken, with a tenth left for everybody else. If not, text says what is
// needed and what there is.
bool memory_fits(size_t bytes, char *text, size_t size);

#endif
