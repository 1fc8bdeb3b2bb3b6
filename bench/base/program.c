// SPDX-License-Identifier: MIT
// program.c: see program.h.
#include "program.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

#define SELF "/proc/self/exe"

const char *program_path(void) {
#ifdef __linux__
    const char *const given = (const char *)getauxval(AT_EXECFN);
#else
    const char *const given = NULL;
#endif
    return access(SELF, X_OK) == 0 || given == NULL ? SELF : given;
}

uint64_t program_hash(uint64_t begin, const void *bytes, size_t count) {
    const unsigned char *const at = bytes;
    for (size_t i = 0; i < count; i++)
        begin = (begin ^ at[i]) * UINT64_C(1099511628211);
    return begin;
}

void program_id(char id[PROGRAM_ID_SIZE]) { program_file_id(program_path(), id); }

void program_file_id(const char *path, char id[PROGRAM_ID_SIZE]) {
    unsigned char block[1 << 14];
    uint64_t hash = PROGRAM_HASH;
    size_t got;
    FILE *const file = fopen(path, "re");
    while (file != NULL && (got = fread(block, 1, sizeof block, file)) > 0)
        hash = program_hash(hash, block, got);
    const int failed = file == NULL || ferror(file);
    if (file != NULL)
        (void)fclose(file);
    if (failed)
        snprintf(id, PROGRAM_ID_SIZE, "unknown");
    else
        snprintf(id, PROGRAM_ID_SIZE, "%016" PRIx64, hash);
}
