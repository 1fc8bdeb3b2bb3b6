// SPDX-License-Identifier: MIT
// layers_samples.c: see layers_samples.h.
#include "layers_samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

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
                                        "bound",  "peak_gflops", "step_ns", "clock_ns", "line_ns"};
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

static bool split(const char *text, layers_observation *o) {
    size_t room = 1;
    for (const char *p = text; *p != '\0'; p++)
        room += *p == ' ';
    o->steps = malloc(room * sizeof *o->steps);
    char *end = NULL;
    for (o->step_count = 0; o->steps != NULL && *text != '\0'; text = end + strspn(end, " ")) {
        o->steps[o->step_count++] = strtod(text, &end);
        if (end == text)
            return false;
    }
    return o->steps != NULL;
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
    free(steps);
    return csv_end(w) == 0;
}

enum { SAMPLE_COLUMNS = 10 };
static bool read_sample(const csv_table *t, size_t row, const layers_plan *p, const int columns[SAMPLE_COLUMNS],
                        layers_observation *o) {
    char *const *const fields = t->rows[row];
    layers_arm arm;
    double peak;
    *o = (layers_observation){0};
    if (!layers_arm_read(t, row, &arm) || !parse_size(fields[columns[0]], &o->launch) ||
        !parse_size(fields[columns[1]], &o->index) || !parse_size(fields[columns[2]], &o->order) ||
        !parse_size(fields[columns[3]], &o->calls) || !parse_real(fields[columns[4]], &o->ns) ||
        !parse_real(fields[columns[6]], &peak) || !parse_real(fields[columns[7]], &o->clock_ns) ||
        !split(fields[columns[8]], o))
        return false;
    if (!parse_real(fields[columns[9]], &o->line_ns))
        o->line_ns = NAN; // empty: one thread
    o->preempted = strcmp(fields[columns[5]], "1") == 0;
    o->peak_flops = 1e9 * peak;
    while (o->arm < p->count && !layers_arm_equal(&p->arms[o->arm], &arm))
        o->arm++;
    return o->arm < p->count;
}

static bool read_samples(const run *r, const layers_plan *p, layers_observations *all, char error[RUN_ERROR_SIZE]) {
    static const char *const names[SAMPLE_COLUMNS] = {"launch",    "sample",      "order",    "calls",   "time_ns",
                                                      "preempted", "peak_gflops", "clock_ns", "step_ns", "line_ns"};
    char path[PATH_MAX];
    int columns[SAMPLE_COLUMNS];
    csv_table t;
    run_path(r, r->kind->samples, path);
    const int code = csv_read(&t, path, error, RUN_ERROR_SIZE);
    if (code != 0) {
        if (code > 0)
            snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s", path, strerror(code));
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < SAMPLE_COLUMNS; i++)
        ok &= (columns[i] = csv_column(&t, names[i])) >= 0;
    for (size_t i = 0; ok && i < t.row_count; i++) {
        layers_observation o;
        ok = read_sample(&t, i, p, columns, &o);
        if (!ok)
            free(o.steps);
        ok = ok && layers_observations_add(all, &o);
        if (!ok)
            snprintf(error, RUN_ERROR_SIZE, "%s: line %zu is not a sample of this run's plan", path, i + 2);
    }
    csv_free(&t);
    return ok;
}

bool layers_samples_read(const run *r, layers_plan *p, layers_observations *all, char error[RUN_ERROR_SIZE]) {
    char plan_path[PATH_MAX], steps_path[PATH_MAX], message[256] = "";
    run_path(r, RUN_PLAN, plan_path);
    run_path(r, RUN_PLAN_STEPS, steps_path);
    const int code = layers_plan_read(p, plan_path, r->experiment.piloted ? steps_path : NULL, message, sizeof message);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s", plan_path, code > 0 ? strerror(code) : message);
    return code == 0 && read_samples(r, p, all, error);
}

static int write_plan(const void *what, const char *path) { return layers_plan_write(what, path); }
static int write_steps(const void *what, const char *path) { return layers_steps_write(what, path); }

bool layers_samples_write_plan(const run *r, const layers_plan *p, char error[RUN_ERROR_SIZE]) {
    int code = run_replace(r, RUN_PLAN_STEPS, write_steps, p);
    if (code == 0)
        code = run_replace(r, RUN_PLAN, write_plan, p);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot write %s/%s: %s", r->folder, RUN_PLAN, strerror(code));
    return code == 0;
}
