// SPDX-License-Identifier: MIT
// samples.c: see samples.h and sample.h.
#include "samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/list.h"

static const sample_quantity quantities[SAMPLE_OWN] = {SAMPLE_QUANTITIES(SAMPLE_ROW)};

const sample_quantity *subject_quantity(const subject *s, size_t id) {
    return id < SAMPLE_OWN ? &quantities[id] : &s->quantities[id - SAMPLE_OWN];
}

bool observations_add(observations *all, const observation *o) {
    observation *const items = list_more(all->items, all->count, sizeof *items);
    if (items == NULL) {
        free(o->sample.list);
        return false;
    }
    all->items = items;
    items[all->count++] = *o;
    return true;
}

void observations_drop(observations *all, size_t item) {
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].item == item)
            free(all->items[i].sample.list);
        else
            all->items[kept++] = all->items[i];
    all->count = kept;
}

void observations_free(observations *all) {
    for (size_t i = 0; i < all->count; i++)
        free(all->items[i].sample.list);
    free(all->items);
    *all = (observations){0};
}

// ---- Writing

// What a sample is told by, before its quantities; where its threads were bound stands behind those of every sample.
static const char *const keys[] = {"launch", "sample", "order", "calls"};
#define BOUND "bound"

void samples_write_header(csv_writer *w, const subject *s) {
    schedule_write_header(w, s->schedule);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        csv_text(w, keys[i]);
    for (size_t id = 0; id < SAMPLE_OWN + s->quantity_count; id++) {
        if (id == SAMPLE_OWN)
            csv_text(w, BOUND);
        csv_text(w, subject_quantity(s, id)->name);
    }
    schedule_write_later_header(w, s->schedule);
}

// A list, as one field. false: no memory.
static bool write_list(csv_writer *w, const sample *s, int digits) {
    enum { NUMBER = 32 };
    char *const text = malloc(s->list_length * NUMBER + 1);
    size_t used = 0;
    if (text == NULL)
        return false;
    text[0] = '\0';
    for (size_t i = 0; i < s->list_length; i++)
        used += (size_t)snprintf(text + used, NUMBER, "%s%.*g", i > 0 ? " " : "", digits, s->list[i]);
    csv_text(w, text);
    free(text);
    return true;
}

bool samples_add(run *r, const observation *o, const char *bound) {
    csv_writer *const w = &r->samples;
    const subject *const s = r->subject;
    const size_t key[] = {o->launch, o->index, o->order, o->calls};
    csv_int(w, SCHEMA_VERSION);
    csv_text(w, r->id);
    schedule_write_name(w, s->schedule, o->item);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        csv_size(w, key[i]);
    for (size_t id = 0; id < SAMPLE_OWN + s->quantity_count; id++) {
        const sample_quantity *const q = subject_quantity(s, id);
        if (id == SAMPLE_OWN)
            csv_text(w, bound);
        if (q->type != SAMPLE_LIST)
            csv_real(w, o->sample.value[id], q->digits);
        else if (!write_list(w, &o->sample, q->digits))
            return false;
    }
    schedule_write_later(w, s->schedule, o->item);
    return csv_end(w) == 0;
}

// ---- Reading

// false: not as many amounts as there have to be, or one that is none.
static bool split_list(const char *text, size_t length, const sample_quantity *q, sample *s) {
    char *end = NULL;
    s->list = malloc((length + 1) * sizeof *s->list);
    for (s->list_length = 0; s->list != NULL && s->list_length < length; text = end) {
        const double value = s->list[s->list_length] = strtod(text, &end);
        if (end == text || !(value >= q->least && value <= q->most))
            return false;
        // A space stands between two of them: else 9.1 and 5.2 without it would be read as 9.15 and .2.
        if (++s->list_length < length && *end++ != ' ')
            return false;
    }
    return s->list != NULL && *text == '\0';
}

static double read_quantity(fields *f, const schedule *p, size_t item, const sample_quantity *q, sample *s) {
    switch (q->type) {
    case SAMPLE_FLAG:
        return fields_flag(f, q->name);
    case SAMPLE_LIST:
        if (f->ok && !split_list(fields_text(f, q->name), p->kind->list_length(p, item), q, s))
            fields_refuse(f, q->name, "as many times as its item has steps");
        return NAN;
    case SAMPLE_AMOUNT:
        break;
    }
    return q->required ? fields_real(f, q->name, q->least, q->most) : fields_real_or_nan(f, q->name, q->least, q->most);
}

static void find_item(fields *f, const schedule *p, size_t *item) {
    void *const name = malloc(p->kind->size);
    if (name == NULL || !p->kind->read(f->table, f->row, name))
        fields_refuse_row(f, "is not a sample of this program");
    else
        *item = schedule_find(p, name);
    free(name);
}

// An item of others may have been timed before it was found wrong.
static bool may_have(const subject *s, size_t item) {
    const planned *const of = &s->schedule->items[item];
    return schedule_times(of) ||
           (of->calls > 0 && s->work->is_foreign != NULL && s->work->is_foreign(s->schedule, item));
}

// One sample, every field held against the plan and the launches that there can be.
static void read_sample(fields *f, const run *r, observation *o) {
    const schedule *const p = r->subject->schedule;
    const bool ours = strcmp(r->program, RUN_BY_PEERS) != 0;
    *o = (observation){0};
    (void)fields_size(f, "schema_version", SCHEMA_VERSION, SCHEMA_VERSION);
    fields_equal(f, "run_id", r->id);
    if (f->ok)
        find_item(f, p, &o->item);
    if (f->ok && (o->item == p->count || (ours && !may_have(r->subject, o->item))))
        fields_refuse_row(f, "is not a sample of this run's plan");
    if (!f->ok)
        return;
    const planned *const item = &p->items[o->item];
    o->launch = fields_size(f, keys[0], 0, r->experiment.launches - 1);
    o->index = fields_size(f, keys[1], 0, 2 * (item->rounds + PLAN_MOST_ROUNDS));
    o->order = fields_size(f, keys[2], 0, UINT32_MAX);
    o->calls = fields_size(f, keys[3], ours ? item->calls : 1, ours ? item->calls : PLAN_MOST_CALLS);
    for (size_t id = 0; id < SAMPLE_OWN + r->subject->quantity_count; id++)
        o->sample.value[id] = read_quantity(f, p, o->item, subject_quantity(r->subject, id), &o->sample);
}

static bool read_samples(const run *r, observations *all, char error[RUN_ERROR_SIZE]) {
    csv_table t;
    char why[256] = "";
    if (!run_read_samples(r, &t, error))
        return false;
    fields f = fields_of(&t, why, sizeof why);
    fields_key *const seen = calloc(t.row_count + 1, sizeof *seen);
    bool memory = seen != NULL;
    for (; memory && f.ok && f.row < t.row_count && !request_stopped(); f.row++) {
        observation o;
        read_sample(&f, r, &o);
        seen[f.row] = (fields_key){o.item, o.launch, o.index, fields_line(f.row)};
        if (f.ok && !r->subject->schedule->items[o.item].wrong)
            memory = observations_add(all, &o);
        else
            free(o.sample.list);
    }
    if (memory && f.ok)
        fields_unique(&f, seen, f.row);
    if (!memory || !f.ok)
        snprintf(error, RUN_ERROR_SIZE, "%s/%s: %s", r->folder, r->subject->samples, memory ? why : "out of memory");
    free(seen);
    csv_free(&t);
    return memory && f.ok;
}

bool samples_read(const run *r, observations *all, char error[RUN_ERROR_SIZE]) {
    schedule *const p = r->subject->schedule;
    char path[PATH_MAX], message[256] = "";
    run_path(r, RUN_PLAN, path);
    int code = schedule_read(p, path, message, sizeof message);
    if (code == 0 && p->kind->more != NULL && r->experiment.piloted) {
        char more[PATH_MAX];
        run_path(r, p->kind->more, more);
        code = p->kind->read_more(p, more, message, sizeof message);
    }
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s", path, code == -1 ? message : files_reason(code));
    return code == 0 && read_samples(r, all, error);
}

static int write_plan(const void *p, const char *path) { return schedule_write(p, path); }

bool samples_write_plan(const run *r, char error[RUN_ERROR_SIZE]) {
    const schedule *const p = r->subject->schedule;
    int code = p->kind->more == NULL ? 0 : run_replace(r, p->kind->more, p->kind->write_more, p);
    if (code == 0)
        code = run_replace(r, RUN_PLAN, write_plan, p);
    char path[PATH_MAX];
    run_path(r, RUN_PLAN, path);
    return files_wrote(code, path, error, RUN_ERROR_SIZE);
}
