// SPDX-License-Identifier: MIT
// run_meta.c: meta.json of a run: written, and read back with every field held against what it may be.
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "base/json_file.h"
#include "base/parse.h"
#include "machine/machine.h"
#include "plan/cell.h"
#include "plan/plan.h"
#include "plan/plugins.h"
#include "run.h"
#include "sampler.h"
#include "tuned.h"

// ---- Writing

// NULL: no memory.
static json_t *describe_plugins(void) {
    json_t *const all = json_array();
    const kernel_library *l;
    for (size_t i = 0; all != NULL && (l = plugins_at(i)) != NULL; i++)
        if (json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "name", l->name, "path", l->path, "hash", l->id)) !=
            0) {
            json_decref(all);
            return NULL;
        }
    return all;
}

int run_write_meta(const run *r, const topology *t, bool complete) {
    char seed[32], schedules[TUNED_TEXT];
    double overhead, step;
    sampler_clock(&overhead, &step);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)r->experiment.seed);
    const experiment *const e = &r->experiment;
    const char *const model = topology_info(t, "CPUModel");
    json_t *const meta = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:{s:I, s:I, s:I}, s:{s:s, s:s, s:s, s:I, s:b, s:f, s:I, s:i, s:i, "
        "s:s}, "
        "s:{s:s, s:f, s:f}, s:o*}",
        "schema_version", SCHEMA_VERSION, "run_id", r->id, "machine_id", r->machine, "cpu_model",
        model != NULL ? model : "unknown CPU", "git_commit", r->git, "program", r->program, "begun_with", r->begun,
        "complete", complete, "cache_bytes", "l1d", (json_int_t)topology_cache_bytes(t, 1), "l2",
        (json_int_t)topology_cache_bytes(t, 2), "l3", (json_int_t)topology_cache_bytes(t, 3), "experiment", "command",
        e->command, "preset", e->preset, "seed", seed, "launches", (json_int_t)e->launches, "piloted", e->piloted,
        "budget_s", e->budget_s, "dispatch_ns", (json_int_t)e->dispatch_ns, "samples_per_round", 2, "min_sample_ns",
        (int)SAMPLER_MIN_NS, "schedules", tuned_text(r->folder, schedules), "clock", "source", "CLOCK_MONOTONIC",
        "overhead_ns", overhead, "step_ns", step, "machine", machine_describe(t));
    json_t *const plugins = describe_plugins();
    if (meta == NULL || plugins == NULL ||
        (json_array_size(plugins) > 0 && json_object_set(meta, "plugins", plugins) != 0)) {
        json_decref(meta);
        json_decref(plugins);
        return ENOMEM;
    }
    json_decref(plugins);
    const int error = run_replace(r, "meta.json", json_file_write, meta);
    json_decref(meta);
    return error;
}

// ---- Reading

// The first thing that is wrong is told.
typedef struct {
    const char *path;
    char *error;
    bool ok;
} reader;

__attribute__((format(printf, 2, 3))) static void refuse(reader *in, const char *format, ...) {
    if (!in->ok)
        return;
    in->ok = false;
    const int used = snprintf(in->error, RUN_ERROR_SIZE, "%s: ", in->path);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(in->error + used, RUN_ERROR_SIZE - (size_t)used, format, arguments);
    va_end(arguments);
}

// Takes a text of printable characters that fits. needed: it may not be empty or left out.
static void take_text(reader *in, const json_t *object, const char *key, bool needed, char *text, size_t size) {
    const json_t *const value = json_object_get(object, key);
    const char *const found = json_string_value(value);
    text[0] = '\0';
    if (value == NULL && !needed)
        return;
    bool printable = found != NULL && (!needed || found[0] != '\0') && strlen(found) < size;
    for (const char *c = found; printable && *c != '\0'; c++)
        printable = (unsigned char)*c >= ' ' && *c != 0x7f;
    if (printable)
        (void)snprintf(text, size, "%s", found);
    else
        refuse(in, "%s is not a text of 1 to %zu printable characters", key, size - 1);
}

static size_t take_size(reader *in, const json_t *object, const char *key, size_t least, size_t most) {
    const json_t *const value = json_object_get(object, key);
    const json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= (json_int_t)least && number <= (json_int_t)most)
        return (size_t)number;
    if (json_is_integer(value))
        refuse(in, "%s is %lld, expected a whole number from %zu to %zu", key, (long long)number, least, most);
    else
        refuse(in, "%s is no whole number, expected one from %zu to %zu", key, least, most);
    return least;
}

static void take_experiment(reader *in, const json_t *e, experiment *to) {
    char seed[32];
    const json_t *const piloted = json_object_get(e, "piloted"), *const budget = json_object_get(e, "budget_s");
    take_text(in, e, "command", true, to->command, sizeof to->command);
    take_text(in, e, "preset", false, to->preset, sizeof to->preset);
    // A JSON number may lose the upper bits of a seed; a string does not.
    take_text(in, e, "seed", true, seed, sizeof seed);
    if (!parse_u64(seed, &to->seed))
        refuse(in, "seed is \"%s\", expected a number below 2^64", seed);
    to->launches = take_size(in, e, "launches", 1, PLAN_MOST_LAUNCHES);
    to->piloted = json_is_true(piloted);
    if (!json_is_boolean(piloted))
        refuse(in, "piloted is neither true nor false");
    to->budget_s = json_number_value(budget);
    if (json_object_get(e, "dispatch_ns") != NULL) // older runs have none
        to->dispatch_ns = take_size(in, e, "dispatch_ns", 0, CELL_MOST_DISPATCH_NS);
    if (!json_is_number(budget) || !(to->budget_s >= 0) || !isfinite(to->budget_s))
        refuse(in, "budget_s is no number of seconds");
}

// The file, which is whole JSON. NULL with a message.
static json_t *load(const run *r, char path[PATH_MAX], char error[RUN_ERROR_SIZE]) {
    json_error_t why;
    json_t *meta;
    run_path(r, "meta.json", path);
    const int code = json_file_read(path, &meta, &why);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s; give the folder of a run", path,
                 code == -1 ? why.text : files_reason(code));
    return meta;
}

bool run_read_meta(run *r, const char *command, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], begin[64];
    json_t *const meta = load(r, path, error);
    if (meta == NULL)
        return false;
    reader in = {path, error, true};
    const json_t *const e = json_object_get(meta, "experiment");
    const char *const typed = json_string_value(json_object_get(e, "command"));
    snprintf(begin, sizeof begin, "normbench %s", command);
    if (typed == NULL || strncmp(typed, begin, strlen(begin)) != 0 || strchr(" ", typed[strlen(begin)]) == NULL) {
        snprintf(error, RUN_ERROR_SIZE, "%s is not the meta.json of a run of normbench %s", path, command);
        json_decref(meta);
        return false;
    }
    (void)take_size(&in, meta, "schema_version", SCHEMA_VERSION, SCHEMA_VERSION);
    take_text(&in, meta, "run_id", true, r->id, sizeof r->id);
    take_text(&in, meta, "machine_id", true, r->machine, sizeof r->machine);
    take_text(&in, meta, "git_commit", false, r->git, sizeof r->git);
    take_text(&in, meta, "program", false, r->program, sizeof r->program);
    take_text(&in, meta, "begun_with", false, r->begun, sizeof r->begun);
    take_experiment(&in, e, &r->experiment);
    json_decref(meta);
    return in.ok;
}

// ---- Plug-ins

static bool open_plugin(reader *in, const json_t *entry, bool *incomparable) {
    char name[NORM_PLUGIN_NAME + 1], path[PATH_MAX], hash[PROGRAM_ID_SIZE], id[PROGRAM_ID_SIZE];
    char why[KERNEL_LIBRARY_WHY];
    take_text(in, entry, "name", true, name, sizeof name);
    take_text(in, entry, "path", true, path, sizeof path);
    take_text(in, entry, "hash", true, hash, sizeof hash);
    if (!in->ok)
        return false;
    program_file_id(path, id);
    if (strcmp(id, "unknown") != 0 && strcmp(id, hash) != 0) {
        *incomparable = true;
        refuse(in,
               "the plug-in %s, %s, is another file now than the one that the run was begun with: put that back, "
               "or begin anew with another --out",
               name, path);
    } else if (!plugins_open(path, why)) {
        refuse(in, "the plug-in %s cannot be taken up: %s", name, why);
    }
    return in->ok;
}

bool run_open_plugins(const run *r, bool *incomparable, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX];
    json_t *const meta = load(r, path, error);
    const json_t *const all = json_object_get(meta, "plugins");
    reader in = {path, error, meta != NULL};
    if (all != NULL && (!json_is_array(all) || json_array_size(all) > PLUGINS_MOST))
        refuse(&in, "plugins is no list of at most %d", PLUGINS_MOST);
    for (size_t i = 0; in.ok && i < json_array_size(all); i++)
        (void)open_plugin(&in, json_array_get(all, i), incomparable);
    json_decref(meta);
    return in.ok;
}
