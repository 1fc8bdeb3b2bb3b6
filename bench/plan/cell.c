// SPDX-License-Identifier: MIT
// Cells: their order, and how they are written and read.
#include "cell.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static const char *const columns[] = {"op",   "variant", "pass",    "form",      "level", "dtype",
                                      "rows", "cols",    "threads", "placement", "cache"};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int order(size_t a, size_t b) { return (a > b) - (a < b); }

static int compare_group(const cell *a, const cell *b) {
    const int by[] = {
        order(a->impl->dtype, b->impl->dtype),
        order(a->pass, b->pass),
        order(a->rows, b->rows),
        order(a->cols, b->cols),
        order(a->threads, b->threads),
        order(a->place, b->place),
        order(a->cache, b->cache),
        order(a->impl->streams, b->impl->streams),
    };
    size_t i = 0;
    while (i + 1 < sizeof by / sizeof *by && by[i] == 0)
        i++;
    return by[i];
}

norm_level cell_level(const norm_impl *impl) {
    if (impl->level != NORM_LEVEL_LIBRARY)
        return impl->level;
    const norm_impl *const best =
        norm_best(NORM_RMSNORM, norm_default_variant(NORM_RMSNORM, impl->form), impl->form, impl->dtype);
    return best != NULL ? best->level : impl->level;
}

int cell_compare(const void *left, const void *right) {
    const cell *const a = left, *const b = right;
    const int by[] = {
        compare_group(a, b),
        order(a->impl->form, b->impl->form),
        order(cell_level(a->impl), cell_level(b->impl)),
        order(a->impl->op, b->impl->op),
        strcmp(a->impl->variant, b->impl->variant),
    };
    size_t i = 0;
    while (i + 1 < sizeof by / sizeof *by && by[i] == 0)
        i++;
    return by[i];
}

bool cell_same_group(const cell *a, const cell *b) { return compare_group(a, b) == 0; }
bool cell_equal(const cell *a, const cell *b) { return a->impl == b->impl && compare_group(a, b) == 0; }

size_t cell_tensors(const cell *c) {
    if (c->impl->form == NORM_ADD_FUSED)
        return c->pass == NORM_FORWARD ? 4 : 7;
    return c->pass == NORM_FORWARD ? 2 : 4;
}

norm_args cell_pass_args(norm_form form, norm_pass pass, const norm_args *args) {
    norm_args own = *args;
    if (pass == NORM_BACKWARD && form == NORM_ADD_FUSED) {
        own.x = args->sum;
        own.x_stride = args->sum_stride;
    }
    return own;
}

norm_error cell_run(const cell *c, norm_pass pass, const norm_args *args, void **result) {
    *result = NULL;
    if (c->impl->form != NORM_FRAMEWORK)
        return norm_run(c->impl, pass, args, (int)c->threads);
    norm_args own = *args;
    own.fresh = result;
    return norm_run(c->impl, pass, &own, (int)c->threads);
}

void cell_write_header(csv_writer *w) {
    for (size_t i = 0; i < COLUMNS; i++)
        csv_text(w, columns[i]);
}

void cell_write(csv_writer *w, const cell *c) {
    csv_text(w, norm_op_name(c->impl->op));
    csv_text(w, c->impl->variant);
    csv_text(w, norm_pass_name(c->pass));
    csv_text(w, norm_form_name(c->impl->form));
    csv_text(w, norm_level_name(c->impl->level));
    csv_text(w, norm_dtype_name(c->impl->dtype));
    csv_size(w, c->rows);
    csv_size(w, c->cols);
    csv_size(w, c->threads);
    csv_text(w, placement_name(c->place));
    csv_text(w, cache_name(c->cache));
}

bool cell_read(const csv_table *t, size_t row, cell *c) {
    const char *field[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        const int column = csv_column(t, columns[i]);
        if (column < 0)
            return false;
        field[i] = t->rows[row][column];
    }
    size_t pass, level, place, cache;
    if (!selector_index(SELECT_PASS, field[2], &pass) || !selector_index(SELECT_LEVEL, field[4], &level) ||
        !parse_size(field[6], &c->rows) || !parse_size(field[7], &c->cols) || !parse_size(field[8], &c->threads) ||
        !selector_index(SELECT_PLACEMENT, field[9], &place) || !selector_index(SELECT_CACHE, field[10], &cache))
        return false;
    c->impl = norm_find(field[0], field[1], field[3], field[4], field[5]);
    c->pass = (norm_pass)pass;
    c->place = (placement)place;
    c->cache = (cache_state)cache;
    return c->impl != NULL && c->rows > 0 && c->cols > 0 && c->threads > 0 && c->threads <= CELL_MOST_THREADS;
}

void cell_describe(const cell *c, char *text, size_t size) {
    snprintf(text, size, "%s/%s %s %s %s %s %zux%zu, %zu thread%s %s, %s", norm_op_name(c->impl->op), c->impl->variant,
             norm_pass_name(c->pass), norm_form_name(c->impl->form), norm_level_name(c->impl->level),
             norm_dtype_name(c->impl->dtype), c->rows, c->cols, c->threads, c->threads == 1 ? "" : "s",
             placement_name(c->place), cache_name(c->cache));
}
