// SPDX-License-Identifier: MIT
// ab.h: how a launch times the two sides: as kernels are timed (kernels.h), on the same buffers by the same team, after
// both libraries were loaded.
#ifndef AB_H
#define AB_H

#include "layers.h"
#include "plan/ab_layers_plan.h"
#include "plan/ab_plan.h"
#include "subject.h"

extern const group_work ab_work;

// Of subject.h.
bool ab_prepare(const run *r, size_t launch, char *why, size_t size);
bool ab_join(const char *folder, const size_t *launch, char *why, size_t size);
void ab_clear(const run *r);

// Unpacks and links what is linked, opens both sides, and finds out whose code is the same. false with a reason.
bool ab_begin(char *why, size_t size);

// How a launch times the norms of two sides in layers: as layers are timed (layers.h), both sides in the
// slots of the same layer.
extern const group_work ab_layers_work;

// What a sample of these is known by beyond what it is in layers.
#define AB_LAYERS_QUANTITIES(X)                                                                                        \
    X(AB_LAYERS_ADDED, OPTIONAL, added_ns, AMOUNT, "ns", 6, 0, PLAN_MOST_NS,                                           \
      "What was done behind all norms of one call of the layer, by a clock of its own: of a row with --inject its "    \
      "work, and of that row's base next to nothing. The mean over the sample; empty of other rows.")
enum { AB_LAYERS_BEFORE = LAYERS_END - 1, AB_LAYERS_QUANTITIES(SAMPLE_ID) AB_LAYERS_END };
extern const sample_quantity ab_layers_quantities[AB_LAYERS_END - SAMPLE_OWN]; // the others first

#endif
