// SPDX-License-Identifier: MIT
// kernels_worker.h: one launch. The parent starts a fresh process, which visits every cell of a plan and tells its
// observations line by line, so that whatever ends it, nothing finished is lost.
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launch.h"
#include "plan/plan.h"
#include "sampler.h"

// pilot: verify every cell on the shape to be timed, and calibrate it. measure: warm up, then sample round by round.
typedef enum { WORKER_PILOT, WORKER_MEASURE } worker_mode;

typedef struct {
    size_t cell, launch, index, order, calls; // index of the sample within cell and launch; order: within the launch
    sample sample;
    double peak_flops; // of the FMA units of the same threads, when the launch came to such a team; NaN: unknown
} observation;

// Rounds of a group that one launch has: complete ones, and the first number that is free, for a round that was cut off
// keeps its own.
typedef struct {
    size_t complete, next;
} rounds_had;

// A launch of a command's worker, as both commands order it: `normbench COMMAND --worker MODE PLAN SEED LAUNCH`, with a
// line "had GROUP COMPLETE NEXT" on standard input for each group that has rounds already; a pilot leaves those out.
typedef struct {
    const char *command, *mode, *plan_path;
    uint64_t seed;
    size_t launch;
    const rounds_had *had; // NULL: nothing
    size_t groups;
} launch_order;
launch_end launch_ordered(const launch_order *order, void *context, bool (*take)(void *context, char *line),
                          const volatile sig_atomic_t *stop, char *how, size_t size);

// What a launch is asked for.
typedef struct {
    worker_mode mode;
    const char *plan_path;
    uint64_t seed;
    size_t launch;
    const rounds_had *had; // per group: what an interrupted run already has; NULL: nothing
} worker_job;

// What the parent does with what it is told; context is passed on. Each may be NULL.
typedef struct {
    void *context;
    void (*group)(void *context, size_t group, const char *bound); // a group begins, its threads bound to these PUs
    void (*verified)(void *context, size_t cell, double max_error, bool ok, const char *reason);
    void (*calibrated)(void *context, size_t cell, size_t calls, double ns);
    bool (*observed)(void *context, const observation *o); // false: stop, the results cannot be written
    void (*skipped)(void *context, size_t group, const char *reason);
} worker_listener;

// Runs one launch to its end, as launch_run does.
launch_end worker_launch(const worker_job *job, const plan *p, const worker_listener *listener,
                         const volatile sig_atomic_t *stop, char *how, size_t size);

// The child's side: what `normbench kernels --worker ...` runs. An exit code.
int worker_main(int argc, char **argv);

#endif
