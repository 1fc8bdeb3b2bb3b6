// SPDX-License-Identifier: MIT
// ab.h: how a launch times the two sides: as kernels are timed (kernels.h), on the same buffers by the same team, after
// both libraries were loaded.
#ifndef AB_H
#define AB_H

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

#endif
