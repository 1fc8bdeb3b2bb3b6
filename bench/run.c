// SPDX-License-Identifier: MIT
// run.c: see run.h.
#include "run.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "parse.h"
#include "sampler.h"

void run_path(const run *r, const char *file, char path[PATH_MAX]) {
    // A folder too long for its files fails when they are opened.
    (void)snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 64, r->folder, file);
}

int run_make_folders(const char *path) {
    char partial[PATH_MAX];
    snprintf(partial, sizeof partial, "%s", path);
    for (char *slash = partial + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        if (mkdir(partial, 0777) != 0 && errno != EEXIST)
            return errno;
        *slash = '/';
    }
    return mkdir(partial, 0777) != 0 && errno != EEXIST ? errno : 0;
}

static bool open_samples(run *r, bool append, char error[RUN_ERROR_SIZE]) {
    static const char *const before[] = {"schema_version", "run_id"};
    static const char *const after[] = {"launch", "sample", "order", "calls", "time_ns", "preempted", "bound"};
    char path[PATH_MAX];
    run_path(r, "samples.csv", path);
    const int code = csv_open(&r->samples, path, append);
    if (code != 0) {
        snprintf(error, RUN_ERROR_SIZE, "cannot write %s: %s", path, strerror(code));
        return false;
    }
    if (append && ftell(r->samples.file) > 0)
        return true;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        csv_text(&r->samples, before[i]);
    cell_write_header(&r->samples);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        csv_text(&r->samples, after[i]);
    csv_end(&r->samples);
    return true;
}

bool run_begin(run *r, const char *folder, bool temporary, const experiment *e, const topology *t,
               char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], stamp[32];
    const time_t now = time(NULL);
    struct tm utc;
    *r = (run){.temporary = temporary, .experiment = *e};
    machine_id(t, r->machine, sizeof r->machine);
    snprintf(r->git, sizeof r->git, "%s", machine_git());
    if (gmtime_r(&now, &utc) == NULL || strftime(stamp, sizeof stamp, "%Y-%m-%dT%H%M%SZ", &utc) == 0)
        snprintf(stamp, sizeof stamp, "%lld", (long long)now);
    snprintf(r->id, sizeof r->id, "%s-%.20s", stamp, r->git);
    if (temporary) {
        const char *const base = getenv("TMPDIR");
        snprintf(r->folder, sizeof r->folder, "%s/normbench.XXXXXX", base != NULL && *base != '\0' ? base : "/tmp");
        if (mkdtemp(r->folder) == NULL) {
            snprintf(error, RUN_ERROR_SIZE,
                     "cannot make a temporary folder %s: %s; set TMPDIR to one that can be written", r->folder,
                     strerror(errno));
            return false;
        }
    } else {
        if (folder != NULL)
            snprintf(r->folder, sizeof r->folder, "%s", folder);
        else
            snprintf(r->folder, sizeof r->folder, "results/%s/%s", r->machine, r->id);
        const int code = run_make_folders(r->folder);
        if (code != 0) {
            snprintf(error, RUN_ERROR_SIZE, "cannot make the folder %s: %s; give another with --out", r->folder,
                     strerror(code));
            return false;
        }
        run_path(r, "meta.json", path);
        if (access(path, F_OK) == 0) {
            snprintf(error, RUN_ERROR_SIZE,
                     "%s already holds a run; give another folder with --out, or go on with --resume %s", r->folder,
                     r->folder);
            return false;
        }
    }
    run_path(r, "topology.xml", path);
    if (!topology_export(t, path)) {
        snprintf(error, RUN_ERROR_SIZE, "cannot write %s: %s", path, strerror(errno));
        return false;
    }
    return open_samples(r, false, error);
}

static const char *text_of(const json_t *object, const char *key) {
    const char *const text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static bool read_meta(run *r, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX];
    json_error_t why;
    run_path(r, "meta.json", path);
    json_t *const meta = json_load_file(path, 0, &why);
    if (meta == NULL) {
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s; give the folder of a run", path, why.text);
        return false;
    }
    const json_t *const e = json_object_get(meta, "experiment");
    snprintf(r->id, sizeof r->id, "%s", text_of(meta, "run_id"));
    snprintf(r->machine, sizeof r->machine, "%s", text_of(meta, "machine_id"));
    snprintf(r->experiment.preset, sizeof r->experiment.preset, "%s", text_of(e, "preset"));
    snprintf(r->experiment.command, sizeof r->experiment.command, "%s", text_of(e, "command"));
    r->experiment.launches = (size_t)json_integer_value(json_object_get(e, "launches"));
    r->experiment.piloted = json_is_true(json_object_get(e, "piloted"));
    r->experiment.budget_s = json_number_value(json_object_get(e, "budget_s"));
    // A JSON number may lose the upper bits of a seed; a string does not.
    const bool ok =
        r->id[0] != '\0' && r->experiment.launches > 0 && parse_u64(text_of(e, "seed"), &r->experiment.seed);
    if (!ok)
        snprintf(error, RUN_ERROR_SIZE, "%s is not the meta.json of a run of normbench kernels", path);
    json_decref(meta);
    return ok;
}

static bool read_samples(const run *r, const plan *p, observations *all, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX];
    csv_table t;
    run_path(r, "samples.csv", path);
    const int code = csv_read(&t, path, error, RUN_ERROR_SIZE);
    if (code != 0) {
        if (code > 0)
            snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s", path, strerror(code));
        return false;
    }
    const int launch = csv_column(&t, "launch"), index = csv_column(&t, "sample"), order = csv_column(&t, "order"),
              calls = csv_column(&t, "calls"), ns = csv_column(&t, "time_ns"), preempted = csv_column(&t, "preempted");
    bool ok = launch >= 0 && index >= 0 && order >= 0 && calls >= 0 && ns >= 0 && preempted >= 0;
    for (size_t i = 0; ok && i < t.row_count; i++) {
        observation o = {0};
        cell c;
        ok = cell_read(&t, i, &c) && parse_size(t.rows[i][launch], &o.launch) &&
             parse_size(t.rows[i][index], &o.index) && parse_size(t.rows[i][order], &o.order) &&
             parse_size(t.rows[i][calls], &o.calls) && parse_real(t.rows[i][ns], &o.ns);
        o.preempted = ok && strcmp(t.rows[i][preempted], "1") == 0;
        while (ok && o.cell < p->count && !cell_equal(&p->items[o.cell].cell, &c))
            o.cell++;
        ok = ok && o.cell < p->count && observations_add(all, &o);
        if (!ok)
            snprintf(error, RUN_ERROR_SIZE, "%s: line %zu is not a sample of this run's plan", path, i + 2);
    }
    csv_free(&t);
    return ok;
}

bool run_resume(run *r, const char *folder, plan *p, observations *all, const topology *t, bool *other_machine,
                char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], machine[RUN_NAME_SIZE], message[256] = "";
    *r = (run){0};
    *p = (plan){0};
    *other_machine = false;
    snprintf(r->folder, sizeof r->folder, "%s", folder);
    if (!read_meta(r, error))
        return false;
    machine_id(t, machine, sizeof machine);
    if (strcmp(machine, r->machine) != 0) {
        *other_machine = true;
        snprintf(error, RUN_ERROR_SIZE,
                 "%s was measured on %s, this is %s: a run cannot be taken up on another machine", folder, r->machine,
                 machine);
        return false;
    }
    snprintf(r->git, sizeof r->git, "%s", machine_git());
    run_path(r, "plan.csv", path);
    const int code = plan_read(p, path, message, sizeof message);
    if (code != 0) {
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s%s", path, code > 0 ? strerror(code) : message,
                 code == ENOENT ? ": the run is complete, there is nothing to resume" : "");
        return false;
    }
    return read_samples(r, p, all, error) && open_samples(r, true, error);
}

bool run_write_plan(const run *r, const plan *p, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], fresh[PATH_MAX];
    run_path(r, "plan.csv", path);
    run_path(r, "plan.csv.new", fresh);
    int code = plan_write(p, fresh);
    if (code == 0 && rename(fresh, path) != 0)
        code = errno;
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot write %s: %s", path, strerror(code));
    return code == 0;
}

bool run_add_sample(run *r, const plan *p, const observation *o, const char *bound) {
    csv_writer *const w = &r->samples;
    csv_int(w, SCHEMA_VERSION);
    csv_text(w, r->id);
    cell_write(w, &p->items[o->cell].cell);
    csv_size(w, o->launch);
    csv_size(w, o->index);
    csv_size(w, o->order);
    csv_size(w, o->calls);
    csv_real(w, o->ns, 9);
    csv_int(w, o->preempted);
    csv_text(w, bound);
    return csv_end(w) == 0;
}

int run_write_meta(const run *r, const topology *t, bool complete) {
    char path[PATH_MAX], fresh[PATH_MAX], seed[32];
    double overhead, step;
    sampler_clock(&overhead, &step);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)r->experiment.seed);
    const experiment *const e = &r->experiment;
    const char *const model = topology_info(t, "CPUModel");
    json_t *const meta =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:{s:I, s:I, s:I}, s:{s:s, s:s, s:s, s:I, s:b, s:f, s:i, s:i}, "
                  "s:{s:s, s:f, s:f}, s:o*}",
                  "schema_version", SCHEMA_VERSION, "run_id", r->id, "machine_id", r->machine, "cpu_model",
                  model != NULL ? model : "unknown CPU", "git_commit", r->git, "complete", complete, "cache_bytes",
                  "l1d", (json_int_t)topology_cache_bytes(t, 1), "l2", (json_int_t)topology_cache_bytes(t, 2), "l3",
                  (json_int_t)topology_cache_bytes(t, 3), "experiment", "command", e->command, "preset", e->preset,
                  "seed", seed, "launches", (json_int_t)e->launches, "piloted", e->piloted, "budget_s", e->budget_s,
                  "samples_per_round", 2, "min_sample_ns", (int)SAMPLER_MIN_NS, "clock", "source", "CLOCK_MONOTONIC",
                  "overhead_ns", overhead, "step_ns", step, "machine", machine_describe(t));
    if (meta == NULL)
        return ENOMEM;
    // A run without its meta.json could not be resumed, so the old one stands until the new one is whole.
    run_path(r, "meta.json", path);
    run_path(r, "meta.json.new", fresh);
    FILE *const file = fopen(fresh, "w");
    int error = file == NULL ? errno : 0;
    if (file != NULL) {
        if (json_dumpf(meta, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0 || fputc('\n', file) == EOF)
            error = errno != 0 ? errno : EIO;
        if (fclose(file) != 0 && error == 0)
            error = errno;
    }
    if (error == 0 && rename(fresh, path) != 0)
        error = errno;
    if (error != 0)
        (void)unlink(fresh);
    json_decref(meta);
    return error;
}

void run_end(run *r, bool complete) {
    static const char *const files[] = {"plan.csv", "samples.csv", "topology.xml", "meta.json", "plan.csv.new"};
    char path[PATH_MAX];
    if (r->samples.file != NULL)
        (void)csv_close(&r->samples); // every row was flushed, and its error told, when it was added
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (r->temporary || (complete && i == 0)) {
            run_path(r, files[i], path);
            (void)unlink(path);
        }
    if (r->temporary)
        (void)rmdir(r->folder);
}
