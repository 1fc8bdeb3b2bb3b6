// SPDX-License-Identifier: MIT
// memory.h: how much memory there is to take, asked before taking it: an allocation that Linux grants may still kill
// the process later.
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes that may be taken without pushing the machine into swap or this process over a limit of its control group or of
// one around it: the least of them.
size_t memory_available(void);
// The same of a system whose files lie below root ("" for this one); whether it is a limit that decides.
size_t memory_available_below(const char *root, bool *limited);

// How often the kernel has killed for want of memory, as far as it tells: only differences mean anything.
uint64_t memory_kills(void);

// Whether `bytes` (SIZE_MAX: overflowed) may be taken, with a tenth left for everybody else. If not, text says what is
// needed and what there is.
bool memory_fits(size_t bytes, char *text, size_t size);

#endif
