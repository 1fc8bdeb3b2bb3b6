// SPDX-License-Identifier: MIT
// html_page.c: reads the runs of a page, and puts its parts together; see html_page.h.
#include "html_page.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json_file.h"
#include "base/refuse.h"
#include "html.h"
#include "results.h"
#include "vocabulary.h"

#define NAME(ID, name) #name,
static const char *const extra_names[] = {PAGE_EXTRA_LIST(NAME)};
#undef NAME

// ---- Reading

static bool out_of_memory(char message[TABLES_MESSAGE]) { return refuse(message, TABLES_MESSAGE, "out of memory"); }

static bool take_extra(page_run *r, page_extra which, char message[TABLES_MESSAGE]) {
    char path[PATH_MAX], why[TABLES_MESSAGE / 2];
    csv_table *const t = &r->extra[which];
    if (snprintf(path, sizeof path, "%s/%s.csv", r->folder, extra_names[which]) >= (int)sizeof path)
        return true;
    const int error = csv_read(t, path, why, sizeof why);
    if (error == ENOENT || (error == 0 && !t->truncated))
        return true;
    return refuse(message, TABLES_MESSAGE, "%.300s: %s", path,
                  error == 0    ? "the last line has no end: it was cut off; copy it anew"
                  : error == -1 ? why
                                : files_reason(error));
}

static bool take_meta(page_run *r, char message[TABLES_MESSAGE]) {
    char path[PATH_MAX];
    json_error_t why;
    if (snprintf(path, sizeof path, "%s/meta.json", r->folder) >= (int)sizeof path)
        return true;
    const int code = json_file_read(path, &r->meta, &why);
    if (code == 0 || code == ENOENT)
        return true;
    if (code == -1)
        return refuse(message, TABLES_MESSAGE, "%.300s: line %d: %.100s: it was cut off or changed; copy it anew", path,
                      why.line, why.text);
    return refuse(message, TABLES_MESSAGE, "%.300s: %s", path, files_reason(code));
}

// The first table of a run that has rows; of none if there is none.
static table_row first_row(const page_run *r) {
    for (run_table t = 0; (int)t < (int)RUN_OWN_TABLES; t++)
        for (size_t i = 0; i < r->tables.tables[t].count; i++)
            if (r->tables.tables[t].files[i].row_count > 0)
                return (table_row){&r->tables.tables[t].files[i], 0};
    for (page_extra e = 0; e < PAGE_EXTRAS; e++)
        if (r->extra[e].row_count > 0)
            return (table_row){&r->extra[e], 0};
    return (table_row){0};
}

// What it is called, by meta.json, or without it by its tables, or its folder.
static void take_names(page_run *r) {
    const table_row row = first_row(r);
    const char *const run = json_string_value(results_fact(r->meta, "run_id")),
                      *const machine = json_string_value(results_fact(r->meta, "machine_id")),
                      *const row_run = row_text(row, "run_id");
    html_add(r->run_id, sizeof r->run_id, "%s", run != NULL ? run : *row_run != '\0' ? row_run : r->folder);
    html_add(r->machine_id, sizeof r->machine_id, "%s", machine != NULL ? machine : row_text(row, "machine_id"));
    html_add(r->name, sizeof r->name, "%.60s%s%.17s", r->machine_id, *r->machine_id == '\0' ? "" : ", ", r->run_id);
}

static bool has_table(const page_run *r) {
    bool has = r->tables.tables[RUN_TABLE_KERNELS].count + r->tables.tables[RUN_TABLE_LAYERS].count > 0;
    for (page_extra e = 0; e < PAGE_EXTRAS; e++)
        has = has || r->extra[e].header != NULL;
    return has;
}

static bool take_run(page_run *r, const char *folder, char message[TABLES_MESSAGE]) {
    r->folder = folder;
    if (!run_tables_read(&r->tables, folder, message) || !take_meta(r, message))
        return false;
    for (page_extra e = 0; e < PAGE_EXTRAS; e++)
        if (!take_extra(r, e, message))
            return false;
    if (!has_table(r))
        return refuse(message, TABLES_MESSAGE,
                      "%.300s holds no kernels.csv, layers.csv, ab.csv or validation.csv: give a run's folder, such as "
                      "results/MACHINE/RUN; one that was cut off goes on with `normbench kernels --resume DIR`, or "
                      "layers or ab",
                      folder);
    take_names(r);
    return verdicts_make(&r->of[VERDICT_TABLE_QUESTIONS], VERDICT_TABLE_QUESTIONS, NULL, &r->tables, 1, message) &&
           verdicts_make(&r->of[VERDICT_TABLE_CLAIMS], VERDICT_TABLE_CLAIMS, NULL, &r->tables, 1, message);
}

static void add_table(page *p, const csv_table *t, const char *name, const page_run *run) {
    if (t->header != NULL)
        p->tables[p->table_count++] = (page_table){t, name, run};
}

static bool list_tables(page *p) {
    size_t most = 0;
    for (size_t i = 0; i < p->count; i++) {
        most += PAGE_EXTRAS;
        for (run_table t = 0; t < RUN_TABLES; t++)
            most += p->runs[i].tables.tables[t].count;
    }
    p->tables = calloc(most + 1, sizeof *p->tables);
    for (size_t i = 0; p->tables != NULL && i < p->count; i++) {
        const page_run *const r = &p->runs[i];
        for (run_table t = 0; t < RUN_TABLES; t++)
            for (size_t k = 0; k < r->tables.tables[t].count; k++)
                add_table(p, &r->tables.tables[t].files[k], run_table_name(t), r);
        for (page_extra e = 0; e < PAGE_EXTRAS; e++)
            add_table(p, &r->extra[e], extra_names[e], r);
    }
    return p->tables != NULL;
}

// Numbers the machines in the order of their first runs.
static bool take_series(page *p, char message[TABLES_MESSAGE]) {
    p->series = calloc(p->count, sizeof *p->series);
    for (size_t i = 0; p->series != NULL && i < p->count; i++) {
        page_run *const r = &p->runs[i];
        size_t same = 0;
        while (same < i && strcmp(p->runs[same].machine_id, r->machine_id) != 0)
            same++;
        r->machine = same < i ? p->runs[same].machine : p->machines++;
        for (size_t k = 0; k < i; k++)
            if (strcmp(p->runs[k].run_id, r->run_id) == 0)
                return refuse(message, TABLES_MESSAGE, "%.300s and %.300s are the same run, %.100s: give it once",
                              p->runs[k].folder, r->folder, r->run_id);
        p->series[i].name = r->name;
        vocabulary_colour(i, p->series[i].colour);
    }
    return p->series != NULL || out_of_memory(message);
}

bool page_read(page *p, char *const *folders, size_t count, char message[TABLES_MESSAGE]) {
    *p = (page){0};
    p->runs = calloc(count + 1, sizeof *p->runs);
    bool ok = p->runs != NULL || out_of_memory(message);
    for (size_t i = 0; ok && i < count; i++) {
        p->count++;
        ok = take_run(&p->runs[i], folders[i], message);
    }
    ok = ok && (list_tables(p) || out_of_memory(message)) && take_series(p, message);
    if (!ok)
        page_free(p);
    return ok;
}

void page_free(page *p) {
    for (size_t i = 0; i < p->count; i++) {
        page_run *const r = &p->runs[i];
        for (size_t k = 0; k < VERDICT_TABLES; k++)
            verdicts_free(&r->of[k]);
        for (page_extra e = 0; e < PAGE_EXTRAS; e++)
            csv_free(&r->extra[e]);
        run_tables_free(&r->tables);
        json_decref(r->meta);
    }
    free(p->runs);
    free(p->tables);
    free(p->series);
    *p = (page){0};
}

// ---- Rows and charts

void page_row_id(const page *p, table_row row, char id[24]) {
    id[0] = '\0';
    for (size_t i = 0; i < p->table_count; i++)
        if (p->tables[i].table == row.table && row_is(row))
            snprintf(id, 24, "t%zur%zu", i, row.at + 1);
}

chart page_chart(const page *p, const char *id, const char *title) {
    return (chart){
        .id = id, .title = title, .unit = "1", .reference = (double)NAN, .series = p->series, .series_count = p->count};
}

void page_faster(chart *c, const char *below, const char *above) {
    c->logarithmic = true;
    c->reference = 1;
    c->below = below;
    c->above = above;
    c->looks[0] = "DyT is faster";
    c->looks[1] = "DyT is slower";
    c->looks[2] = "no difference is shown";
}

chart_mark *page_mark(const page *p, chart *c, chart_row *on, size_t run, table_row row, stats_interval value) {
    chart_mark *const m = chart_add(c, on);
    if (m == NULL)
        return NULL;
    m->value = value;
    m->series = run;
    page_row_id(p, row, m->row);
    return m;
}

bool page_show(FILE *out, chart *c) {
    const bool ok = !c->failed;
    chart_write(out, c);
    chart_free(c);
    return ok;
}

size_t page_rows(const page_run *run, const char *status) {
    size_t count = 0;
    for (run_table t = 0; (int)t < (int)RUN_OWN_TABLES; t++)
        for (size_t i = 0; i < run->tables.tables[t].count; i++) {
            table_row row = {&run->tables.tables[t].files[i], 0};
            for (; row.at < row.table->row_count; row.at++)
                count += status == NULL || strcmp(row_text(row, "status"), status) == 0;
        }
    return count;
}

// ---- The whole

static void put_file(FILE *out, const char *element, const unsigned char *text) {
    fprintf(out, "<%s>\n%s</%s>\n", element, (const char *)text, element);
}

static bool write_parts(FILE *out, const page *p) {
    page_head(out, p);
    fputs("<main><section id=answer><h2>The answer</h2>\n", out);
    bool ok = page_answer(out, p);
    fputs("</section>\n<section id=figures><h2>Figures</h2>\n", out);
    ok = page_questions(out, p) && page_maps(out, p) && page_kernels(out, p) && page_layers(out, p) &&
         page_claims(out, p) && page_gate(out, p) && ok;
    fputs("</section>\n<section id=tables><h2>Tables</h2>\n", out);
    page_tables(out, p);
    fputs("</section>\n<section id=machine><h2>Machine and build</h2>\n", out);
    page_facts(out, p);
    fputs("</section></main>\n<div id=card role=status hidden></div>\n", out);
    return ok;
}

typedef struct {
    const page *page;
    bool ok;
} writing;

static void write_page(FILE *out, const void *what) {
    writing *const w = *(writing *const *)what;
    fputs("<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\n"
          "<meta name=viewport content='width=device-width, initial-scale=1'>\n"
          "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; "
          "script-src 'unsafe-inline'\">\n<meta name=color-scheme content='light dark'>\n<title>",
          out);
    html_say(out, "normbench: DyT on %s", w->page->machines == 1 ? w->page->runs[0].machine_id : "several machines");
    fputs("</title>\n", out);
    put_file(out, "style", report_css);
    fputs("</head><body>\n", out);
    w->ok = write_parts(out, w->page);
    put_file(out, "script", report_js);
    fputs("</body></html>\n", out);
}

int page_write(const void *of, const char *path) {
    writing w = {of, true};
    writing *const here = &w;
    const int error = text_file_write(&(text_file){write_page, &here}, path);
    return error == 0 && !w.ok ? ENOMEM : error;
}
