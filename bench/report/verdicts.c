// SPDX-License-Identifier: MIT
// verdicts.c: see verdicts.h.
#include "verdicts.h"

#include <stdlib.h>

#include "published.h"
#include "together.h"

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
