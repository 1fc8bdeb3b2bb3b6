// SPDX-License-Identifier: MIT
// ab_layers_plan.c: see ab_layers_plan.h.
#include "ab_layers_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "request.h"

// ---- Making a plan

// Whose kernels a slot has: of a sentinel the program's.
static void set_source(ab_layers_item *item) {
    static const ab_side sides[AB_SIDES] = {AB_BASE, AB_CANDIDATE};
    const bool own = item->which.role == AB_SENTINEL;
    item->arm.slot.find = own ? NULL : ab_side_find;
    item->arm.slot.source = own ? NULL : &sides[item->which.side];
}

static bool add_pair(layers_plan *p, const layers_arm *a, ab_role role) {
    ab_layers_item item = {*a, {role, AB_BASE, 0}};
    for (; item.which.side < AB_SIDES; item.which.side++) {
        set_source(&item);
        if (!schedule_add(&p->schedule, &item))
            return false;
    }
    return true;
}

typedef struct {
    layers_plan *plan;
    const selection *selected;
    ab_identical *identical;
    bool every;
    size_t *alone;
} making;

// A norm without an add is called as well where form add_fused finds no add to join: the slot needs both.
static const norm_impl *impl_of(const layers_arm *a, ab_side side) {
    ab_layers_item item = {*a, {AB_ROW, side, 0}};
    set_source(&item);
    const bool joins = a->slot.form == NORM_ADD_FUSED;
    return joins && layer_slot_impl(&item.arm.slot, NORM_FUSED, a->key.dtype) == NULL ? NULL
                                                                                      : layers_arm_impl(&item.arm);
}

static bool is_asked_for(const selection *s, const layers_arm *a, const norm_impl *impl) {
    const bool usual = a->slot.op == a->key.model->native || a->slot.op == NORM_DYT;
    return a->slot.op != NORM_IDENTITY && (s->given[SELECT_OP] || usual) && selection_has(s, impl);
}

static bool add_row(making *m, const layers_arm *a) {
    const norm_impl *const impl[AB_SIDES] = {impl_of(a, AB_BASE), impl_of(a, AB_CANDIDATE)};
    const norm_impl *const any = impl[AB_CANDIDATE] != NULL ? impl[AB_CANDIDATE] : impl[AB_BASE];
    if (any == NULL || !is_asked_for(m->selected, a, any))
        return true;
    for (ab_side side = 0; side < AB_SIDES; side++)
        m->alone[side] += impl[AB_SIDES - 1 - side] == NULL;
    if (impl[AB_BASE] == NULL || impl[AB_CANDIDATE] == NULL || norm_missing(any) != NULL)
        return true;
    const bool same = m->identical != NULL && m->identical(impl[AB_BASE], impl[AB_CANDIDATE]);
    return add_pair(m->plan, a, same && !m->every ? AB_IDENTICAL : AB_ROW);
}

// All that layers has of one model; what of it is compared, add_row says.
static bool add_model(making *m, size_t model, const layers_sizes *given, const topology *t) {
    const model_kind kind = model_at(model)->kind;
    selection one = *m->selected;
    layers_sizes sizes = *given;
    layers_plan arms = {0};
    memset(one.model, 0, sizeof one.model);
    one.model[model] = true;
    if (sizes.tokens == 0 && (kind == MODEL_LLAMA || kind == MODEL_GPT2))
        sizes.tokens = AB_LAYERS_TOKENS;
    bool ok = layers_plan_make(&arms, PRESETS, &one, &sizes, t);
    for (size_t i = 0; ok && i < arms.schedule.count; i++)
        ok = add_row(m, layers_arm_at(&arms, i));
    layers_plan_free(&arms);
    return ok;
}

static ab_which *which_of(schedule *s, size_t item) { return &((ab_layers_item *)s->names)[item].which; }

static bool add_sentinels(layers_plan *p) {
    const size_t count = p->schedule.count;
    for (size_t i = 0; i < count; i++) {
        layers_arm own = *layers_arm_at(p, i);
        const model_shape *const model = own.key.model;
        if (which_of(&p->schedule, i)->role == AB_IDENTICAL ||
            !layer_slot(model, model->native, NULL, NORM_FUSED, "best", own.key.dtype, &own.slot))
            continue;
        if (!add_pair(p, &own, AB_SENTINEL))
            return false;
    }
    return true;
}

bool ab_layers_make(layers_plan *p, const selection *s, const layers_sizes *sizes, const topology *t,
                    ab_identical *identical, bool every, size_t alone[AB_SIDES]) {
    making m = {p, s, identical, every, alone};
    bool ok = true;
    *p = (layers_plan){.schedule.kind = &ab_layers_kind};
    memset(alone, 0, AB_SIDES * sizeof *alone);
    for (size_t i = 0; ok && model_at(i) != NULL; i++)
        ok = !s->model[i] || add_model(&m, i, sizes, t);
    ok = ok && schedule_arrange(&p->schedule);
    if (ok) {
        ab_choose_controls(&p->schedule, which_of);
        ok = add_sentinels(p) && schedule_arrange(&p->schedule);
    }
    if (!ok)
        layers_plan_free(p);
    return ok;
}

size_t ab_layers_inject(layers_plan *p, const char *text, double pct) {
    char name[CELL_NAME_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < p->schedule.count; i++) {
        ab_which *const which = which_of(&p->schedule, i);
        if (which->role == AB_ROW && which->side == AB_CANDIDATE &&
            strstr(ab_layers_name(layers_arm_at(p, i), name), text) != NULL) {
            which->inject_pct = pct;
            count++;
        }
    }
    return count;
}

// As many rounds for each group: a row of a slow layer is to be known as closely. A launch's error does not shrink
// beyond these: what is left of the time is for launches that confirm.
void ab_layers_spend(schedule *s, double seconds, size_t *launches) {
    enum { MOST_ROUNDS = 24 };
    budget_group *const groups = schedule_costs(s);
    double prepare_s = 0, round_s = 0;
    for (size_t i = 0; groups != NULL && i < s->groups; i++) {
        prepare_s += groups[i].prepare_s;
        round_s += groups[i].round_s;
    }
    free(groups);
    while (*launches > REQUEST_MIN_LAUNCHES && (double)*launches * (prepare_s + round_s) > seconds)
        --*launches;
    const double fit = round_s > 0 ? (seconds / (double)*launches - prepare_s) / round_s : 1;
    for (size_t i = 0; i < s->count; i++) {
        s->items[i].rounds = !(fit >= 1) ? 1 : fit > (double)MOST_ROUNDS ? (size_t)MOST_ROUNDS : (size_t)fit;
        s->items[i].launches = *launches;
    }
}

// ---- As a schedule

const char *ab_layers_name(const layers_arm *a, char text[CELL_NAME_SIZE]) {
    const layers_key *const k = &a->key;
    char stage[32] = "", context[32] = "", depth[32] = "";
    if (layers_has_stages(k->model) && k->part == PART_LAYER)
        snprintf(stage, sizeof stage, "-%zu", k->stage + 1);
    if (k->phase == PHASE_DECODE)
        snprintf(context, sizeof context, "+%zu", k->context);
    if (k->depth > 1)
        snprintf(depth, sizeof depth, "/depth%zu", k->depth);
    snprintf(text, CELL_NAME_SIZE, "%s/%s/%s/%s/%s/%s%s/%s/%s/%zux%zu%s/%zu/%s%s", norm_op_name(a->slot.op),
             a->slot.variant, norm_form_name(a->slot.form), a->slot.level, norm_dtype_name(k->dtype), k->model->name,
             stage, part_name(k->part), model_phase_name(k->phase), k->batch, k->tokens, context, k->threads,
             placement_name(k->place), depth);
    return text;
}

static const void *which_in(const void *item) { return &((const ab_layers_item *)item)->which; }
static const column_part names[] = {{layers_arm_columns, LAYERS_ARM_COLUMNS, NULL},
                                    {ab_which_columns, AB_WHICH_COLUMNS, which_in}};

static bool read_item(const csv_table *t, size_t row, void *name) {
    ab_layers_item *const item = name;
    if (!layers_arm_read(t, row, &item->arm) || !ab_which_read(t, row, &item->which))
        return false;
    set_source(item);
    return item->which.role == AB_SENTINEL || layers_arm_impl(&item->arm) != NULL;
}

static int compare_rows(const ab_layers_item *a, const ab_layers_item *b) {
    return ORDER_BY(layers_arm_compare(&a->arm, &b->arm), (int)a->which.role - (int)b->which.role);
}

static int compare(const void *left, const void *right) {
    const ab_layers_item *const a = left, *const b = right;
    return ORDER_BY(compare_rows(a, b), (int)a->which.side - (int)b->which.side);
}

static bool same_group(const void *a, const void *b) { return layers_plan_kind.same_group(a, b); }
static bool same_row(const void *a, const void *b) { return compare_rows(a, b) == 0; }

static void describe(const void *name, char *text, size_t size) {
    const ab_layers_item *const item = name;
    layers_plan_kind.describe(&item->arm, text, size);
    ab_which_describe(&item->which, text, size);
}
static void describe_group(const void *name, char *text, size_t size) {
    layers_key_describe(&((const ab_layers_item *)name)->arm.key, text, size);
}

const schedule_kind ab_layers_kind = {.item = "row",
                                      .items = "rows, each side's one",
                                      .size = sizeof(ab_layers_item),
                                      .deals = true,
                                      .note = "confirmed_from",
                                      .names = names,
                                      .name_count = COLUMN_COUNT(names),
                                      .read = read_item,
                                      .compare = compare,
                                      .same_group = same_group,
                                      .same_family = same_row,
                                      .describe = describe,
                                      .describe_group = describe_group,
                                      .sample_seconds = layers_plan_sample_seconds,
                                      .prepare_seconds = layers_plan_prepare_seconds,
                                      .more = LAYERS_PLAN_STEPS,
                                      .take_more = layers_plan_take_step,
                                      .write_more = layers_plan_write_steps,
                                      .read_more = layers_plan_read_steps,
                                      .list_length = layers_plan_list_length,
                                      .free_more = layers_plan_free_steps};
