// SPDX-License-Identifier: MIT
// patterns.c: see patterns.h.
#include "patterns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/interval.h"
#include "base/list.h"
#include "base/names.h"
#include "base/refuse.h"
#include "fingerprint.h"
#include "measure/run.h"
#include "published.h"

static const judge_bounds around_one = {.expected = (double)NAN, .lo = (double)NAN, .hi = 1};
static const judge_bounds around_zero = {.expected = (double)NAN, .lo = (double)NAN, .hi = 0};

// ---- Which machines

// The strongest level that a machine runs; "" if nothing tells. They stand in the order of their strength.
static const char *strongest_of_machine(const results *r) {
    json_t *const levels = (json_t *)results_fact(r->meta, "machine.cpu.levels");
    const char *strongest = "";
    for (void *at = json_object_iter(levels); at != NULL; at = json_object_iter_next(levels, at))
        if (json_is_true(json_object_get(json_object_iter_value(at), "runs")) &&
            strncmp(json_object_iter_key(at), "auto_", 5) != 0)
            strongest = json_object_iter_key(at);
    return strongest;
}

static void set_class(reproduction *r) {
#define TOLERANCE(ID, words, tolerance, steps) tolerance,
#define STEPS(ID, words, tolerance, steps) steps,
    static const double tolerances[] = {PATTERN_CLASS_LIST(TOLERANCE)};
    static const size_t steps[] = {PATTERN_CLASS_LIST(STEPS)};
    const char *const level = strongest_of_machine(r->old);
    const bool same_level = *level != '\0' && strcmp(level, strongest_of_machine(r->now)) == 0;
    r->class = fingerprint_equal(r->old->meta, r->now->meta) ? PATTERN_CLASS_SAME
               : same_level                                  ? PATTERN_CLASS_LEVEL
                                                             : PATTERN_CLASS_OTHER;
    r->tolerance = tolerances[r->class];
    r->steps = steps[r->class];
}

// ---- The same row of both runs

void patterns_rename(const char *name, size_t place, const char *text, char out[RESULT_NAME]) {
    const char *begin = name;
    for (size_t i = 0; i < place && *begin != '\0'; i++)
        begin += strcspn(begin, "/") + (begin[strcspn(begin, "/")] == '/');
    (void)snprintf(out, RESULT_NAME, "%.*s%s%s", (int)(begin - name), name, text, begin + strcspn(begin, "/"));
}

static void add_level(pattern_levels *l, const char *name, size_t strength) {
    size_t at = 0;
    if (strength == 0 || l->count == PATTERN_LEVELS || names_find(name, l->names, l->count) < l->count)
        return;
    while (at < l->count && l->strengths[at] > strength)
        at++;
    memmove(&l->names[at + 1], &l->names[at], (l->count - at) * sizeof *l->names);
    memmove(&l->strengths[at + 1], &l->strengths[at], (l->count - at) * sizeof *l->strengths);
    l->names[at] = name;
    l->strengths[at] = strength;
    l->count++;
}

static pattern_levels levels_of(const results *r) {
    pattern_levels l = {.count = 0};
    for (size_t i = 0; i < r->count; i++)
        add_level(&l, row_text(r->items[i].row, "level"), filter_strength(r->items[i].row));
    return l;
}

// What is named, at the strongest level at which a run has it.
static const result *strongest(const results *r, const pattern_levels *l, const char *name) {
    const result *found = NULL;
    char other[RESULT_NAME];
    for (size_t i = 0; found == NULL && i < l->count; i++) {
        patterns_rename(name, PATTERNS_LEVEL, l->names[i], other);
        found = results_find(r, other);
    }
    return found;
}

const result *patterns_counterpart(const reproduction *r, const result *old) {
    const result *const exact = results_find(r->now, old->name);
    char wanted[RESULT_NAME], cores[24];
    if (r->class == PATTERN_CLASS_SAME)
        return exact;
    const double threads = row_real(old->row, "threads");
    (void)snprintf(wanted, sizeof wanted, "%s", old->name);
    (void)snprintf(cores, sizeof cores, "%zu", r->now->tables.cores);
    if (threads > 1 && threads == (double)r->old->tables.cores)
        patterns_rename(old->name, PATTERNS_THREADS, cores, wanted);
    const result *const as_cores = results_find(r->now, wanted);
    if (as_cores != NULL || exact != NULL)
        return as_cores != NULL ? as_cores : exact;
    const bool is_strongest = strongest(r->old, &r->old_levels, old->name) == old;
    return is_strongest ? strongest(r->now, &r->now_levels, wanted) : NULL;
}

// ---- Outcomes

pattern_outcome patterns_hold(const stats_interval *old, const stats_interval *now, const judge_bounds *b,
                              double allowed, const char *unit, char why[PATTERN_WORDS]) {
    const verdict was = judge_place(old, b), is = judge_place(now, b);
    const double apart = fmax(now->lo - old->hi, old->lo - now->hi);
    why[0] = '\0';
    if (was == VERDICT_CANNOT_TELL || is == VERDICT_CANNOT_TELL) {
        const stats_interval *const open = was == VERDICT_CANNOT_TELL ? old : now;
        snprintf(why, PATTERN_WORDS, "the interval of the %s run %s", open == old ? "old" : "new",
                 interval_known(open) ? "reaches across the bound" : "is missing: it takes at least six launches");
        return PATTERN_CANNOT_TELL;
    }
    if (was == is)
        return PATTERN_AGREES;
    snprintf(why, PATTERN_WORDS, "on opposite sides, %s the tolerance of %.2g%s%s",
             apart > allowed ? "further apart than" : "but no further apart than", allowed, *unit == '\0' ? "" : " ",
             unit);
    return apart > allowed ? PATTERN_DIFFERS : PATTERN_CANNOT_TELL;
}

pattern *patterns_add(reproduction *r, pattern_kind kind, const char *name) {
    pattern *const items = list_more(r->items, r->count, sizeof *items);
    if (items == NULL) {
        r->failed = true;
        return NULL;
    }
    r->items = items;
    pattern *const p = &items[r->count++];
    *p = (pattern){.of = r, .kind = kind, .outcome = PATTERN_CANNOT_TELL};
    snprintf(p->name, sizeof p->name, "%s", name);
    return p;
}

static void show(char text[PATTERN_WORDS], const stats_interval *i, const char *unit, const judge_bounds *b) {
    char value[INTERVAL_TEXT];
    if (isnan(i->median))
        snprintf(text, PATTERN_WORDS, "not measured");
    else
        snprintf(text, PATTERN_WORDS, "%s", interval_text(value, i, unit, judge_decimals(i, b)));
}

// Two values, against a bound.
static void add_values(reproduction *r, pattern_kind kind, const char *name, const stats_interval *old,
                       const stats_interval *now, const char *unit, const judge_bounds *b, double allowed) {
    pattern *const p = patterns_add(r, kind, name);
    if (p == NULL)
        return;
    show(p->old, old, unit, b);
    show(p->now, now, unit, b);
    p->old_tells = judge_place(old, b) != VERDICT_CANNOT_TELL;
    p->missing = isnan(now->median);
    if (isnan(old->median) || isnan(now->median))
        snprintf(p->why, sizeof p->why, "the %s run has no such row", isnan(old->median) ? "old" : "new");
    else
        p->outcome = patterns_hold(old, now, b, allowed, unit, p->why);
}

// ---- Claims

// Of a layer's total the tolerance is one of its norms' time, where these were timed in place.
static double unit_of_tolerance(asked what, const char *method, table_row row, double value) {
    const bool in_place = strncmp(method, "totals", 6) != 0;
    const double share = row_real(row, "norm_share");
    if (what == ASKED_NORM_SHARE)
        return fabs(value);
    if (what == ASKED_TOTAL_CHANGE && in_place && share > 0)
        return 100 * share;
    return what == ASKED_TIME_RATIO ? 1 : 100;
}

static finding found(const question *q, const results *of, bool *ok) {
    findings all = {0};
    *ok = judge(q, &of->tables, 1, &all);
    const finding f = *ok ? all.items[0] : (finding){.value = INTERVAL_NONE};
    findings_free(&all);
    return f;
}

// Both tell that nothing that matters is there.
static void add_no_difference(reproduction *r, const question *q, const finding *old, const finding *now) {
    const char *const unit = row_text(q->row, "unit");
    pattern *const p = patterns_add(r, PATTERN_CLAIM, row_text(q->row, "id"));
    if (p == NULL)
        return;
    show(p->old, &old->value, strcmp(unit, "1") == 0 ? "" : unit, &q->holds);
    show(p->now, &now->value, strcmp(unit, "1") == 0 ? "" : unit, &q->holds);
    p->old_tells = true;
    p->outcome = PATTERN_AGREES;
    snprintf(p->why, sizeof p->why, "%s", verdict_name(VERDICT_NO_DIFFERENCE));
}

static void add_claim(reproduction *r, const question *q) {
    bool old_ok, now_ok;
    const finding old = found(q, r->old, &old_ok), now = found(q, r->now, &now_ok);
    const char *const unit = row_text(q->row, "unit");
    r->failed |= !old_ok || !now_ok;
    if (isnan(old.value.median) && isnan(now.value.median)) {
        r->unasked++;
        return;
    }
    const finding *const f = isnan(old.value.median) ? &now : &old;
    const double scale = unit_of_tolerance(q->what, f->method, f->subject, f->value.median);
    if (old.verdict == VERDICT_NO_DIFFERENCE && now.verdict == VERDICT_NO_DIFFERENCE) {
        add_no_difference(r, q, &old, &now);
        return;
    }
    add_values(r, PATTERN_CLAIM, row_text(q->row, "id"), &old.value, &now.value, strcmp(unit, "1") == 0 ? "" : unit,
               &q->holds, r->tolerance * scale);
}

static bool add_claims(reproduction *r, char message[TABLES_MESSAGE]) {
    questions q;
    if (!questions_read(&q, NULL, (const char *)published_claims, message))
        return false;
    for (size_t i = 0; i < q.count; i++)
        add_claim(r, &q.items[i]);
    questions_free(&q);
    return true;
}

// ---- Sides

// X(ID, words behind the row's name, table, what it is held against, bound). Of rmsnorm over layernorm the other way
// round is one.
#define SIDE_LIST(X)                                                                                                   \
    X(RMSNORM, "over rmsnorm", KERNELS, "rmsnorm", around_one)                                                         \
    X(LAYERNORM, "over layernorm", KERNELS, "layernorm", around_one)                                                   \
    X(NORMS, "norms over the model's own", LAYERS, NULL, around_zero)                                                  \
    X(LAYER, "layer over that with the model's own norm", LAYERS, NULL, around_zero)
#define SIDE_ROW(ID, ...) SIDE_##ID,
typedef enum { SIDE_LIST(SIDE_ROW) SIDES } side_kind;
#undef SIDE_ROW

// A change in percent; *scale: what the tolerance is of.
static stats_interval layer_change(const results *r, const result *item, bool whole, double *scale) {
    asking a = {.run = &r->tables, .method = ""};
    const arm taken = {.layer = item->row}, own = {.layer = native_row(&r->tables, item->row)};
    const extent layer = {.layers = 1};
    if (!row_is(own.layer) || own.layer.at == item->row.at)
        return INTERVAL_NONE;
    const stats_interval change = whole ? total_change(&a, &taken, &own, layer) : norm_change(&a, &taken, &own, layer);
    *scale = unit_of_tolerance(whole ? ASKED_TOTAL_CHANGE : ASKED_NORM_CHANGE, a.method, own.layer, change.median);
    return change;
}

static stats_interval side_value(const results *r, const result *item, side_kind k, double *scale) {
    *scale = 1;
    return k == SIDE_RMSNORM     ? row_interval(item->row, "ratio", "_to_rmsnorm")
           : k == SIDE_LAYERNORM ? row_interval(item->row, "ratio_to_layernorm", "")
                                 : layer_change(r, item, k == SIDE_LAYER, scale);
}

static void add_side(reproduction *r, const result *item, side_kind k) {
#define WORDS(ID, words, ...) words,
#define BOUND(ID, words, table, against, bound) &bound,
    static const char *const words[] = {SIDE_LIST(WORDS)};
    static const judge_bounds *const bounds[] = {SIDE_LIST(BOUND)};
    const result *const other = patterns_counterpart(r, item);
    double scale, ignored;
    char name[PATTERN_NAME];
    const stats_interval old = side_value(r->old, item, k, &scale),
                         now = other != NULL ? side_value(r->now, other, k, &ignored) : INTERVAL_NONE;
    if (isnan(old.median))
        return;
    snprintf(name, sizeof name, "%s %s", item->name, words[k]);
    add_values(r, PATTERN_SIDE, name, &old, &now, item->table == RUN_TABLE_LAYERS ? "%" : "", bounds[k],
               r->tolerance * scale);
}

static void add_sides(reproduction *r) {
#define TABLE(ID, words, table, ...) RUN_TABLE_##table,
#define AGAINST(ID, words, table, against, bound) against,
    static const run_table tables[] = {SIDE_LIST(TABLE)};
    static const char *const against[] = {SIDE_LIST(AGAINST)};
    for (size_t i = 0; i < r->old->count; i++) {
        const result *const item = &r->old->items[i];
        const char *const op = row_text(item->row, "op");
        for (side_kind k = 0; k < SIDES; k++)
            if (item->table == tables[k] && item->quantity == RESULT_TIME && !result_is_sentinel(item) &&
                (against[k] == NULL || (strcmp(op, against[k]) != 0 && strcmp(op, "rmsnorm") != 0)))
                add_side(r, item, k);
    }
}

// ---- All

// Tables of another version may mean something else by the same name.
static bool check_version(const results *r, char message[TABLES_MESSAGE]) {
    const json_t *const in_meta = results_fact(r->meta, "schema_version");
    double version = json_is_integer(in_meta) ? (double)json_integer_value(in_meta) : (double)SCHEMA_VERSION;
    for (size_t i = 0; version == (double)SCHEMA_VERSION && i < r->count; i++) {
        const double of_row = row_real(r->items[i].row, "schema_version");
        version = isnan(of_row) ? version : of_row;
    }
    return version == (double)SCHEMA_VERSION ||
           refuse(message, TABLES_MESSAGE,
                  "%.300s is of version %.0f of the tables, and this program knows version %d: take the program that "
                  "wrote it, or measure it anew",
                  r->folder, version, SCHEMA_VERSION);
}

bool reproduction_make(reproduction *r, const results *old, const results *now, char message[TABLES_MESSAGE]) {
    *r = (reproduction){.old = old, .now = now, .old_levels = levels_of(old), .now_levels = levels_of(now)};
    if (!check_version(old, message) || !check_version(now, message))
        return false;
    set_class(r);
    if (!add_claims(r, message))
        return false;
    add_sides(r);
    patterns_add_orders(r);
    patterns_add_crossings(r);
    for (size_t i = 0; i < r->count; i++)
        r->counts[r->items[i].kind][r->items[i].outcome]++;
    if (!r->failed)
        return true;
    reproduction_free(r);
    return refuse(message, TABLES_MESSAGE, "out of memory");
}

void reproduction_free(reproduction *r) {
    free(r->items);
    r->items = NULL;
    r->count = 0;
}

size_t reproduction_count(const reproduction *r, pattern_outcome o) {
    size_t count = 0;
    for (pattern_kind k = 0; k < PATTERN_KINDS; k++)
        count += r->counts[k][o];
    return count;
}

int reproduction_status(const reproduction *r) {
    const double agree = (double)reproduction_count(r, PATTERN_AGREES),
                 differ = (double)reproduction_count(r, PATTERN_DIFFERS);
    size_t told = 0;
    for (size_t i = 0; i < r->count; i++)
        told += r->items[i].old_tells;
    if (r->counts[PATTERN_CLAIM][PATTERN_DIFFERS] > 0 || agree < PATTERN_SHARE * (agree + differ))
        return EXIT_REGRESSION;
    if (agree == 0 || 2 * agree < (double)told)
        return EXIT_INCONCLUSIVE;
    return r->now->complete && r->now->missing == 0 ? EXIT_DONE : EXIT_INCOMPLETE;
}
