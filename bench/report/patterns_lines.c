// SPDX-License-Identifier: MIT
// patterns_lines.c: patterns of several rows: the order of the ops at one place, and where a ratio changes its side.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "base/order.h"
#include "base/parse.h"
#include "norm.h"
#include "patterns.h"

// A row of the old run, the one of the new run, and what rows of a line have in common.
typedef struct {
    const result *old, *now; // now NULL: there is none
    char key[RESULT_NAME];
    double size; // along the line, of a crossing
} member;
typedef struct {
    member *items;
    size_t count;
} members;

static int by_key(const void *a, const void *b) {
    const member *const x = a, *const y = b;
    return ORDER_BY(strcmp(x->key, y->key), order_real(x->size, y->size), strcmp(x->old->name, y->old->name));
}

// Sets the key of what belongs to a line; false: it does not.
typedef bool key_maker(const result *item, member *m);

static bool take_members(members *all, reproduction *r, key_maker *make) {
    *all = (members){.items = calloc(r->old->count + 1, sizeof *all->items)};
    if (all->items == NULL) {
        r->failed = true;
        return false;
    }
    for (size_t i = 0; i < r->old->count; i++) {
        member *const m = &all->items[all->count];
        m->old = &r->old->items[i];
        if (!make(m->old, m))
            continue;
        m->now = patterns_counterpart(r, m->old);
        all->count++;
    }
    qsort(all->items, all->count, sizeof *all->items, by_key);
    return true;
}

// Gives each run of members with one key to `add`.
static void each_line(reproduction *r, key_maker *make, void (*add)(reproduction *r, const member *of, size_t count)) {
    members all;
    if (!take_members(&all, r, make))
        return;
    for (size_t i = 0, end; i < all.count; i = end) {
        for (end = i + 1; end < all.count && strcmp(all.items[end].key, all.items[i].key) == 0;)
            end++;
        add(r, &all.items[i], end - i);
    }
    free(all.items);
}

// ---- Orders

// The ops at one place, each by the variant that stands for it: kernels by the time of a call, layers by that of their
// norms.
static bool order_key(const result *item, member *m) {
    const char *const behind_op = strchr(item->name, '/');
    const result_quantity counts = item->table == RUN_TABLE_KERNELS ? RESULT_TIME : RESULT_NORM_TIME;
    if (item->quantity != counts || filter_default(item->row) == 0 || row_streams(item->row) || behind_op == NULL)
        return false;
    const char *const behind_variant = strchr(behind_op + 1, '/');
    snprintf(m->key, sizeof m->key, "%s", behind_variant != NULL ? behind_variant + 1 : "");
    m->size = 0;
    return true;
}

static const char *op_of(const result *i) { return row_text(i->row, "op"); }

// Time over time: from paired samples where the table has them, which are those against a norm.
static stats_interval ratio_of(const results *run, const result *a, const result *b) {
    asking ask = {.run = &run->tables, .method = ""};
    if (a == NULL || b == NULL)
        return INTERVAL_NONE;
    return a->table == RUN_TABLE_KERNELS ? time_ratio(&ask, a->row, b->row) : interval_quotient(a->ns, b->ns, 1, 0);
}

// The norm that tables hold others against comes second.
static bool is_first(const member *a, const member *b) {
    static const char *const held_against[] = {"rmsnorm", "layernorm"};
    for (size_t i = 0; i < 2; i++)
        if (strcmp(op_of(a->old), held_against[i]) == 0 || strcmp(op_of(b->old), held_against[i]) == 0)
            return strcmp(op_of(b->old), held_against[i]) == 0;
    return true;
}

// "identity < rmsnorm < dyt", by medians.
static void show_order(char text[PATTERN_WORDS], const result *const *of, size_t count) {
    bool said[NORM_OPS] = {false};
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && used < PATTERN_WORDS; i++) {
        size_t next = count;
        for (size_t k = 0; k < count; k++)
            if (of[k] != NULL && !said[k] && (next == count || of[k]->ns.median < of[next]->ns.median))
                next = k;
        if (next == count)
            return;
        said[next] = true;
        used += (size_t)snprintf(text + used, PATTERN_WORDS - used, "%s%s", i > 0 ? " < " : "", op_of(of[next]));
    }
}

// A pair that the old run tells: one that differs makes the order differ, one that is open leaves it open.
static void judge_pair(const reproduction *r, pattern *p, const member *a, const member *b) {
    static const judge_bounds one = {.expected = (double)NAN, .lo = (double)NAN, .hi = 1};
    const stats_interval old = ratio_of(r->old, a->old, b->old), now = ratio_of(r->now, a->now, b->now);
    const bool missing = a->now == NULL || b->now == NULL;
    char why[PATTERN_WORDS];
    if (judge_place(&old, &one) == VERDICT_CANNOT_TELL)
        return;
    const pattern_outcome o = patterns_hold(&old, &now, &one, r->tolerance, "", why);
    if (!p->old_tells || o == PATTERN_DIFFERS || (o == PATTERN_CANNOT_TELL && p->outcome == PATTERN_AGREES)) {
        p->outcome = o;
        if (o != PATTERN_AGREES)
            snprintf(p->why, sizeof p->why, "%s over %s: %.100s", op_of(a->old), op_of(b->old),
                     missing ? "not measured" : why);
    }
    p->old_tells = true;
    p->missing |= missing;
}

static void judge_order(const reproduction *r, pattern *p, const member *of, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count && p->outcome != PATTERN_DIFFERS; k++) {
            const bool first = is_first(&of[i], &of[k]);
            judge_pair(r, p, &of[first ? i : k], &of[first ? k : i]);
        }
    if (!p->old_tells)
        snprintf(p->why, sizeof p->why, "no pair is told apart in the old run");
}

// Whether a variant stands for its op rather than another does: the one with all parameters before its twins without.
static bool stands(const result *a, const result *b) {
    const int by_a = filter_default(a->row), by_b = filter_default(b->row);
    return by_a != by_b ? by_a > by_b : strlen(row_text(a->row, "variant")) < strlen(row_text(b->row, "variant"));
}

static void add_order(reproduction *r, const member *of, size_t count) {
    member ops[NORM_OPS];
    const result *old[NORM_OPS], *now[NORM_OPS];
    size_t kept = 0;
    for (size_t i = 0, at; i < count; i++) {
        for (at = 0; at < kept && strcmp(op_of(ops[at].old), op_of(of[i].old)) != 0;)
            at++;
        if (at == NORM_OPS || (at < kept && !stands(of[i].old, ops[at].old)))
            continue;
        ops[at] = of[i];
        old[at] = of[i].old;
        now[at] = of[i].now;
        kept += at == kept;
    }
    pattern *const p = kept > 1 ? patterns_add(r, PATTERN_ORDER, of->key) : NULL;
    if (p == NULL)
        return;
    show_order(p->old, old, kept);
    show_order(p->now, now, kept);
    judge_order(r, p, ops, kept);
}

void patterns_add_orders(reproduction *r) { each_line(r, order_key, add_order); }

// ---- Crossings

// Rows over rmsnorm along a side of the shape, the other of which they share.
static bool crossing_key(const result *item, member *m, bool by_rows) {
    size_t rows, cols;
    char shape[64];
    if (item->table != RUN_TABLE_KERNELS || *row_text(item->row, "ratio_to_rmsnorm") == '\0' ||
        strcmp(op_of(item), "rmsnorm") == 0 || result_is_sentinel(item) ||
        !parse_size(row_text(item->row, "rows"), &rows) || !parse_size(row_text(item->row, "cols"), &cols))
        return false;
    snprintf(shape, sizeof shape, by_rows ? "Nx%zu" : "%zuxN", by_rows ? cols : rows);
    patterns_rename(item->name, PATTERNS_SHAPE, shape, m->key);
    m->size = (double)(by_rows ? rows : cols);
    return true;
}
static bool rows_key(const result *item, member *m) { return crossing_key(item, m, true); }
static bool cols_key(const result *item, member *m) { return crossing_key(item, m, false); }

// One size of a line: on which side the ratio is told to lie in each run, -1, 0 (untold) or 1, and on which side the
// old run says that it lies, be it by the sizes around it.
typedef struct {
    stats_interval old, now;
    int was, is, says;
    double size;
} point;

static int side_of(const stats_interval *i) {
    static const judge_bounds one = {.expected = (double)NAN, .lo = (double)NAN, .hi = 1};
    static const int sides[VERDICTS] = {[VERDICT_HOLDS] = -1, [VERDICT_DOES_NOT_HOLD] = 1};
    return sides[judge_place(i, &one)];
}

static void take_points(point *at, const member *of, size_t count) {
    for (size_t i = 0; i < count; i++) {
        at[i] = (point){.size = of[i].size, .old = row_interval(of[i].old->row, "ratio", "_to_rmsnorm")};
        at[i].now = of[i].now == NULL ? INTERVAL_NONE : row_interval(of[i].now->row, "ratio", "_to_rmsnorm");
        at[i].was = side_of(&at[i].old);
        at[i].is = side_of(&at[i].now);
    }
}

// The next size from `from` on at which the run tells; count: none.
static size_t next_told(const point *at, size_t from, size_t count) {
    while (from < count && at[from].was == 0)
        from++;
    return from;
}

// What lies between two sizes that tell the same is of that side; between two that do not, and `steps` beyond either,
// the old run says nothing.
static void set_said(point *at, size_t count, size_t steps) {
    size_t left = next_told(at, 0, count);
    for (size_t i = 0; i < count; i++)
        at[i].says = at[i].was;
    for (size_t right; (right = next_told(at, left + 1, count)) < count; left = right)
        for (size_t i = left + 1; i < right; i++)
            at[i].says = at[left].was == at[right].was ? at[left].was : 0;
    for (left = next_told(at, 0, count); left < count; left = next_told(at, left + 1, count)) {
        const size_t right = next_told(at, left + 1, count);
        for (size_t i = 0; right < count && at[left].was != at[right].was && i < count; i++)
            if (i + steps > left && i < right + steps)
                at[i].says = 0;
    }
}

// "above 1, below from 4096": where a run changes its side.
static void show_crossing(char text[PATTERN_WORDS], const point *at, size_t count, bool old) {
    static const char *const words[] = {"below", "", "above"};
    int side = 0;
    size_t used = 0, last = 0;
    snprintf(text, PATTERN_WORDS, "no side told");
    for (size_t i = 0; i < count && used < PATTERN_WORDS; i++) {
        const int here = old ? at[i].was : at[i].is;
        if (here != 0 && side == 0)
            used += (size_t)snprintf(text, PATTERN_WORDS, "%s 1", words[here + 1]);
        else if (here != 0 && here != side)
            used += (size_t)snprintf(text + used, PATTERN_WORDS - used, ", %s between %.0f and %.0f", words[here + 1],
                                     at[last].size, at[i].size);
        last = here != 0 ? i : last;
        side = here != 0 ? here : side;
    }
}

// Of each stretch that the old run says is of one side the new run has to tell at one size at least.
static void judge_crossing(const reproduction *r, pattern *p, const point *at, size_t count) {
    bool open = false, confirmed = true;
    int side = 0;
    for (size_t i = 0; i < count; i++) {
        const double apart = fmax(at[i].now.lo - at[i].old.hi, at[i].old.lo - at[i].now.hi);
        if (at[i].says == 0)
            continue;
        open |= side != 0 && at[i].says != side && !confirmed;
        confirmed = (side == at[i].says && confirmed) || at[i].is == at[i].says;
        side = at[i].says;
        if (at[i].is == -at[i].says && !(at[i].was != 0 && apart <= r->tolerance)) {
            p->outcome = PATTERN_DIFFERS;
            snprintf(p->why, sizeof p->why, "at %.0f on the other side", at[i].size);
            return;
        }
    }
    open |= side == 0 || !confirmed;
    p->outcome = open ? PATTERN_CANNOT_TELL : PATTERN_AGREES;
    if (open)
        snprintf(p->why, sizeof p->why, "%s",
                 p->old_tells ? "the new run does not tell on each side of it" : "the old run tells nowhere");
}

static void add_crossing(reproduction *r, const member *of, size_t count) {
    enum { LEAST = 3 };
    if (count < LEAST)
        return;
    point *const at = calloc(count, sizeof *at);
    pattern *const p = at != NULL ? patterns_add(r, PATTERN_CROSSING, of->key) : NULL;
    r->failed |= at == NULL;
    if (p != NULL) {
        take_points(at, of, count);
        p->old_tells = next_told(at, 0, count) < count;
        for (size_t i = 0; i < count; i++)
            p->missing |= of[i].now == NULL;
        show_crossing(p->old, at, count, true);
        show_crossing(p->now, at, count, false);
        set_said(at, count, r->steps);
        judge_crossing(r, p, at, count);
    }
    free(at);
}

void patterns_add_crossings(reproduction *r) {
    each_line(r, rows_key, add_crossing);
    each_line(r, cols_key, add_crossing);
}
