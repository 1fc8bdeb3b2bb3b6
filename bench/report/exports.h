// SPDX-License-Identifier: MIT
// exports.h: the formats of other tools that `normbench export` writes results in. Owns the one list of them. A format
// is a row here and a file export_<name>.c.
#ifndef EXPORTS_H
#define EXPORTS_H

#include "launches.h"

// X(id, name, folders that one file may be of, what it is)
enum { EXPORT_MOST_RUNS = 4096 };
#define EXPORT_LIST(X)                                                                                                 \
    X(google_benchmark, "google-benchmark", 1,                                                                         \
      "Google Benchmark's JSON, for its compare.py and whatever reads it: each launch is a repetition")                \
    X(github_action_benchmark, "github-action-benchmark", 1,                                                           \
      "JSON for github-action-benchmark's tool customSmallerIsBetter")                                                 \
    X(bencher, "bencher", 1, "Bencher Metric Format, for `bencher run --adapter json`")                                \
    X(otava, "otava", EXPORT_MOST_RUNS, "CSV for Apache Otava: a row for each run, a column for each time")            \
    X(otava_config, "otava-config", EXPORT_MOST_RUNS,                                                                  \
      "the configuration by which Apache Otava reads that CSV as normbench.csv")                                       \
    X(benchstat, "benchstat", EXPORT_MOST_RUNS, "Go's benchmark text, for benchstat: a line for each launch")          \
    X(pytest_benchmark, "pytest-benchmark", 1,                                                                         \
      "the JSON of pytest-benchmark, for `py.test-benchmark compare`: each launch is a round")                         \
    X(asv, "asv", 1, "airspeed velocity's JSON of one commit: each launch is a sample")

// What is exported: runs in the order of their times. warn: what had to be left out, "" if nothing.
typedef struct {
    const results *runs;
    size_t count;
    char *warning, *error;
} export_set;
enum { EXPORT_TEXT = TABLES_MESSAGE };

// A files_writer of an export_set; -1: set->error says why.
#define EXPORT_ROW(id, name, most, help) int export_##id(const void *set, const char *path);
EXPORT_LIST(EXPORT_ROW)
#undef EXPORT_ROW

typedef struct {
    const char *name;
    size_t most_runs;
    const char *help;
    int (*write)(const void *set, const char *path);
} export_format;
const export_format *export_at(size_t i); // in the order of the list; NULL behind its end

// Puts into a list or an object, which is freed if it fails, what `add` makes of each result of the set's first run.
// add: false if memory runs out. 0, errno, or -1: set->error says why.
typedef bool export_add(const export_set *set, size_t index, const launches *found, json_t *into);
int export_each(const export_set *set, json_t *into, export_add *add);

// Writes JSON, which it takes over; NULL: memory ran out.
int export_json(json_t *json, const char *path);
// A time with the digits that its interval supports.
json_t *export_ns(double ns, const stats_interval *of);

// The results that every run of a set has, in the order of names: *count of the first run's. For the caller to free;
// NULL: no memory. Says in the set's warning how many were left out.
const result **export_common(const export_set *set, size_t *count);

#endif
