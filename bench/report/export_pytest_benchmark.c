// SPDX-License-Identifier: MIT
// export_pytest_benchmark.c: the JSON that pytest-benchmark 5 saves and `py.test-benchmark compare` reads (stats.py,
// plugin.py). Launches are what is independent here, so each is a round; without samples the median is the only one.
// What it has of its rounds is told as pytest-benchmark reckons it, in seconds.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "base/json_file.h"
#include "exports.h"

enum { DIGITS = 6 };
typedef struct {
    double *sorted; // seconds
    size_t count, calls;
    int digits; // that a round is known to
} rounds;

static int by_value(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

// ---- Of rounds

static double sum_of(const rounds *r) {
    double sum = 0;
    for (size_t i = 0; i < r->count; i++)
        sum += r->sorted[i];
    return sum;
}

static double deviation_of(const rounds *r, double mean) {
    double squares = 0;
    for (size_t i = 0; i < r->count; i++)
        squares += (r->sorted[i] - mean) * (r->sorted[i] - mean);
    return r->count > 1 ? sqrt(squares / (double)(r->count - 1)) : 0;
}

// Medians of the halves; of an odd number of rounds the means of those with and without the middle one.
static double first_quartile(const rounds *r) {
    const double *const x = r->sorted;
    const size_t n = r->count / 4;
    if (r->count == 1)
        return x[0];
    if (r->count % 2 == 0)
        return stats_median(x, r->count / 2);
    return r->count % 4 == 1 ? 0.25 * x[n - 1] + 0.75 * x[n] : 0.75 * x[n] + 0.25 * x[n + 1];
}

static double third_quartile(const rounds *r) {
    const double *const x = r->sorted;
    const size_t n = r->count / 4;
    if (r->count == 1)
        return x[0];
    if (r->count % 2 == 0)
        return stats_median(x + r->count / 2, r->count / 2);
    return r->count % 4 == 1 ? 0.75 * x[3 * n] + 0.25 * x[3 * n + 1] : 0.25 * x[3 * n + 1] + 0.75 * x[3 * n + 2];
}

// How many lie beyond; and the first and the last that do not.
static size_t count_beyond(const rounds *r, double lo, double hi, double *first, double *last) {
    size_t begin = 0, end = r->count;
    while (begin + 1 < end && r->sorted[begin] < lo)
        begin++;
    while (end - 1 > begin && r->sorted[end - 1] > hi)
        end--;
    *first = r->sorted[begin];
    *last = r->sorted[end - 1];
    return r->count - (end - begin);
}

static json_t *number(double seconds) { return json_number(seconds, DIGITS); }

static json_t *stats_of(const rounds *r) {
    const double sum = sum_of(r), mean = sum / (double)r->count, deviation = deviation_of(r, mean);
    const double q1 = first_quartile(r), q3 = third_quartile(r), iqr = q3 - q1;
    double first, last, low, high;
    char outliers[48];
    json_t *const data = json_array();
    const size_t by_deviation = count_beyond(r, mean - deviation, mean + deviation, &first, &last),
                 by_iqr = count_beyond(r, q1 - 1.5 * iqr, q3 + 1.5 * iqr, &low, &high);
    snprintf(outliers, sizeof outliers, "%zu;%zu", by_deviation, by_iqr);
    for (size_t i = 0; i < r->count; i++)
        (void)json_array_append_new(data, json_number(r->sorted[i], r->digits));
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:I}",
                     "min", json_number(r->sorted[0], r->digits), "max",
                     json_number(r->sorted[r->count - 1], r->digits), "mean", number(mean), "stddev", number(deviation),
                     "rounds", (json_int_t)r->count, "median", number(stats_median(r->sorted, r->count)), "iqr",
                     number(iqr), "q1", number(q1), "q3", number(q3), "iqr_outliers", (json_int_t)by_iqr,
                     "stddev_outliers", (json_int_t)by_deviation, "outliers", outliers, "ld15iqr", number(low),
                     "hd15iqr", number(high), "ops", number((double)r->count / sum), "total", number(sum), "data", data,
                     "iterations", (json_int_t)r->calls);
}

// ---- The file

static json_t *benchmark(const result *i, const rounds *r) {
    json_t *const options =
        json_pack("{s:b, s:s, s:I}", "disable_gc", 0, "timer", "CLOCK_MONOTONIC", "min_rounds", (json_int_t)r->count);
    json_t *const extra =
        json_pack("{s:s, s:s}", "status", row_text(i->row, "status"), "reason", row_text(i->row, "reason"));
    return json_pack("{s:n, s:s, s:s, s:n, s:n, s:o, s:o, s:o}", "group", "name", i->name, "fullname", i->name,
                     "params", "param", "extra_info", extra, "options", options, "stats", stats_of(r));
}

static bool add_result(const export_set *set, size_t index, const launches *found, json_t *list) {
    const result *const i = &set->runs->items[index];
    size_t count;
    const launch_value *const values = launches_of(found, i, &count);
    rounds r = {.count = count > 0 ? count : 1, .calls = 1, .digits = count > 0 ? DIGITS : interval_digits(&i->ns)};
    r.sorted = malloc(r.count * sizeof *r.sorted);
    if (r.sorted == NULL)
        return false;
    r.sorted[0] = 1e-9 * i->ns.median;
    for (size_t k = 0; k < count; k++)
        r.sorted[k] = 1e-9 * values[k].ns;
    if (count > 0)
        r.calls = values[0].calls;
    qsort(r.sorted, r.count, sizeof *r.sorted, by_value);
    const bool ok = json_array_append_new(list, benchmark(i, &r)) == 0;
    free(r.sorted);
    return ok;
}

int export_pytest_benchmark(const void *what, const char *path) {
    const export_set *const set = what;
    const results *const r = set->runs;
    const char *const cpu = json_string_value(results_fact(r->meta, "cpu_model"));
    json_t *const list = json_array();
    const int error = export_each(set, list, add_result);
    if (error != 0)
        return error;
    json_t *const all = json_pack("{s:{s:s, s:{s:s}}, s:{s:s, s:b, s:s}, s:o, s:s, s:s}", "machine_info", "node",
                                  r->machine_id, "cpu", "brand_raw", cpu != NULL ? cpu : r->machine_id, "commit_info",
                                  "id", r->commit, "dirty", strstr(r->commit, "-dirty") != NULL, "run_id", r->run_id,
                                  "benchmarks", list, "datetime", r->time, "version", "5.3.1");
    return export_json(all, path);
}
