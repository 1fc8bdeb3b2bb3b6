// SPDX-License-Identifier: MIT
// heap.h: the C library's heap, settled, for what form framework allocates in it. Which memory is kept for the next
// result and which comes from the kernel anew depends on what a process has freed before.
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>

// As in a process that has freed a block of 32 MiB, and for good: larger blocks are mapped alone and given back at
// once, others stay. false: this C library is not known, and decides.
bool heap_settle(void);

#endif
