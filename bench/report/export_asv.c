// SPDX-License-Identifier: MIT
// export_asv.c: the results of one commit as airspeed velocity keeps them, version 2 (asv 0.6, asv/results.py), to be
// called results/MACHINE/COMMIT-normbench.json. Times in seconds; each launch is a sample.
#include <math.h>
#include <stdlib.h>

#include "base/interval.h"
#include "base/json_file.h"
#include "exports.h"

// Its columns, in the order in which add_result has their values.
static const char *const columns[] = {"result",     "params",        "version",       "started_at",
                                      "duration",   "stats_ci_99_a", "stats_ci_99_b", "stats_q_25",
                                      "stats_q_75", "stats_number",  "stats_repeat",  "samples"};
enum { COLUMNS = sizeof columns / sizeof *columns, DIGITS = 6 };
// An interval that so few launches do not have: asv asks for one.
#define NO_BOUND 1e300

static int by_value(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static json_t *one(json_t *value) { return json_pack("[o]", value); }
static json_t *seconds(double ns) { return json_number(1e-9 * ns, DIGITS); }

// What asv has of the samples of a benchmark. sorted: ns.
static void add_samples(json_t *row, const double *sorted, size_t count, size_t calls) {
    const stats_interval ci = stats_median_interval(sorted, count, 0.99);
    json_t *const samples = json_array();
    for (size_t k = 0; k < count; k++)
        (void)json_array_append_new(samples, seconds(sorted[k]));
    (void)json_array_append_new(row, one(isnan(ci.lo) ? json_integer(0) : seconds(ci.lo)));
    (void)json_array_append_new(row, one(isnan(ci.hi) ? json_real(NO_BOUND) : seconds(ci.hi)));
    (void)json_array_append_new(row, one(seconds(sorted[count / 4])));
    (void)json_array_append_new(row, one(seconds(sorted[count - 1 - count / 4])));
    (void)json_array_append_new(row, one(json_integer((json_int_t)calls)));
    (void)json_array_append_new(row, one(json_integer((json_int_t)count)));
    (void)json_array_append_new(row, one(samples));
}

static json_int_t milliseconds_of(const results *r) { return (json_int_t)(1000 * r->seconds); }

static bool add_result(const export_set *set, size_t index, const launches *found, json_t *all) {
    const result *const i = &set->runs->items[index];
    size_t count;
    const launch_value *const values = launches_of(found, i, &count);
    double *const sorted = malloc((count + 1) * sizeof *sorted);
    json_t *const row = json_pack("[[o], [], s, I, n]", json_number(1e-9 * i->ns.median, interval_digits(&i->ns)), "1",
                                  milliseconds_of(set->runs));
    if (sorted == NULL || row == NULL) {
        free(sorted);
        json_decref(row);
        return false;
    }
    for (size_t k = 0; k < count; k++)
        sorted[k] = values[k].ns;
    qsort(sorted, count, sizeof *sorted, by_value);
    if (count > 0)
        add_samples(row, sorted, count, values[0].calls);
    free(sorted);
    return json_object_set_new(all, i->name, row) == 0;
}

int export_asv(const void *what, const char *path) {
    const export_set *const set = what;
    const results *const r = set->runs;
    if (!results_have_time(r, set->error))
        return -1;
    json_t *const all = json_object();
    const int error = export_each(set, all, add_result);
    if (error != 0)
        return error;
    json_t *const names = json_array();
    for (size_t i = 0; i < COLUMNS; i++)
        (void)json_array_append_new(names, json_string(columns[i]));
    json_t *const file =
        json_pack("{s:s, s:s, s:I, s:{s:s}, s:s, s:{}, s:{}, s:o, s:o, s:{}, s:i}", "commit_hash", r->commit,
                  "env_name", "normbench", "date", milliseconds_of(r), "params", "machine", r->machine_id, "python", "",
                  "requirements", "env_vars", "result_columns", names, "results", all, "durations", "version", 2);
    return export_json(file, path);
}
