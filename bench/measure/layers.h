// SPDX-License-Identifier: MIT
// layers.h: how a launch times layers: it builds each group's layer once, in whose slots the group's arms take turns,
// and every step is timed in place. See subject.h.
#ifndef LAYERS_H
#define LAYERS_H

#include "subject.h"

// What a sample of a layer is known by, beyond what every sample is (sample.h).
#define LAYERS_QUANTITIES(X)                                                                                           \
    X(LAYERS_PEAK, REQUIRED, peak_gflops, AMOUNT, "GFLOP/s", 6, 0, 1e9,                                                \
      "What the units that multiply this dtype reached on the same threads "                                           \
      "when this launch came to the layer: FMAs, "                                                                     \
      "and for bf16 tiles or dot products where they are faster (in runs "                                             \
      "before 29 November 2026, 05:00 UTC, always "                                                                    \
      "FMAs of f32).")                                                                                                 \
    X(LAYERS_STEPS, REQUIRED, step_ns, LIST, NULL, 6, 0, PLAN_MOST_NS,                                                 \
      "The time of each step of the layer, ns, separated by spaces, in the "                                           \
      "order of the arm's rows of steps.csv.")                                                                         \
    X(LAYERS_CLOCK, REQUIRED, clock_ns, AMOUNT, "ns", 4, 0, 1e9,                                                       \
      "What timing adds to a step: measured when this launch came to the "                                             \
      "layer, on steps that do nothing. More where "                                                                   \
      "a step goes by tiles of rows, each with a reading of the clock.")                                               \
    X(LAYERS_LINE, OPTIONAL, line_ns, AMOUNT, "ns", 4, 0, 1e9,                                                         \
      "What a cache line takes from the core of the first thread to that of "                                          \
      "the last, one way, measured before the "                                                                        \
      "sample's round. Empty with one thread, or with threads that share a "                                           \
      "core.")                                                                                                         \
    X(LAYERS_PAGE_FAULTS, REQUIRED, page_faults, AMOUNT, "{page}", 9, 0, 1e12,                                         \
      "Pages that the kernel gave anew in one call of the layer, of all "                                              \
      "threads: the mean over the sample.")
enum { LAYERS_BEFORE = SAMPLE_OWN - 1, LAYERS_QUANTITIES(SAMPLE_ID) LAYERS_END };
extern const sample_quantity layers_quantities[LAYERS_END - SAMPLE_OWN];

// Of any plan of layers whose items begin with an arm (layers_plan.h).
extern const group_work layers_work;
// How often a sample of so many calls runs the layer, with what of it is not timed.
size_t layers_runs(size_t calls);
// Of a sample that a group has just taken: the time of the norms in it, and of how many calls in one of the layer.
double layers_norms_ns(const void *opened, size_t arm, const sample *s, size_t *calls);

#endif
