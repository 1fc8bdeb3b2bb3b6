// SPDX-License-Identifier: MIT
// bound.h: what bounds a row of kernels.csv, and how near to that it is. The one formula; docs/method.md has it in
// words.
#ifndef BOUND_H
#define BOUND_H

#include <stdbool.h>

#include "machine/peak.h"
#include "plan/cell.h"

// The nearest place that holds the tensors, which a copy moves as fast as can be; what computes; and what waits.
#define BOUND_LIST(X) X(L1, l1) X(L2, l2) X(L3, l3) X(MEMORY, memory) X(PORTS, ports) X(LATENCY, latency)
#define BOUND_ROW(ID, name) BOUND_##ID,
typedef enum { BOUND_LIST(BOUND_ROW) BOUNDS } bound_kind;
#undef BOUND_ROW
const char *bound_name(bound_kind kind); // NULL of BOUNDS

// A kernel below this part of its bound is not at its limit.
#define BOUND_LIMIT 0.85

// Of a machine. All zero: nothing is known, and there are no bounds.
typedef struct {
    norm_caches caches;
    double peak_gflops; // of the best level on one thread, when `rates` were measured
    peak_rates rates[NORM_LEVELS];
} bound_machine;
// Of this machine, with the rates of the levels of these cells, which are measured.
void bound_measure(bound_machine *m, const cell *cells, size_t count);

// What was measured of a row and counted of its kernel; NaN: it was not.
typedef struct {
    double time_ns;
    double copy_ratio;               // time of the fastest copy in turns with it, over its own
    const norm_impl *copy;           // which that is; NULL: none
    double instructions, multiplies; // of an element
    double peak_gflops;              // of the row's team
} bound_terms;

typedef struct {
    bound_kind kind;
    double fraction; // the least time that the row could take over its own; NaN, and BOUNDS: there is no basis
} row_bound;
row_bound bound_of(const bound_machine *m, const cell *c, const bound_terms *t);

#endif
