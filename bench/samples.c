// SPDX-License-Identifier: MIT
// samples.c: see samples.h.
#include "samples.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"

static void header(csv_writer *w) {
    static const char *const after[] = {"launch",    "sample", "order",     "calls",      "time_ns",
                                        "preempted", "bound",  "clock_ghz", "peak_gflops"};
    cell_write_header(w);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        csv_text(w, after[i]);
    for (counter which = 0; which < COUNTERS; which++)
        csv_text(w, counter_name(which));
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
    return csv_end(w) == 0;
}

// A number that may be missing: NaN then. false: neither.
static bool read_real(const char *text, double *value) {
    *value = (double)NAN;
    return *text == '\0' || parse_real(text, value);
}

static bool read_samples(const run *r, const plan *p, observations *all, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX];
    csv_table t;
    run_path(r, r->kind->samples, path);
    const int code = csv_read(&t, path, error, RUN_ERROR_SIZE);
    if (code != 0) {
        if (code > 0)
            snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s", path, strerror(code));
        return false;
    }
    const int launch = csv_column(&t, "launch"), index = csv_column(&t, "sample"), order = csv_column(&t, "order"),
              calls = csv_column(&t, "calls"), ns = csv_column(&t, "time_ns"), preempted = csv_column(&t, "preempted"),
              clock = csv_column(&t, "clock_ghz"), peak = csv_column(&t, "peak_gflops");
    int counted[COUNTERS];
    bool ok =
        launch >= 0 && index >= 0 && order >= 0 && calls >= 0 && ns >= 0 && preempted >= 0 && clock >= 0 && peak >= 0;
    for (counter which = 0; which < COUNTERS; which++)
        ok = (counted[which] = csv_column(&t, counter_name(which))) >= 0 && ok;
    if (!ok)
        snprintf(error, RUN_ERROR_SIZE,
                 "%s has not the columns that this version of the program appends: go on with the version that began "
                 "the run",
                 path);
    for (size_t i = 0; ok && i < t.row_count; i++) {
        observation o = {0};
        cell c;
        ok = cell_read(&t, i, &c) && parse_size(t.rows[i][launch], &o.launch) &&
             parse_size(t.rows[i][index], &o.index) && parse_size(t.rows[i][order], &o.order) &&
             parse_size(t.rows[i][calls], &o.calls) && parse_real(t.rows[i][ns], &o.sample.ns) &&
             read_real(t.rows[i][clock], &o.sample.clock_ghz) && read_real(t.rows[i][peak], &o.peak_flops);
        o.peak_flops *= 1e9;
        for (counter which = 0; which < COUNTERS; which++)
            ok = ok && read_real(t.rows[i][counted[which]], &o.sample.counted.value[which]);
        o.sample.preempted = ok && strcmp(t.rows[i][preempted], "1") == 0;
        while (ok && o.cell < p->count && !cell_equal(&p->items[o.cell].cell, &c))
            o.cell++;
        ok = ok && o.cell < p->count && observations_add(all, &o);
        if (!ok)
            snprintf(error, RUN_ERROR_SIZE, "%s: line %zu is not a sample of this run's plan", path, i + 2);
    }
    csv_free(&t);
    return ok;
}

bool samples_read(const run *r, plan *p, observations *all, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], message[256] = "";
    run_path(r, RUN_PLAN, path);
    const int code = plan_read(p, path, message, sizeof message);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s", path, code > 0 ? strerror(code) : message);
    return code == 0 && read_samples(r, p, all, error);
}

static int write_plan(const void *what, const char *path) { return plan_write(what, path); }

bool samples_write_plan(const run *r, const plan *p, char error[RUN_ERROR_SIZE]) {
    const int code = run_replace(r, RUN_PLAN, write_plan, p);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot write %s/%s: %s", r->folder, RUN_PLAN, strerror(code));
    return code == 0;
}
