// SPDX-License-Identifier: MIT
// sampler.h: the one timing loop. Times a cell's calls on a group's buffers; cmd_machine, the workers and whoever times
// anything use it.
#ifndef SAMPLER_H
#define SAMPLER_H

#include <stdbool.h>
#include <stddef.h>

#include "buffers.h"
#include "machine/counters.h"
#include "sample.h"

// A sample lasts at least this long, or one call: ten thousand times the overhead of the clock.
#define SAMPLER_MIN_NS 1e6

// What a sample of a kernel is known by, beyond what every sample is (sample.h).
#define SAMPLER_QUANTITIES(X)                                                                                          \
    X(SAMPLE_CLOCK, OPTIONAL, clock_ghz, AMOUNT, "GHz", 6, 1e-3, 1e3,                                                  \
      "Clock of the first thread's core: the larger of a reading right before the sample and one right after, by a "   \
      "chain of dependent multiplications; empty where not x86-64.")                                                   \
    X(SAMPLE_PEAK, OPTIONAL, peak_gflops, AMOUNT, "GFLOP/s", 6, 0, 1e9,                                                \
      "Rate of the FMA units of the same threads, measured when this launch first came to such a team.")               \
    X(SAMPLE_CYCLES, OPTIONAL, cycles, AMOUNT, "{cycle}", 9, 0, 1e18,                                                  \
      "Core cycles of one call in user mode, of all threads of the team together: the mean over the sample; empty "    \
      "where hardware counters are not to be had: meta.json says why.")                                                \
    X(SAMPLE_INSTRUCTIONS, OPTIONAL, instructions, AMOUNT, "{instruction}", 9, 0, 1e18,                                \
      "Instructions retired in one call, likewise.")                                                                   \
    X(SAMPLE_CACHE_MISSES, OPTIONAL, cache_misses, AMOUNT, "{miss}", 9, 0, 1e18,                                       \
      "Misses of the last-level cache in one call, likewise.")                                                         \
    X(SAMPLE_PAGE_FAULTS, OPTIONAL, page_faults, AMOUNT, "{page}", 9, 0, 1e12,                                         \
      "Pages that the kernel gave anew in one call, of all threads: the mean over the sample.")
// And beyond that what a sample in slots is known by.
#define SAMPLER_SLOT_QUANTITIES(X)                                                                                     \
    X(SAMPLE_SLOT, OPTIONAL, slot_ns, AMOUNT, "ns", 9, 1e-3, PLAN_MOST_NS,                                             \
      "Time of one call: the middle one of the sample's slots, each a call or a hundredth of the sample.")
enum {
    SAMPLER_BEFORE = SAMPLE_OWN - 1,
    SAMPLER_QUANTITIES(SAMPLE_ID) SAMPLER_END,
    SAMPLER_SLOT_BEFORE = SAMPLER_END - 1,
    SAMPLER_SLOT_QUANTITIES(SAMPLE_ID) SAMPLER_SLOT_END
};
extern const sample_quantity sampler_quantities[SAMPLER_END - SAMPLE_OWN];
extern const sample_quantity sampler_slot_quantities[SAMPLER_SLOT_END - SAMPLE_OWN]; // the others first

double sampler_now_ns(void); // CLOCK_MONOTONIC

// One timed sample of `calls` calls. Untimed before it: for backward, the forward call that leaves what it needs; and,
// where caches are warm and the sample has several calls, one call, so that the timed ones all find the same state; and
// around it, the readings of the clock and of `team`: together 2 % of the shortest sample. All quantities but the peak.
// In form framework a call includes freeing its result, and each call of backward has a forward of its own. false: the
// implementation refused.
bool sampler_sample(const cell *c, const buffers *b, size_t calls, const counters *team, sample *out);
// The same, in slots: each of the sample's 100th parts, or each call if there are fewer, is timed by itself, and
// SAMPLE_SLOT is the middle one. What takes the CPU now and then, or slows the clock for less than the sample, then
// falls into few slots, and moves the mean but not the middle (docs/gate.md). spin: so many additions, each
// waiting for the one before, are done after each call, to make the cell slower by a known time. Not in form framework.
bool sampler_sample_slots(const cell *c, const buffers *b, size_t calls, size_t spin, const counters *team,
                          sample *out);
double sampler_spin(size_t additions); // what is done there; nobody needs the result
double sampler_spin_ns(void);          // of one of those additions

// Runs the cell until two samples in a row agree within 2 %, or for 20 ms, long enough for a core to settle its clock
// at the width of the cell's vectors. false: the implementation refused.
bool sampler_warm_up(const cell *c, const buffers *b, size_t calls);

// Calls that make the cell's sample last SAMPLER_MIN_NS. 0: the implementation refused.
size_t sampler_calibrate(const cell *c, const buffers *b, double *ns);

// Mean cost of reading the clock, and its smallest step, in ns.
void sampler_clock(double *overhead_ns, double *step_ns);

#endif
