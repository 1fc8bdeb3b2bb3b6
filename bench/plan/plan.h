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
// Of any schedule whose names begin with a cell, as do those that the rest of what times cells works with: what a
// sample takes, with the untimed calls before it; and what a group takes to be made ready (schedule_kind).
static inline const cell *plan_cell(const schedule *s, size_t item) { return schedule_name(s, item); }
double plan_sample_seconds(const schedule *s, size_t item);
double plan_prepare_seconds(const schedule *s, size_t begin, size_t end, double round_s);

// The cells of a preset that the selection does not rule out; without a preset (p == PRESETS) the cross product of the
// selection, by default the best level's fused forward in f32 at 64x768 on one thread. Every group also gets the
// partners of its ratios: rmsnorm of the same form and level, and identity at the best level, of the form that moves
// the same tensors; cells of another library also get the op's own best. What cannot run here is left out. false if
// memory ran out; an empty plan is no error.
bool plan_make(plan *p, preset which, const selection *s, const topology *t);
void plan_free(plan *p);
// Every combination of what was selected, with one value for what was not, of the implementations of a source, one
// after another until its NULL. false if one could not be added.
typedef const norm_impl *plan_source(size_t index);
typedef bool plan_add(void *to, const cell *c);
bool plan_product(const selection *s, const topology *t, plan_source *at, plan_add *put, void *to);
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
