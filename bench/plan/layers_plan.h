// SPDX-License-Identifier: MIT
// layers_plan.h: which layers a run measures, and what takes its turn in their norm slots. As in plan.h, a preset is a
// list of sweeps, each the data of one figure.
#ifndef LAYERS_PLAN_H
#define LAYERS_PLAN_H

#include "base/csv.h"
#include "layer.h"
#include "machine/topology.h"
#include "plan.h"
#include "select.h"

// What the arms of a group have in common: the layer whose slots they take turns in.
typedef struct {
    const model_shape *model;
    model_part part;
    model_phase phase;
    norm_dtype dtype;
    size_t batch, tokens, context, depth, stage, threads;
    placement place;
} layers_key;

// What takes its turn there: with its key, one row of layers.csv.
typedef struct {
    layers_key key;
    norm_slot slot;
} layers_arm;

// One step of an arm, by the pilot.
typedef struct {
    size_t arm, index; // index: its place among the arm's steps
    layer_step step;
    double pages; // that the kernel gave anew in a call of it; NaN: not asked for
} layers_step;

typedef struct {
    schedule schedule;  // of a group, calls are the same for all; note: what the products run
    layers_step *steps; // in the order of arms, then index
    size_t step_count;
    const model_shape *left_out; // not asked for by name, and this machine lacks what it needs; NULL: none
} layers_plan;
extern const schedule_kind layers_plan_kind;
// Whatever else its kind of item is, it begins with its arm.
static inline const layers_arm *layers_arm_at(const layers_plan *p, size_t item) {
    return schedule_name(&p->schedule, item);
}

// Numbers that a layer can be asked for; 0: as the model has it.
typedef struct {
    size_t tokens, batch, context;
    size_t depths[4]; // none: 1
    size_t depth_count;
    unsigned repeats[4]; // norm calls per site; all 0: one
    size_t repeat_count;
    size_t stage; // of models that have some, from 1; 0: each
} layers_sizes;

// As plan_make. Every group also gets the partners of its comparisons: the model's own norm in the same form and level,
// and identity.
bool layers_plan_make(layers_plan *p, preset which, const selection *s, const layers_sizes *sizes, const topology *t);
void layers_plan_free(layers_plan *p);
// The config of a group's layer; arms: room for its norm slots, which it borrows.
layer_config layers_plan_config(const layers_plan *p, size_t group, norm_slot *arms, uint64_t seed);

// What a layer of this key computes; false: it cannot be had, or has no norm or no product.
bool layers_key_work(const layers_key *k, layer_work *work);
// What a normed element costs, in operations that products of that rate do meanwhile; NaN: the norms take no time.
double layers_norm_cost(double norm_ns, double normed, double gflops);
// The most that norms of that cost can take of a layer with so many operations per normed element, in percent.
double layers_share_pct(double intensity, double cost);

// As plan_spend_run, of presets and without one; see layers_plan.c.
extern const size_t layers_launches[PRESETS + 1];
extern const double layers_budgets[PRESETS + 1];
void layers_plan_spend_run(schedule *s, bool of_preset, double budget_s, size_t *launches);

// Steps [*begin, *end) of an arm.
void layers_plan_steps(const layers_plan *p, size_t arm, size_t *begin, size_t *end);
bool layers_plan_add_step(layers_plan *p, const layers_step *step); // false: no memory

// Sets every group's rounds and launches so that a run of at most *launches takes at most `seconds`, by the pilot's
// times, as budget_allot does; *launches becomes what the group with most of them has. most_rounds: of a launch.
void layers_plan_spend(layers_plan *p, double seconds, size_t most_rounds, size_t *launches);

// The arm of the same group with this op in its default variant, in the same form (identity: in any) and level, once
// per site. SIZE_MAX if there is none.
size_t layers_plan_partner(const layers_plan *p, size_t arm, norm_op op);

// The columns that name an arm, as they stand in layer_samples.csv: op, variant, pass, form to cache, model to context,
// part to scaled, repeats. Other tables have parts of them, from these on.
enum {
    LAYERS_ARM_OP,
    LAYERS_ARM_PASS = 2,
    LAYERS_ARM_FORM,
    LAYERS_ARM_MODEL = 11,
    LAYERS_ARM_PART = 16,
    LAYERS_ARM_REPEATS = 20,
    LAYERS_ARM_COLUMNS
};
extern const table_column layers_arm_columns[LAYERS_ARM_COLUMNS];
bool layers_arm_read(const csv_table *t, size_t row, layers_arm *a);
const norm_impl *layers_arm_impl(const layers_arm *a); // what stands in its slots; NULL: nothing that is called
// Groups stand together, then form, level, op and variant.
int layers_arm_compare(const void *a, const void *b);
bool layers_arm_equal(const layers_arm *a, const layers_arm *b);
bool layers_key_equal(const layers_key *a, const layers_key *b);
// Whether a layer of this model is of one of several stages, which set its positions and width.
bool layers_has_stages(const model_shape *m);
size_t layers_width(const layers_key *k); // of its residual stream
size_t layers_rows(const layers_key *k);
// "llama_7b prefill f32, 1 x 128 tokens, 2 threads"
void layers_key_describe(const layers_key *k, char *text, size_t size);

// The steps as the pilot tells them, a line for each, and plan_steps.csv that keeps them; as in schedule_kind.
#define LAYERS_PLAN_STEPS "plan_steps.csv"
enum { LAYERS_STEP_TEXT = 160 };
void layers_step_text(const layers_step *step, char text[LAYERS_STEP_TEXT]);
bool layers_plan_take_step(schedule *s, size_t arm, const char *text);
int layers_plan_write_steps(const void *s, const char *path);
int layers_plan_read_steps(schedule *s, const char *path, char *message, size_t size);
size_t layers_plan_list_length(const schedule *s, size_t arm);
void layers_plan_free_steps(schedule *s);

// Of schedule_kind.
double layers_plan_sample_seconds(const schedule *s, size_t arm);
double layers_plan_prepare_seconds(const schedule *s, size_t begin, size_t end, double round_s);

#endif
