// SPDX-License-Identifier: MIT
// string.h: as of C23: the names that it adds.
#include_next <string.h>
#ifndef STUBS_STRING_H
#define STUBS_STRING_H

extern void *memset_explicit(void *, int, size_t);

#endif
