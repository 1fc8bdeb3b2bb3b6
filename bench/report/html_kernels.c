// SPDX-License-Identifier: MIT
// html_kernels.c: figures of kernels.csv. A figure is a row of the table below: which rows it shows, by which columns
// they differ, and what it says. All else that they could differ by is the same for all of its rows: of several such
// conditions the one of which most was measured.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "base/list.h"
#include "html.h"
#include "html_page.h"
#include "norm.h"
#include "plan/select.h"
#include "vocabulary.h"

enum { VARY = 4, KEY = 256 };
typedef struct {
    const char *id, *title, *says;
    const char *where;      // the rows, as a filter
    const char *vary[VARY]; // the first names a row of the figure, the others stand beside it
    bool every_variant;     // else those alone that stand for their op
    bool every_level;       // else the strongest
    bool of_ops;            // ns an element of each op; else DyT's time over that of RMSNorm
} figure;

static const figure figures[] = {
    {.id = "figure-levels",
     .title = "At each SIMD level",
     .says = "DyT's time over that of RMSNorm at the same level. Without vector instructions tanh costs most; levels "
             "called auto_ are the plain C loop as the compiler makes it.",
     .where = "op=dyt form=fused",
     .vary = {"level", "pass", "dtype"},
     .every_level = true},
    {.id = "figure-times",
     .title = "What an element costs at each level",
     .says = "Time of a call over its elements, by op; identity is a copy, which is what moving the bytes takes.",
     .where = "form=fused pass=forward dtype=f32",
     .vary = {"level"},
     .every_level = true,
     .of_ops = true},
    {.id = "figure-forms",
     .title = "Fused, and op by op",
     .says = "DyT's time over that of RMSNorm in the same form: fused reads each tensor once, framework runs op by op "
             "as PyTorch does, eager is the ideal of that.",
     .where = "op=dyt",
     .vary = {"form", "variant", "pass", "dtype"}},
    {.id = "figure-tanh",
     .title = "By each tanh",
     .says =
         "DyT's time over that of RMSNorm at the same level, by the tanh that it calls: how much of the answer is a "
         "matter of that function.",
     .where = "op=dyt form=fused pass=forward",
     .vary = {"variant", "dtype"},
     .every_variant = true},
    {.id = "figure-threads",
     .title = "With more threads",
     .says = "DyT's time over that of RMSNorm by the number of threads: where all of them wait for memory, the norms "
             "are alike.",
     .where = "op=dyt form=fused pass=forward",
     .vary = {"threads", "dtype", "placement"}},
};

// All that a row can differ by.
static const char *const conditions[] = {"pass", "form", "variant", "level",     "dtype",
                                         "rows", "cols", "threads", "placement", "cache"};
enum { CONDITIONS = sizeof conditions / sizeof *conditions };

static bool varies(const figure *f, const char *column) {
    for (size_t i = 0; i < VARY && f->vary[i] != NULL; i++)
        if (strcmp(f->vary[i], column) == 0)
            return true;
    // What is chosen of several is none.
    return (strcmp(column, "variant") == 0 && !f->every_variant) || (strcmp(column, "level") == 0 && !f->every_level);
}

static const char *value_of(table_row row, const char *column) { return row_text(row, column); }

// What is the same for all rows of a figure; and what tells one from another.
static void condition_of(const figure *f, table_row row, char key[KEY]) {
    key[0] = '\0';
    for (size_t i = 0; i < CONDITIONS; i++)
        if (!varies(f, conditions[i]))
            html_add(key, KEY, "%s ", value_of(row, conditions[i]));
}
static void name_of(const figure *f, table_row row, char key[KEY]) {
    key[0] = '\0';
    for (size_t i = 0; i < VARY && f->vary[i] != NULL; i++)
        html_add(key, KEY, "%s ", value_of(row, f->vary[i]));
    if (f->of_ops)
        html_add(key, KEY, "%s", row_text(row, "op"));
}

// ---- Its rows

typedef struct {
    table_row row;
    size_t run;
    char condition[KEY], name[KEY];
} shown;
typedef struct {
    const figure *of;
    shown *rows;
    size_t count;
    bool failed;
} shown_rows;

static bool is_shown(const figure *f, table_row row) {
    return row_is_measured(row) && *row_text(row, "time_ns_median") != '\0' &&
           (f->of_ops || *row_text(row, "ratio_to_rmsnorm") != '\0') && (f->every_variant || filter_default(row) > 0) &&
           !row_streams(row) && (!isnan(row_real(row, "rows")));
}

// Of two rows of one name, condition and run the default variant stays, at the stronger level.
static bool is_better(table_row a, table_row b) {
    const int by_a = filter_default(a), by_b = filter_default(b);
    return by_a != by_b ? by_a > by_b : filter_strength(a) > filter_strength(b);
}

static void take_row(shown_rows *s, size_t run, table_row row) {
    shown new = {.row = row, .run = run};
    condition_of(s->of, row, new.condition);
    name_of(s->of, row, new.name);
    for (size_t i = 0; i < s->count; i++) {
        shown *const old = &s->rows[i];
        if (old->run == run && strcmp(old->name, new.name) == 0 && strcmp(old->condition, new.condition) == 0) {
            if (is_better(row, old->row))
                *old = new;
            return;
        }
    }
    shown *const rows = list_more(s->rows, s->count, sizeof *rows);
    if (rows == NULL) {
        s->failed = true;
        return;
    }
    s->rows = rows;
    rows[s->count++] = new;
}

static double elements(table_row row) { return row_real(row, "rows") * row_real(row, "cols"); }

// The condition of which most was measured; of as many that with most elements, of these the first.
static const char *chosen(const shown_rows *s) {
    const char *best = "";
    double size = 0;
    size_t most = 0;
    for (size_t i = 0; i < s->count; i++) {
        size_t count = 0;
        for (size_t k = 0; k < s->count; k++)
            count += strcmp(s->rows[i].condition, s->rows[k].condition) == 0;
        const double here = elements(s->rows[i].row);
        if (count > most || (count == most && here > size)) {
            most = count;
            size = here;
            best = s->rows[i].condition;
        }
    }
    return most > 1 ? best : "";
}

// ---- What is drawn of them

static size_t op_of(table_row row) {
    size_t op;
    return selector_index(SELECT_OP, row_text(row, "op"), &op) ? op : NORM_IDENTITY;
}

static const char *unit_of(const char *column, const char *value) {
    static const struct {
        const char *column, *one, *more;
    } units[] = {{"rows", " row", " rows"}, {"cols", " column", " columns"}, {"threads", " thread", " threads"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].column, column) == 0)
            return strcmp(value, "1") == 0 ? units[i].one : units[i].more;
    return "";
}

static void draw_row(const page *p, chart *c, const figure *f, const shown *s) {
    const table_row row = s->row;
    char key[KEY] = "";
    for (size_t i = 0; i < VARY && f->vary[i] != NULL; i++)
        html_add(key, sizeof key, "%s ", value_of(row, f->vary[i]));
    chart_row *const on = chart_row_of(c, key);
    if (on == NULL)
        return;
    if (on->count == 0) {
        html_add(on->label, sizeof on->label, "%s%s", value_of(row, f->vary[0]),
                 unit_of(f->vary[0], value_of(row, f->vary[0])));
        for (size_t i = 1; i < VARY && f->vary[i] != NULL; i++)
            html_add(on->note, sizeof on->note, "%s%s", i > 1 ? " " : "", value_of(row, f->vary[i]));
    }
    stats_interval value = row_interval(row, "ratio", "_to_rmsnorm");
    if (f->of_ops)
        value = stats_scaled(row_interval(row, "time_ns", "_median"), 1 / elements(row));
    chart_mark *const m = page_mark(p, c, on, f->of_ops ? op_of(row) : s->run, row, value);
    if (m == NULL || f->of_ops)
        return;
    html_add(m->says, sizeof m->says, "%s", f->every_level ? "" : value_of(row, "level"));
    const judge_bounds faster = {(double)NAN, (double)NAN, 1};
    static const chart_look looks[VERDICTS] = {CHART_WIN, CHART_LOSE, CHART_OPEN, CHART_OPEN};
    m->look = interval_known(&value) ? looks[judge_place(&value, &faster)] : CHART_OPEN;
}

// "64 x 4096, 1 thread, cores, warm"
static void say_condition(chart *c, const figure *f, table_row row) {
    size_t said = 0;
    html_add(c->says, sizeof c->says, "%s Here:", f->says);
    for (size_t i = 0; i < CONDITIONS; i++) {
        const char *const column = conditions[i], *const value = value_of(row, column);
        if (varies(f, column) || *value == '\0')
            continue;
        html_add(c->says, sizeof c->says, "%s %s%s", said++ > 0 ? "," : "", value, unit_of(column, value));
    }
    html_add(c->says, sizeof c->says, ".");
}

static bool draw(FILE *out, const page *p, const figure *f, const shown_rows *s) {
    chart c = page_chart(p, f->id, f->title);
    const char *const condition = chosen(s);
    chart_series ops[NORM_OPS];
    c.logarithmic = true;
    if (f->of_ops) {
        for (norm_op op = 0; op < NORM_OPS; op++) {
            ops[op].name = norm_op_name(op);
            vocabulary_op_colour(op, ops[op].colour);
        }
        c.series = ops;
        c.series_count = NORM_OPS;
        c.unit = "ns";
    } else {
        page_faster(&c, "DyT faster", "DyT slower");
    }
    for (size_t i = 0; i < s->count; i++)
        if (*condition != '\0' && strcmp(s->rows[i].condition, condition) == 0) {
            if (c.count == 0)
                say_condition(&c, f, s->rows[i].row);
            draw_row(p, &c, f, &s->rows[i]);
        }
    return page_show(out, &c);
}

static bool show(FILE *out, const page *p, const figure *f) {
    char message[TABLES_MESSAGE];
    shown_rows s = {.of = f};
    filter rows = {0};
    bool ok = filter_add(&rows, f->where, message);
    for (size_t run = 0; ok && run < p->count; run++) {
        table_row row = {0};
        while (filter_next(&rows, &p->runs[run].tables, RUN_TABLE_KERNELS, &row))
            if (is_shown(f, row))
                take_row(&s, run, row);
    }
    ok = ok && !s.failed && draw(out, p, f, &s);
    free(s.rows);
    return ok;
}

// Times of several machines stand on no axis together, nor do those of several days.
bool page_kernels(FILE *out, const page *p) {
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof figures / sizeof *figures; i++)
        ok = (figures[i].of_ops && p->count > 1) || show(out, p, &figures[i]);
    return ok;
}
