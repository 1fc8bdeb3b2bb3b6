// SPDX-License-Identifier: MIT
// exports.c: see exports.h.
#include "exports.h"

#include <errno.h>
#include <stdlib.h>

#include "base/interval.h"
#include "base/json_file.h"

#define ROW(id, name, most, help) {name, most, help, export_##id},
static const export_format formats[] = {EXPORT_LIST(ROW)};
#undef ROW

const export_format *export_at(size_t i) { return i < sizeof formats / sizeof *formats ? &formats[i] : NULL; }

int export_each(const export_set *set, json_t *into, export_add *add) {
    launches found;
    int error = into == NULL ? ENOMEM : launches_read(&found, set->runs, set->error) ? 0 : -1;
    const bool is_read = error == 0;
    for (size_t i = 0; error == 0 && i < set->runs->count; i++)
        error = add(set, i, &found, into) ? 0 : ENOMEM;
    if (is_read)
        launches_free(&found);
    if (error != 0)
        json_decref(into);
    return error;
}

int export_json(json_t *json, const char *path) {
    const int error = json == NULL ? ENOMEM : json_file_write(json, path);
    json_decref(json);
    return error;
}

json_t *export_ns(double ns, const stats_interval *of) { return json_number(ns, interval_digits(of)); }

const result **export_common(const export_set *set, size_t *count) {
    const results *const first = &set->runs[0];
    const result **const common = malloc((first->count + 1) * sizeof *common);
    size_t most = 0;
    *count = 0;
    for (size_t i = 0; common != NULL && i < first->count; i++) {
        size_t runs = 0;
        while (runs < set->count && results_find(&set->runs[runs], first->items[i].name) != NULL)
            runs++;
        if (runs == set->count)
            common[(*count)++] = &first->items[i];
    }
    for (size_t k = 0; k < set->count; k++)
        most = set->runs[k].count > most ? set->runs[k].count : most;
    if (*count < most)
        snprintf(set->warning, EXPORT_TEXT, "%zu times are left out, for not every run has them; %zu are in all",
                 most - *count, *count);
    return common;
}
