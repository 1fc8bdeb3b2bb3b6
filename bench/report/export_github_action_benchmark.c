// SPDX-License-Identifier: MIT
// export_github_action_benchmark.c: what benchmark-action/github-action-benchmark v1 takes with tool
// customSmallerIsBetter (src/extract.ts, BenchmarkResult): a list of name, unit and value; range and extra are shown.
#include <math.h>
#include <stdio.h>

#include "base/interval.h"
#include "exports.h"

// The wider side of the interval, and all of it in words.
static bool describe(json_t *entry, const result *i) {
    char range[64], extra[512];
    const stats_interval *const ns = &i->ns;
    int used;
    if (interval_known(ns)) {
        const int digits = interval_digits(ns);
        const double half = fmax(ns->hi - ns->median, ns->median - ns->lo);
        snprintf(range, sizeof range, "\u00b1 %.2g", half);
        used = snprintf(extra, sizeof extra, "95 %% interval %.*g to %.*g ns", digits, ns->lo, digits, ns->hi);
    } else {
        range[0] = '\0';
        used = snprintf(extra, sizeof extra, "no interval");
    }
    snprintf(extra + used, sizeof extra - (size_t)used, "\n%.20s launches\n%.20s %.300s", row_text(i->row, "launches"),
             row_text(i->row, "status"), row_text(i->row, "reason"));
    return (range[0] == '\0' || json_object_set_new(entry, "range", json_string(range)) == 0) &&
           json_object_set_new(entry, "extra", json_string(extra)) == 0;
}

int export_github_action_benchmark(const void *set, const char *path) {
    const results *const r = ((const export_set *)set)->runs;
    json_t *const all = json_array();
    for (size_t i = 0; i < r->count; i++) {
        const result *const item = &r->items[i];
        json_t *const entry = json_pack("{s:s, s:s, s:o}", "name", item->name, "unit", "ns", "value",
                                        export_ns(item->ns.median, &item->ns));
        const bool described = describe(entry, item);
        if (json_array_append_new(all, entry) != 0 || !described) {
            json_decref(all);
            return export_json(NULL, path);
        }
    }
    return export_json(all, path);
}
