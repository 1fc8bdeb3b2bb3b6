// SPDX-License-Identifier: MIT
// plan.h: which cells a run measures: those of a preset, or the cross product of explicit selectors.
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "cell.h"
#include "machine/topology.h"
#include "presets.h"
#include "schedule.h"
#include "select.h"

// Its items are cells.
typedef struct {
    schedule schedule;
} plan;
extern const schedule_kind plan_kind;
static inline const cell *plan_cells(const plan *p) { return p->schedule.names; }

// The cells of a preset that the selection does not rule out; without a preset (p == PRESETS) the cross product of the
// selection, by default the best level's fused forward in f32 at 64x768 on one thread. Every group also gets the
// partners of its ratios: rmsnorm of the same form and level, and identity at the best level, of the form that moves
// the same tensors; cells of another library also get the op's own best. What cannot run here is left out. false if
// memory ran out; an empty plan is no error.
bool plan_make(plan *p, preset which, const selection *s, const topology *t);
void plan_free(plan *p);
// The form of identity that is a form's ceiling: that which reads and writes the same tensors, as far as one does.
norm_form plan_ceiling_form(norm_form form);

// Sets every group's rounds so that a launch takes at most `seconds`, by the pilot's times or by rough rates before
// one: every group one round at least, then those that take least time first, up to PLAN_MAX_ROUNDS each, for a round
// of a small shape costs next to nothing.
enum { PLAN_MAX_ROUNDS = 16 };
void plan_spend(plan *p, double seconds);
// The same of a run of *launches launches, of which it takes some away where one round of everything in each is too
// long for a budget. budget_s 0: none.
void plan_spend_run(schedule *s, bool of_preset, double budget_s, size_t *launches);

#endif
