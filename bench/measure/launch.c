// SPDX-License-Identifier: MIT
// launch.c: see launch.h.
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "base/exit_code.h"
#include "base/patience.h"
#include "base/program.h"
#include "machine/memory.h"
#include "sampler.h"

extern char **environ;

// The parent looks into the pipe this often and sleeps in between. Woken by every line instead, a thousand times a
// second, it took the CPU from a thread that was being timed in 40 % of all samples (two cores, two threads). A pipe
// holds 64 KiB, five times what a child writes meanwhile.
enum { NAP_MS = PATIENCE_LOOK_MS };

// A sample may take minutes, and the first look at a result as long. So long may it go on after the first signal.
#define GRACE_NS 3e9

// The child's OpenMP: a waiting thread spins, since between two calls there is nothing else for it to do. What the user
// has set stands, and is recorded with the run; what would move threads or change teams was taken out (environment.h).
static void prepare_environment(void) { (void)setenv("OMP_WAIT_POLICY", "active", 0); }

static pid_t start(const launch_job *job, int input, int output, int *error) {
    program_start program;
    char *argv[PROGRAM_WORDS + LAUNCH_ARGUMENTS + 1] = {NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    if (!program_start_again(&program)) {
        *error = E2BIG;
        return -1;
    }
    memcpy(argv, program.words, program.count * sizeof *argv);
    for (size_t i = 0; i < LAUNCH_ARGUMENTS && job->arguments[i] != NULL; i++)
        argv[program.count + i] = (char *)(uintptr_t)job->arguments[i]; // posix_spawn does not write them
    *error = posix_spawn_file_actions_init(&actions);
    if (*error != 0)
        return -1;
    *error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (*error == 0)
        *error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (*error == 0)
        *error = posix_spawnp(&pid, program.file, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return *error == 0 ? pid : -1;
}

// What the child has written and nobody has heard yet.
typedef struct {
    int descriptor; // non-blocking
    char *text;
    size_t length, room;
} inbox;

typedef enum { TOLD_ALL, TOLD_END, TOLD_STOP, TOLD_ERROR } told;

// Reads what is there and hands on every whole line. An unfinished last one waits for its end, or is dropped with it.
static told drain(inbox *in, const launch_job *job, bool deaf) {
    for (;;) {
        if (in->room - in->length < 4096) {
            char *const larger = realloc(in->text, in->room + (1 << 16));
            if (larger == NULL)
                return TOLD_ERROR;
            in->text = larger;
            in->room += 1 << 16;
        }
        const ssize_t got = read(in->descriptor, in->text + in->length, in->room - in->length);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR ? TOLD_ALL : TOLD_ERROR;
        if (got == 0)
            return TOLD_END;
        in->length += (size_t)got;
        char *line = in->text, *end;
        while ((end = memchr(line, '\n', in->length - (size_t)(line - in->text))) != NULL) {
            *end = '\0';
            if (!deaf && !job->hear(job->context, line))
                return TOLD_STOP;
            line = end + 1;
        }
        in->length -= (size_t)(line - in->text);
        memmove(in->text, line, in->length);
    }
}

// Sleeps until the next look, or until the child or a signal ends the wait. Without pidfd_open (before Linux 5.3) the
// child's end is noticed at the next look.
static void nap(int child) {
    struct pollfd exit_of = {.fd = child, .events = POLLIN};
    (void)poll(&exit_of, 1, NAP_MS);
}

// What this side had to do with the end of a launch.
typedef struct {
    bool asked, killed; // it was asked to end; it was made to
    double asked_ns;    // when
    bool stopped;       // what it told could not be taken
    bool hung;          // it was said to hang
} ending;

// The first signal is passed on, to one that was stopped (SIGSTOP), too; the second, or too much time, ends it.
static void pass_on(ending *e, pid_t pid, int signals) {
    if (signals > 0 && !e->asked) {
        (void)kill(pid, SIGINT);
        (void)kill(pid, SIGCONT);
        e->asked = true;
        e->asked_ns = sampler_now_ns();
    }
    if (!e->killed && (e->stopped || signals > 1 || (e->asked && sampler_now_ns() - e->asked_ns > GRACE_NS))) {
        (void)kill(pid, SIGKILL);
        e->killed = true;
    }
}

// kills: of the kernel for want of memory, since before the launch.
static launch_end judge(int status, const ending *e, uint64_t kills, char *how, size_t size) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE && !e->stopped)
        return LAUNCH_DONE;
    if (e->stopped)
        return LAUNCH_STOPPED;
    if (e->hung) {
        snprintf(how, size, "a launch did not come back and was ended: --patience TIME gives it longer");
        return LAUNCH_DIED;
    }
    if (e->killed || (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERRUPTED))
        return LAUNCH_INTERRUPTED;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && kills > 0) {
        snprintf(how, size, "the kernel killed a launch for want of memory: choose less, or stop other programs");
        return LAUNCH_STARVED;
    }
    if (WIFSIGNALED(status))
        snprintf(how, size, "a launch was killed by signal %d (%s)%s", WTERMSIG(status), strsignal(WTERMSIG(status)),
                 WTERMSIG(status) == SIGKILL ? ": was memory short?" : "");
    else
        snprintf(how, size, "a launch failed with exit code %d", WEXITSTATUS(status));
    return LAUNCH_DIED;
}

static bool open_pipe(int ends[2]) {
    return pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0;
}

// What becomes readable when the child ends; -1 where the kernel has no such thing.
static int open_exit_of(pid_t pid) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    (void)pid;
    return -1;
#endif
}

static void close_if_open(int descriptor) {
    if (descriptor >= 0)
        (void)close(descriptor);
}

launch_end launch_run(const launch_job *job, const volatile sig_atomic_t *stop, char *how, size_t size) {
    int to[2] = {-1, -1}, from[2] = {-1, -1}, child = -1, error = 0;
    inbox in = {0};
    ending own = {0};
    const uint64_t kills = memory_kills();
    launch_end end = LAUNCH_DIED;
    pid_t pid = -1;
    FILE *orders = NULL;
    if (!open_pipe(to) || !open_pipe(from) || fcntl(from[0], F_SETFL, O_NONBLOCK) != 0 ||
        (orders = fdopen(to[1], "w")) == NULL) {
        snprintf(how, size, "no pipe to a launch: %s", strerror(errno));
        goto cleanup;
    }
    to[1] = -1;
    prepare_environment();
    pid = start(job, to[0], from[1], &error);
    if (pid < 0) {
        snprintf(how, size, "could not start a launch: %s", strerror(error));
        goto cleanup;
    }
    close_if_open(to[0]);
    close_if_open(from[1]);
    to[0] = from[1] = -1;
    if (job->orders != NULL)
        (void)fputs(job->orders, orders);
    (void)fclose(orders); // a child that is gone shows in its status
    orders = NULL;
    child = open_exit_of(pid);
    in.descriptor = from[0];
    for (told what = TOLD_ALL; what != TOLD_END && what != TOLD_ERROR;) {
        nap(child);
        what = drain(&in, job, own.stopped);
        own.stopped |= what == TOLD_STOP || what == TOLD_ERROR;
        pass_on(&own, pid, *stop);
        if (!own.asked && !own.killed && job->hangs != NULL && job->hangs(job->context)) {
            (void)kill(pid, SIGKILL);
            own.killed = own.hung = true;
        }
    }
    end = judge(program_await(pid), &own, memory_kills() - kills, how, size);
cleanup:
    if (orders != NULL)
        (void)fclose(orders);
    free(in.text);
    close_if_open(child);
    close_if_open(to[0]);
    close_if_open(to[1]);
    close_if_open(from[0]);
    close_if_open(from[1]);
    return end;
}
