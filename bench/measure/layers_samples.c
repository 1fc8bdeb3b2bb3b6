// SPDX-License-Identifier: MIT
// layers_samples.c: see layers_samples.h.
#include "layers_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "plan/request.h"

bool layers_observations_add(layers_observations *all, const layers_observation *o) {
    if (all->count == all->room) {
        const size_t room = all->room == 0 ? 1024 : 2 * all->room;
        layers_observation *const items = realloc(all->items, room * sizeof *items);
        if (items == NULL) {
            free(o->steps);
            return false;
        }
        all->items = items;
        all->room = room;
    }
    all->items[all->count++] = *o;
    return true;
}

void layers_observations_free(layers_observations *all) {
    for (size_t i = 0; i < all->count; i++)
        free(all->items[i].steps);
    free(all->items);
    *all = (layers_observations){0};
}

static void header(csv_writer *w) {
    static const char *const after[] = {"launch", "sample",      "order",   "calls",    "time_ns", "preempted",
                                        "bound",  "peak_gflops", "step_ns", "clock_ns", "line_ns", "page_faults"};
    layers_arm_header(w);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        csv_text(w, after[i]);
}

const run_kind layers_samples_run = {"layers", "layer_samples.csv", header};

// The times of an arm's steps, as one field: the steps themselves, in the same order, are the arm's rows of steps.csv.
static char *join(const layers_observation *o) {
    enum { NUMBER = 32 };
    char *const text = malloc(o->step_count * NUMBER + 1);
    size_t used = 0;
    if (text == NULL)
        return NULL;
    text[0] = '\0';
    for (size_t i = 0; i < o->step_count; i++)
        used += (size_t)snprintf(text + used, NUMBER, "%s%.6g", i > 0 ? " " : "", o->steps[i]);
    return text;
}

// false: not as many times as the arm has steps, or one that is none.
static bool split(const char *text, size_t count, layers_observation *o) {
    char *end = NULL;
    o->steps = malloc((count + 1) * sizeof *o->steps);
    for (o->step_count = 0; o->steps != NULL && o->step_count < count; text = end) {
        o->steps[o->step_count] = strtod(text, &end);
        if (end == text || !(o->steps[o->step_count] >= 0 && o->steps[o->step_count] <= PLAN_MOST_NS))
            return false;
        end += *end == ' ';
        o->step_count++;
    }
    return o->steps != NULL && *text == '\0';
}

bool layers_samples_add(run *r, const layers_plan *p, const layers_observation *o, const char *bound) {
    csv_writer *const w = &r->samples;
    char *const steps = join(o);
    if (steps == NULL)
        return false;
    csv_int(w, SCHEMA_VERSION);
    csv_text(w, r->id);
    layers_arm_write(w, &p->arms[o->arm]);
    csv_size(w, o->launch);
    csv_size(w, o->index);
    csv_size(w, o->order);
    csv_size(w, o->calls);
    csv_real(w, o->ns, 9);
    csv_int(w, o->preempted);
    csv_text(w, bound);
    csv_real(w, 1e-9 * o->peak_flops, 6);
    csv_text(w, steps);
    csv_real(w, o->clock_ns, 4);
    csv_real(w, o->line_ns, 4);
    csv_real(w, o->page_faults, 9);
    free(steps);
    return csv_end(w) == 0;
}

static void read_sample(fields *f, const run *r, const layers_plan *p, layers_observation *o) {
    layers_arm arm;
    size_t begin, end;
    *o = (layers_observation){0};
    (void)fields_size(f, "schema_version", SCHEMA_VERSION, SCHEMA_VERSION);
    fields_equal(f, "run_id", r->id);
    if (!layers_arm_read(f->table, f->row, &arm))
        fields_refuse_row(f, "is not a sample of this program");
    while (f->ok && o->arm < p->count && !layers_arm_equal(&p->arms[o->arm], &arm))
        o->arm++;
    if (f->ok && (o->arm == p->count || !layers_plan_times(&p->arms[o->arm])))
        fields_refuse_row(f, "is not a sample of this run's plan");
    if (!f->ok)
        return;
    const layers_arm *const a = &p->arms[o->arm];
    o->launch = fields_size(f, "launch", 0, r->experiment.launches - 1);
    o->index = fields_size(f, "sample", 0, 2 * (a->rounds + PLAN_MOST_ROUNDS));
    o->order = fields_size(f, "order", 0, UINT32_MAX);
    o->calls = fields_size(f, "calls", a->calls, a->calls);
    o->ns = fields_real(f, "time_ns", 1e-3, PLAN_MOST_NS);
    o->preempted = fields_flag(f, "preempted");
    o->peak_flops = 1e9 * fields_real(f, "peak_gflops", 0, 1e9);
    o->clock_ns = fields_real(f, "clock_ns", 0, 1e9);
    o->line_ns = fields_real_or_nan(f, "line_ns", 0, 1e9); // empty: one thread
    o->page_faults = fields_real(f, "page_faults", 0, 1e12);
    layers_plan_steps(p, o->arm, &begin, &end);
    if (f->ok && !split(fields_text(f, "step_ns"), end - begin, o))
        fields_refuse(f, "step_ns", "a time for each step of plan_steps.csv");
}

static bool read_samples(const run *r, const layers_plan *p, layers_observations *all, char error[RUN_ERROR_SIZE]) {
    csv_table t;
    char why[256] = "";
    if (!run_read_samples(r, &t, error))
        return false;
    fields f = fields_of(&t, why, sizeof why);
    fields_key *const keys = calloc(t.row_count + 1, sizeof *keys);
    bool memory = keys != NULL;
    for (; memory && f.ok && f.row < t.row_count && !request_stopped(); f.row++) {
        layers_observation o;
        read_sample(&f, r, p, &o);
        keys[f.row] = (fields_key){o.arm, o.launch, o.index, fields_line(f.row)};
        if (f.ok)
            memory = layers_observations_add(all, &o);
        else
            free(o.steps);
    }
    if (memory && f.ok)
        fields_unique(&f, keys, f.row);
    if (!memory || !f.ok)
        snprintf(error, RUN_ERROR_SIZE, "%s/%s: %s", r->folder, r->kind->samples, memory ? why : "out of memory");
    free(keys);
    csv_free(&t);
    return memory && f.ok;
}

bool layers_samples_read(const run *r, layers_plan *p, layers_observations *all, char error[RUN_ERROR_SIZE]) {
    char plan_path[PATH_MAX], steps_path[PATH_MAX], message[256] = "";
    run_path(r, RUN_PLAN, plan_path);
    run_path(r, RUN_PLAN_STEPS, steps_path);
    const int code = layers_plan_read(p, plan_path, r->experiment.piloted ? steps_path : NULL, message, sizeof message);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s", plan_path, code == -1 ? message : files_reason(code));
    return code == 0 && read_samples(r, p, all, error);
}

void layers_samples_rows(const layers_plan *p, csv_writer *w) {
    for (size_t i = 0; i < p->count; i++) {
        layers_arm_write(w, &p->arms[i]);
        csv_end(w);
    }
}

static int write_plan(const void *what, const char *path) { return layers_plan_write(what, path); }
static int write_steps(const void *what, const char *path) { return layers_steps_write(what, path); }

bool layers_samples_write_plan(const run *r, const layers_plan *p, char error[RUN_ERROR_SIZE]) {
    int code = run_replace(r, RUN_PLAN_STEPS, write_steps, p);
    if (code == 0)
        code = run_replace(r, RUN_PLAN, write_plan, p);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot write %s/%s: %s", r->folder, RUN_PLAN, files_reason(code));
    return code == 0;
}
