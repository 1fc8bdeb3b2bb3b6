// SPDX-License-Identifier: MIT
// program.h: the program itself as a file: where it is, to be started again, and which one it is.
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stddef.h>
#include <stdint.h>

// A path that starts this very program, whatever stands at its place by now; without /proc, that which it was started
// by.
const char *program_path(void);

// FNV-1a, 64 bits (Fowler, Noll and Vo): enough to tell what was changed by accident. begin: PROGRAM_HASH or an earlier
// result, to go on with.
#define PROGRAM_HASH UINT64_C(14695981039346656037)
uint64_t program_hash(uint64_t begin, const void *bytes, size_t count);

enum { PROGRAM_ID_SIZE = 17 };
// What tells one build from another, of the same commit, too: a hash of the program's bytes, in hexadecimal. "unknown"
// if it cannot be read.
void program_id(char id[PROGRAM_ID_SIZE]);
// The same of another file.
void program_file_id(const char *path, char id[PROGRAM_ID_SIZE]);

#endif
