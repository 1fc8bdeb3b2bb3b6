// SPDX-License-Identifier: MIT
// tune_plan.c: see tune_plan.h.
#include "tune_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "machine/memory.h"
#include "plan.h"

// ---- Which schedules may be faster

// Of each size class, those that won there on some CPU (docs/tuning.md): fetches pay where memory or a far cache is
// waited for, and what streams is for results that no cache holds. 64 bytes ahead: the rows behind those at work.
enum { MOST_CANDIDATES = 5 };
static const char *const norm_forward[NORM_SIZE_CLASSES][MOST_CANDIDATES] = {
    [NORM_SIZE_L2] = {"overlap", "sum1", "sum4"},
    [NORM_SIZE_L3] = {"overlap", "sum1", "overlap+fetch64"},
    [NORM_SIZE_MEMORY] = {"overlap", "overlap+fetch64", "sum1+fetch16384"}};
static const char *const elementwise_forward[NORM_SIZE_CLASSES][MOST_CANDIDATES] = {
    [NORM_SIZE_L2] = {"tile1024x16"},
    [NORM_SIZE_L3] = {"tile1024x16", "fetch64"},
    [NORM_SIZE_MEMORY] = {"fetch64", "fetch16384"}};
static const char *const any_backward[NORM_SIZE_CLASSES][MOST_CANDIDATES] = {[NORM_SIZE_MEMORY] = {"fetch64"}};
static const char *const norm_streamed[NORM_SIZE_CLASSES][MOST_CANDIDATES] = {
    [NORM_SIZE_MEMORY] = {"fetch32768", "fetch32768x4", "overlap+fetch32768"}};
static const char *const elementwise_streamed[NORM_SIZE_CLASSES][MOST_CANDIDATES] = {
    [NORM_SIZE_MEMORY] = {"fetch32768", "fetch32768x4"}};

static const char *const *candidates(const norm_impl *impl, norm_pass pass, norm_size_class size) {
    static const char *const none[] = {NULL};
    if (pass == NORM_BACKWARD)
        return impl->streams ? none : any_backward[size];
    if (impl->streams)
        return impl->elementwise ? elementwise_streamed[size] : norm_streamed[size];
    return impl->elementwise ? elementwise_forward[size] : norm_forward[size];
}

// ---- Cells

// A last-level cache of many cores is far from each of them: what takes more than sixteen times L2 stands with memory.
norm_caches tune_caches(const topology *t) {
    enum { FAR = 16 };
    const size_t l2 = topology_cache_bytes(t, 2), llc = topology_llc_bytes(t);
    norm_caches caches = {{topology_cache_bytes(t, 1), l2, llc < FAR * l2 ? llc : FAR * l2}};
    for (int i = 1; i < (int)NORM_SIZE_MEMORY; i++)
        if (caches.bytes[i] < caches.bytes[i - 1])
            caches.bytes[i] = caches.bytes[i - 1];
    return caches;
}

norm_caches tune_caches_here(void) {
    char error[TOPOLOGY_ERROR_SIZE];
    topology *const t = topology_open(NULL, error);
    const norm_caches caches = t != NULL ? tune_caches(t) : (norm_caches){{0}};
    if (t != NULL)
        topology_close(t);
    return caches;
}

// What stands for a class: half of L1; the middle between two caches; for memory twice the last of them.
static double bytes_of_class(const norm_caches *caches, norm_size_class size) {
    const double l1 = (double)caches->bytes[0], l2 = (double)caches->bytes[1], l3 = (double)caches->bytes[2];
    const double middles[NORM_SIZE_CLASSES] = {0.5 * l1, sqrt(l1 * l2), sqrt(l2 * l3), 2 * l3};
    return middles[size];
}

static size_t cols_of_class(const norm_impl *impl, norm_width_class width) {
    enum { NARROW = 768, NARROW_PAGES_BYTES = 4096, WIDE_BYTES = 16640, WIDE_PAGES_BYTES = 16384 };
    const size_t bytes = norm_dtype_bytes(impl->dtype);
    switch (width) {
    case NORM_WIDTH_NARROW:
        return NARROW;
    case NORM_WIDTH_NARROW_PAGES:
        return NARROW_PAGES_BYTES / bytes;
    case NORM_WIDTH_WIDE:
        return WIDE_BYTES / bytes;
    default:
        return WIDE_PAGES_BYTES / bytes;
    }
}

static bool add_class(tune_plan *p, const cell *c, norm_size_class size) {
    tune_item item = {.cell = *c, .is_default = true};
    const char *const *word = candidates(c->impl, c->pass, size);
    if (*word != NULL && !schedule_add(&p->schedule, &item))
        return false;
    for (item.is_default = false; *word != NULL; word++) {
        if (!norm_schedule_parse(*word, &item.schedule))
            return false;
        if (item.schedule.tile_cols < c->cols && !schedule_add(&p->schedule, &item))
            return false;
    }
    return true;
}

// Fewer rows than these have nothing to overlap; a call that moves more takes too long to time it in turns.
enum { LEAST_ROWS = 8, MOST_BYTES = 1 << 28 };

static bool add_kernel(tune_plan *p, const norm_impl *impl, norm_pass pass, const norm_caches *caches) {
    for (unsigned size = 0; size < NORM_SIZE_CLASSES; size++)
        for (unsigned width = 0; width < NORM_WIDTH_CLASSES; width++) {
            cell c = {.impl = impl, .pass = pass, .threads = 1, .place = PLACEMENT_CORES, .cache = CACHE_WARM};
            const double bytes = bytes_of_class(caches, (norm_size_class)size);
            c.cols = cols_of_class(impl, (norm_width_class)width);
            c.rows =
                (size_t)(bytes / (double)((pass == NORM_FORWARD ? 2 : 3) * c.cols * norm_dtype_bytes(impl->dtype)));
            c.rows = c.rows < LEAST_ROWS ? LEAST_ROWS : c.rows;
            const bool is_own = norm_width_class_of(impl, (norm_size_class)size, c.cols) == width;
            if (is_own && bytes <= (double)MOST_BYTES && bytes < 0.25 * (double)memory_available() &&
                norm_size_class_of(impl, pass, c.rows, c.cols, caches) == size &&
                !add_class(p, &c, (norm_size_class)size))
                return false;
        }
    return true;
}

bool tune_plan_make(tune_plan *p, const selection *s, const topology *t) {
    const norm_caches caches = tune_caches(t);
    const norm_impl *impl;
    bool ok = true;
    *p = (tune_plan){.schedule.kind = &tune_plan_kind};
    for (size_t i = 0; ok && (impl = norm_at(i)) != NULL; i++) {
        const bool level = s->given[SELECT_LEVEL] ? impl->level < NORM_LEVELS : select_is_best(impl);
        if (!level || impl->form != NORM_FUSED || impl->op == NORM_IDENTITY || norm_missing(impl) != NULL ||
            !norm_is_default(impl) || !selection_has(s, impl) ||
            (impl->dtype == NORM_F16 && !s->given[SELECT_DTYPE]) || // as in presets, where nobody named it
            !(SELECT_QUESTION >> impl->op & 1 || s->given[SELECT_OP]))
            continue;
        for (unsigned pass = 0; ok && pass < NORM_PASSES; pass++)
            if (s->given[SELECT_PASS] ? s->pass[pass] : pass == NORM_FORWARD)
                ok = add_kernel(p, impl, (norm_pass)pass, &caches);
    }
    ok = ok && schedule_arrange(&p->schedule);
    if (!ok)
        schedule_free(&p->schedule);
    return ok;
}

// ---- How long it takes

// One of the schedules is warmed up, for all.
static double prepare_seconds(const schedule *s, size_t begin, size_t end, double round_s) {
    (void)round_s;
    return plan_prepare_seconds(s, begin, end, plan_sample_seconds(s, begin));
}

// What comparisons stand on comes first: forward with regular stores, then what streams, then backward.
static unsigned rank_of(const cell *c) { return c->pass == NORM_BACKWARD ? 2 : c->impl->streams ? 1 : 0; }

// All groups of a shape, dtype, pass and kind of stores are tuned, or none: else a comparison would be about the
// tuning.
typedef struct {
    size_t group, shape; // the first group of the same shape
    unsigned rank;
    double seconds; // of all of them, in each launch
} group_cost;

// What takes little is looked at more often in a launch, which takes longer to begin and to make ready.
size_t tune_rounds(double round_s) {
    enum { MOST = 4 };
    const double patience_s = 0.02, rounds = round_s > 0 ? patience_s / round_s : 1;
    return rounds < 1 ? 1 : rounds > (double)MOST ? MOST : (size_t)rounds;
}

static double round_seconds(const schedule *s, size_t group) {
    size_t begin, end;
    double round_s = 0;
    schedule_group(s, group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        round_s += s->items[i].calls > 0 ? 2 * plan_sample_seconds(s, i) : 0;
    return round_s;
}

static double group_seconds(const schedule *s, size_t group) {
    size_t begin, end;
    const double round_s = round_seconds(s, group);
    schedule_group(s, group, &begin, &end);
    return round_s > 0 ? (double)tune_rounds(round_s) * round_s + prepare_seconds(s, begin, end, round_s) : 0;
}

static int by_rank(const void *left, const void *right) {
    const group_cost *const a = left, *const b = right;
    return ORDER_BY(order_size(a->rank, b->rank), order_real(a->seconds, b->seconds), order_size(a->shape, b->shape),
                    order_size(a->group, b->group));
}

static group_cost cost_of(const schedule *s, size_t group) {
    size_t own, begin, end;
    schedule_group(s, group, &own, &end);
    group_cost cost = {.group = group, .shape = s->groups, .rank = rank_of(plan_cell(s, own))};
    for (size_t i = 0; i < s->groups; i++) {
        schedule_group(s, i, &begin, &end);
        if (!cell_same_group(plan_cell(s, own), plan_cell(s, begin)))
            continue;
        cost.shape = cost.shape < i ? cost.shape : i;
        cost.seconds += group_seconds(s, i);
    }
    return cost;
}

#define FIRST_SHARE 0.5

// Of a rank the cheapest shapes first. The classes of others stay as they are.
void tune_plan_spend(schedule *s, double budget_s, size_t launches) {
    group_cost *const costs = calloc(s->groups + 1, sizeof *costs);
    double left = budget_s > 0 ? FIRST_SHARE * budget_s / (double)launches : INFINITY;
    ((tune_plan *)s)->confirming_s = (1 - FIRST_SHARE) * budget_s;
    for (size_t i = 0; costs != NULL && i < s->groups; i++)
        costs[i] = cost_of(s, i);
    if (costs != NULL)
        qsort(costs, s->groups, sizeof *costs, by_rank);
    for (size_t i = 0; i < s->groups; i++) {
        size_t begin, end;
        schedule_group(s, costs != NULL ? costs[i].group : i, &begin, &end);
        if (costs != NULL && (i == 0 || costs[i].shape != costs[i - 1].shape))
            left -= costs[i].seconds;
        const size_t rounds = tune_rounds(round_seconds(s, s->items[begin].group));
        for (; begin < end; begin++) {
            s->items[begin].rounds = rounds;
            if (left < 0)
                s->items[begin].calls = s->items[begin].launches = 0;
        }
    }
    free(costs);
}

// ---- As a schedule

static const char *word_of(const tune_item *item) {
    static char text[NORM_SCHEDULE_TEXT]; // until the field is written
    return norm_schedule_text(tune_item_schedule(item), text);
}

const column_type column_schedule = {.pattern = "[a-z0-9]+(\\+[a-z0-9]+)*"};
#define ROW tune_item
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, schedule, schedule, NULL, value_text(word_of(r)),                                                      \
      "How the kernel goes over rows and columns (norm_schedule_parse of norm.h); default: as it does untuned.")
COLUMN_LIST(tune_item_columns, COLUMNS)
#undef ROW
#undef COLUMNS

static const column_part names[] = {{cell_columns, CELL_COLUMNS, NULL}, {tune_item_columns, TUNE_ITEM_COLUMNS, NULL}};

static bool read_item(const csv_table *t, size_t row, void *name) {
    tune_item *const item = name;
    const int column = csv_column(t, tune_item_columns[0].name);
    *item = (tune_item){0};
    if (column < 0 || !cell_read(t, row, &item->cell))
        return false;
    item->is_default = strcmp(t->rows[row][column], norm_schedule_text(NULL, NULL)) == 0;
    return item->is_default || norm_schedule_parse(t->rows[row][column], &item->schedule);
}

static int by_schedule(const norm_schedule *a, const norm_schedule *b) {
    return ORDER_BY(order_size(a->overlap_bytes, b->overlap_bytes), order_size(a->rows_summed, b->rows_summed),
                    order_size(a->fetch_bytes, b->fetch_bytes), order_size(a->fetch_asks, b->fetch_asks),
                    order_size(a->tile_cols, b->tile_cols), order_size(a->tile_rows, b->tile_rows));
}

static int compare(const void *left, const void *right) {
    const tune_item *const a = left, *const b = right;
    return ORDER_BY(cell_compare(&a->cell, &b->cell), order_size(!a->is_default, !b->is_default),
                    by_schedule(&a->schedule, &b->schedule));
}
static bool same_cell(const void *a, const void *b) {
    return cell_compare(&((const tune_item *)a)->cell, &((const tune_item *)b)->cell) == 0;
}

static void describe(const void *name, char *text, size_t size) {
    char word[NORM_SCHEDULE_TEXT];
    cell_describe(&((const tune_item *)name)->cell, text, size);
    const size_t used = strlen(text);
    snprintf(text + used, size - used, ", %s", norm_schedule_text(tune_item_schedule(name), word));
}
static void describe_group(const void *name, char *text, size_t size) {
    const cell *const c = &((const tune_item *)name)->cell;
    const int used = snprintf(text, size, "%s ", norm_op_name(c->impl->op));
    if (used > 0 && (size_t)used < size)
        cell_describe_group(c, text + used, size - (size_t)used);
}

const schedule_kind tune_plan_kind = {.item = "schedule of a kernel",
                                      .items = "schedules of kernels",
                                      .size = sizeof(tune_item),
                                      .names = names,
                                      .name_count = COLUMN_COUNT(names),
                                      .read = read_item,
                                      .compare = compare,
                                      .same_group = same_cell,
                                      .same_family = same_cell,
                                      .equal_calls = true,
                                      .deals = true,
                                      .note = "confirmed_from",
                                      .describe = describe,
                                      .describe_group = describe_group,
                                      .sample_seconds = plan_sample_seconds,
                                      .prepare_seconds = prepare_seconds};
