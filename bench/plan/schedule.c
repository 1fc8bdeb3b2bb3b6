// SPDX-License-Identifier: MIT
// schedule.c: see schedule.h.
#include "schedule.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/list.h"

static char *name_at(const schedule *s, size_t item) { return (char *)s->names + item * s->kind->size; }

const void *schedule_name(const schedule *s, size_t item) { return name_at(s, item); }

void schedule_write_header(csv_writer *w, const schedule *s) {
    columns_write_names(w, s->kind->names, s->kind->name_count);
}

void schedule_write_name(csv_writer *w, const schedule *s, size_t item) {
    columns_write_values(w, s->kind->names, s->kind->name_count, name_at(s, item));
}

void schedule_write_later_header(csv_writer *w, const schedule *s) {
    columns_write_names(w, s->kind->later, s->kind->later_count);
}

void schedule_write_later(csv_writer *w, const schedule *s, size_t item) {
    columns_write_values(w, s->kind->later, s->kind->later_count, name_at(s, item));
}

size_t schedule_find(const schedule *s, const void *name) {
    size_t i = 0;
    while (i < s->count && s->kind->compare(name_at(s, i), name) != 0)
        i++;
    return i;
}

bool schedule_add(schedule *s, const void *name) {
    void *const names = list_more(s->names, s->count, s->kind->size);
    if (names == NULL)
        return false;
    s->names = names;
    memcpy(name_at(s, s->count++), name, s->kind->size);
    return true;
}

static void number_group(schedule *s, size_t i) {
    s->groups += i == 0 || !s->kind->same_group(name_at(s, i - 1), name_at(s, i));
    s->items[i].group = s->groups - 1;
}

bool schedule_arrange(schedule *s) {
    const size_t size = s->kind->size;
    size_t kept = 0;
    free(s->items);
    s->items = calloc(s->count + 1, sizeof *s->items);
    if (s->items == NULL)
        return false;
    if (s->count > 0)
        qsort(s->names, s->count, size, s->kind->compare);
    for (size_t i = 0; i < s->count; i++)
        if (kept == 0 || s->kind->compare(name_at(s, kept - 1), name_at(s, i)) != 0)
            memmove(name_at(s, kept++), name_at(s, i), size);
    s->count = kept;
    s->groups = 0;
    for (size_t i = 0; i < kept; i++) {
        s->items[i] = (planned){.launches = PLAN_MOST_LAUNCHES, .max_error = NAN};
        number_group(s, i);
    }
    return true;
}

void schedule_free(schedule *s) {
    if (s->kind->free_more != NULL)
        s->kind->free_more(s);
    free(s->names);
    free(s->items);
    *s = (schedule){.kind = s->kind};
}

bool schedule_times(const planned *item) { return !item->wrong && item->calls > 0; }
bool schedule_times_in(const planned *item, size_t launch) { return schedule_times(item) && launch < item->launches; }

// The first item of this group or a later one; groups are numbered in the order of the items.
static size_t first_from(const schedule *s, size_t group) {
    size_t low = 0, high = s->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->items[middle].group < group)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void schedule_group(const schedule *s, size_t group, size_t *begin, size_t *end) {
    *begin = first_from(s, group);
    *end = first_from(s, group + 1);
}

size_t schedule_family_end(const schedule *s, size_t begin) {
    size_t i = begin + 1;
    while (i < s->count && s->items[i].group == s->items[begin].group &&
           (s->kind->same_family == NULL || s->kind->same_family(name_at(s, begin), name_at(s, i))))
        i++;
    return i;
}

// A sample longer than this gets fewer calls: libm's tanhf is 150 times slower than the norm it is compared with, and
// would take the time of all the others. At that ratio no bias from unequal counts can be seen.
#define LONGEST_SAMPLE_NS 25e6

void schedule_agree_on_calls(schedule *s) {
    for (size_t begin = 0, end; begin < s->count; begin = end) {
        size_t calls = 0; // none if the pilot skipped them, so that nothing is timed that was not verified
        end = schedule_family_end(s, begin);
        for (size_t i = begin; i < end; i++)
            calls = s->items[i].calls > calls ? s->items[i].calls : calls;
        size_t least = calls;
        for (size_t i = begin; i < end; i++) {
            const double longest = fmax(LONGEST_SAMPLE_NS / s->items[i].ns, 1);
            s->items[i].calls = (double)calls > longest ? (size_t)longest : calls;
            least = s->items[i].calls < least ? s->items[i].calls : least;
        }
        for (size_t i = begin; s->kind->equal_calls && i < end; i++)
            s->items[i].calls = least;
    }
}

// ---- How long it takes

budget_group *schedule_costs(const schedule *s) {
    budget_group *const groups = calloc(s->groups + 1, sizeof *groups);
    for (size_t begin = 0, end; groups != NULL && begin < s->count; begin = end) {
        const planned *const first = &s->items[begin];
        budget_group *const g = &groups[first->group];
        schedule_group(s, first->group, &begin, &end);
        for (size_t i = begin; i < end; i++)
            g->launches = s->items[i].launches > g->launches ? s->items[i].launches : g->launches;
        // Where items have different numbers of launches, those that are still to be measured are what counts.
        for (size_t i = begin; i < end; i++)
            if (!s->items[i].wrong && s->items[i].launches == g->launches)
                g->round_s += 2 * s->kind->sample_seconds(s, i);
        g->prepare_s = s->kind->prepare_seconds(s, begin, end, g->round_s);
        g->stake = end - begin == 1 ? SCHEDULE_LONE_STAKE : end - begin;
        g->rounds = first->rounds;
    }
    return groups;
}

double schedule_launch_seconds(const schedule *s, size_t launch) {
    budget_group *const groups = schedule_costs(s);
    const double seconds = groups == NULL ? 0 : budget_launch_seconds(groups, s->groups, launch);
    free(groups);
    return seconds;
}

// ---- plan.csv

typedef enum { COUNT, REAL, REAL_OR_NONE, FLAG, TEXT, NOTE } field_type;
typedef struct {
    const char *name; // of NOTE the plan's own
    field_type type;
    size_t offset, size; // in planned
    double most;         // of COUNT and REAL, from 0
    bool dealt;          // of plans alone that deal
} plan_column;

#define AT(field) offsetof(planned, field), sizeof(((const planned *)NULL)->field)
static const plan_column group_column = {"group", COUNT, AT(group), 0, false};
static const plan_column columns[] = {
    {"calls", COUNT, AT(calls), PLAN_MOST_CALLS, false},
    {"rounds", COUNT, AT(rounds), PLAN_MOST_ROUNDS, false},
    {"launches", COUNT, AT(launches), PLAN_MOST_LAUNCHES, true},
    {"pilot_ns", REAL, AT(ns), PLAN_MOST_NS, false},
    {"prepare_s", REAL, AT(prepare_s), 1e-9 * PLAN_MOST_NS, true},
    {"max_error", REAL_OR_NONE, AT(max_error), INFINITY, false},
    {"wrong", FLAG, AT(wrong), 1, false},
    {"reason", TEXT, AT(reason), 0, false},
    {NULL, NOTE, AT(note), 0, false},
};
#define COLUMNS_END (columns + sizeof columns / sizeof *columns)

static bool has_column(const schedule *s, const plan_column *c) {
    return (!c->dealt || s->kind->deals) && (c->type != NOTE || s->kind->note != NULL);
}

static const char *name_of(const schedule *s, const plan_column *c) {
    return c->type == NOTE ? s->kind->note : c->name;
}

static void write_field(csv_writer *w, const plan_column *c, const planned *item) {
    const void *const at = (const char *)item + c->offset;
    switch (c->type) {
    case COUNT:
        csv_size(w, *(const size_t *)at);
        return;
    case REAL:
    case REAL_OR_NONE:
        csv_real(w, *(const double *)at, 9);
        return;
    case FLAG:
        csv_int(w, *(const bool *)at);
        return;
    case TEXT:
    case NOTE:
        csv_text(w, at);
        return;
    }
}

// Bounds, for a plan that was damaged would otherwise be measured for ever.
static void read_field(fields *f, const char *name, const plan_column *c, planned *item) {
    void *const at = (char *)item + c->offset;
    switch (c->type) {
    case COUNT:
        *(size_t *)at = fields_size(f, name, 0, (size_t)c->most);
        return;
    case REAL:
        *(double *)at = fields_real(f, name, 0, c->most);
        return;
    case REAL_OR_NONE:
        *(double *)at = fields_real_or_nan(f, name, 0, c->most);
        return;
    case FLAG:
        *(bool *)at = fields_flag(f, name);
        return;
    case TEXT:
    case NOTE:
        (void)snprintf(at, c->size, "%s", fields_text(f, name));
        return;
    }
}

int schedule_write(const schedule *s, const char *path) {
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    schedule_write_header(&w, s);
    csv_text(&w, group_column.name);
    for (const plan_column *c = columns; c < COLUMNS_END; c++)
        if (has_column(s, c))
            csv_text(&w, name_of(s, c));
    schedule_write_later_header(&w, s);
    csv_end(&w);
    for (size_t i = 0; i < s->count; i++) {
        schedule_write_name(&w, s, i);
        write_field(&w, &group_column, &s->items[i]);
        for (const plan_column *c = columns; c < COLUMNS_END; c++)
            if (has_column(s, c))
                write_field(&w, c, &s->items[i]);
        schedule_write_later(&w, s, i);
        csv_end(&w);
    }
    return csv_close(&w);
}

static void read_item(fields *f, schedule *s) {
    planned *const item = &s->items[f->row];
    char what[96];
    *item = (planned){.launches = PLAN_MOST_LAUNCHES};
    s->count = f->row + 1;
    if (!s->kind->read(f->table, f->row, name_at(s, f->row))) {
        snprintf(what, sizeof what, "is not a %s of this program: was the plan made by another version?",
                 s->kind->item);
        fields_refuse_row(f, what);
        return;
    }
    number_group(s, f->row);
    (void)fields_size(f, group_column.name, item->group, item->group);
    for (const plan_column *c = columns; c < COLUMNS_END; c++)
        if (has_column(s, c))
            read_field(f, name_of(s, c), c, item);
    if (item->calls > 1 && (double)item->calls * item->ns > PLAN_MOST_SAMPLE_NS)
        fields_refuse(f, "calls", "fewer: one sample would take hours");
}

int schedule_cut_off(const csv_table *t, char *message, size_t size) {
    snprintf(message, size, "line %zu has no end, so that the file is not whole", t->row_count + 2);
    return -1;
}

int schedule_read(schedule *s, const char *path, char *message, size_t size) {
    csv_table t;
    int error = csv_read(&t, path, message, size);
    if (error != 0)
        return error;
    fields f = fields_of(&t, message, size);
    s->items = calloc(t.row_count + 1, sizeof *s->items);
    s->names = calloc(t.row_count + 1, s->kind->size);
    if (s->items == NULL || s->names == NULL)
        error = ENOMEM;
    for (; error == 0 && f.row < t.row_count; f.row++) {
        read_item(&f, s);
        error = f.ok ? 0 : -1;
    }
    if (error == 0 && (t.truncated || t.row_count == 0))
        error = schedule_cut_off(&t, message, size);
    csv_free(&t);
    if (error != 0)
        schedule_free(s);
    return error;
}
