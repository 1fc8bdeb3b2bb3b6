// SPDX-License-Identifier: MIT
// law.c: see law.h.
#include "law.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "plan/layers_plan.h"

// ---- Rows

// What the steps of a row's layer add up to; false: this program has no such layer.
static bool work_of(table_row row, layer_work *work) {
    layers_arm a;
    return layers_arm_read(row.table, row.at, &a) && layers_key_work(&a.key, work);
}

static bool is_of_law(const native_layer *l) {
    return strcmp(row_text(l->row, "form"), "fused") == 0 && l->values[NATIVE_SHARE].median > 0;
}

// The last row of the same layer: runs of several presets in one file have some layers twice.
static bool is_there(const law *l, const law_row *r) {
    static const char *const columns[] = {"model",  "phase",   "dtype", "threads", "placement", "batch",
                                          "tokens", "context", "depth", "stage",   "level"};
    for (size_t i = 0; i < l->count; i++) {
        size_t same = 0;
        while (same < sizeof columns / sizeof *columns && l->rows[i].run == r->run &&
               strcmp(row_text(l->rows[i].layer.native, columns[same]), row_text(r->layer.native, columns[same])) == 0)
            same++;
        if (same == sizeof columns / sizeof *columns)
            return true;
    }
    return false;
}

static bool add_rows(law *l, const results *run) {
    native_layer found = {0};
    while (natives_next(&run->tables, &found)) {
        layer_work work;
        law_row r = {.run = run, .layer = found, .others = (double)NAN, .predicted = (double)NAN};
        if (!is_of_law(&found) || is_there(l, &r) || !work_of(found.native, &work))
            continue;
        law_row *const rows = list_more(l->rows, l->count, sizeof *rows);
        if (rows == NULL)
            return false;
        l->rows = rows;
        r.intensity = work.flops / work.normed;
        r.cost = layers_norm_cost(row_real(found.native, "norm_time_ns_median"), work.normed,
                                  row_real(found.native, "matmul_gflops"));
        r.bound = layers_share_pct(r.intensity, r.cost);
        l->rows[l->count++] = r;
    }
    return true;
}

// ---- Groups

static const char *model_of(const law_row *r) { return row_text(r->layer.native, "model"); }

static int compare_groups(const law_row *a, const law_row *b) {
    static const char *const columns[] = {"phase", "dtype", "threads"};
    int order = a->run < b->run ? -1 : a->run > b->run;
    for (size_t i = 0; order == 0 && i < sizeof columns / sizeof *columns; i++)
        order = strcmp(row_text(a->layer.native, columns[i]), row_text(b->layer.native, columns[i]));
    return order;
}

static int by_group(const void *a, const void *b) {
    const law_row *const x = a, *const y = b;
    const int order = compare_groups(x, y);
    return order != 0 ? order : (x->intensity > y->intensity) - (x->intensity < y->intensity);
}

static bool same_model(const law_row *a, const law_row *b) { return strcmp(model_of(a), model_of(b)) == 0; }

// Costs of the models of rows [begin, end), of each the median of its layers. How many.
static size_t costs_of(const law_row *rows, size_t begin, size_t end, double *costs, double *scratch) {
    size_t count = 0;
    for (size_t i = begin; i < end; i++) {
        bool again = !(rows[i].cost > 0);
        for (size_t k = begin; k < i && !again; k++)
            again = rows[k].cost > 0 && same_model(&rows[i], &rows[k]);
        if (again)
            continue;
        size_t n = 0;
        for (size_t k = i; k < end; k++)
            if (rows[k].cost > 0 && same_model(&rows[i], &rows[k]))
                scratch[n++] = rows[k].cost;
        costs[count++] = stats_median(scratch, n);
    }
    return count;
}

static double log_elements(const law_row *r) {
    return log(row_real(r->layer.native, "rows")) + log(row_real(r->layer.native, "cols"));
}

// The median cost of the layers of other models among rows [begin, end) whose tensors are nearest in size to r's; NaN:
// there is none.
static double nearest_cost(const law_row *rows, size_t begin, size_t end, const law_row *r) {
    double costs[LAW_NEAREST], distances[LAW_NEAREST];
    size_t count = 0;
    for (size_t i = begin; i < end; i++) {
        if (!(rows[i].cost > 0) || same_model(&rows[i], r))
            continue;
        const double distance = fabs(log_elements(&rows[i]) - log_elements(r));
        size_t at = count < LAW_NEAREST ? count++ : LAW_NEAREST;
        for (; at > 0 && distance < distances[at - 1]; at--)
            if (at < LAW_NEAREST) {
                costs[at] = costs[at - 1];
                distances[at] = distances[at - 1];
            }
        if (at < LAW_NEAREST) {
            costs[at] = rows[i].cost;
            distances[at] = distance;
        }
    }
    return stats_median(costs, count);
}

static void widen(double *lo, double *hi, double value) {
    *lo = isnan(*lo) || value < *lo ? value : *lo;
    *hi = isnan(*hi) || value > *hi ? value : *hi;
}

static void predict(law_row *r, law_group *g) {
    r->predicted = layers_share_pct(r->intensity, r->others);
    const double ratio = r->predicted / r->layer.values[NATIVE_SHARE].median;
    if (!isnan(ratio) && !(fabs(log(ratio)) < fabs(log(g->furthest))))
        g->furthest = ratio;
}

static void answer(law_group *g, double intensity) {
    g->asked = layers_share_pct(intensity, g->median);
    g->asked_lo = layers_share_pct(intensity, g->least);
    g->asked_hi = layers_share_pct(intensity, g->most);
    // The largest gain and the largest loss: a change goes with the share.
    g->change_lo = g->norms_lo / 100 * (g->norms_lo < 0 ? g->asked_hi : g->asked_lo);
    g->change_hi = g->norms_hi / 100 * (g->norms_hi > 0 ? g->asked_hi : g->asked_lo);
}

// Rows [begin, end) are the group `index`.
static law_group make_group(law *l, size_t begin, size_t end, size_t index, double *costs, double *scratch) {
    law_group g = {.first = &l->rows[begin]};
    g.least = g.most = g.furthest = g.norms_lo = g.norms_hi = (double)NAN;
    g.asked = g.asked_lo = g.asked_hi = g.change_lo = g.change_hi = (double)NAN;
    g.models = costs_of(l->rows, begin, end, costs, scratch);
    g.median = stats_median(costs, g.models);
    for (size_t i = begin; i < end; i++) {
        law_row *const r = &l->rows[i];
        r->group = index;
        if (r->cost > 0)
            widen(&g.least, &g.most, r->cost);
        if (!isnan(r->layer.values[NATIVE_NORMS].median))
            widen(&g.norms_lo, &g.norms_hi, r->layer.values[NATIVE_NORMS].median);
        r->others = nearest_cost(l->rows, begin, end, r);
        predict(r, &g);
    }
    if (l->normed > 0)
        answer(&g, l->flops / l->normed);
    return g;
}

static bool make_groups(law *l) {
    double *const costs = malloc((l->count + 1) * sizeof *costs), *const scratch =
                                                                      malloc((l->count + 1) * sizeof *scratch);
    bool ok = costs != NULL && scratch != NULL;
    for (size_t i = 0, end; ok && i < l->count; i = end) {
        for (end = i + 1; end < l->count && compare_groups(&l->rows[i], &l->rows[end]) == 0;)
            end++;
        law_group *const groups = list_more(l->groups, l->group_count, sizeof *groups);
        ok = groups != NULL;
        if (ok) {
            l->groups = groups;
            l->groups[l->group_count] = make_group(l, i, end, l->group_count, costs, scratch);
            l->group_count++;
        }
    }
    free(costs);
    free(scratch);
    return ok;
}

bool law_make(law *l, const results *runs, size_t count, double flops, double normed) {
    *l = (law){.flops = flops, .normed = normed};
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = add_rows(l, &runs[i]);
    if (ok && l->count > 0)
        qsort(l->rows, l->count, sizeof *l->rows, by_group);
    ok = ok && make_groups(l);
    if (!ok)
        law_free(l);
    return ok;
}

void law_free(law *l) {
    free(l->rows);
    free(l->groups);
    *l = (law){0};
}
