// SPDX-License-Identifier: MIT
// plan.c: see plan.h.
#include "plan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "budget.h"

// ---- Making a plan

typedef struct {
    plan *plan;
    size_t room; // for so many items
} maker;

static bool can_run(const cell *c) { return norm_missing(c->impl) == NULL && c->impl->pass[c->pass].count > 0; }

static bool add(maker *m, const cell *c) {
    plan *const p = m->plan;
    if (!can_run(c))
        return true;
    if (p->count == m->room) {
        const size_t more = m->room == 0 ? 256 : 2 * m->room;
        planned *const items = realloc(p->items, more * sizeof *items);
        if (items == NULL)
            return false;
        p->items = items;
        m->room = more;
    }
    p->items[p->count++] = (planned){.cell = *c, .max_error = NAN};
    return true;
}

norm_form plan_ceiling_form(norm_form form) {
    return form == NORM_ADD_FUSED || form == NORM_FRAMEWORK ? form : NORM_FUSED;
}

// The cell and the two that its ratios are made with; of a library's cell also the op as it is here, by default.
static bool add_with_partners(void *to, const cell *c) {
    maker *const m = to;
    const norm_impl *impl;
    cell partner = *c;
    if (!can_run(c))
        return true;
    if (!add(m, c))
        return false;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (impl->op == NORM_RMSNORM && impl->form == c->impl->form && impl->level == cell_level(c->impl) &&
            impl->dtype == c->impl->dtype && impl->streams == c->impl->streams && norm_is_default(impl)) {
            partner.impl = impl;
            if (!add(m, &partner))
                return false;
        }
    if (c->impl->level == NORM_LEVEL_LIBRARY) {
        partner.impl =
            norm_best(c->impl->op, norm_default_variant(c->impl->op, c->impl->form), c->impl->form, c->impl->dtype);
        if (partner.impl != NULL && !add(m, &partner))
            return false;
    }
    const norm_form ceiling = plan_ceiling_form(c->impl->form);
    partner.impl = norm_best(NORM_IDENTITY, norm_default_variant(NORM_IDENTITY, ceiling), ceiling, c->impl->dtype);
    if (partner.impl != NULL && c->impl->streams)
        partner.impl = norm_other_stores(partner.impl);
    return partner.impl == NULL || add(m, &partner);
}

// Whether what was not named is taken: a library's, if its level was; else the default variant, with stores past the
// caches where the result cannot stay in them, an implementation has such stores, and they win: forward, in f32 in 0.65
// to 0.95 of the time on Zen 3, in bf16 in 0.6 to 0.98 on Zen 4.
static bool is_unnamed(const cell *c, const selection *s, const topology *t) {
    if (c->impl->level == NORM_LEVEL_LIBRARY)
        return s->given[SELECT_LEVEL] && s->level[NORM_LEVEL_LIBRARY];
    const double bytes = (double)c->rows * (double)c->cols * (double)norm_dtype_bytes(c->impl->dtype);
    const bool streams = c->pass == NORM_FORWARD && topology_streams(t, bytes, c->threads);
    return norm_is_default(c->impl) && (c->impl->streams == streams || norm_other_stores(c->impl) == NULL);
}

// Without a preset: every combination of what was selected, with one value for what was not.
static bool add_product(maker *m, const selection *s, const topology *t) {
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
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
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
                            const cell c = {impl,       (norm_pass)pass, shapes[k].rows,    shapes[k].cols,
                                            threads[n], placements[w],   (cache_state)cache};
                            if ((s->given[SELECT_VARIANT] || is_unnamed(&c, s, t)) && !add_with_partners(m, &c))
                                return false;
                        }
            }
    }
    return true;
}

static int compare(const void *a, const void *b) {
    return cell_compare(&((const planned *)a)->cell, &((const planned *)b)->cell);
}

static void number_groups(plan *p) {
    p->groups = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (i == 0 || !cell_same_group(&p->items[i - 1].cell, &p->items[i].cell))
            p->groups++;
        p->items[i].group = p->groups - 1;
    }
}

bool plan_make(plan *p, preset which, const selection *s, const topology *t) {
    maker m = {.plan = p};
    size_t kept = 0;
    *p = (plan){0};
    if (!(which == PRESETS ? add_product(&m, s, t) : preset_cells(which, s, t, add_with_partners, &m))) {
        plan_free(p);
        return false;
    }
    if (p->count > 0)
        qsort(p->items, p->count, sizeof *p->items, compare);
    for (size_t i = 0; i < p->count; i++)
        if (kept == 0 || !cell_equal(&p->items[kept - 1].cell, &p->items[i].cell))
            p->items[kept++] = p->items[i];
    p->count = kept;
    number_groups(p);
    return true;
}

void plan_free(plan *p) {
    free(p->items);
    *p = (plan){0};
}

// The first item of this group or a later one; groups are numbered in the order of the items.
static size_t first_from(const plan *p, size_t group) {
    size_t low = 0, high = p->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (p->items[middle].group < group)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void plan_group(const plan *p, size_t group, size_t *begin, size_t *end) {
    *begin = first_from(p, group);
    *end = first_from(p, group + 1);
}

size_t plan_family_end(const plan *p, size_t begin) {
    const planned *const first = &p->items[begin];
    size_t i = begin;
    while (i < p->count && p->items[i].group == first->group && p->items[i].cell.impl->form == first->cell.impl->form &&
           cell_level(p->items[i].cell.impl) == cell_level(first->cell.impl))
        i++;
    return i;
}

// ---- How long it takes

// Before the pilot: ns per element, forward on one thread, roughly as on the machines of 2020 to 2026. For --dry-run
// alone.
static double rough_ns(const cell *c) {
    const norm_impl *const impl = c->impl;
    const bool slow = strncmp(impl->variant, "libm", 4) == 0, narrow = impl->level == NORM_LEVEL_SCALAR;
    const double arithmetic = slow ? 10 : impl->params & NORM_ALPHA ? (narrow ? 6 : 0.5) : narrow ? 1.5 : 0.2;
    const double traffic = 0.05 * norm_bytes_per_element(impl, c->pass);
    return ((arithmetic + traffic) * (c->pass == NORM_BACKWARD ? 1.5 : 1)) * (double)c->rows * (double)c->cols /
           (double)c->threads;
}

bool plan_times(const planned *item) { return !item->wrong && item->calls > 0; }

static double item_ns(const planned *item) { return item->ns > 0 ? item->ns : rough_ns(&item->cell); }

// One round through a group: each of its cells twice.
static double round_seconds(const plan *p, size_t begin, size_t end) {
    double seconds = 0, fastest = INFINITY;
    for (size_t i = begin; i < end; i++)
        fastest = fmin(fastest, item_ns(&p->items[i]));
    for (size_t i = begin; i < end; i++) {
        const planned *const item = &p->items[i];
        const double calls = item->calls > 0 ? (double)item->calls : fmax(1, ceil(1e6 / fastest));
        // Untimed calls: one before each sample of several, and backward's forward, at about two thirds of its cost.
        const bool in_turn = item->cell.pass == NORM_BACKWARD && item->cell.impl->form == NORM_FRAMEWORK;
        const double extra = (calls > 1 ? 1 : 0) + (item->cell.pass == NORM_BACKWARD ? 0.7 * (in_turn ? calls : 1) : 0);
        seconds += item->wrong ? 0 : 2e-9 * item_ns(item) * (calls + extra);
    }
    return seconds;
}

// What a group takes before its first round: two samples of each cell to warm up, and half a nanosecond for each byte
// of its tensors to map, draw and touch.
static double prepare_seconds(const plan *p, size_t begin, size_t end) {
    const cell *const c = &p->items[begin].cell;
    size_t tensors = 0;
    for (size_t i = begin; i < end; i++)
        if (cell_tensors(&p->items[i].cell) > tensors)
            tensors = cell_tensors(&p->items[i].cell);
    return round_seconds(p, begin, end) +
           0.5e-9 * (double)tensors * (double)c->rows * (double)c->cols * (double)norm_dtype_bytes(c->impl->dtype);
}

// A group's cost and rounds, for budget.h; NULL if memory ran out.
static budget_group *costs_of(const plan *p) {
    budget_group *const groups = calloc(p->groups + 1, sizeof *groups);
    for (size_t begin = 0, end; groups != NULL && begin < p->count; begin = end) {
        const size_t group = p->items[begin].group;
        plan_group(p, group, &begin, &end);
        groups[group] = (budget_group){.prepare_s = prepare_seconds(p, begin, end),
                                       .round_s = round_seconds(p, begin, end),
                                       .stake = end - begin,
                                       .rounds = p->items[begin].rounds,
                                       .launches = SIZE_MAX};
    }
    return groups;
}

double plan_launch_seconds(const plan *p) {
    budget_group *const groups = costs_of(p);
    const double seconds = groups == NULL ? 0 : budget_launch_seconds(groups, p->groups, 0);
    free(groups);
    return seconds;
}

budget_group plan_cost(const plan *p, size_t group) {
    budget_group *const groups = costs_of(p);
    budget_group cost = {0};
    if (groups != NULL)
        cost = groups[group];
    free(groups);
    return cost;
}

void plan_spend(plan *p, double seconds) {
    budget_group *const groups = costs_of(p);
    if (groups != NULL)
        budget_spend(groups, p->groups, PLAN_MAX_ROUNDS, seconds);
    for (size_t i = 0; i < p->count; i++)
        p->items[i].rounds = groups == NULL ? 1 : groups[p->items[i].group].rounds;
    free(groups);
}

// ---- plan.csv

int plan_write(const plan *p, const char *path) {
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    cell_write_header(&w);
    csv_text(&w, "group");
    csv_text(&w, "calls");
    csv_text(&w, "rounds");
    csv_text(&w, "pilot_ns");
    csv_text(&w, "max_error");
    csv_text(&w, "wrong");
    csv_text(&w, "reason");
    csv_end(&w);
    for (size_t i = 0; i < p->count; i++) {
        const planned *const item = &p->items[i];
        cell_write(&w, &item->cell);
        csv_size(&w, item->group);
        csv_size(&w, item->calls);
        csv_size(&w, item->rounds);
        csv_real(&w, item->ns, 9);
        csv_real(&w, item->max_error, 9);
        csv_int(&w, item->wrong);
        csv_text(&w, item->reason);
        csv_end(&w);
    }
    return csv_close(&w);
}

// Bounds, for a plan that was damaged would otherwise be measured for ever.
static void read_item(fields *f, planned *item) {
    if (!cell_read(f->table, f->row, &item->cell))
        fields_refuse_row(f, "is not a cell of this program: was the plan made by another version?");
    item->calls = fields_size(f, "calls", 0, PLAN_MOST_CALLS);
    item->rounds = fields_size(f, "rounds", 0, PLAN_MOST_ROUNDS);
    item->ns = fields_real(f, "pilot_ns", 0, PLAN_MOST_NS);
    item->max_error = fields_real_or_nan(f, "max_error", 0, INFINITY);
    item->wrong = fields_flag(f, "wrong");
    snprintf(item->reason, sizeof item->reason, "%s", fields_text(f, "reason"));
    if (item->calls > 1 && (double)item->calls * item->ns > PLAN_MOST_SAMPLE_NS)
        fields_refuse(f, "calls", "fewer: one sample would take hours");
}

int plan_read(plan *p, const char *path, char *message, size_t size) {
    csv_table t;
    *p = (plan){0};
    int error = csv_read(&t, path, message, size);
    if (error != 0)
        return error;
    fields f = fields_of(&t, message, size);
    p->items = calloc(t.row_count + 1, sizeof *p->items);
    if (p->items == NULL)
        error = ENOMEM;
    for (f.row = 0; error == 0 && f.row < t.row_count; f.row++) {
        read_item(&f, &p->items[f.row]);
        p->count = f.row + 1;
        error = f.ok ? 0 : -1;
    }
    if (error == 0 && (t.truncated || t.row_count == 0)) {
        snprintf(message, size, "line %zu has no end, so that the plan is not whole", t.row_count + 2);
        error = -1;
    }
    csv_free(&t);
    if (error != 0)
        plan_free(p);
    else
        number_groups(p);
    return error;
}
