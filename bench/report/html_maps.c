// SPDX-License-Identifier: MIT
// html_maps.c: where DyT wins by shape: a table for each run, dtype and number of threads, with rows down, columns
// across.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "base/list.h"
#include "base/order.h"
#include "html.h"
#include "html_page.h"

enum { SIDE = 32, LEAST_SHAPES = 4 };

typedef struct {
    table_row row;
    double rows, cols;
    char condition[96];
} cell_row;
typedef struct {
    cell_row *items;
    size_t count;
} cell_rows;

static int by_condition(const void *a, const void *b) {
    const cell_row *const x = a, *const y = b;
    return ORDER_BY(strcmp(x->condition, y->condition), order_real(x->rows, y->rows), order_real(x->cols, y->cols),
                    -order_int(filter_default(x->row), filter_default(y->row)),
                    -order_size(filter_strength(x->row), filter_strength(y->row)), order_size(x->row.at, y->row.at));
}

// The rows of a run, in the order of conditions and shapes; of each shape the default variant at the strongest level
// comes first. false: no memory.
static bool take_rows(cell_rows *all, const page_run *r) {
    char message[TABLES_MESSAGE];
    filter f = {0};
    table_row row = {0};
    (void)filter_add(&f, "op=dyt form=fused pass=forward", message);
    while (filter_next(&f, &r->tables, RUN_TABLE_KERNELS, &row)) {
        if (!row_is_measured(row) || filter_default(row) == 0 || row_streams(row) || filter_strength(row) == 0 ||
            isnan(row_real(row, "ratio_to_rmsnorm")))
            continue;
        cell_row *const items = list_more(all->items, all->count, sizeof *items);
        if (items == NULL)
            return false;
        all->items = items;
        cell_row *const c = &items[all->count++];
        *c = (cell_row){row, row_real(row, "rows"), row_real(row, "cols"), ""};
        html_add(c->condition, sizeof c->condition, "%s, %s thread%s, placement %s, cache %s", row_text(row, "dtype"),
                 row_text(row, "threads"), strcmp(row_text(row, "threads"), "1") == 0 ? "" : "s",
                 row_text(row, "placement"), row_text(row, "cache"));
    }
    if (all->count > 0)
        qsort(all->items, all->count, sizeof *all->items, by_condition);
    return true;
}

// ---- One map

// The different widths of [begin, end), ascending.
static size_t widths_of(const cell_row *items, size_t count, double widths[SIDE]) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < n && widths[k] != items[i].cols)
            k++;
        if (k == n && n < SIDE)
            widths[n++] = items[i].cols;
    }
    qsort(widths, n, sizeof *widths, order_reals);
    return n;
}

static verdict verdict_of(const stats_interval *ratio) {
    const judge_bounds faster = {(double)NAN, (double)NAN, 1};
    return interval_known(ratio) ? judge_place(ratio, &faster) : VERDICT_CANNOT_TELL;
}

// How many shapes there are, and of them those with each verdict.
static size_t shapes_of(const cell_row *items, size_t count, size_t verdicts_of[VERDICTS]) {
    size_t shapes = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || items[i].rows != items[i - 1].rows || items[i].cols != items[i - 1].cols) {
            const stats_interval ratio = row_interval(items[i].row, "ratio", "_to_rmsnorm");
            verdicts_of[verdict_of(&ratio)]++;
            shapes++;
        }
    return shapes;
}

static void write_cell(FILE *out, const page *p, const page_run *r, table_row row) {
    static const char *const looks[VERDICTS] = {"win", "lose", "open", "open"};
    const stats_interval ratio = row_interval(row, "ratio", "_to_rmsnorm");
    const verdict v = verdict_of(&ratio);
    char id[24], value[HTML_VALUE];
    page_row_id(p, row, id);
    const char *const text = html_value(value, &ratio, "1", 1), *const rest = strchr(text, ' ');
    const double strength = fmin(100, 20 + 160 * fabs(log(ratio.median)));
    fprintf(out, "<td class='cell %s' style='--s:%.0f%%'><a class=mark href='#%s'>%.*s<small>", looks[v],
            v == VERDICT_CANNOT_TELL ? 0 : strength, id, rest == NULL ? -1 : (int)(rest - text), text);
    html_text(out, rest == NULL ? "" : rest + 1);
    html_say(out, " %s", filter_place(&r->tables, row));
    fputs("</small></a>", out);
}

static void write_map(FILE *out, const page *p, const page_run *r, const cell_row *items, size_t count) {
    double widths[SIDE] = {0};
    size_t told[VERDICTS] = {0};
    const size_t shapes = shapes_of(items, count, told);
    const size_t width = widths_of(items, count, widths);
    fputs("<div class=map><table><caption>", out);
    html_say(out, "%s%s%s: faster in %zu of %zu shapes, slower in %zu", p->count > 1 ? r->name : "",
             p->count > 1 ? ": " : "", items->condition, told[VERDICT_HOLDS], shapes, told[VERDICT_DOES_NOT_HOLD]);
    fputs("</caption><thead><tr><th>rows \\ columns", out);
    for (size_t k = 0; k < width; k++)
        fprintf(out, "<th scope=col>%.0f", widths[k]);
    fputs("</thead><tbody>\n", out);
    for (size_t i = 0, end; i < count; i = end) {
        fprintf(out, "<tr><th scope=row>%.0f", items[i].rows);
        for (end = i; end < count && items[end].rows <= items[i].rows; end++)
            continue;
        for (size_t k = 0; k < width; k++) {
            size_t at = i;
            while (at < end && items[at].cols != widths[k])
                at++;
            if (at < end)
                write_cell(out, p, r, items[at].row);
            else
                fputs("<td>", out);
        }
        fputc('\n', out);
    }
    fputs("</table></div>\n", out);
}

static size_t write_maps(FILE *out, const page *p, const page_run *r, const cell_rows *all, bool say) {
    size_t maps = 0;
    for (size_t i = 0, end; i < all->count; i = end) {
        for (end = i; end < all->count && strcmp(all->items[end].condition, all->items[i].condition) == 0; end++)
            continue;
        if (shapes_of(all->items + i, end - i, (size_t[VERDICTS]){0}) < LEAST_SHAPES)
            continue;
        maps++;
        if (say)
            write_map(out, p, r, all->items + i, end - i);
    }
    return maps;
}

bool page_maps(FILE *out, const page *p) {
    bool ok = true, began = false;
    for (size_t run = 0; ok && run < p->count; run++) {
        cell_rows all = {0};
        ok = take_rows(&all, &p->runs[run]);
        if (ok && write_maps(out, p, &p->runs[run], &all, false) > 0) {
            if (!began)
                fputs(
                    "<figure class=maps id='figure-map'><figcaption><h3>Where DyT wins by shape</h3><p>DyT's time over "
                    "that of RMSNorm, fused, forward, at the strongest level, with its 95 % interval and the nearest "
                    "cache that holds the data.</p><p class=legend><span class='value win'><i class=key></i> DyT is "
                    "faster</span> <span class='value lose'><i class=key></i> DyT is slower</span> <span class='value "
                    "open'><i class=key></i> no difference is shown</span></p></figcaption>\n",
                    out);
            began = true;
            (void)write_maps(out, p, &p->runs[run], &all, true);
        }
        free(all.items);
    }
    if (began)
        fputs("</figure>\n", out);
    return ok;
}
