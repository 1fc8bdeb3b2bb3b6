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

// A file that is being written anew, until it takes its name.
#define FRESH "new.part"

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
    char path[PATH_MAX];
    run_path(r, r->kind->samples, path);
    const int code = csv_open(&r->samples, path, append);
    if (code != 0) {
        snprintf(error, RUN_ERROR_SIZE, "cannot write %s: %s", path, strerror(code));
        return false;
    }
    if (append && ftell(r->samples.file) > 0)
        return true;
    csv_text(&r->samples, "schema_version");
    csv_text(&r->samples, "run_id");
    r->kind->header(&r->samples);
    csv_end(&r->samples);
    return true;
}

bool run_begin(run *r, const char *folder, bool temporary, const experiment *e, const topology *t, const run_kind *kind,
               char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], stamp[32];
    const time_t now = time(NULL);
    struct tm utc;
    *r = (run){.temporary = temporary, .kind = kind, .experiment = *e};
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

static bool read_meta(run *r, const char *name, char error[RUN_ERROR_SIZE]) {
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
    char begin[64];
    snprintf(begin, sizeof begin, "normbench %s", name);
    const bool ok = r->id[0] != '\0' && r->experiment.launches > 0 &&
                    strncmp(r->experiment.command, begin, strlen(begin)) == 0 &&
                    parse_u64(text_of(e, "seed"), &r->experiment.seed);
    if (!ok)
        snprintf(error, RUN_ERROR_SIZE, "%s is not the meta.json of a run of normbench %s", path, name);
    json_decref(meta);
    return ok;
}

bool run_resume(run *r, const char *folder, const topology *t, const run_kind *kind, bool *other_machine,
                char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], machine[RUN_NAME_SIZE];
    *r = (run){.kind = kind};
    *other_machine = false;
    snprintf(r->folder, sizeof r->folder, "%s", folder);
    if (!read_meta(r, kind->command, error))
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
    run_path(r, RUN_PLAN, path);
    if (access(path, R_OK) != 0) {
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s%s", path, strerror(errno),
                 errno == ENOENT ? ": the run is complete, there is nothing to resume" : "");
        return false;
    }
    return open_samples(r, true, error);
}

int run_replace(const run *r, const char *file, int (*write)(const void *what, const char *path), const void *what) {
    char path[PATH_MAX], fresh[PATH_MAX];
    run_path(r, file, path);
    run_path(r, FRESH, fresh);
    int code = write(what, fresh);
    if (code == 0 && rename(fresh, path) != 0)
        code = errno;
    if (code != 0)
        (void)unlink(fresh);
    return code;
}

static int write_json(const void *what, const char *path) {
    FILE *const file = fopen(path, "w");
    int error = file == NULL ? errno : 0;
    if (file == NULL)
        return error;
    if (json_dumpf(what, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0 || fputc('\n', file) == EOF)
        error = errno != 0 ? errno : EIO;
    if (fclose(file) != 0 && error == 0)
        error = errno;
    return error;
}

int run_write_meta(const run *r, const topology *t, bool complete) {
    char seed[32];
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
    const int error = run_replace(r, "meta.json", write_json, meta);
    json_decref(meta);
    return error;
}

void run_end(run *r, bool complete) {
    const char *const files[] = {RUN_PLAN,       RUN_PLAN_STEPS, r->kind == NULL ? FRESH : r->kind->samples,
                                 "topology.xml", "meta.json",    FRESH};
    char path[PATH_MAX];
    if (r->samples.file != NULL)
        (void)csv_close(&r->samples); // every row was flushed, and its error told, when it was added
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (r->temporary || (complete && i < 2)) {
            run_path(r, files[i], path);
            (void)unlink(path);
        }
    if (r->temporary)
        (void)rmdir(r->folder);
}
