// SPDX-License-Identifier: MIT
// launch.c: the parent's side of a launch; see worker.h.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "worker.h"

extern char **environ;

// The child's OpenMP: threads stay where we bind them, teams have the size we ask for, and a waiting thread spins,
// since between two calls there is nothing else for it to do. What the user has set stands, and is recorded with the
// run.
static void prepare_environment(void) {
    (void)setenv("OMP_PROC_BIND", "false", 1);
    (void)setenv("OMP_DYNAMIC", "false", 1);
    (void)setenv("OMP_WAIT_POLICY", "active", 0);
}

static pid_t start(const worker_job *job, int input, int output, int *error) {
    char seed[32], launch[32], plan_path[4096];
    char mode_pilot[] = "pilot", mode_measure[] = "measure", name[] = "normbench", kernels[] = "kernels",
         worker[] = "--worker";
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)job->seed);
    snprintf(launch, sizeof launch, "%zu", job->launch);
    snprintf(plan_path, sizeof plan_path, "%s", job->plan_path);
    char *const argv[] = {name,      kernels, worker, job->mode == WORKER_PILOT ? mode_pilot : mode_measure,
                          plan_path, seed,    launch, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    *error = posix_spawn_file_actions_init(&actions);
    if (*error != 0)
        return -1;
    *error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (*error == 0)
        *error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (*error == 0)
        *error = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return *error == 0 ? pid : -1;
}

// Hands one line on. false: stop.
static bool hear(const worker_job *job, const worker_listener *to, char *line) {
    size_t index, group;
    observation o = {.launch = job->launch};
    int preempted, ok, rest = 0;
    double value;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "sample %zu %zu %zu %zu %lf %d", &o.cell, &o.index, &o.order, &o.calls, &o.ns, &preempted) == 6) {
        o.preempted = preempted != 0;
        return to->observed == NULL || to->observed(to->context, &o);
    }
    if (sscanf(line, "verified %zu %lf %d %n", &index, &value, &ok, &rest) == 3 && to->verified != NULL)
        to->verified(to->context, index, value, ok != 0, line + rest);
    else if (sscanf(line, "calibrated %zu %zu %lf", &index, &o.calls, &value) == 3 && to->calibrated != NULL)
        to->calibrated(to->context, index, o.calls, value);
    else if (sscanf(line, "group %zu %n", &group, &rest) == 1 && to->group != NULL)
        to->group(to->context, group, line + rest);
    else if (sscanf(line, "skipped %zu %n", &group, &rest) == 1 && to->skipped != NULL)
        to->skipped(to->context, group, line + rest);
    return true;
}

static worker_end judge(int status, bool stopped, char *how, size_t size) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE && !stopped)
        return WORKER_DONE;
    if (stopped)
        return WORKER_STOPPED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERRUPTED)
        return WORKER_INTERRUPTED;
    if (WIFSIGNALED(status))
        snprintf(how, size, "a launch was killed by signal %d (%s)%s", WTERMSIG(status), strsignal(WTERMSIG(status)),
                 WTERMSIG(status) == SIGKILL ? ": was memory short?" : "");
    else
        snprintf(how, size, "a launch failed with exit code %d", WEXITSTATUS(status));
    return WORKER_DIED;
}

worker_end worker_launch(const worker_job *job, const plan *p, const worker_listener *listener,
                         const volatile sig_atomic_t *stop, char *how, size_t size) {
    int to[2], from[2], error;
    if (pipe2(to, O_CLOEXEC) != 0) {
        snprintf(how, size, "no pipe: %s", strerror(errno));
        return WORKER_DIED;
    }
    if (pipe2(from, O_CLOEXEC) != 0) {
        snprintf(how, size, "no pipe: %s", strerror(errno));
        (void)close(to[0]);
        (void)close(to[1]);
        return WORKER_DIED;
    }
    prepare_environment();
    const pid_t pid = start(job, to[0], from[1], &error);
    (void)close(to[0]);
    (void)close(from[1]);
    FILE *const orders = fdopen(to[1], "w"), *const told = fdopen(from[0], "r");
    if (pid < 0 || orders == NULL || told == NULL) {
        snprintf(how, size, "could not start a launch: %s", strerror(pid < 0 ? error : errno));
        if (pid > 0) {
            (void)kill(pid, SIGKILL);
            (void)waitpid(pid, NULL, 0);
        }
        if (orders != NULL)
            (void)fclose(orders);
        else
            (void)close(to[1]);
        if (told != NULL)
            (void)fclose(told);
        else
            (void)close(from[0]);
        return WORKER_DIED;
    }
    for (size_t group = 0; job->had != NULL && group < p->groups; group++)
        if (job->had[group].next > 0)
            fprintf(orders, "had %zu %zu %zu\n", group, job->had[group].complete, job->had[group].next);
    (void)fclose(orders); // a child that is gone shows in its status

    char *line = NULL;
    size_t room = 0;
    bool signalled = false, stopped = false;
    for (;;) {
        errno = 0;
        const ssize_t length = getline(&line, &room, told);
        if (*stop && !signalled) {
            (void)kill(pid, SIGINT);
            signalled = true;
        }
        if (length > 0 && line[length - 1] == '\n') {
            if (!stopped && !hear(job, listener, line)) {
                stopped = true;
                (void)kill(pid, SIGINT);
            }
        } else if (length < 0 && errno == EINTR) {
            clearerr(told);
        } else if (length < 0) {
            break;
        }
    }
    free(line);
    (void)fclose(told);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return judge(status, stopped, how, size);
}
