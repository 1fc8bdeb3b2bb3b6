// SPDX-License-Identifier: MIT
// ab_plan.c: see ab_plan.h.
#include "ab_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/order.h"
#include "base/parse.h"
#include "base/stats.h"
#include "plan.h"

#define NAME(ID, name) #name,
static const char *const role_names[AB_ROLES] = {AB_ROLE_LIST(NAME)};
const char *ab_role_name(ab_role role) { return role_names[role]; }

// ---- Making a plan

typedef struct {
    ab_plan *plan;
    ab_identical *identical;
    bool every;
} making;

static bool add_pair(ab_plan *p, const cell *c, const norm_impl *base, const norm_impl *candidate, ab_role role) {
    const norm_impl *const impl[AB_SIDES] = {base, candidate};
    ab_item item = {*c, {role, AB_BASE, 0}};
    for (; item.which.side < AB_SIDES; item.which.side++) {
        item.cell.impl = impl[item.which.side];
        if (!schedule_add(&p->schedule, &item))
            return false;
    }
    return true;
}

// c: of the candidate.
static bool add_row(void *to, const cell *c) {
    const making *const m = to;
    const norm_impl *const base = ab_side_twin(AB_BASE, c->impl);
    if (base == NULL || norm_missing(c->impl) != NULL || c->impl->pass[c->pass].count == 0 ||
        base->pass[c->pass].count == 0)
        return true;
    const bool same = m->identical != NULL && m->identical(base, c->impl);
    return add_pair(m->plan, c, base, c->impl, same && !m->every ? AB_IDENTICAL : AB_ROW);
}

void ab_choose_controls(schedule *s, ab_which *(*which_of)(schedule *s, size_t item)) {
    size_t identical = 0, judged = 0, seen = 0;
    for (size_t i = 0; i < s->count; i += AB_SIDES) {
        identical += which_of(s, i)->role == AB_IDENTICAL;
        judged += which_of(s, i)->role == AB_ROW;
    }
    if (judged == 0) // nothing is measured, which nothing can disturb
        return;
    for (size_t i = 0; i < s->count; i += AB_SIDES)
        if (which_of(s, i)->role == AB_IDENTICAL) {
            const bool chosen = identical <= AB_CONTROLS || seen * AB_CONTROLS % identical < AB_CONTROLS;
            for (size_t k = i; chosen && k < i + AB_SIDES; k++)
                which_of(s, k)->role = AB_CONTROL;
            seen++;
        }
}

static ab_which *which_of(schedule *s, size_t item) { return &((ab_item *)s->names)[item].which; }

// A copy and a DyT of the program's own, in every group of which something is timed: one waits for memory, the other
// for arithmetic.
static bool add_sentinels(ab_plan *p) {
    static const struct {
        norm_op op;
        const char *variant;
    } own[] = {{NORM_IDENTITY, "std"}, {NORM_DYT, "u2"}};
    const size_t count = p->schedule.count;
    for (size_t i = 0; i < count; i++) {
        const ab_item item = ab_items(p)[i];
        if (item.which.role == AB_IDENTICAL)
            continue;
        for (size_t k = 0; k < sizeof own / sizeof *own; k++) {
            const norm_impl *impl = norm_best(own[k].op, own[k].variant, NORM_FUSED, item.cell.impl->dtype);
            if (impl != NULL && item.cell.impl->streams)
                impl = norm_other_stores(impl);
            if (impl != NULL && !add_pair(p, &item.cell, impl, impl, AB_SENTINEL))
                return false;
        }
    }
    return true;
}

static const norm_impl *candidate_at(size_t index) {
    const kernel_library *const l = ab_source_of(AB_CANDIDATE)->opened;
    return l == NULL ? NULL : kernel_library_at(l, index);
}

bool ab_plan_make(ab_plan *p, const selection *s, const topology *t, ab_identical *identical, bool every) {
    making m = {p, identical, every};
    *p = (ab_plan){.schedule.kind = &ab_plan_kind};
    if (plan_product(s, t, candidate_at, add_row, &m) && schedule_arrange(&p->schedule)) {
        ab_choose_controls(&p->schedule, which_of);
        if (add_sentinels(p) && schedule_arrange(&p->schedule))
            return true;
    }
    schedule_free(&p->schedule);
    return false;
}

static bool is_plugin(ab_side side) { return ab_source_of(side)->opened->name[0] != '\0'; }

// Whether this architecture has a level, and this CPU can run it.
static bool has_level(const char *name) {
    unsigned level = 0;
    while (level < NORM_LEVELS && strcmp(norm_level_name((norm_level)level), name) != 0)
        level++;
    return level < NORM_LEVELS && norm_level_missing((norm_level)level) == NULL;
}

// A hundred rows and more, in each form that sweeps once, at the best level and the widest that every x86 has since
// 2015, or every 64-bit Arm. A call takes a few microseconds, for what disturbs a shared machine comes and goes in tens
// of them: a slot (sampler.h) of one call of a millisecond catches it all, and its paired difference scatters a hundred
// times as much.
bool ab_plan_defaults(selection *s, const topology *t, char error[SELECT_ERROR_SIZE]) {
    const bool plugin = is_plugin(AB_CANDIDATE) || is_plugin(AB_BASE);
    const struct {
        selector which;
        const char *value;
    } defaults[] = {{SELECT_OP, plugin ? "all" : "layernorm,rmsnorm,dyt,derf"},
                    {SELECT_PASS, "all"},
                    {SELECT_FORM, plugin ? "all" : "fused,add_fused"},
                    {SELECT_LEVEL, plugin              ? "library"
                                   : has_level("avx2") ? "best,avx2"
                                   : has_level("neon") ? "best,neon"
                                                       : "best"},
                    {SELECT_DTYPE, "all"},
                    {SELECT_SHAPE, "16x768,4x4096"}};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof defaults / sizeof *defaults; i++) {
        char value[64];
        snprintf(value, sizeof value, "%s", defaults[i].value);
        ok = s->given[defaults[i].which] || selection_set(s, defaults[i].which, value, t, error);
    }
    return ok;
}

size_t ab_plan_alone(const selection *s, ab_side side, const norm_impl **first) {
    const kernel_library *const l = ab_source_of(side)->opened;
    const ab_side other = side == AB_BASE ? AB_CANDIDATE : AB_BASE;
    const norm_impl *impl;
    size_t count = 0;
    for (size_t i = 0; (impl = kernel_library_at(l, i)) != NULL; i++)
        if (selection_has(s, impl) && ab_side_twin(other, impl) == NULL && count++ == 0)
            *first = impl;
    return count;
}

size_t ab_plan_inject(ab_plan *p, const ab_injection *injection, uint64_t seed) {
    ab_item *const items = p->schedule.names;
    size_t *const places = malloc((p->schedule.count + 1) * sizeof *places);
    char name[CELL_NAME_SIZE];
    size_t count = 0;
    stats_rng lots;
    for (size_t i = 0; places != NULL && i < p->schedule.count; i++)
        if (items[i].which.role == AB_ROW && items[i].which.side == AB_CANDIDATE &&
            strstr(cell_name(&items[i].cell, name), injection->text) != NULL)
            places[count++] = i;
    stats_rng_seed(&lots, seed, p->schedule.count);
    if (places != NULL)
        stats_shuffle(&lots, places, count);
    for (size_t i = 0; i < count; i++)
        items[places[i]].which.inject_pct = injection->pct[i % injection->count];
    free(places);
    return count;
}

// ---- As a schedule

static const char *role_word(size_t index) { return index < AB_ROLES ? role_names[index] : NULL; }
static const char *side_word(size_t index) { return index < AB_SIDES ? ab_side_name((ab_side)index) : NULL; }
const column_type column_ab_role = {.word = role_word};
static const column_type column_ab_side = {.word = side_word};

#define ROW ab_which
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, role, ab_role, NULL, value_text(ab_role_name(r->role)), AB_ROLE_MEANING)                               \
    X(REQUIRED, side, ab_side, NULL, value_text(ab_side_name(r->side)), "base: what is compared with; candidate.")     \
    X(REQUIRED, inject_pct, amount, "%", value_real(r->inject_pct, 9),                                                 \
      "So much work was added to the candidate by --inject, to see whether it is found.")
COLUMN_LIST(ab_which_columns, COLUMNS)

static const void *which_in(const void *item) { return &((const ab_item *)item)->which; }
static const column_part names[] = {{cell_columns, CELL_COLUMNS, NULL}, {ab_which_columns, AB_WHICH_COLUMNS, which_in}};

bool ab_which_read(const csv_table *t, size_t row, ab_which *which) {
    const int role = csv_column(t, "role"), side = csv_column(t, "side"), inject = csv_column(t, "inject_pct");
    const char *const sides[AB_SIDES] = {ab_side_name(AB_BASE), ab_side_name(AB_CANDIDATE)};
    if (role < 0 || side < 0 || inject < 0 || !parse_real(t->rows[row][inject], &which->inject_pct))
        return false;
    const size_t r = names_find(t->rows[row][role], role_names, AB_ROLES);
    const size_t s = names_find(t->rows[row][side], sides, AB_SIDES);
    if (r == AB_ROLES || s == AB_SIDES)
        return false;
    which->role = (ab_role)r;
    which->side = (ab_side)s;
    return true;
}

static bool read_item(const csv_table *t, size_t row, void *name) {
    ab_item *const item = name;
    return ab_which_read(t, row, &item->which) &&
           cell_read_from(t, row, item->which.role == AB_SENTINEL ? cell_find_here : ab_side_find, &item->which.side,
                          &item->cell);
}

static int compare_rows(const ab_item *a, const ab_item *b) {
    return ORDER_BY(cell_compare(&a->cell, &b->cell), (int)a->which.role - (int)b->which.role);
}

static int compare(const void *left, const void *right) {
    const ab_item *const a = left, *const b = right;
    return ORDER_BY(compare_rows(a, b), (int)a->which.side - (int)b->which.side);
}

static bool same_group(const void *a, const void *b) {
    return cell_same_group(&((const ab_item *)a)->cell, &((const ab_item *)b)->cell);
}
static bool same_row(const void *a, const void *b) { return compare_rows(a, b) == 0; }

void ab_which_describe(const ab_which *which, char *text, size_t size) {
    const size_t used = strlen(text);
    snprintf(text + used, size - used, ", %s, %s", ab_role_name(which->role), ab_side_name(which->side));
}

static void describe(const void *name, char *text, size_t size) {
    cell_describe(&((const ab_item *)name)->cell, text, size);
    ab_which_describe(&((const ab_item *)name)->which, text, size);
}
static void describe_group(const void *name, char *text, size_t size) {
    cell_describe_group(&((const ab_item *)name)->cell, text, size);
}

static double sample_seconds(const schedule *s, size_t item) {
    const ab_item *const own = schedule_name(s, item);
    return own->which.role == AB_IDENTICAL ? 0 : plan_sample_seconds(s, item);
}

// What is injected is found out in each launch.
static double prepare_seconds(const schedule *s, size_t begin, size_t end, double round_s) {
    enum { SAMPLES = AB_INJECT_SAMPLES * (1 + 2 * AB_INJECT_STEPS) };
    double seconds = plan_prepare_seconds(s, begin, end, round_s);
    for (size_t i = begin; i < end; i++)
        if (((const ab_item *)schedule_name(s, i))->which.inject_pct > 0)
            seconds += (double)SAMPLES * plan_sample_seconds(s, i);
    return seconds;
}

const schedule_kind ab_plan_kind = {.item = "row",
                                    .items = "rows, each side's one",
                                    .size = sizeof(ab_item),
                                    .deals = true,
                                    .note = "confirmed_from",
                                    .names = names,
                                    .name_count = COLUMN_COUNT(names),
                                    .read = read_item,
                                    .compare = compare,
                                    .same_group = same_group,
                                    .same_family = same_row,
                                    .equal_calls = true,
                                    .describe = describe,
                                    .describe_group = describe_group,
                                    .sample_seconds = sample_seconds,
                                    .prepare_seconds = prepare_seconds};
