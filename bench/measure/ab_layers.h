// SPDX-License-Identifier: MIT
// ab_layers.h: how a launch times the norms of two sides in layers: as layers are timed (layers.h), both sides in the
// slots of the same layer.
#ifndef AB_LAYERS_H
#define AB_LAYERS_H

#include "plan/ab_layers_plan.h"
#include "subject.h"

extern const group_work ab_layers_work;

#endif
