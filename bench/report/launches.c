// SPDX-License-Identifier: MIT
// launches.c: see launches.h.
#include "launches.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/order.h"
#include "base/refuse.h"

static int by_name(const void *a, const void *b) {
    const launch_value *const x = a, *const y = b;
    return ORDER_BY(strcmp(x->name, y->name), order_size(x->launch, y->launch));
}

// Samples of one launch become its median. In place.
static bool join(launches *l) {
    double *const times = malloc((l->count + 1) * sizeof *times);
    size_t kept = 0;
    if (times == NULL)
        return false;
    qsort(l->values, l->count, sizeof *l->values, by_name);
    for (size_t i = 0, end; i < l->count; i = end) {
        launch_value value = l->values[i];
        value.calls = 0;
        for (end = i; end < l->count && by_name(&l->values[end], &l->values[i]) == 0; end++) {
            times[end - i] = l->values[end].ns;
            value.calls += l->values[end].calls;
        }
        value.ns = stats_median(times, end - i);
        l->values[kept++] = value;
    }
    l->count = kept;
    free(times);
    return true;
}

static bool take_samples(launches *l, const csv_table *t, const char *path, char message[TABLES_MESSAGE]) {
    launch_value *const values = realloc(l->values, (l->count + t->row_count + 1) * sizeof *values);
    if (values == NULL)
        return refuse(message, TABLES_MESSAGE, "out of memory");
    l->values = values;
    for (table_row row = {t, 0}; row.at < t->row_count; row.at++) {
        const double ns = row_real(row, "time_ns"), launch = row_real(row, "launch"), calls = row_real(row, "calls");
        if (!(ns > 0) || !(launch >= 0 && launch < 1e9) || !(calls >= 1 && calls < 1e15))
            return refuse(message, TABLES_MESSAGE, "%.300s: line %zu: launch, calls and time_ns are no sample", path,
                          row.at + 2);
        launch_value *const v = &values[l->count++];
        results_name(row, false, v->name);
        v->launch = (size_t)launch;
        v->ns = ns;
        v->calls = (size_t)calls;
    }
    return true;
}

bool launches_read(launches *l, const results *r, char message[TABLES_MESSAGE]) {
    static const char *const files[] = {"samples.csv", "layer_samples.csv"};
    *l = (launches){0};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof files / sizeof *files; i++) {
        char path[PATH_MAX], why[TABLES_MESSAGE / 2];
        csv_table t;
        if (snprintf(path, sizeof path, "%s/%s", r->folder, files[i]) >= (int)sizeof path)
            continue;
        const int code = csv_read(&t, path, why, sizeof why);
        if (code == ENOENT)
            continue;
        ok = code == 0 && take_samples(l, &t, path, message);
        if (code != 0)
            snprintf(message, TABLES_MESSAGE, "%.300s: %s", path, code == -1 ? why : files_reason(code));
        else
            csv_free(&t);
    }
    if (ok && !join(l)) {
        snprintf(message, TABLES_MESSAGE, "out of memory");
        ok = false;
    }
    if (!ok)
        launches_free(l);
    return ok;
}

void launches_free(launches *l) {
    free(l->values);
    *l = (launches){0};
}

const launch_value *launches_of(const launches *l, const result *i, size_t *count) {
    size_t begin = 0, end = l->count;
    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;
        if (strcmp(l->values[middle].name, i->name) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    *count = 0;
    while (begin + *count < l->count && strcmp(l->values[begin + *count].name, i->name) == 0)
        ++*count;
    return l->values + begin;
}
