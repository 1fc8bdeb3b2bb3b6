// SPDX-License-Identifier: MIT
// history.c: see history.h.
#include "history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "filter.h"
#include "fingerprint.h"

// ---- What rows belong together

static void take_word(char *word, size_t size, table_row row, const char *column) {
    snprintf(word, size, "%s", row_text(row, column));
}

static history_group_name group_of(const results *run, const result *i) {
    history_group_name g;
    memset(&g, 0, sizeof g); // compared byte by byte
    g.table = i->table;
    g.quantity = i->quantity;
    take_word(g.op, sizeof g.op, i->row, "op");
    take_word(g.form, sizeof g.form, i->row, "form");
    take_word(g.level, sizeof g.level, i->row, "level");
    take_word(g.dtype, sizeof g.dtype, i->row, "dtype");
    take_word(g.pass, sizeof g.pass, i->row, "pass");
    const char *const place = filter_place(&run->tables, i->row);
    if (i->table == RUN_TABLE_LAYERS)
        snprintf(g.kind, sizeof g.kind, "%.38s %.38s", row_text(i->row, "model"), row_text(i->row, "phase"));
    else
        snprintf(g.kind, sizeof g.kind, "%.38s %.38s", *place == '\0' ? "between" : place, row_text(i->row, "cache"));
    return g;
}

// A row that the runs of a history have, and its values in them.
typedef struct {
    const char *name;
    history_group_name group;
    double *values; // of each run, NaN where it is not
} followed;

static int by_group(const void *a, const void *b) {
    const followed *const x = a, *const y = b;
    const int order = memcmp(&x->group, &y->group, sizeof x->group);
    return order != 0 ? order : strcmp(x->name, y->name);
}

// A row that came or went says nothing of the others: it counts if three quarters of the runs have it.
static bool is_followed(const results *runs, size_t count, size_t first, const char *name) {
    size_t have = 0;
    for (size_t k = 0; k < count; k++) {
        const bool has = results_find(&runs[k], name) != NULL;
        if (has && k < first) // taken there
            return false;
        have += has;
    }
    return 4 * have >= 3 * count;
}

// ---- One history

typedef struct {
    history *all;
    const results *runs; // of this history
    size_t count, number;
    followed *rows;
    size_t row_count;
    double *values; // scratch
} one_history;

// false: no memory.
static bool follow(one_history *h) {
    for (size_t k = 0; k < h->count; k++)
        for (size_t i = 0; i < h->runs[k].count; i++) {
            const result *const item = &h->runs[k].items[i];
            if (result_is_sentinel(item) || !is_followed(h->runs, h->count, k, item->name))
                continue;
            followed *const rows = list_more(h->rows, h->row_count, sizeof *rows);
            if (rows == NULL)
                return false;
            h->rows = rows;
            followed *const row = &rows[h->row_count];
            *row = (followed){item->name, group_of(&h->runs[k], item), malloc((h->count + 1) * sizeof *row->values)};
            if (row->values == NULL)
                return false;
            if (sentinels_over(h->runs, h->count, row->name, row->values) == SENTINEL_NONE)
                free(row->values);
            else
                h->row_count++;
        }
    if (h->row_count > 0)
        qsort(h->rows, h->row_count, sizeof *h->rows, by_group);
    return true;
}

// Takes each row's own median off it.
static void centre(one_history *h, followed *row) {
    size_t n = 0;
    for (size_t k = 0; k < h->count; k++)
        if (!isnan(row->values[k]))
            h->values[n++] = row->values[k];
    const double median = stats_median(h->values, n);
    for (size_t k = 0; k < h->count; k++)
        row->values[k] -= median;
}

// The series of rows [begin, end): a point for each run that has any. How many.
static size_t series_of(one_history *h, size_t begin, size_t end, history_point *points) {
    size_t count = 0;
    for (size_t k = 0; k < h->count; k++) {
        double sum = 0;
        size_t rows = 0;
        for (size_t i = begin; i < end; i++)
            if (!isnan(h->rows[i].values[k])) {
                sum += h->rows[i].values[k];
                rows++;
            }
        if (rows == 0)
            continue;
        points[count] = (history_point){.run = &h->runs[k],
                                        .before = count > 0 ? points[count - 1].run : NULL,
                                        .history = h->number,
                                        .rows = rows,
                                        .shift = sum / (double)rows,
                                        .change = (double)NAN,
                                        .p = (double)NAN,
                                        .drift = (double)NAN};
        count++;
    }
    return count;
}

// Says at each point how it stands to the first level.
static void tell(history_point *points, size_t count, const changes *found, double whole) {
    const double first = found->count > 0 ? found->steps[0].before : whole;
    double level = first;
    for (size_t i = 0, step = 0; i < count; i++) {
        if (step < found->count && found->steps[step].at == i) {
            points[i].change = exp(found->steps[step].after - found->steps[step].before);
            points[i].p = found->steps[step].p;
            level = found->steps[step++].after;
        }
        points[i].shift = exp(points[i].shift - first);
        points[i].level = exp(level - first);
        points[i].kind = found->kind;
        points[i].drift = found->kind == CHANGES_DRIFT ? exp(found->drift) : (double)NAN;
    }
}

static bool add_group(one_history *h, size_t begin, size_t end) {
    history *const all = h->all;
    static const changes_rule rule = {HISTORY_ALPHA, HISTORY_LEAST, HISTORY_POINTS, HISTORY_SHUFFLES, 1};
    changes found;
    history_point *const points = realloc(all->points, (all->point_count + h->count) * sizeof *points);
    history_group_name *const groups = realloc(all->groups, (all->group_count + 1) * sizeof *groups);
    all->points = points != NULL ? points : all->points;
    all->groups = groups != NULL ? groups : all->groups;
    if (points == NULL || groups == NULL)
        return false;
    for (size_t i = begin; i < end; i++)
        centre(h, &h->rows[i]);
    history_point *const own = points + all->point_count;
    const size_t count = series_of(h, begin, end, own);
    for (size_t i = 0; i < count; i++)
        h->values[i] = own[i].shift;
    if (!changes_find(&found, h->values, count, &rule))
        return false;
    tell(own, count, &found, stats_median(h->values, count));
    changes_free(&found);
    groups[all->group_count++] = h->rows[begin].group;
    all->point_count += count;
    all->short_groups += count < HISTORY_RUNS;
    return true;
}

static bool add_history(history *all, const results *runs, size_t count) {
    one_history h = {.all = all, .runs = runs, .count = count, .number = ++all->histories};
    h.values = malloc((count + 1) * sizeof *h.values);
    bool ok = h.values != NULL && follow(&h);
    for (size_t i = 0, end; ok && i < h.row_count; i = end) {
        for (end = i + 1; end < h.row_count && memcmp(&h.rows[i].group, &h.rows[end].group, sizeof h.rows->group) == 0;)
            end++;
        ok = add_group(&h, i, end);
    }
    for (size_t i = 0; i < h.row_count; i++)
        free(h.rows[i].values);
    free(h.rows);
    free(h.values);
    return ok;
}

// ---- All histories

// Which runs can be compared with each other: moves those of the first run's machine to the front, the others keeping
// their order. How many.
static size_t gather(results *runs, size_t count) {
    size_t same = 1;
    for (size_t k = 1; k < count; k++)
        if (fingerprint_equal(runs[0].meta, runs[k].meta)) {
            const results run = runs[k];
            memmove(&runs[same + 1], &runs[same], (k - same) * sizeof *runs);
            runs[same++] = run;
        }
    return same;
}

// The points' groups were moved while their list grew.
static void name_points(history *h) {
    size_t group = 0;
    for (size_t i = 0; i < h->point_count; i++) {
        group += i > 0 && h->points[i].before == NULL;
        h->points[i].name = &h->groups[group];
    }
}

bool history_make(history *h, results *runs, size_t count) {
    *h = (history){.runs = runs, .count = count};
    for (size_t begin = 0, same; begin < count; begin += same) {
        same = gather(runs + begin, count - begin);
        if (!add_history(h, runs + begin, same)) {
            history_free(h);
            return false;
        }
    }
    name_points(h);
    return true;
}

void history_free(history *h) {
    results_free_all(h->runs, h->count);
    free(h->groups);
    free(h->points);
    *h = (history){0};
}
