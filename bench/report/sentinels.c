// SPDX-License-Identifier: MIT
// sentinels.c: see sentinels.h.
#include "sentinels.h"

#include <math.h>
#include <string.h>

const char *sentinel_kind_name(sentinel_kind k) {
    static const char *const names[] = {"", "same cache", "same shape"};
    return names[k];
}

static bool shares(const result *i, const result *of, sentinel_kind kind) {
    if (i->quantity != RESULT_TIME || i->table != of->table || !result_is_sentinel(i))
        return false;
    if (kind == SENTINEL_SHAPE)
        return strcmp(i->shape_key, of->shape_key) == 0;
    return *of->place_key != '\0' && strcmp(i->place_key, of->place_key) == 0;
}

// Whether every run that has the result has this sentinel.
static bool in_all(const results *runs, size_t count, const char *name, const char *sentinel) {
    for (size_t k = 0; k < count; k++)
        if (results_find(&runs[k], name) != NULL && results_find(&runs[k], sentinel) == NULL)
            return false;
    return true;
}

// Takes the sentinels of a kind off the values. false: there are none.
static bool take_off(const results *runs, size_t count, const char *name, sentinel_kind kind, double *values) {
    size_t first = 0, found = 0;
    while (first < count && isnan(values[first]))
        first++;
    if (first == count)
        return false;
    const result *const of = results_find(&runs[first], name);
    for (size_t pass = 0; pass < 2; pass++) // counts them, then takes them off
        for (size_t i = 0; i < runs[first].count; i++) {
            const result *const sentinel = &runs[first].items[i];
            if (!shares(sentinel, of, kind) || !in_all(runs, count, name, sentinel->name))
                continue;
            found += pass == 0;
            for (size_t k = 0; pass == 1 && k < count; k++)
                if (!isnan(values[k]))
                    values[k] -= log(results_find(&runs[k], sentinel->name)->ns.median) / (double)found;
        }
    return found > 0;
}

sentinel_kind sentinels_over(const results *runs, size_t count, const char *name, double *values) {
    bool alone = true;
    for (size_t k = 0; k < count; k++) {
        const result *const i = results_find(&runs[k], name);
        values[k] = i == NULL ? (double)NAN : log(i->ns.median);
        alone = alone && (i == NULL || result_is_sentinel(i));
    }
    for (sentinel_kind kind = SENTINEL_SHAPE; !alone && kind > SENTINEL_NONE; kind--)
        if (take_off(runs, count, name, kind, values))
            return kind;
    return SENTINEL_NONE;
}
