// SPDX-License-Identifier: MIT
// layers_worker.h: one launch of `normbench layers`: a fresh process that builds each group's layer, in whose slots its
// arms take turns, and tells what every step took. As kernels_worker.h, for layers.
#ifndef LAYERS_WORKER_H
#define LAYERS_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels_worker.h"
#include "launch.h"
#include "plan/layers_plan.h"

// One sample: times of one call, means over the sample's calls.
typedef struct {
    size_t arm, launch, index, order, calls;
    double ns;         // the whole layer
    double peak_flops; // of the FMA units of these threads, measured when this launch came to the group; per second
    double clock_ns;   // what timing adds to a step, measured when this launch came to the group, times readings a step
    double line_ns;    // what a cache line takes between the team's cores, before the round; NaN: line_time.h
    bool preempted;
    double page_faults; // of all threads, of one call
    double *steps;      // of each of the arm's steps, ns
    size_t step_count;
} layers_observation;

typedef struct {
    worker_mode mode;
    const char *plan_path;
    uint64_t seed;
    size_t launch;
    const rounds_had *had; // per group; NULL: nothing
} layers_job;

typedef struct {
    void *context;
    void (*group)(void *context, size_t group, const char *bound);
    void (*verified)(void *context, size_t arm, double max_error, bool ok, const char *reason);
    bool (*step)(void *context, const layers_step *step); // false: stop
    void (*calibrated)(void *context, size_t arm, size_t calls, double ns, const char *matmul);
    void (*prepared)(void *context, size_t group, double seconds);
    bool (*observed)(void *context, const layers_observation *o); // takes o->steps over; false: stop
    void (*skipped)(void *context, size_t group, const char *reason);
} layers_listener;

launch_end layers_launch(const layers_job *job, const layers_plan *p, const layers_listener *listener,
                         const volatile sig_atomic_t *stop, char *how, size_t size);

// The child's side: what `normbench layers --worker ...` runs. An exit code.
int layers_worker_main(int argc, char **argv);

#endif
