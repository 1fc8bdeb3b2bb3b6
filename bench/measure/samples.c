// SPDX-License-Identifier: MIT
// samples.c: see samples.h.
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "plan/request.h"

bool observations_add(observations *all, const observation *o) {
    if (all->count == all->room) {
        const size_t room = all->room == 0 ? 4096 : 2 * all->room;
        observation *const items = realloc(all->items, room * sizeof *items);
        if (items == NULL)
            return false;
        all->items = items;
        all->room = room;
    }
    all->items[all->count++] = *o;
    return true;
}

void observations_free(observations *all) {
    free(all->items);
    *all = (observations){0};
}

static void header(csv_writer *w) {
    static const char *const after[] = {"launch",    "sample", "order",     "calls",      "time_ns",
                                        "preempted", "bound",  "clock_ghz", "peak_gflops"};
    cell_write_header(w);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        csv_text(w, after[i]);
    for (counter which = 0; which < COUNTERS; which++)
        csv_text(w, counter_name(which));
    csv_text(w, "page_faults");
}

const run_kind samples_run = {"kernels", "samples.csv", header};

bool samples_add(run *r, const plan *p, const observation *o, const char *bound) {
    csv_writer *const w = &r->samples;
    csv_int(w, SCHEMA_VERSION);
    csv_text(w, r->id);
    cell_write(w, &p->items[o->cell].cell);
    csv_size(w, o->launch);
    csv_size(w, o->index);
    csv_size(w, o->order);
    csv_size(w, o->calls);
    csv_real(w, o->sample.ns, 9);
    csv_int(w, o->sample.preempted);
    csv_text(w, bound);
    csv_real(w, o->sample.clock_ghz, 6);
    csv_real(w, 1e-9 * o->peak_flops, 6);
    for (counter which = 0; which < COUNTERS; which++)
        csv_real(w, o->sample.counted.value[which], 9);
    csv_real(w, o->sample.page_faults, 9);
    return csv_end(w) == 0;
}

// One sample, every field held against the plan and the launches that there can be.
static void read_sample(fields *f, const run *r, const plan *p, observation *o) {
    cell c;
    *o = (observation){0};
    (void)fields_size(f, "schema_version", SCHEMA_VERSION, SCHEMA_VERSION);
    fields_equal(f, "run_id", r->id);
    if (!cell_read(f->table, f->row, &c))
        fields_refuse_row(f, "is not a sample of this program");
    while (f->ok && o->cell < p->count && !cell_equal(&p->items[o->cell].cell, &c))
        o->cell++;
    const bool ours = strcmp(r->program, RUN_BY_PEERS) != 0;
    if (f->ok && (o->cell == p->count || (ours && !plan_times(&p->items[o->cell]))))
        fields_refuse_row(f, "is not a sample of this run's plan");
    if (!f->ok)
        return;
    const planned *const item = &p->items[o->cell];
    o->launch = fields_size(f, "launch", 0, r->experiment.launches - 1);
    o->index = fields_size(f, "sample", 0, 2 * (item->rounds + PLAN_MOST_ROUNDS));
    o->order = fields_size(f, "order", 0, UINT32_MAX);
    o->calls = fields_size(f, "calls", ours ? item->calls : 1, ours ? item->calls : PLAN_MOST_CALLS);
    o->sample.ns = fields_real(f, "time_ns", 1e-3, PLAN_MOST_NS);
    o->sample.preempted = fields_flag(f, "preempted");
    o->sample.clock_ghz = fields_real_or_nan(f, "clock_ghz", 1e-3, 1e3);
    o->peak_flops = 1e9 * fields_real_or_nan(f, "peak_gflops", 0, 1e9);
    for (counter which = 0; which < COUNTERS; which++)
        o->sample.counted.value[which] = fields_real_or_nan(f, counter_name(which), 0, 1e18);
    o->sample.page_faults = fields_real_or_nan(f, "page_faults", 0, 1e12);
}

static bool read_samples(const run *r, const plan *p, observations *all, char error[RUN_ERROR_SIZE]) {
    csv_table t;
    char why[256] = "";
    if (!run_read_samples(r, &t, error))
        return false;
    fields f = fields_of(&t, why, sizeof why);
    fields_key *const keys = calloc(t.row_count + 1, sizeof *keys);
    bool memory = keys != NULL;
    for (; memory && f.ok && f.row < t.row_count && !request_stopped(); f.row++) {
        observation o;
        read_sample(&f, r, p, &o);
        keys[f.row] = (fields_key){o.cell, o.launch, o.index, fields_line(f.row)};
        memory = !f.ok || observations_add(all, &o);
    }
    if (memory && f.ok)
        fields_unique(&f, keys, f.row);
    if (!memory || !f.ok)
        snprintf(error, RUN_ERROR_SIZE, "%s/%s: %s", r->folder, r->kind->samples, memory ? why : "out of memory");
    free(keys);
    csv_free(&t);
    return memory && f.ok;
}

bool samples_read(const run *r, plan *p, observations *all, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], message[256] = "";
    run_path(r, RUN_PLAN, path);
    const int code = plan_read(p, path, message, sizeof message);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s", path, code == -1 ? message : files_reason(code));
    return code == 0 && read_samples(r, p, all, error);
}

void samples_rows(const plan *p, csv_writer *w) {
    for (size_t i = 0; i < p->count; i++) {
        cell_write(w, &p->items[i].cell);
        csv_end(w);
    }
}

static int write_plan(const void *what, const char *path) { return plan_write(what, path); }

bool samples_write_plan(const run *r, const plan *p, char error[RUN_ERROR_SIZE]) {
    const int code = run_replace(r, RUN_PLAN, write_plan, p);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot write %s/%s: %s", r->folder, RUN_PLAN, files_reason(code));
    return code == 0;
}
