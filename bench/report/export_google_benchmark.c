// SPDX-License-Identifier: MIT
// export_google_benchmark.c: the JSON of Google Benchmark, json_schema_version 1 (v1.9.x, src/json_reporter.cc), as
// tools/compare.py reads it. Launches are what is independent here, so each is a repetition; without samples the median
// is the only one. Behind them stands their median, as an aggregate, with its interval as user counters.
#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "base/json_file.h"
#include "exports.h"

enum { LAUNCH_DIGITS = 6 };

// ---- What is known of the machine

static json_t *fact(const results *r, const char *path) {
    const json_t *const value = results_fact(r->meta, path);
    return json_is_number(value) || json_is_string(value) ? json_deep_copy(value) : json_null();
}

static json_t *caches(const results *r) {
    static const char *const keys[] = {"cache_bytes.l1d", "cache_bytes.l2", "cache_bytes.l3"};
    json_t *const list = json_array();
    for (size_t i = 0; i < 3; i++) {
        const json_int_t bytes = json_integer_value(results_fact(r->meta, keys[i]));
        if (bytes > 0)
            (void)json_array_append_new(list, json_pack("{s:s, s:i, s:I, s:i}", "type", i == 0 ? "Data" : "Unified",
                                                        "level", (int)i + 1, "size", bytes, "num_sharing", 0));
    }
    return list;
}

static json_t *context(const results *r) {
    const json_t *const governor = results_fact(r->meta, "machine.clock.governor"),
                        *const load = results_fact(r->meta, "machine.load.average"),
                        *const aslr = results_fact(r->meta, "machine.system.address_randomization");
    const bool scales = json_is_string(governor) && strcmp(json_string_value(governor), "performance") != 0;
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:o, s:o, s:o, s:s, s:i, s:s, s:s}", "date", r->time, "host_name",
                     r->machine_id, "executable", "normbench", "num_cpus", fact(r, "machine.topology.pus"),
                     "mhz_per_cpu", fact(r, "machine.clock.observed_mhz"), "cpu_scaling_enabled", scales,
                     "aslr_enabled", aslr == NULL ? json_null() : json_boolean(json_integer_value(aslr) > 0), "caches",
                     caches(r), "load_avg", json_is_array(load) ? json_deep_copy(load) : json_array(),
                     "library_build_type", "release", "json_schema_version", 1, "git_commit", r->commit, "run_id",
                     r->run_id);
}

// ---- Benchmarks

// What every entry of a result has. cpu_time is the time of the call, too: the team is bound, and waits for no one.
static json_t *entry(const result *i, size_t family, const char *name, const char *type, size_t repetitions, json_t *ns,
                     json_t *same) {
    const double threads = row_real(i->row, "threads");
    return json_pack("{s:s, s:I, s:i, s:s, s:s, s:I, s:i, s:o, s:o, s:s}", "name", name, "family_index",
                     (json_int_t)family, "per_family_instance_index", 0, "run_name", i->name, "run_type", type,
                     "repetitions", (json_int_t)repetitions, "threads", threads > 0 ? (int)threads : 1, "real_time", ns,
                     "cpu_time", same, "time_unit", "ns");
}

static bool add_repetition(json_t *list, const result *i, size_t family, size_t repetitions, size_t index, double ns,
                           int digits, size_t calls) {
    json_t *const e =
        entry(i, family, i->name, "iteration", repetitions, json_number(ns, digits), json_number(ns, digits));
    return json_object_set_new(e, "repetition_index", json_integer((json_int_t)index)) == 0 &&
           json_object_set_new(e, "iterations", json_integer((json_int_t)calls)) == 0 &&
           json_array_append_new(list, e) == 0;
}

static bool add_median(json_t *list, const result *i, size_t family, size_t repetitions) {
    char name[RESULT_NAME + 8];
    const stats_interval *const ns = &i->ns;
    snprintf(name, sizeof name, "%s_median", i->name);
    json_t *const e =
        entry(i, family, name, "aggregate", repetitions, export_ns(ns->median, ns), export_ns(ns->median, ns));
    return json_object_set_new(e, "aggregate_name", json_string("median")) == 0 &&
           json_object_set_new(e, "aggregate_unit", json_string("time")) == 0 &&
           json_object_set_new(e, "iterations", json_integer((json_int_t)repetitions)) == 0 &&
           json_object_set_new(e, "lo95_ns", export_ns(ns->lo, ns)) == 0 &&
           json_object_set_new(e, "hi95_ns", export_ns(ns->hi, ns)) == 0 && json_array_append_new(list, e) == 0;
}

static bool add_result(const export_set *set, size_t family, const launches *found, json_t *list) {
    const result *const i = &set->runs->items[family];
    size_t count;
    const launch_value *const values = launches_of(found, i, &count);
    if (count == 0) {
        const double calls = row_real(i->row, "calls_per_sample"), samples = row_real(i->row, "samples");
        return add_repetition(list, i, family, 1, 0, i->ns.median, interval_digits(&i->ns),
                              calls * samples >= 1 ? (size_t)(calls * samples) : 1);
    }
    for (size_t k = 0; k < count; k++)
        if (!add_repetition(list, i, family, count, k, values[k].ns, LAUNCH_DIGITS, values[k].calls))
            return false;
    return add_median(list, i, family, count);
}

int export_google_benchmark(const void *what, const char *path) {
    const export_set *const set = what;
    json_t *const list = json_array();
    const int error = export_each(set, list, add_result);
    return error != 0 ? error
                      : export_json(json_pack("{s:o, s:o}", "context", context(set->runs), "benchmarks", list), path);
}
