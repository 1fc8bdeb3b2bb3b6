// SPDX-License-Identifier: MIT
// program.c: see program.h.
#include "program.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/auxv.h>
#include <sys/prctl.h>
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
