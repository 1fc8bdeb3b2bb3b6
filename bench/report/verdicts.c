// SPDX-License-Identifier: MIT
// verdicts.c: see verdicts.h.
#include "verdicts.h"

#include <math.h>
#include <stdlib.h>

#include "base/interval.h"
#include "base/paired.h"
#include "published.h"

#define LIST(ID, name, ...) &verdict_##name,
static const verdict_list *const lists[] = {VERDICT_TABLE_LIST(LIST)};
#undef LIST
#define OWN(ID, name, ...) published_##name,
static const unsigned char *const own[] = {VERDICT_TABLE_LIST(OWN)};
#undef OWN

bool verdicts_make(verdicts *v, verdict_table of, const char *path, const run_tables *runs, size_t count,
                   char message[TABLES_MESSAGE]) {
    *v = (verdicts){.of = of, .runs = count};
    if (!questions_read(&v->asked, path, (const char *)own[of], message))
        return false;
    for (size_t i = 0; i < count; i++)
        v->cores = runs[i].cores > v->cores ? runs[i].cores : v->cores;
    bool ok = true;
    for (size_t i = 0; ok && i < v->asked.count; i++)
        ok = judge(&v->asked.items[i], runs, count, &v->found);
    if (!ok) {
        snprintf(message, TABLES_MESSAGE, "out of memory");
        verdicts_free(v);
    } else if (lists[of]->together) {
        judge_together(&v->found);
    }
    return ok;
}

void verdicts_free(verdicts *v) {
    questions_free(&v->asked);
    findings_free(&v->found);
    *v = (verdicts){0};
}

static verdict_row row_of(const verdicts *v, size_t i) {
    verdict_row r = {.q = v->found.items[i].asked, .f = &v->found.items[i], .cores = v->cores};
    if (lists[v->of]->prepare != NULL)
        lists[v->of]->prepare(&r);
    return r;
}

static void write_rows(csv_writer *w, const void *what) {
    const verdicts *const v = what;
    for (size_t i = 0; i < v->found.count; i++) {
        verdict_row r = row_of(v, i);
        columns_write_row(w, lists[v->of]->table, &r);
    }
}

int verdicts_write(const void *what, const char *path) {
    return columns_write(path, lists[((const verdicts *)what)->of]->table, write_rows, what);
}

bool verdicts_print(const verdicts *v, FILE *out) {
    const verdict_list *const list = lists[v->of];
    const char *above = NULL;
    size_t count[VERDICTS] = {0};
    bool said = false;
    for (size_t i = 0; i < v->found.count; i++) {
        const verdict_row r = row_of(v, i);
        count[r.f->verdict]++;
        if (!list->says_missing && r.f->runs == 0)
            continue;
        const char *const heading = list->heading != NULL ? list->heading(r.q) : NULL;
        if (heading != NULL && heading != above)
            fprintf(out, "\n%s\n\n", heading);
        above = heading;
        said = true;
        list->print(out, &r);
    }
    if (list->end != NULL)
        list->end(out, v, count);
    return said;
}

// ---- Taken together

#define LEAST 1e-9              // so far out an interval of a few launches says nothing more
#define END_DEVIATIONS 1.959964 // of a normal distribution's 95 % interval

// The probability of a value so far above a bound, if it lies there: one-sided. toward: the interval's end on the
// bound's side.
static double beyond(double value, double toward, double bound) {
    const double deviation = fabs(value - toward) / END_DEVIATIONS;
    return deviation > 0 ? fmax(0.5 * erfc(fabs(value - bound) / deviation * sqrt(0.5)), LEAST) : LEAST;
}

// That the verdict is wrong; NaN where nothing was told.
static double p_of(const finding *f) {
    const stats_interval *const i = &f->value;
    const judge_bounds *const b = &f->asked->holds;
    if (f->verdict == VERDICT_CANNOT_TELL || !interval_known(i) || !isnan(b->expected))
        return (double)NAN;
    if (f->verdict == VERDICT_NO_DIFFERENCE) {
        const double edge = judge_edge(f->asked), margin = f->asked->margin;
        return fmax(beyond(i->median, i->lo, edge - margin), beyond(i->median, i->hi, edge + margin));
    }
    if (f->verdict == VERDICT_DOES_NOT_HOLD)
        return i->median < b->lo ? beyond(i->median, i->hi, b->lo) : beyond(i->median, i->lo, b->hi);
    const double low = isnan(b->lo) ? 0 : beyond(i->median, i->lo, b->lo);
    return fmax(low, isnan(b->hi) ? 0 : beyond(i->median, i->hi, b->hi));
}

void judge_together(findings *all) {
    double *const p = malloc((all->count + 1) * sizeof *p);
    size_t told = 0;
    for (size_t i = 0; i < all->count; i++) {
        finding *const f = &all->items[i];
        f->p_value = f->p_together = p_of(f);
        f->verdict_together = f->verdict;
        if (p != NULL && !isnan(f->p_value))
            p[told++] = f->p_value;
    }
    if (p != NULL)
        paired_holm(p, told);
    for (size_t i = 0, at = 0; p != NULL && i < all->count; i++)
        if (!isnan(all->items[i].p_value)) {
            all->items[i].p_together = p[at++];
            if (all->items[i].p_together > TOGETHER_LEVEL)
                all->items[i].verdict_together = VERDICT_CANNOT_TELL;
        }
    free(p);
}
