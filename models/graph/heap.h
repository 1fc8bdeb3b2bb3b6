// SPDX-License-Identifier: MIT
// heap.h: what the C library has seen of a process before form framework allocates in it. glibc keeps freed memory for
// later up to sizes that it has seen freed (mallopt(3), M_MMAP_THRESHOLD), so a young process gets its pages back from
// the kernel in each call where a framework's would not.
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>

// As if so many bytes had been freed, and what starting a framework frees.
void heap_remember(size_t bytes);

#endif
