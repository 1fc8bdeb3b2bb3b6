// SPDX-License-Identifier: MIT
// html_page.h: what the page of `normbench report` is made of: runs as their CSV files and meta.json have them, what
// the judge says of each, and every table that the page shows. Its parts are written by functions of a file each.
#ifndef HTML_PAGE_H
#define HTML_PAGE_H

#include <jansson.h>

#include "html_chart.h"
#include "verdicts.h"

// Tables of a run beside those that are judged.
#define PAGE_EXTRA_LIST(X) X(STEPS, steps) X(AB, ab) X(AB_LAYERS, ab_layers) X(VALIDATION, validation)
#define PAGE_EXTRA_ROW(ID, name) PAGE_##ID,
typedef enum { PAGE_EXTRA_LIST(PAGE_EXTRA_ROW) PAGE_EXTRAS } page_extra;
#undef PAGE_EXTRA_ROW

typedef struct {
    const char *folder;
    run_tables tables;
    csv_table extra[PAGE_EXTRAS]; // without a header: there is none
    json_t *meta;                 // NULL: there is none
    char run_id[128], machine_id[128], name[160];
    verdicts of[VERDICT_TABLES]; // of questions, and of claims where there are layers
    size_t machine;              // its number on the page, from 0
} page_run;

// A table on the page; its rows are called t3r17, from 1 as in the file.
typedef struct {
    const csv_table *table;
    const char *name; // "kernels"
    const page_run *run;
} page_table;

typedef struct {
    page_run *runs;
    size_t count, machines;
    page_table *tables;
    size_t table_count;
    chart_series *series; // a run each
} page;

// Reads the folders of runs, in this order. false with a message that says which file is wrong, and how to mend it.
bool page_read(page *p, char *const *folders, size_t count, char message[TABLES_MESSAGE]);
void page_free(page *p);

// The id of a row on the page; "" of one that is not on it.
void page_row_id(const page *p, table_row row, char id[24]);
// A chart of runs, one series each.
chart page_chart(const page *p, const char *id, const char *title);
// Makes it one of ratios, on either side of 1; what lies there, in words.
void page_faster(chart *c, const char *below, const char *above);
// Adds a mark of a run's row.
chart_mark *page_mark(const page *p, chart *c, chart_row *on, size_t run, table_row row, stats_interval value);
// Writes a chart, and frees it. false: memory had run out.
bool page_show(FILE *out, chart *c);

// A files_writer of a page; ENOMEM: memory ran out.
int page_write(const void *page, const char *path);

// What a comparison of kernels is of: one sweep, op by op, or one sweep by another tanh than that which stands for the
// op.
typedef enum { PAGE_FUSED, PAGE_OP_BY_OP, PAGE_OTHER_TANH, PAGE_KINDS } page_kind_of;
page_kind_of page_kind(const finding *f);

// ---- The parts, each nothing where its data are missing. false: no memory.

// What is always in sight: machine, compiler, library, units, and what is not as it should be.
void page_head(FILE *out, const page *p);
// Does DyT pay here, where most, how sure is that: by the judge.
bool page_answer(FILE *out, const page *p);
bool page_questions(FILE *out, const page *p);
bool page_claims(FILE *out, const page *p);
bool page_maps(FILE *out, const page *p);
bool page_kernels(FILE *out, const page *p);
bool page_layers(FILE *out, const page *p);
bool page_gate(FILE *out, const page *p);
void page_tables(FILE *out, const page *p);
void page_facts(FILE *out, const page *p);

// What makes a run's numbers less certain, told by meta.json: so many texts, of at most PAGE_WARNINGS.
enum { PAGE_WARNINGS = 16, PAGE_WARNING = 256 };
size_t page_warnings(const page_run *run, char texts[PAGE_WARNINGS][PAGE_WARNING]);
// So many rows of its kernels and layers have this status; all of them: NULL.
size_t page_rows(const page_run *run, const char *status);

#endif
