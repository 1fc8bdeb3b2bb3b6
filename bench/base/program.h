// SPDX-License-Identifier: MIT
// program.h: the program itself as a file: where it is, to be started again, and which one it is.
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A path that starts this very program, whatever stands at its place by now; without /proc, that which it was started
// by.
const char *program_path(void);

// What starts this very program again: a file, and the words before its own arguments. The file is the program, or what
// NORMBENCH_EMULATOR names, words apart by spaces: a kernel cannot start a program for another architecture by itself.
enum { PROGRAM_WORDS = 16 };
typedef struct {
    const char *file;
    char *words[PROGRAM_WORDS];
    size_t count;
    char text[8192];
} program_start;
// false: NORMBENCH_EMULATOR has more than there is room for.
bool program_start_again(program_start *start);

// Has the kernel end this process with its parent, where it can.
void program_die_with_parent(void);

// In a child that runs what is not ours: a crash ends it, whoever caught crashes before, without a core; and so does
// its parent's end.
void program_be_expendable(void);
// Writes so many bytes to a descriptor. false: nobody hears them.
bool program_tell(int to, const void *bytes, size_t count);
// Waits for a child. Its status, as waitpid has it.
int program_await(pid_t child);

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
