// SPDX-License-Identifier: MIT
// plan.c: see plan.h.
#include "plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_library.h"
#include "request.h"

// ---- Making a plan

static bool can_run(const cell *c) { return norm_missing(c->impl) == NULL && c->impl->pass[c->pass].count > 0; }

static bool add(plan *p, const cell *c) { return !can_run(c) || schedule_add(&p->schedule, c); }

norm_form plan_ceiling_form(norm_form form) {
    return form == NORM_ADD_FUSED || form == NORM_FRAMEWORK ? form : NORM_FUSED;
}

// The cell and the two that its ratios are made with; of a library's cell also the op as it is here, by default.
static bool add_with_partners(void *to, const cell *c) {
    plan *const p = to;
    const norm_impl *impl;
    cell partner = *c;
    if (!can_run(c))
        return true;
    if (!add(p, c))
        return false;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (impl->op == NORM_RMSNORM && impl->form == c->impl->form && impl->level == cell_level(c->impl) &&
            impl->dtype == c->impl->dtype && impl->streams == c->impl->streams && cell_is_partner(impl, c->impl)) {
            partner.impl = impl;
            if (!add(p, &partner))
                return false;
        }
    if (c->impl->level == NORM_LEVEL_LIBRARY) {
        partner.impl = norm_best(c->impl->op, norm_default_variant(c->impl->op, c->impl->form, c->impl->dtype),
                                 c->impl->form, c->impl->dtype);
        if (partner.impl != NULL && !add(p, &partner))
            return false;
    }
    const norm_form ceiling = plan_ceiling_form(c->impl->form);
    partner.impl =
        norm_best(NORM_IDENTITY, norm_default_variant(NORM_IDENTITY, ceiling, c->impl->dtype), ceiling, c->impl->dtype);
    if (partner.impl != NULL && c->impl->streams)
        partner.impl = norm_other_stores(partner.impl);
    return partner.impl == NULL || add(p, &partner);
}

// Whether what was not named is taken: a plug-in's; a library's, if its level was; else the default variant, with
// stores past the caches where the result cannot stay in them, an implementation has such stores, and they win:
// forward, in f32 in 0.65 to 0.95 of the time on Zen 3, in bf16 in 0.6 to 0.98 on Zen 4.
static bool is_unnamed(const cell *c, const selection *s, const topology *t) {
    if (c->impl->level == NORM_LEVEL_LIBRARY)
        return kernel_library_of(c->impl) != NULL || (s->given[SELECT_LEVEL] && s->level[NORM_LEVEL_LIBRARY]);
    const double bytes = (double)c->rows * (double)c->cols * (double)norm_dtype_bytes(c->impl->dtype);
    const bool streams = c->pass == NORM_FORWARD && topology_streams(t, bytes, c->threads);
    return norm_is_default(c->impl) && (c->impl->streams == streams || norm_other_stores(c->impl) == NULL);
}

bool plan_product(const selection *s, const topology *t, plan_source *at, plan_add *put, void *to) {
    static const shape one_shape[] = {{64, 768}};
    static const size_t one_count[] = {1};
    static const placement one_placement[] = {PLACEMENT_CORES};
    const shape *const shapes = s->shape_count > 0 ? s->shapes : one_shape;
    const size_t *const threads = s->thread_count > 0 ? s->threads : one_count;
    const placement *const placements = s->placement_count > 0 ? s->placements : one_placement;
    const size_t shape_count = s->shape_count > 0 ? s->shape_count : 1;
    const size_t thread_count = s->thread_count > 0 ? s->thread_count : 1;
    const size_t placement_count = s->placement_count > 0 ? s->placement_count : 1;
    const norm_impl *impl;
    for (size_t i = 0; (impl = at(i)) != NULL; i++) {
        if (!selection_has(s, impl) || (!s->given[SELECT_FORM] && impl->form != NORM_FUSED) ||
            (!s->given[SELECT_DTYPE] && impl->dtype != NORM_F32) ||
            (!s->given[SELECT_LEVEL] && !select_is_best(impl) && impl->level != NORM_LEVEL_LIBRARY))
            continue;
        for (unsigned pass = 0; pass < NORM_PASSES; pass++)
            for (unsigned cache = 0; cache < CACHES; cache++) {
                if (s->given[SELECT_PASS] ? !s->pass[pass] : pass != NORM_FORWARD)
                    continue;
                if (s->given[SELECT_CACHE] ? !s->cache[cache] : cache != CACHE_WARM)
                    continue;
                for (size_t k = 0; k < shape_count; k++)
                    for (size_t n = 0; n < thread_count; n++)
                        for (size_t w = 0; w < placement_count; w++) {
                            const cell c = {impl,       (norm_pass)pass, shapes[k].rows,     shapes[k].cols,
                                            threads[n], placements[w],   (cache_state)cache, 0};
                            if ((s->given[SELECT_VARIANT] || is_unnamed(&c, s, t)) && !put(to, &c))
                                return false;
                        }
            }
    }
    return true;
}

bool plan_make(plan *p, preset which, const selection *s, const topology *t) {
    *p = (plan){.schedule.kind = &plan_kind};
    const bool ok = (which == PRESETS ? plan_product(s, t, norm_at, add_with_partners, p)
                                      : preset_cells(which, s, t, add_with_partners, p)) &&
                    schedule_arrange(&p->schedule);
    if (!ok)
        plan_free(p);
    return ok;
}

void plan_free(plan *p) { schedule_free(&p->schedule); }

// ---- How long it takes

// Before the pilot: ns per element, forward on one thread, roughly as on the machines of 2020 to 2026. For --dry-run
// alone.
static double rough_ns(const cell *c) {
    const norm_impl *const impl = c->impl;
    const bool slow = strncmp(impl->variant, "libm", 4) == 0, narrow = impl->level == NORM_LEVEL_SCALAR;
    const double arithmetic = slow ? 10 : impl->params & NORM_ALPHA ? (narrow ? 6 : 0.5) : narrow ? 1.5 : 0.2;
    const double traffic = 0.05 * norm_bytes_per_element(impl, c->pass);
    return ((arithmetic + traffic) * (c->pass == NORM_BACKWARD ? 1.5 : 1)) * (double)c->rows * (double)c->cols /
               (double)c->threads +
           (double)c->dispatch_ns * (double)norm_operations(impl, c->pass);
}

static double item_ns(const schedule *s, size_t item) {
    return s->items[item].ns > 0 ? s->items[item].ns : rough_ns(plan_cell(s, item));
}

// As many as the pilot will find that its group needs.
static double rough_calls(const schedule *s, size_t item) {
    size_t begin, end;
    double fastest = INFINITY;
    schedule_group(s, s->items[item].group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        fastest = fmin(fastest, item_ns(s, i));
    return fmax(1, ceil(1e6 / fastest));
}

double plan_sample_seconds(const schedule *s, size_t item) {
    const cell *const c = plan_cell(s, item);
    const double calls = s->items[item].calls > 0 ? (double)s->items[item].calls : rough_calls(s, item);
    // Untimed calls: one before each sample of several, and backward's forward, at about two thirds of its cost.
    const bool backward = c->pass == NORM_BACKWARD, in_turn = backward && c->impl->form == NORM_FRAMEWORK;
    const double extra = (calls > 1 ? 1 : 0) + (backward ? 0.7 * (in_turn ? calls : 1) : 0);
    return 1e-9 * item_ns(s, item) * (calls + extra);
}

// Two samples of each cell to warm up, as many as a round has, and half a nanosecond for each byte of the group's
// tensors to map, draw and touch.
double plan_prepare_seconds(const schedule *s, size_t begin, size_t end, double round_s) {
    const cell *const c = plan_cell(s, begin);
    size_t tensors = 0;
    for (size_t i = begin; i < end; i++)
        if (cell_tensors(plan_cell(s, i)) > tensors)
            tensors = cell_tensors(plan_cell(s, i));
    return round_s +
           0.5e-9 * (double)tensors * (double)c->rows * (double)c->cols * (double)norm_dtype_bytes(c->impl->dtype);
}

void plan_spend(plan *p, double seconds) {
    schedule *const s = &p->schedule;
    budget_group *const groups = schedule_costs(s);
    if (groups != NULL)
        budget_spend(groups, s->groups, PLAN_MAX_ROUNDS, seconds);
    for (size_t i = 0; i < s->count; i++)
        s->items[i].rounds = groups == NULL ? 1 : groups[s->items[i].group].rounds;
    free(groups);
}

// Without a budget a launch may take this long; a plan too large for it gets one round of everything.
#define LAUNCH_SECONDS 5

void plan_spend_run(schedule *s, bool of_preset, double budget_s, size_t *launches) {
    plan *const p = (plan *)s;
    (void)of_preset;
    plan_spend(p, budget_s > 0 ? budget_s / (double)*launches : LAUNCH_SECONDS);
    while (budget_s > 0 && *launches > REQUEST_MIN_LAUNCHES &&
           (double)*launches * schedule_launch_seconds(s, 0) > budget_s) {
        --*launches;
        plan_spend(p, budget_s / (double)*launches);
    }
}

// ---- As a schedule

static const column_part names[] = {{cell_columns, CELL_COLUMNS, NULL}};
static const column_part later[] = {{cell_later_columns, CELL_LATER_COLUMNS, NULL}};
static bool read_name(const csv_table *t, size_t row, void *c) { return cell_read(t, row, c); }
static bool same_group(const void *a, const void *b) { return cell_same_group(a, b); }
static bool same_family(const void *a, const void *b) { return cell_same_family(a, b); }
static void describe(const void *c, char *text, size_t size) { cell_describe(c, text, size); }
static void describe_group(const void *c, char *text, size_t size) { cell_describe_group(c, text, size); }

const schedule_kind plan_kind = {.item = "cell",
                                 .items = "cells",
                                 .size = sizeof(cell),
                                 .names = names,
                                 .name_count = COLUMN_COUNT(names),
                                 .later = later,
                                 .later_count = COLUMN_COUNT(later),
                                 .read = read_name,
                                 .compare = cell_compare,
                                 .same_group = same_group,
                                 .same_family = same_family,
                                 .describe = describe,
                                 .describe_group = describe_group,
                                 .sample_seconds = plan_sample_seconds,
                                 .prepare_seconds = plan_prepare_seconds};
