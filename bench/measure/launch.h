// SPDX-License-Identifier: MIT
// launch.h: one launch: a fresh process of this program, which tells what it finds line by line.
#ifndef LAUNCH_H
#define LAUNCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

// STARVED: the kernel killed it, for want of memory.
typedef enum { LAUNCH_DONE, LAUNCH_INTERRUPTED, LAUNCH_STOPPED, LAUNCH_DIED, LAUNCH_STARVED } launch_end;

enum { LAUNCH_ARGUMENTS = 8 };

typedef struct {
    const char *arguments[LAUNCH_ARGUMENTS]; // of the process, NULL after the last
    const char *orders;                      // what it reads on standard input; NULL: nothing
    void *context;                           // of hear
    bool (*hear)(void *context, char *line); // one whole line without its end; false: stop, LAUNCH_STOPPED
    bool (*hangs)(void *context);            // asked several times a second: true ends it, LAUNCH_DIED; NULL: never
} launch_job;

// Runs one launch to its end. *stop, a count of signals, is looked at several times a second and at every signal: from
// the first on the child has three seconds to finish its sample, at the second it is killed. Whatever ends it, no line
// that it had written is lost. LAUNCH_DIED and
// LAUNCH_STARVED come with how.
launch_end launch_run(const launch_job *job, const volatile sig_atomic_t *stop, char *how, size_t size);

#endif
