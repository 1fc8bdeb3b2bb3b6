// SPDX-License-Identifier: MIT
// How a launch ends: told to, made to, stopped, or with its parent. The children are this program itself.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/program.h"
#include "commands/commands.h"
#include "measure/child.h"
#include "measure/launch.h"
#include "measure/sampler.h"

// ---- The child

// Roles: what it does once it has said that it is there.
static int child(const char *role) {
    char worker[] = "--worker", mode[] = "pilot", path[] = "none", number[] = "0";
    char *const arguments[] = {worker, mode, path, number, number, NULL};
    child_orders orders;
    if (!child_begin(5, (char **)(uintptr_t)arguments, &orders))
        return EXIT_USAGE;
    if (strcmp(role, "stubborn") == 0)
        (void)signal(SIGINT, SIG_IGN);
    puts("ready");
    if (strcmp(role, "stopped") == 0)
        (void)raise(SIGSTOP);
    if (strcmp(role, "through") == 0)
        return getenv("THROUGH") != NULL ? EXIT_DONE : EXIT_FAILED;
    while (!child_interrupted() && strcmp(role, "done") != 0)
        (void)poll(NULL, 0, 10);
    return child_interrupted() ? EXIT_INTERRUPTED : EXIT_DONE;
}

// ---- Its parent

typedef struct {
    volatile sig_atomic_t *stop;
    int signals; // that there have been once the child is ready
    bool full;   // what it says cannot be taken
} expectation;

static bool hear(void *context, char *line) {
    const expectation *const e = context;
    assert_string_equal(line, "ready");
    *e->stop = e->signals;
    return !e->full;
}

static bool hangs(void *context) {
    (void)context;
    return true;
}

static void launches_end(void **state) {
    (void)state;
    static const struct {
        const char *role;
        int signals;
        bool full;
        launch_end end;
        bool (*hangs)(void *context);
    } cases[] = {{"done", 0, false, LAUNCH_DONE, NULL},
                 {"waiting", 1, false, LAUNCH_INTERRUPTED, NULL},
                 {"stopped", 1, false, LAUNCH_INTERRUPTED, NULL}, // one that SIGSTOP keeps from hearing of it
                 {"stopped", 2, false, LAUNCH_INTERRUPTED, NULL},
                 {"stubborn", 2, false, LAUNCH_INTERRUPTED, NULL}, // at once
                 {"stubborn", 1, false, LAUNCH_INTERRUPTED, NULL}, // once its time is up
                 {"stubborn", 0, true, LAUNCH_STOPPED, NULL},
                 {"stubborn", 0, false, LAUNCH_DIED, hangs}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static volatile sig_atomic_t stop;
        expectation e = {&stop, cases[i].signals, cases[i].full};
        const launch_job job = {{"child", cases[i].role}, NULL, &e, hear, cases[i].hangs};
        char how[200] = "";
        stop = 0;
        assert_int_equal(launch_run(&job, &stop, how, sizeof how), cases[i].end);
    }
}

// What NORMBENCH_EMULATOR names starts the child, with this program's own path; more words than there is room for do
// not.
static void an_emulator_starts_the_child(void **state) {
    (void)state;
    static const struct {
        const char *words;
        launch_end end;
    } cases[] = {{"env THROUGH=it", LAUNCH_DONE},
                 {"", LAUNCH_DONE},
                 {"no-such-emulator", LAUNCH_DIED},
                 {"env a= a= a= a= a= a= a= a= a= a= a= a= a= a= a=", LAUNCH_DIED}};
    static volatile sig_atomic_t stop;
    const char *const was = getenv("NORMBENCH_EMULATOR");
    char *const kept = was != NULL ? strdup(was) : NULL;
    for (size_t i = 0; kept == NULL && i < sizeof cases / sizeof *cases; i++) {
        expectation e = {&stop, 0, false};
        const launch_job job = {{"child", i == 0 ? "through" : "done"}, NULL, &e, hear, NULL};
        char how[200] = "";
        assert_int_equal(setenv("NORMBENCH_EMULATOR", cases[i].words, 1), 0);
        assert_int_equal(launch_run(&job, &stop, how, sizeof how), cases[i].end);
        assert_int_equal(how[0] != '\0', cases[i].end == LAUNCH_DIED);
    }
    if (kept == NULL)
        assert_int_equal(unsetenv("NORMBENCH_EMULATOR"), 0);
    free(kept);
}

// Waits until the other end of a pipe is closed by everybody who had it; the test's alarm ends a wait in vain.
static void await_end(int descriptor) {
    char byte;
    while (read(descriptor, &byte, 1) > 0)
        ;
}

static bool tell(void *context, char *line) {
    (void)line;
    return write(*(const int *)context, "r", 1) == 1;
}

// A parent that is killed outright: its child holds the pipe, which nobody else does, until it is gone, too.
static void a_child_dies_with_its_parent(void **state) {
    (void)state;
    int ends[2];
    char ready;
    assert_int_equal(pipe(ends), 0); // inherited by all
    const pid_t parent = fork();
    if (parent == 0) {
        static const volatile sig_atomic_t never = 0;
        char how[200];
        const launch_job job = {{"child", "stubborn"}, NULL, &ends[1], tell, NULL};
        (void)close(ends[0]);
        (void)launch_run(&job, &never, how, sizeof how);
        _exit(1);
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    assert_int_equal(kill(parent, SIGKILL), 0);
    await_end(ends[0]);
    (void)close(ends[0]);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
}

// A parent that was gone before its child could ask to die with it.
static void an_orphan_ends_at_once(void **state) {
    (void)state;
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(close(ends[0]), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)signal(SIGPIPE, SIG_IGN); // as the program has it
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[1]);
        program_start self;
        char *argv[PROGRAM_WORDS + 3] = {NULL}, role[] = "child", how[] = "stubborn";
        if (!program_start_again(&self))
            _exit(98);
        memcpy(argv, self.words, self.count * sizeof *argv);
        argv[self.count] = role;
        argv[self.count + 1] = how;
        (void)execvp(self.file, argv);
        _exit(99);
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_FAILED);
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "child") == 0)
        return child(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(launches_end),
        cmocka_unit_test(an_emulator_starts_the_child),
        cmocka_unit_test(a_child_dies_with_its_parent),
        cmocka_unit_test(an_orphan_ends_at_once),
    };
    (void)alarm(60); // what waits for ever fails
    return cmocka_run_group_tests(tests, NULL, NULL);
}
