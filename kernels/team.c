// SPDX-License-Identifier: MIT
// team.c: forks watched, by handlers that live as long as the library, which is never unloaded (Makefile).
#include "team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

static atomic_bool opened, forks_threads, lost;

// A team's threads stay for the next one, so a process of one thread has no team to lose, neither ours nor that of
// another user of the same OpenMP. Linux counts a thread as a folder: beside "." and "..", one is this one.
static bool has_other_threads(void) {
    enum { ALONE = 3 };
    struct stat tasks;
    return atomic_load(&opened) || stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink != ALONE;
}

static void before_fork(void) { atomic_store(&forks_threads, has_other_threads()); }
static void in_child(void) {
    if (atomic_load(&forks_threads))
        atomic_store(&lost, true);
}

__attribute__((constructor)) static void watch_forks(void) {
    if (pthread_atfork(before_fork, NULL, in_child) != 0)
        atomic_store(&lost, true); // what cannot be watched has no teams
}

bool team_lost(void) { return atomic_load_explicit(&lost, memory_order_relaxed); }
// Not written again: threads of the team read what shares its cache line.
void team_opens(void) {
    if (!atomic_load_explicit(&opened, memory_order_relaxed))
        atomic_store_explicit(&opened, true, memory_order_relaxed);
}
