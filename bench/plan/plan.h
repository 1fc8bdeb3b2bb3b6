// SPDX-License-Identifier: MIT
// plan.h: which cells a run measures: those of a preset, or the cross product of explicit selectors.
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "budget.h"
#include "cell.h"
#include "machine/topology.h"
#include "presets.h"
#include "select.h"

// A cell in a plan, and what the pilot found out about it.
typedef struct {
    cell cell;
    size_t group;     // cells of a group stand together
    size_t calls;     // per sample, the same for a family but for very slow cells; 0 until calibrated
    size_t rounds;    // per launch, the same for the whole group; 0 until the pilot is done
    double ns;        // one call, by the pilot
    double max_error; // scaled, by the pilot; NaN until verified
    bool wrong;       // not to be timed
    char reason[160]; // why not
} planned;

typedef struct {
    planned *items;
    size_t count, groups;
} plan;

// The cells of a preset that the selection does not rule out; without a preset (p == PRESETS) the cross product of the
// selection, by default the best level's fused forward in f32 at 64x768 on one thread. Every group also gets the
// partners of its ratios: rmsnorm of the same form and level, and identity at the best level, of the form that moves
// the same tensors; cells of another library also get the op's own best. What cannot run here is left out. false if
// memory ran out; an empty plan is no error.
bool plan_make(plan *p, preset which, const selection *s, const topology *t);
void plan_free(plan *p);
// The form of identity that is a form's ceiling: that which reads and writes the same tensors, as far as one does.
norm_form plan_ceiling_form(norm_form form);

// Whether there is something to time: it was verified, calibrated and not found wrong.
bool plan_times(const planned *item);

// Cells [*begin, *end) of a group.
void plan_group(const plan *p, size_t group, size_t *begin, size_t *end);

// The end of the family that begins at items[begin]: the cells of its group with the same form and cell_level.
size_t plan_family_end(const plan *p, size_t begin);

// Sets every group's rounds so that a launch takes at most `seconds`, by the pilot's times or by rough rates before
// one: every group one round at least, then those that take least time first, up to PLAN_MAX_ROUNDS each, for a round
// of a small shape costs next to nothing.
enum { PLAN_MAX_ROUNDS = 16 };
void plan_spend(plan *p, double seconds);
// Seconds that a launch takes with the rounds as they are set: drawing inputs, warming up, sampling.
double plan_launch_seconds(const plan *p);

// What a group takes, as plan_launch_seconds has it.
budget_group plan_cost(const plan *p, size_t group);

// More than these nobody asks for and no pilot finds: what a file says beyond them is damage, and would be measured for
// ever.
enum { PLAN_MOST_LAUNCHES = 1000, PLAN_MOST_ROUNDS = 1000, PLAN_MOST_CALLS = 1 << 24 };
#define PLAN_MOST_SAMPLE_NS 600e9 // of several calls; a single one takes what it takes
#define PLAN_MOST_NS 1e15

// plan.csv: what --resume goes by. 0 or a code of files_reason; reading: -1 with a message.
int plan_write(const plan *p, const char *path);
int plan_read(plan *p, const char *path, char *message, size_t size);

#endif
