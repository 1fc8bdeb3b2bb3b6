// SPDX-License-Identifier: MIT
// program.c: see program.h.
#include "program.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif

#define SELF "/proc/self/exe"
#define FNV_PRIME UINT64_C(1099511628211)

const char *program_path(void) {
#ifdef __linux__
    const char *const given = (const char *)getauxval(AT_EXECFN);
#else
    const char *const given = NULL;
#endif
    return access(SELF, X_OK) == 0 || given == NULL ? SELF : given;
}

bool program_start_again(program_start *start) {
    const char *const emulator = getenv("NORMBENCH_EMULATOR");
    *start = (program_start){.file = program_path(), .words = {strcpy(start->text, "normbench")}, .count = 1};
    if (emulator == NULL || emulator[0] == '\0')
        return true;
    // The emulator's own /proc/self/exe is itself, but it shows the program the program's.
    const size_t length = strlen(emulator);
    if (length + 1 >= sizeof start->text)
        return false;
    const size_t room = sizeof start->text - length - 2;
    memcpy(start->text, emulator, length + 1);
    char *const path = start->text + length + 1;
    const ssize_t got = readlink(SELF, path, room);
    if (got < 0 || (size_t)got == room)
        return false;
    path[got] = '\0';
    start->count = 0;
    for (char *rest = start->text, *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
        if (start->count + 1 == PROGRAM_WORDS)
            return false;
        start->words[start->count++] = word;
    }
    start->words[start->count++] = path;
    start->file = start->words[0];
    return true;
}

void program_die_with_parent(void) {
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

void program_be_expendable(void) {
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    const struct rlimit none = {0, 0};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        (void)signal(crashes[i], SIG_DFL);
    (void)setrlimit(RLIMIT_CORE, &none);
    program_die_with_parent();
}

bool program_tell(int to, const void *bytes, size_t count) {
    const char *at = bytes;
    while (count > 0) {
        const ssize_t put = write(to, at, count);
        if (put <= 0)
            return false;
        at += put;
        count -= (size_t)put;
    }
    return true;
}

int program_await(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

uint64_t program_hash(uint64_t begin, const void *bytes, size_t count) {
    const unsigned char *const at = bytes;
    for (size_t i = 0; i < count; i++)
        begin = (begin ^ at[i]) * FNV_PRIME;
    return begin;
}

void program_id(char id[PROGRAM_ID_SIZE]) { program_file_id(program_path(), id); }

// A program has megabytes, and each run begins with its hash: eight bytes a step, whose upper half is folded into the
// lower one, for a product takes bits up alone. What is left behind the last eight: byte by byte.
static uint64_t hash_block(uint64_t hash, const unsigned char *block, size_t count) {
    uint64_t word;
    size_t at = 0;
    for (; at + sizeof word <= count; at += sizeof word) {
        memcpy(&word, block + at, sizeof word);
        hash = (hash ^ word) * FNV_PRIME;
        hash ^= hash >> 32;
    }
    return program_hash(hash, block + at, count - at);
}

void program_file_id(const char *path, char id[PROGRAM_ID_SIZE]) {
    unsigned char block[1 << 14];
    uint64_t hash = PROGRAM_HASH;
    size_t got;
    FILE *const file = fopen(path, "re");
    while (file != NULL && (got = fread(block, 1, sizeof block, file)) > 0)
        hash = hash_block(hash, block, got);
    const int failed = file == NULL || ferror(file);
    if (file != NULL)
        (void)fclose(file);
    if (failed)
        snprintf(id, PROGRAM_ID_SIZE, "unknown");
    else
        snprintf(id, PROGRAM_ID_SIZE, "%016" PRIx64, hash);
}
