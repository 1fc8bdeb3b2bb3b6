// SPDX-License-Identifier: MIT
// What is told of this machine where /proc is not there, as in some change roots: facts with the reason why they are
// unknown, and none made up.
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mount.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/machine.h"
#include "machine/memory.h"

enum { TOLD, NOT_TOLD, NO_NAMESPACE };

static const json_t *fact(const json_t *machine, const char *section, const char *key) {
    return json_object_get(json_object_get(machine, section), key);
}

static bool is_unreadable(const json_t *what) {
    const char *const reason = json_string_value(json_object_get(what, "reason"));
    return json_is_null(json_object_get(what, "value")) && reason != NULL && strstr(reason, "No such file") != NULL;
}

// In a process of its own, whose /proc is empty.
static int look(void) {
    char error[TOPOLOGY_ERROR_SIZE], warnings[MACHINE_WARNINGS][MACHINE_WARNING_SIZE];
#ifdef __linux__
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/proc", "tmpfs", 0, NULL) != 0)
        return NO_NAMESPACE;
#endif
    topology *const t = topology_open(NULL, error);
    if (t == NULL)
        return NOT_TOLD;
    const json_t *const machine = machine_describe(t);
    const bool ok = is_unreadable(fact(machine, "cpu", "flags")) && is_unreadable(fact(machine, "cpu", "microcode")) &&
                    is_unreadable(fact(machine, "system", "kernel_cmdline")) &&
                    json_is_integer(fact(machine, "load", "memory_available_bytes")) && memory_available() > 0;
    (void)machine_warnings(t, warnings, MACHINE_WARNINGS);
    return ok ? TOLD : NOT_TOLD;
}

static void without_proc(void **state) {
    (void)state;
    int status = 0;
    (void)fflush(stdout);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(look());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_NAMESPACE)
        skip();
    assert_int_equal(WEXITSTATUS(status), TOLD);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_proc)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
