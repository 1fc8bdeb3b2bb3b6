// SPDX-License-Identifier: MIT
// verdicts.c: see verdicts.h.
#include "verdicts.h"

#include <stdlib.h>

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
    v->found = calloc(v->asked.count, sizeof *v->found);
    if (v->found == NULL) {
        snprintf(message, TABLES_MESSAGE, "out of memory");
        verdicts_free(v);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        v->cores = runs[i].cores > v->cores ? runs[i].cores : v->cores;
    for (size_t i = 0; i < v->asked.count; i++)
        v->found[i] = judge(&v->asked.items[i], runs, count);
    return true;
}

void verdicts_free(verdicts *v) {
    questions_free(&v->asked);
    free(v->found);
    *v = (verdicts){0};
}

int verdicts_write(const void *what, const char *path) {
    const verdicts *const v = what;
    const verdict_list *const list = lists[v->of];
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    columns_write_header(&w, list->table);
    for (size_t i = 0; i < v->asked.count; i++) {
        verdict_row r = {.q = &v->asked.items[i], .f = &v->found[i], .cores = v->cores};
        list->prepare(&r);
        columns_write_row(&w, list->table, &r);
    }
    return csv_close(&w);
}

bool verdicts_print(const verdicts *v, FILE *out) {
    const verdict_list *const list = lists[v->of];
    size_t count[VERDICTS] = {0};
    bool begun = false;
    for (size_t i = 0; i < v->asked.count; i++) {
        count[v->found[i].verdict]++;
        if (!list->says_missing && v->found[i].runs == 0)
            continue;
        if (!begun && list->title != NULL)
            fprintf(out, "\n%s\n\n", list->title);
        begun = true;
        verdict_row r = {.q = &v->asked.items[i], .f = &v->found[i], .cores = v->cores};
        list->prepare(&r);
        list->print(out, &r);
    }
    if (list->end != NULL)
        list->end(out, v, count);
    return begun;
}
