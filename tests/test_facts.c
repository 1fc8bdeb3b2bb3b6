// SPDX-License-Identifier: MIT
// What is told of this machine where /proc is not there, as in some change roots: facts with the reason why they are
// unknown, and none made up; and the C library, by its name.
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

#include "machine/facts.h"
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

// As the C library itself says it to POSIX, where it does; meta.json has the name apart from the version.
static void the_libc_is_named(void **state) {
    (void)state;
    char text[FACTS_LIBC_TEXT], error[TOPOLOGY_ERROR_SIZE], own[FACTS_LIBC_TEXT] = "";
    (void)facts_libc_text(text);
#ifdef _CS_GNU_LIBC_VERSION
    if (confstr(_CS_GNU_LIBC_VERSION, own, sizeof own) > 0)
        assert_string_equal(text, own);
#endif
    topology *const t = topology_open(NULL, error);
    assert_non_null(t);
    json_t *const machine = machine_describe(t);
    const json_t *const version = fact(machine, "build", "libc");
    assert_string_equal(json_string_value(fact(machine, "build", "libc_name")), facts_libc());
    if (own[0] != '\0')
        assert_string_equal(json_string_value(version), strchr(own, ' ') + 1);
    else
        assert_true(json_is_string(version) || json_is_string(json_object_get(version, "reason")));
    json_decref(machine);
    topology_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_proc), cmocka_unit_test(the_libc_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
