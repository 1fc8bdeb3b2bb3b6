// SPDX-License-Identifier: MIT
// tune_table.c: see tune_table.h.
#include "tune_table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/stats.h"
#include "sample_index.h"
#include "schema.h"
#include "tune_choice.h"

// A class: its default, and what is kept of it, which may be the same.
typedef struct {
    const run *run;
    const tune_item *kept;
    const norm_caches *caches;
    stats_interval ratio, time; // of the kept one: over the default; of a call
    size_t entry, entries, tried;
    char word[NORM_SCHEDULE_TEXT];
} tune_row;

static const char *size_word(size_t i) { return norm_size_class_name((norm_size_class)i); }
static const char *width_word(size_t i) { return norm_width_class_name((norm_width_class)i); }
static const column_type column_size = {.word = size_word}, column_width = {.word = width_word};

static norm_size_class size_of(const tune_row *r) {
    const cell *const c = &r->kept->cell;
    return norm_size_class_of(c->impl, c->pass, c->rows, c->cols, r->caches);
}

#define ROW tune_row
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, entry, ordinal, NULL, value_size(r->entry), "Number of this row, from 1.")                             \
    X(REQUIRED, entries, ordinal, NULL, value_size(r->entries),                                                        \
      "Rows of the whole file, by which one that was cut off is known.")                                               \
    X(REQUIRED, cpu, text, NULL, value_text(norm_cpu()), "The CPU as norm_cpu of norm.h names it.")                    \
    X(REQUIRED, build, text, NULL, value_text(norm_build()),                                                           \
      "Compiler of the kernels, and a sum over their sources and flags: norm_build of norm.h.")                        \
    X(REQUIRED, l1_bytes, count, "By", value_size(r->caches->bytes[NORM_SIZE_L1]),                                     \
      "What the tensors of a call take at most to be of size l1; the same in all rows.")                               \
    X(REQUIRED, l2_bytes, count, "By", value_size(r->caches->bytes[NORM_SIZE_L2]), "The same of size l2.")             \
    X(REQUIRED, l3_bytes, count, "By", value_size(r->caches->bytes[NORM_SIZE_L3]), "The same of size l3.")             \
    X(REQUIRED, size, size, NULL, value_text(norm_size_class_name(size_of(r))),                                        \
      "By what the tensors of a call take: l1, l2, l3 or memory.")                                                     \
    X(REQUIRED, width, width, NULL,                                                                                    \
      value_text(norm_width_class_name(norm_width_class_of(r->kept->cell.impl, size_of(r), r->kept->cell.cols))),      \
      "By the bytes of a row: narrow, to 8 KiB, or wide; `_pages` where, but in memory, they are whole pages: all "    \
      "rows then begin at the same place of a cache.")                                                                 \
    X(REQUIRED, schedule, schedule, NULL, value_text(r->word),                                                         \
      "How calls of this kernel and class go over rows and columns (norm_schedule_parse of norm.h); default: as they " \
      "do untuned.")                                                                                                   \
    COLUMN_INTERVAL(                                                                                                   \
        X, ratio, ratio, amount, "1", r->ratio,                                                                        \
        "Time by this schedule over that by the default, from paired samples at this shape, of launches that had "     \
        "no part in its choice.")                                                                                      \
    X(REQUIRED, tried, count, NULL, value_size(r->tried), "Schedules that were measured beside the default.")          \
    X(OPTIONAL, time_ns, amount, "ns", value_median(r->time), "Time of one call by it: median over launches.")         \
    X(OPTIONAL, launches, count, "{launch}", value_size(r->time.n), "Fresh processes that measured this row.")
COLUMN_OWN_LIST(own_columns, COLUMNS)

static const void *run_of(const void *row) { return ((const tune_row *)row)->run; }
static const void *cell_of(const void *row) { return &((const tune_row *)row)->kept->cell; }
static const void *impl_of(const void *row) { return ((const tune_row *)row)->kept->cell.impl; }
COLUMN_TABLE(tune, "*/tune.csv",
             "One row per kernel and class of calls: the schedule that `normbench tune` found to be fastest. The "
             "machine's, which the next runs go by; and in the folder of a run, what that went by.",
             {run_columns, RUN_COLUMNS, run_of}, {cell_columns, CELL_COLUMNS, cell_of}, COLUMN_PART(own_columns),
             {cell_impl_columns, CELL_IMPL_COLUMNS, impl_of})

static stats_interval time_of(const sample_index *x, size_t item) {
    stats_interval i = sample_index_median(x, item, 0);
    i.median = exp(i.median);
    i.lo = exp(i.lo);
    i.hi = exp(i.hi);
    return i;
}

static tune_row row_of(const tune_plan *p, const sample_index *x, size_t group) {
    size_t begin, end;
    schedule_group(&p->schedule, group, &begin, &end);
    const size_t kept = tune_kept(p, x, group);
    tune_row row = {.kept = &tune_items(p)[kept],
                    .tried = end - begin - 1,
                    .ratio = tune_ratio(p, x, kept),
                    .time = time_of(x, kept)};
    (void)norm_schedule_text(tune_item_schedule(row.kept), row.word);
    if (row.kept->is_default)
        snprintf(row.word, sizeof row.word, "%s", norm_schedule_text(NULL, NULL));
    return row;
}

// A row for each class that was measured. NULL: no memory.
static tune_row *make_rows(const tune_plan *p, const observations *all, size_t *count) {
    sample_index x;
    const schedule *const s = &p->schedule;
    tune_row *const rows = calloc(s->groups + 1, sizeof *rows);
    *count = 0;
    if (rows == NULL || !sample_index_make(&x, p, s->count, all, tune_log_time)) {
        free(rows);
        return NULL;
    }
    for (size_t group = 0, begin, end; group < s->groups; group++) {
        schedule_group(s, group, &begin, &end);
        if (sample_index_count(&x, begin) > 0)
            rows[(*count)++] = row_of(p, &x, group);
    }
    sample_index_free(&x);
    return rows;
}

int tune_table_write(const tune_plan *p, const observations *all, const norm_caches *caches, const run *r,
                     const char *path) {
    size_t count;
    tune_row *const rows = make_rows(p, all, &count);
    if (rows == NULL)
        return ENOMEM;
    for (size_t i = 0; i < count; i++) {
        rows[i].run = r;
        rows[i].caches = caches;
        rows[i].entry = i + 1;
        rows[i].entries = count;
    }
    const rows_file file = {
        .table = &tune_table, .rows = rows, .count = count, .size = sizeof *rows, .format = SCHEMA_CSV};
    const int error = rows_file_write(&file, path);
    free(rows);
    return error;
}

void tune_table_print(const tune_plan *p, const observations *all, FILE *out) {
    size_t count, changed = 0;
    tune_row *const rows = make_rows(p, all, &count);
    double *const gains = calloc(count + 1, sizeof *gains), least = 1;
    for (size_t i = 0; rows != NULL && gains != NULL && i < count; i++) {
        if (rows[i].kept->is_default)
            continue;
        gains[changed++] = rows[i].ratio.median;
        least = fmin(least, rows[i].ratio.median);
    }
    if (rows != NULL && gains != NULL && changed > 0)
        fprintf(out,
                "Tuned: %zu of %zu classes of calls go by another schedule than the default, in %.2f of its time "
                "(median; least %.2f).\n",
                changed, count, stats_median(gains, changed), least);
    else if (rows != NULL)
        fprintf(out, "Tuned: the default schedule is the fastest in all of %zu classes of calls.\n", count);
    free(gains);
    free(rows);
}
