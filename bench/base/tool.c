// SPDX-License-Identifier: MIT
// tool.c: see tool.h.
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

enum { LAST_WORDS = 600 };

// In the child. Of posix_spawn, not every libc can change the folder.
static _Noreturn void become(const char *const argv[], const char *in, FILE *out, FILE *err) {
    static const char *const variables[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "MAKEFLAGS", "MAKELEVEL"};
    char *arguments[64];
    size_t count = 0;
    for (; argv[count] != NULL && count + 1 < sizeof arguments / sizeof *arguments; count++)
        (void)memcpy(&arguments[count], &argv[count], sizeof *arguments); // execvp does not write them
    arguments[count] = NULL;
    // What a make or a hook of git around this program has set is not meant for what it runs.
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        (void)unsetenv(variables[i]);
    if ((in == NULL || chdir(in) == 0) && dup2(fileno(out), STDOUT_FILENO) >= 0 &&
        dup2(fileno(err), STDERR_FILENO) >= 0)
        (void)execvp(arguments[0], arguments);
    fprintf(stderr, "%s: %s", arguments[0], strerror(errno));
    _exit(127);
}

// The end of a file, without the line feed at its end.
static void read_end(FILE *file, char *text, size_t size) {
    const long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
    (void)fseek(file, length > (long)size - 1 ? length - ((long)size - 1) : 0, SEEK_SET);
    size_t got = fread(text, 1, size - 1, file);
    while (got > 0 && text[got - 1] == '\n')
        got--;
    text[got] = '\0';
}

static void read_begin(FILE *file, char *text, size_t size) {
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
}

bool tool_run(const char *const argv[], const char *in, char *out, size_t out_size, char *why, size_t size) {
    FILE *const stdout_file = tmpfile(), *const stderr_file = tmpfile();
    char words[LAST_WORDS] = "";
    bool ok = false;
    fflush(NULL);
    const pid_t pid = stdout_file == NULL || stderr_file == NULL ? -1 : fork();
    if (pid == 0)
        become(argv, in, stdout_file, stderr_file);
    if (pid < 0) {
        snprintf(why, size, "%s cannot be run: %s", argv[0], strerror(errno));
    } else {
        const int status = program_await(pid);
        ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        read_end(stderr_file, words, sizeof words);
        if (!ok)
            snprintf(why, size, "%s failed%s%s", argv[0], words[0] != '\0' ? ": " : "", words);
        if (out != NULL)
            read_begin(stdout_file, out, out_size);
    }
    if (stdout_file != NULL)
        (void)fclose(stdout_file);
    if (stderr_file != NULL)
        (void)fclose(stderr_file);
    return ok;
}
