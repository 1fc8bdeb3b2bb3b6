// SPDX-License-Identifier: MIT
// html_tables.c: every row of every table of the page. A column that is the same in all rows is told once, above; one
// that is empty in all of them is left out.
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "html_page.h"
#include "schema.h"

typedef enum { COLUMN_SHOWN, COLUMN_SAME, COLUMN_BLANK } column_state;

static column_state state_of(const csv_table *t, size_t column) {
    for (size_t i = 1; i < t->row_count; i++)
        if (strcmp(t->rows[i][column], t->rows[0][column]) != 0)
            return COLUMN_SHOWN;
    return t->row_count == 0 || *t->rows[0][column] == '\0' ? COLUMN_BLANK : COLUMN_SAME;
}

// What it means, for who points at it.
static void write_meaning(FILE *out, const char *table, const char *column) {
    const column_table *const known = schema_find(table);
    const table_column *const c = known == NULL ? NULL : columns_find(known, column);
    if (c == NULL)
        return;
    fputs(" title='", out);
    html_say(out, "%s%s%s%s", c->unit == NULL ? "" : "[", c->unit == NULL ? "" : c->unit, c->unit == NULL ? "" : "] ",
             c->meaning);
    fputc('\'', out);
}

static void write_same(FILE *out, const page_table *t) {
    fputs("<dl class=same>", out);
    for (size_t k = 0; k < t->table->column_count; k++)
        if (state_of(t->table, k) == COLUMN_SAME) {
            fputs("<div><dt", out);
            write_meaning(out, t->name, t->table->header[k]);
            fputc('>', out);
            html_text(out, t->table->header[k]);
            fputs("<dd>", out);
            html_text(out, t->table->rows[0][k]);
            fputs("</div>", out);
        }
    fputs("</dl>\n", out);
}

static void write_header(FILE *out, const page_table *t) {
    fputs("<thead><tr><th scope=col>row", out);
    for (size_t k = 0; k < t->table->column_count; k++)
        if (state_of(t->table, k) == COLUMN_SHOWN) {
            fputs("<th scope=col", out);
            write_meaning(out, t->name, t->table->header[k]);
            fputc('>', out);
            html_text(out, t->table->header[k]);
        }
    fputs("</thead><tbody>\n", out);
}

static void write_table(FILE *out, const page *p, size_t number) {
    const page_table *const t = &p->tables[number];
    const csv_table *const csv = t->table;
    column_state *const states = malloc((csv->column_count + 1) * sizeof *states);
    fprintf(out, "<details class=data id=t%zu><summary>", number);
    html_say(out, "%s.csv: %zu row%s, %s", t->name, csv->row_count, csv->row_count == 1 ? "" : "s", t->run->name);
    fputs("</summary>\n", out);
    write_same(out, t);
    fputs("<div class=scroll tabindex=0><table class=rows>", out);
    write_header(out, t);
    for (size_t k = 0; states != NULL && k < csv->column_count; k++)
        states[k] = state_of(csv, k);
    for (size_t i = 0; states != NULL && i < csv->row_count; i++) {
        fprintf(out, "<tr id=t%zur%zu><td>%zu", number, i + 1, i + 1);
        for (size_t k = 0; k < csv->column_count; k++)
            if (states[k] == COLUMN_SHOWN) {
                fputs("<td>", out);
                html_text(out, csv->rows[i][k]);
            }
        fputs("</tr>\n", out); // or the line's end would be part of its last field
    }
    free(states);
    fputs("</table></div></details>\n", out);
}

void page_tables(FILE *out, const page *p) {
    fputs("<p>Every row of the CSV files, as they are. What a column means, and its unit, stands on its name; "
          "results/README.md has it all. Samples lie in the run's folder alone.</p>\n",
          out);
    for (size_t i = 0; i < p->table_count; i++)
        write_table(out, p, i);
}
