// SPDX-License-Identifier: MIT
// environment.c: see environment.h.
#include "environment.h"

#include <stdio.h>
#include <string.h>

extern char **environ;

static const struct {
    const char *name, *instead;
    bool at_load;
} variables[] = {
#define ROW(name, instead, at_load) {#name, instead, at_load},
    ENVIRONMENT_LIST(ROW)
#undef ROW
};
enum { VARIABLES = sizeof variables / sizeof *variables, IGNORED = 2 * VARIABLES };

static const char *ignored[IGNORED];
static size_t ignored_count;
static bool in_time; // before any library's own initialisation

// The row of "NAME=VALUE", VARIABLES if there is none.
static size_t row_of(const char *variable) {
    size_t row = 0;
    for (; row < VARIABLES; row++) {
        const size_t length = strlen(variables[row].name);
        if (strncmp(variable, variables[row].name, length) != 0)
            continue;
        if (variable[length] == '=' || strncmp(variable + length, "_ALL=", 5) == 0)
            break;
    }
    return row;
}

static void take_out(char **variables_of_process) {
    char **kept = variables_of_process;
    for (char **variable = variables_of_process; *variable != NULL; variable++)
        if (ignored_count < IGNORED && row_of(*variable) < VARIABLES)
            ignored[ignored_count++] = *variable;
        else
            *kept++ = *variable;
    *kept = NULL;
}

#if defined(__GLIBC__)
// glibc calls this before any library's initialisation, in which OpenMP's runtimes read their variables and bind this
// thread; nothing could tell afterwards what the process had been given. Nothing but the three arguments exists yet.
static void before_libraries(int argc, char **argv, char **variables_of_process) {
    (void)argc;
    (void)argv;
    in_time = true;
    take_out(variables_of_process);
}
__attribute__((section(".preinit_array"), used)) static void (*const hook)(int, char **, char **) = before_libraries;
#endif

bool environment_begin(void) {
    if (!in_time)
        take_out(environ);
    bool ok = true;
    for (size_t i = 0; i < ignored_count; i++) {
        const size_t row = row_of(ignored[i]);
        const bool late = variables[row].at_load && !in_time;
        ok &= !late;
        fprintf(stderr,
                late ? "normbench: unset %.*s, which OpenMP's runtime has read: %s\n" : "normbench: ignored %.*s: %s\n",
                (int)strcspn(ignored[i], "="), ignored[i], variables[row].instead);
    }
    return ok;
}

const char *environment_ignored(size_t i) { return i < ignored_count ? ignored[i] : NULL; }
