// SPDX-License-Identifier: MIT
// The selectors: their names, the names that each takes, and what a selection holds.
#include "select.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/order.h"
#include "base/parse.h"
#include "base/refuse.h"
#include "plugins.h"

#define NAME(ID, name) #name,
#define OPTION(ID, option, argument, help) #option,
#define ARGUMENT(ID, option, argument, help) argument,
#define HELP(ID, option, argument, help) help,
static const char *const cache_names[] = {CACHE_LIST(NAME)};
static const char *const part_names[PARTS] = {PART_LIST(NAME)};
static const char *const options[] = {SELECTOR_LIST(OPTION)};
static const char *const arguments[] = {SELECTOR_LIST(ARGUMENT)};
static const char *const helps[] = {SELECTOR_LIST(HELP)};

const char *cache_name(cache_state cache) { return cache_names[cache]; }
const char *part_name(model_part part) { return part_names[part]; }
const char *selector_option(selector s) { return options[s]; }
const char *selector_argument(selector s) { return arguments[s]; }
const char *selector_help(selector s) { return helps[s]; }

// The names of an enum, of which there are `end`.
#define CASE(ID, type, end, name_of)                                                                                   \
    case SELECT_##ID:                                                                                                  \
        for (type i = 0; i < (end); i++)                                                                               \
            names[count++] = name_of(i);                                                                               \
        break;

size_t selector_names(selector which, const char *names[SELECT_MAX_NAMES]) {
    const norm_impl *impl;
    const model_shape *model;
    size_t count = 0;
    switch (which) {
        CASE(OP, norm_op, NORM_OPS, norm_op_name)
        CASE(PASS, norm_pass, NORM_PASSES, norm_pass_name)
        CASE(FORM, norm_form, NORM_FORMS, norm_form_name)
        CASE(LEVEL, norm_level, NORM_ALL_LEVELS, norm_level_name)
        CASE(DTYPE, norm_dtype, NORM_DTYPES, norm_dtype_name)
        CASE(PLACEMENT, placement, PLACEMENTS, placement_name)
        CASE(CACHE, cache_state, CACHES, cache_name)
        CASE(PART, model_part, PARTS, part_name)
        CASE(PHASE, model_phase, PHASES, model_phase_name)
    case SELECT_VARIANT:
        for (size_t i = 0; (impl = norm_at(i)) != NULL && count < SELECT_MAX_VARIANTS; i++)
            if (names_find(impl->variant, names, count) == count)
                names[count++] = impl->variant;
        break;
    case SELECT_MODEL:
        for (size_t i = 0; (model = model_at(i)) != NULL && count < SELECT_MAX_NAMES; i++)
            names[count++] = model->name;
        break;
    case SELECT_SHAPE:
    case SELECT_THREADS:
    case SELECT_PLUGIN:
    case SELECT_PATIENCE:
    case SELECTORS:
        break;
    }
    return count;
}
#undef CASE

const char *selector_name(selector which, size_t index) {
    const char *names[SELECT_MAX_NAMES];
    return index < selector_names(which, names) ? names[index] : NULL;
}

bool selector_index(selector which, const char *text, size_t *index) {
    const char *names[SELECT_MAX_NAMES];
    const size_t count = selector_names(which, names);
    *index = names_find(text, names, count);
    return *index < count;
}

// Marks the names of a comma list in chosen. Beyond the selector's own names stand `extra`, if it is not NULL, and
// `all`, which means the selector's own.
static bool choose(selector which, char *value, const char *extra, bool chosen[SELECT_MAX_NAMES + 1],
                   char error[SELECT_ERROR_SIZE]) {
    const char *names[SELECT_MAX_NAMES + 2];
    char *items[4 * SELECT_MAX_NAMES];
    const size_t own = selector_names(which, names);
    size_t count = own;
    if (extra != NULL)
        names[count++] = extra;
    names[count++] = "all";
    const size_t n = parse_list(value, items, sizeof items / sizeof *items);
    const char *wrong = n == 0 ? "" : NULL;
    for (size_t i = 0; i < n && wrong == NULL; i++) {
        const size_t found = names_find(items[i], names, count);
        if (found == count)
            wrong = items[i];
        else if (found == count - 1)
            memset(chosen, true, own * sizeof *chosen);
        else
            chosen[found] = true;
    }
    if (wrong == NULL)
        return true;
    const int used = snprintf(error, SELECT_ERROR_SIZE, "--%s: ", options[which]);
    names_explain(error + used, SELECT_ERROR_SIZE - (size_t)used, wrong, options[which], names, count);
    return false;
}

static bool choose_shapes(selection *s, char *value, char error[SELECT_ERROR_SIZE]) {
    char *items[SELECT_MAX_SHAPES];
    const size_t n = parse_list(value, items, SELECT_MAX_SHAPES);
    if (n == 0)
        return refuse(
            error, SELECT_ERROR_SIZE,
            "--shape takes a comma list such as 64x768,4096x4096; it is empty, has an empty item, or more than %d",
            SELECT_MAX_SHAPES);
    s->shape_count = 0;
    for (size_t i = 0; i < n; i++) {
        shape item;
        if (!parse_shape(items[i], &item.rows, &item.cols))
            return refuse(
                error, SELECT_ERROR_SIZE,
                "--shape: \"%.40s\" is no shape; write ROWSxCOLS, as in 64x768, both whole numbers from 1 to %zu",
                items[i], SIZE_MAX);
        bool seen = false;
        for (size_t j = 0; j < s->shape_count; j++)
            seen = seen || (s->shapes[j].rows == item.rows && s->shapes[j].cols == item.cols);
        if (!seen)
            s->shapes[s->shape_count++] = item;
    }
    return true;
}

static bool choose_variants(selection *s, char *value, char error[SELECT_ERROR_SIZE]) {
    bool chosen[SELECT_MAX_NAMES + 1] = {false};
    const char *names[SELECT_MAX_NAMES];
    const size_t count = selector_names(SELECT_VARIANT, names);
    const bool ok = choose(SELECT_VARIANT, value, NULL, chosen, error);
    s->variant_count = 0;
    for (size_t i = 0; i < count; i++)
        if (chosen[i])
            s->variants[s->variant_count++] = names[i];
    return ok;
}

// Where a selection keeps which names of a selector were chosen, a bool for each.
#define FLAGS(field)                                                                                                   \
    { offsetof(selection, field), sizeof(((selection *)NULL)->field) }
static const struct {
    size_t at, bytes;
} flags[SELECTORS] = {
    [SELECT_OP] = FLAGS(op),       [SELECT_PASS] = FLAGS(pass),   [SELECT_FORM] = FLAGS(form),
    [SELECT_LEVEL] = FLAGS(level), [SELECT_DTYPE] = FLAGS(dtype), [SELECT_CACHE] = FLAGS(cache),
    [SELECT_MODEL] = FLAGS(model), [SELECT_PART] = FLAGS(part),   [SELECT_PHASE] = FLAGS(phase),
};

static bool choose_flags(selection *s, selector which, char *value, char error[SELECT_ERROR_SIZE]) {
    bool chosen[SELECT_MAX_NAMES + 1] = {false};
    const bool ok = choose(which, value, which == SELECT_LEVEL ? "best" : NULL, chosen, error);
    memcpy((char *)s + flags[which].at, chosen, flags[which].bytes);
    if (which == SELECT_LEVEL)
        s->best_level = chosen[NORM_ALL_LEVELS];
    return ok;
}

static bool choose_patience(const char *value, char error[SELECT_ERROR_SIZE]) {
    double seconds;
    if (parse_duration(value, &seconds)) {
        plugins_set_patience(seconds);
        return true;
    }
    return refuse(error, SELECT_ERROR_SIZE, "--patience %.40s: expected a time such as 40s or 5m", value);
}

bool selection_set(selection *s, selector which, char *value, const topology *t, char error[SELECT_ERROR_SIZE]) {
    bool ok;
    switch (which) {
    case SELECT_VARIANT:
        ok = choose_variants(s, value, error);
        break;
    case SELECT_SHAPE:
        ok = choose_shapes(s, value, error);
        break;
    case SELECT_THREADS:
        s->thread_count = topology_threads(t, value, s->threads, SELECT_MAX_THREADS, error);
        ok = s->thread_count > 0;
        break;
    case SELECT_PLACEMENT:
        s->placement_count = topology_placements(value, s->placements, error);
        ok = s->placement_count > 0;
        break;
    case SELECT_PLUGIN: // cli_next has opened it
        ok = true;
        break;
    case SELECT_PATIENCE:
        ok = choose_patience(value, error);
        break;
    default:
        ok = choose_flags(s, which, value, error);
    }
    s->given[which] = ok;
    return ok;
}

bool select_is_best(const norm_impl *impl) {
    const norm_impl *const best = norm_best(impl->op, impl->variant, impl->form, impl->dtype);
    return best != NULL && best->level == impl->level;
}

bool selection_has(const selection *s, const norm_impl *impl) {
    if (s->given[SELECT_OP] && !s->op[impl->op])
        return false;
    if (s->given[SELECT_VARIANT] && names_find(impl->variant, s->variants, s->variant_count) == s->variant_count)
        return false;
    if (s->given[SELECT_FORM] && !s->form[impl->form])
        return false;
    if (s->given[SELECT_DTYPE] && !s->dtype[impl->dtype])
        return false;
    return !s->given[SELECT_LEVEL] || s->level[impl->level] || (s->best_level && select_is_best(impl));
}

static int compare_impls(const void *left, const void *right) {
    const norm_impl *const a = *(const norm_impl *const *)left, *const b = *(const norm_impl *const *)right;
    return ORDER_BY(order_size(a->op, b->op), order_size(a->form, b->form), strcmp(a->variant, b->variant),
                    order_size(a->dtype, b->dtype), order_size(a->level, b->level));
}

size_t selection_take(const selection *s, const norm_impl *impls[SELECT_MAX_IMPLS]) {
    const norm_impl *impl;
    size_t count = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL && count < SELECT_MAX_IMPLS; i++)
        if (selection_has(s, impl))
            impls[count++] = impl;
    qsort(impls, count, sizeof *impls, compare_impls);
    return count;
}

bool selection_has_pass(const selection *s, norm_pass pass) { return !s->given[SELECT_PASS] || s->pass[pass]; }
