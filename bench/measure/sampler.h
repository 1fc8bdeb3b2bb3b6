// SPDX-License-Identifier: MIT
// sampler.h: the one timing loop. Times a cell's calls on a group's buffers; cmd_machine, the workers and whoever times
// anything use it.
#ifndef SAMPLER_H
#define SAMPLER_H

#include <stdbool.h>
#include <stddef.h>

#include "buffers.h"
#include "machine/counters.h"

// A sample lasts at least this long, or one call: ten thousand times the overhead of the clock.
#define SAMPLER_MIN_NS 1e6

typedef struct {
    double ns;      // one call, mean over the sample
    bool preempted; // the kernel took the CPU from a thread of this process meanwhile
    // Of the first thread's core, the larger of a reading right before the timed calls and one right after, for one
    // that was preempted is too low; NaN where it cannot be told. core_clock.h.
    double clock_ghz;
    counter_values counted; // in one call, by all threads of the team together
    double page_faults;     // in one call, of all threads: pages that the kernel gave anew
} sample;

double sampler_now_ns(void); // CLOCK_MONOTONIC

// One timed sample of `calls` calls. Untimed before it: for backward, the forward call that leaves what it needs; and,
// where caches are warm and the sample has several calls, one call, so that the timed ones all find the same state; and
// around it, the readings of the clock and of `team`: together 2 % of the shortest sample. In form framework a call
// includes freeing its result, and each call of backward has a forward of its own. false: the implementation refused.
bool sampler_sample(const cell *c, const buffers *b, size_t calls, const counters *team, sample *out);

// Runs the cell until two samples in a row agree within 2 %, or for 20 ms, long enough for a core to settle its clock
// at the width of the cell's vectors. false: the implementation refused. *ns: the last sample's time per call.
bool sampler_warm_up(const cell *c, const buffers *b, size_t calls, double *ns);

// Calls that make the cell's sample last SAMPLER_MIN_NS. 0: the implementation refused.
size_t sampler_calibrate(const cell *c, const buffers *b, double *ns);

// Mean cost of reading the clock, and its smallest step, in ns.
void sampler_clock(double *overhead_ns, double *step_ns);

#endif
