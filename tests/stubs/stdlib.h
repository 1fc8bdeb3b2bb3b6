// SPDX-License-Identifier: MIT
// stdlib.h: as of C23 and glibc 2.43: the names that they add.
#include_next <stdlib.h>
#ifndef STUBS_STDLIB_H
#define STUBS_STDLIB_H

typedef struct {
    int flag;
} once_flag;
extern void call_once(once_flag *, void (*)(void));
extern size_t memalignment(const void *);
extern void free_sized(void *, size_t);
extern void free_aligned_sized(void *, size_t, size_t);
extern unsigned int uabs(int);
extern unsigned long int ulabs(long int);
extern unsigned long long int ullabs(long long int);

#endif
