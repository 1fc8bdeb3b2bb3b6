// SPDX-License-Identifier: MIT
// export_bencher.c: Bencher Metric Format, by its schema https://bencher.dev/bmf.json (draft-07, read in August 2026):
// a benchmark is a key, and a measure of it has a value with bounds. `latency` is Bencher's own measure, in
// nanoseconds.
#include "base/interval.h"
#include "exports.h"

int export_bencher(const void *set, const char *path) {
    const results *const r = ((const export_set *)set)->runs;
    json_t *const all = json_object();
    for (size_t i = 0; i < r->count; i++) {
        const stats_interval *const ns = &r->items[i].ns;
        json_t *const metric = json_pack("{s:o}", "value", export_ns(ns->median, ns));
        if (interval_known(ns) && json_object_set_new(metric, "lower_value", export_ns(ns->lo, ns)) == 0)
            (void)json_object_set_new(metric, "upper_value", export_ns(ns->hi, ns));
        if (json_object_set_new(all, r->items[i].name, json_pack("{s:o}", "latency", metric)) != 0) {
            json_decref(all);
            return export_json(NULL, path);
        }
    }
    return export_json(all, path);
}
