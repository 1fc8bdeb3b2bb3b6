// SPDX-License-Identifier: MIT
// judge.c: see judge.h.
#include "judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/files.h"
#include "base/interval.h"
#include "base/list.h"
#include "base/names.h"
#include "judge_runs.h"

#define NAME(ID, name) name,
static const char *const verdict_names[] = {VERDICT_LIST(NAME)};
#undef NAME
const char *verdict_name(verdict v) { return verdict_names[v]; }
const char *verdict_at(size_t index) { return index < VERDICTS ? verdict_names[index] : NULL; }

#define NAME(ID, name, ...) #name,
static const char *const asked_names[] = {ASKED_LIST(NAME)};
#undef NAME
const char *asked_name(asked what) { return asked_names[what]; }

#define NAME(ID, name) name,
static const char *const which_names[] = {WHICH_LIST(NAME)};
#undef NAME
const char *which_name(which_rows w) { return which_names[w]; }

#define FACTS(ID, name, table, baseline, meaning) {RUN_TABLE_##table, baseline},
static const struct {
    run_table table;
    bool has_baseline;
} asked_facts[] = {ASKED_LIST(FACTS)};
#undef FACTS

static bool asked_of_runs(asked what) { return what >= ASKED_LEAST_TIME; }

// ---- Intervals and bounds

verdict judge_place(const stats_interval *i, const judge_bounds *b) {
    if (!interval_known(i))
        return VERDICT_CANNOT_TELL;
    if (i->hi < b->lo || i->lo > b->hi || i->hi < b->expected || i->lo > b->expected)
        return VERDICT_DOES_NOT_HOLD;
    if ((isnan(b->lo) || i->lo > b->lo) && (isnan(b->hi) || i->hi < b->hi))
        return VERDICT_HOLDS;
    return VERDICT_CANNOT_TELL;
}

double judge_edge(const question *q) {
    const judge_bounds *const b = &q->holds;
    return !isnan(b->expected) || !isnan(b->lo) == !isnan(b->hi) ? (double)NAN : isnan(b->lo) ? b->hi : b->lo;
}

verdict judge_answer(const stats_interval *i, const question *q) {
    const verdict v = judge_place(i, &q->holds);
    const double edge = judge_edge(q);
    const bool near = interval_known(i) && i->lo > edge - q->margin && i->hi < edge + q->margin;
    return v == VERDICT_CANNOT_TELL && near ? VERDICT_NO_DIFFERENCE : v;
}

// Which side of a bound a number lies on; of an open one always the same.
static int side(double x, double bound) { return isnan(bound) ? 0 : (x > bound) - (x < bound); }

// A number as it is read back once it was printed with so many decimals.
static double printed(double x, int decimals) {
    char text[INTERVAL_TEXT];
    return strtod(interval_number(text, x, decimals), NULL);
}

static bool same_sides(double x, double y, const judge_bounds *b) {
    return side(x, b->lo) == side(y, b->lo) && side(x, b->hi) == side(y, b->hi) &&
           side(x, b->expected) == side(y, b->expected);
}

int judge_decimals(const stats_interval *i, const judge_bounds *b) {
    int decimals = interval_decimals(i);
    while (interval_known(i) && decimals < 6 &&
           !(same_sides(printed(i->lo, decimals), i->lo, b) && same_sides(printed(i->hi, decimals), i->hi, b)))
        decimals++;
    return decimals;
}

// ---- Questions

// One of the names, told if it is none.
static size_t take_name(fields *f, const char *column, const char *const *names, size_t count) {
    const char *const value = fields_text(f, column);
    const size_t found = names_find(value, names, count);
    char text[TABLES_MESSAGE], unknown[TABLES_MESSAGE];
    if (found < count)
        return found;
    names_explain(unknown, sizeof unknown, value, column, names, count);
    snprintf(text, sizeof text, "is no question: %.900s", unknown);
    fields_refuse_row(f, text);
    return 0;
}

static void take_filter(fields *f, const char *column, filter *into) {
    char wrong[TABLES_MESSAGE], text[TABLES_MESSAGE];
    if (filter_add(into, fields_text(f, column), wrong))
        return;
    snprintf(text, sizeof text, "is no question: column %s: %.900s", column, wrong);
    fields_refuse_row(f, text);
}

// The text of a column that a table of questions may leave out.
static const char *optional(const fields *f, const char *column) {
    return row_text((table_row){f->table, f->row}, column);
}

// Of single rows the part is a word like others.
static void take_extent(fields *f, question *q) {
    static const char *const parts[] = {"layer", "model"};
    q->extent.layers = 1;
    if (asked_facts[q->what].table != RUN_TABLE_LAYERS || q->which != WHICH_ONE)
        return;
    q->extent.is_model = take_name(f, "part", parts, 2) == 1;
    q->extent.layers = q->extent.is_model ? fields_size(f, "layers", 1, 1 << 20) : 1;
}

static void take_question(fields *f, question *q) {
    static const char *const tables[] = {"kernels", "layers"};
    _Static_assert(sizeof tables / sizeof *tables == RUN_OWN_TABLES, "the order of RUN_TABLE_LIST");
    *q = (question){.row = {f->table, f->row}};
    q->what = (asked)take_name(f, "quantity", asked_names, ASKED);
    if (take_name(f, "table", tables, RUN_OWN_TABLES) != asked_facts[q->what].table)
        fields_refuse(f, "table", run_table_name(asked_facts[q->what].table));
    if (*optional(f, "which") != '\0')
        q->which = (which_rows)take_name(f, "which", which_names, WHICHES);
    if (q->which != WHICH_ONE && asked_facts[q->what].table != RUN_TABLE_LAYERS &&
        (q->which == WHICH_EACH || !asked_of_runs(q->what)))
        fields_refuse(f, "which", "nothing: of kernels one row is asked, or of several runs the least or most of all");
    take_filter(f, "subject", &q->subject);
    take_filter(f, "baseline", &q->baseline);
    take_filter(f, "where", &q->where);
    if (q->subject.count == 0)
        fields_refuse(f, "subject", "words column=value that say which rows are meant");
    if (asked_facts[q->what].has_baseline && q->baseline.count == 0)
        fields_refuse(f, "baseline", "words column=value that say what the subject is held against");
    take_extent(f, q);
    q->tokens = *optional(f, "tokens") == '\0' ? (double)NAN : fields_real(f, "tokens", 1, 1e15);
    q->holds.expected = *optional(f, "expected") == '\0' ? (double)NAN : fields_real(f, "expected", -1e300, 1e300);
    q->holds.lo = fields_real_or_nan(f, "holds_lo", -1e300, 1e300);
    q->holds.hi = fields_real_or_nan(f, "holds_hi", -1e300, 1e300);
    if (q->holds.lo > q->holds.hi)
        fields_refuse_row(f, "holds nowhere: holds_lo is above holds_hi");
    q->margin = *optional(f, "margin") == '\0' ? 0 : fields_real(f, "margin", 0, 1e300);
    if (q->margin > 0 && isnan(judge_edge(q)))
        fields_refuse(f, "margin", "nothing, for it is about one bound, and here holds_lo and holds_hi are not one");
}

bool questions_read(questions *q, const char *path, const char *text, char message[TABLES_MESSAGE]) {
    char why[TABLES_MESSAGE - 128];
    *q = (questions){0};
    const int error =
        path != NULL ? csv_read(&q->table, path, why, sizeof why) : csv_take(&q->table, text, why, sizeof why);
    fields f = fields_of(&q->table, why, sizeof why);
    q->items = error == 0 ? calloc(q->table.row_count + 1, sizeof *q->items) : NULL;
    if (error == 0 && csv_column(&q->table, "holds_lo") < 0) {
        f.ok = false;
        snprintf(why, sizeof why, "has no column holds_lo, see results/README.md");
    }
    for (; q->items != NULL && f.ok && f.row < q->table.row_count; f.row++)
        take_question(&f, &q->items[q->count++]);
    if (q->items != NULL && f.ok && q->count > 0 && !q->table.truncated)
        return true;
    snprintf(message, TABLES_MESSAGE, "%.100s is no table of questions: %s", path == NULL ? "the program's own" : path,
             error == -1 || !f.ok ? why
             : error != 0         ? files_reason(error)
             : q->items == NULL   ? "out of memory"
             : q->table.truncated ? "the last line has no end"
                                  : "it has no rows");
    questions_free(q);
    return false;
}

void questions_free(questions *q) {
    csv_free(&q->table);
    free(q->items);
    *q = (questions){0};
}

// ---- Findings

static const char lacks[] = "the row lacks what it takes";

static bool is_unstable(table_row row) { return strcmp(row_text(row, "status"), "unstable") == 0; }

// PyTorch's ratio beside it, where there is one: of the norms' time, in percent where that is asked.
static void note_peer(finding *f, const question *q, const run_tables *run, table_row subject, table_row baseline) {
    if (q->what != ASKED_TIME_RATIO && q->what != ASKED_NORM_CHANGE)
        return;
    f->peer = peer_ratio_find(run, subject, baseline);
    if (q->what == ASKED_NORM_CHANGE)
        f->peer.value = interval_quotient(f->peer.value, interval_of(1, 1, 1), 100, 1);
}

static void note_subject(finding *f, const question *q, table_row subject, table_row baseline) {
    const double size = row_real(subject, asked_facts[q->what].table == RUN_TABLE_LAYERS ? "tokens" : "rows");
    f->subject = subject;
    f->baseline = baseline;
    f->scaled = strcmp(row_text(subject, "scaled"), "1") == 0 || size < q->tokens;
    f->unstable = is_unstable(subject) || is_unstable(baseline);
}

// A column with its interval, or a number that has none.
static stats_interval of_column(table_row row, asked what) {
    static const struct {
        asked what;
        const char *stem, *suffix;
        bool has_interval;
    } columns[] = {{ASKED_CALL, "call", "_ratio", true},
                   {ASKED_COMPOSITION, "composition", "_ratio", true},
                   {ASKED_TIMING_COST, "timing_cost", "_pct", false},
                   {ASKED_PEAK_FRACTION, "matmul_peak_fraction", "", false}};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (columns[i].what == what) {
            const stats_interval value = row_interval(row, columns[i].stem, columns[i].suffix);
            return columns[i].has_interval ? value : interval_of(value.median, value.median, value.median);
        }
    return INTERVAL_NONE;
}

// Of an arm alone, or of what it is held against besides.
static stats_interval of_arms(const question *q, asking *a, const arm *subject, const arm *baseline) {
    return q->what == ASKED_NORM_SHARE          ? norm_share(a, subject, q->extent)
           : !asked_facts[q->what].has_baseline ? of_column(subject->layer, q->what)
           : q->what == ASKED_NORM_CHANGE       ? norm_change(a, subject, baseline, q->extent)
                                                : total_change(a, subject, baseline, q->extent);
}

static stats_interval of_layers(finding *f, const question *q, asking *a) {
    arm subject, baseline;
    const bool found = find_arm(a, &subject, &q->subject, &q->where, q->extent, NULL);
    f->subject = subject.layer;
    if (!found)
        return INTERVAL_NONE;
    note_subject(f, q, subject.layer, subject.layer);
    if (!asked_facts[q->what].has_baseline)
        return of_arms(q, a, &subject, NULL);
    if (!find_arm(a, &baseline, &q->baseline, &q->where, q->extent, &subject))
        return INTERVAL_NONE;
    note_subject(f, q, subject.layer, baseline.layer);
    note_peer(f, q, a->run, subject.layer, baseline.layer);
    return of_arms(q, a, &subject, &baseline);
}

static stats_interval of_kernels(finding *f, const question *q, asking *a) {
    filter subject = q->subject, baseline = q->baseline;
    (void)filter_add(&subject, q->where.text, a->why);
    f->subject = filter_find(&subject, a->run, RUN_TABLE_KERNELS, a->why);
    if (!row_is(f->subject))
        return INTERVAL_NONE;
    note_subject(f, q, f->subject, f->subject);
    filter_add_conditions(&baseline, RUN_TABLE_KERNELS, f->subject);
    const table_row other = filter_find(&baseline, a->run, RUN_TABLE_KERNELS, a->why);
    if (!row_is(other))
        return INTERVAL_NONE;
    a->why[0] = '\0';
    note_subject(f, q, f->subject, other);
    note_peer(f, q, a->run, f->subject, other);
    return time_ratio(a, f->subject, other);
}

// ---- Of single rows of layers.csv

// What a row is held against: what the question says, in the row's own conditions, form and level.
static bool find_baseline(asking *a, const question *q, table_row row, arm *found) {
    filter f = q->baseline;
    (void)filter_add(&f, q->where.text, a->why);
    filter_add_conditions(&f, RUN_TABLE_LAYERS, row);
    filter_add_value(&f, row, "form");
    filter_add_value(&f, row, "level");
    *found = (arm){.layer = filter_find(&f, a->run, RUN_TABLE_LAYERS, a->why)};
    return row_is(found->layer);
}

static stats_interval of_row(const question *q, asking *a, table_row row) {
    const arm subject = {.layer = row};
    arm baseline = {0};
    if (asked_facts[q->what].has_baseline && !find_baseline(a, q, row, &baseline))
        return INTERVAL_NONE;
    return of_arms(q, a, &subject, &baseline);
}

static bool add(findings *all, const finding *f) {
    finding *const items = list_more(all->items, all->count, sizeof *items);
    if (items == NULL)
        return false;
    all->items = items;
    items[all->count++] = *f;
    return true;
}

void findings_free(findings *all) {
    free(all->items);
    *all = (findings){0};
}

static finding unanswered(const question *q) {
    return (finding){.asked = q,
                     .verdict = VERDICT_CANNOT_TELL,
                     .value = INTERVAL_NONE,
                     .method = "",
                     .peer = {.value = INTERVAL_NONE}};
}

static bool judge_rows(const question *q, const run_tables *run, findings *all) {
    const size_t first = all->count;
    finding of = unanswered(q);
    filter f = q->subject;
    table_row row = {0};
    bool ok = true;
    (void)filter_add(&f, q->where.text, of.why);
    (void)filter_find(&f, run, RUN_TABLE_LAYERS, of.why);
    while (ok && filter_next(&f, run, RUN_TABLE_LAYERS, &row)) {
        asking a = {.run = run, .method = ""};
        if (!row_is_measured(row))
            continue;
        const stats_interval value = of_row(q, &a, row);
        if (isnan(value.median)) {
            snprintf(of.why, sizeof of.why, "%s", a.why[0] != '\0' ? a.why : lacks);
            continue;
        }
        const verdict v = judge_answer(&value, q);
        of.rows++;
        of.failing += v == VERDICT_DOES_NOT_HOLD;
        if (q->which != WHICH_EACH && of.runs > 0 && (q->which == WHICH_LEAST) != (value.median < of.value.median))
            continue;
        of.value = value;
        of.verdict = v;
        of.runs = 1;
        of.method = a.method;
        note_subject(&of, q, row, row);
        ok = q->which != WHICH_EACH || add(all, &of);
    }
    return ok && (all->count > first || add(all, &of));
}

bool judge(const question *q, const run_tables *runs, size_t count, findings *all) {
    finding f = unanswered(q);
    if (asked_of_runs(q->what)) {
        judge_runs(&f, q, runs, count);
        return add(all, &f);
    }
    if (q->which != WHICH_ONE)
        return judge_rows(q, &runs[0], all);
    asking a = {.run = &runs[0], .method = ""};
    f.value = asked_facts[q->what].table == RUN_TABLE_LAYERS ? of_layers(&f, q, &a) : of_kernels(&f, q, &a);
    if (!isnan(f.value.median))
        f.runs = f.rows = 1;
    f.method = f.runs > 0 ? a.method : "";
    f.verdict = judge_answer(&f.value, q);
    snprintf(f.why, sizeof f.why, "%s", a.why[0] != '\0' ? a.why : lacks);
    return add(all, &f);
}
