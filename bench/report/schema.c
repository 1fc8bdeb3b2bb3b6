// SPDX-License-Identifier: MIT
// schema.c: see schema.h.
#include "schema.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "ab_table.h"
#include "measure/samples.h"

static const column_table *const tables[] = {&kernels_table,
                                             &samples_table,
                                             &verify_table,
                                             &layers_table,
                                             &layer_samples_table,
                                             &steps_table,
                                             &efficiency_table,
                                             &others_table,
                                             &claims_table,
                                             &verdicts_table,
                                             &comparison_table,
                                             &squash_table,
                                             &tokens_table,
                                             &limits_table,
                                             &goals_table,
                                             &questions_table,
                                             &pairs_table,
                                             &answers_table,
                                             &natives_table,
                                             &peers_table,
                                             &ab_table,
                                             &ab_samples_table,
                                             &ab_layers_table,
                                             &ab_layer_samples_table,
                                             &sides_table,
                                             &compare_table,
                                             &history_table,
                                             &law_table,
                                             &predictions_table,
                                             &validation_table,
                                             &validation_rows_table,
                                             &validation_gates_table,
                                             &tune_table,
                                             &tune_samples_table,
                                             &needs_table,
                                             &patterns_table,
                                             &parity_runs_table,
                                             &parity_table,
                                             &sharded_table};

const column_table *schema_at(size_t index) { return index < COLUMN_COUNT(tables) ? tables[index] : NULL; }

const column_table *schema_find(const char *name) {
    size_t i = 0;
    while (i < COLUMN_COUNT(tables) && strcmp(tables[i]->name, name) != 0)
        i++;
    return schema_at(i);
}

#define FORMAT_NAME(ID, name) #name,
const char *const schema_format_names[] = {SCHEMA_FORMAT_LIST(FORMAT_NAME)};

static const char *kind_name(const table_column *c) {
    static const char *const names[] = {"string", "integer", "number"};
    return names[c->type->kind];
}
static const char *unit_of(const table_column *c) { return c->unit != NULL ? c->unit : ""; }

// ---- Text and CSV

// One a line, name first.
static void print_text(FILE *out, const column_table *t) {
    for (size_t i = 0; i < columns_count(t); i++) {
        const table_column *const c = columns_at(t, i);
        char name[80];
        snprintf(name, sizeof name, "%s.%s", t->name, c->name);
        fprintf(out, "%-40s %-7s %-25s %s\n", name, kind_name(c), c->unit != NULL ? c->unit : "-", c->meaning);
    }
}

// A row of that table: a column of another.
typedef struct {
    const column_table *table;
    const table_column *column;
    char words[400]; // that it may hold
} schema_row;

static column_value bound(const schema_row *r, double limit) {
    return value_real(r->column->type->kind != COLUMN_STRING && isfinite(limit) ? limit : (double)NAN, 9);
}

#define ROW schema_row
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, table, name, NULL, value_text(r->table->name), "The table, as kernels of kernels.csv.")                \
    X(REQUIRED, column, name, NULL, value_text(r->column->name), "The column.")                                        \
    X(REQUIRED, type, name, NULL, value_text(kind_name(r->column)), "string, integer or number.")                      \
    X(OPTIONAL, unit, text, NULL, value_text(r->column->unit), "As UCUM spells it.")                                   \
    X(REQUIRED, required, flag, NULL, value_size(r->column->required),                                                 \
      "1 if it is never empty, and in every version of the table.")                                                    \
    X(OPTIONAL, least, real, "{unit}", bound(r, r->column->type->least), "Least value.")                               \
    X(OPTIONAL, most, real, "{unit}", bound(r, r->column->type->most), "Largest value.")                               \
    X(OPTIONAL, words, text, NULL, value_text(r->words), "The only values, with | between them.")                      \
    X(OPTIONAL, pattern, text, NULL, value_text(r->column->type->pattern),                                             \
      "The regular expression that every value matches.")                                                              \
    X(REQUIRED, meaning, text, NULL, value_text(r->column->meaning), "What it means.")
COLUMN_OWN_LIST(own_columns, COLUMNS)
static const column_part own_parts[] = {COLUMN_PART(own_columns)};
static const column_table schema_table = {"schema", "", "One row per column of every table.", own_parts, 1};

static int print_csv(FILE *out, const column_table *only) {
    csv_writer w = {.file = out};
    columns_write_header(&w, &schema_table);
    for (size_t i = 0; i < COLUMN_COUNT(tables); i++)
        for (size_t k = 0; (only == NULL || only == tables[i]) && k < columns_count(tables[i]); k++) {
            schema_row row = {tables[i], columns_at(tables[i], k), ""};
            const char *word;
            size_t used = 0;
            for (size_t n = 0; row.column->type->word != NULL && (word = row.column->type->word(n)) != NULL; n++)
                if (used < sizeof row.words)
                    used += (size_t)snprintf(row.words + used, sizeof row.words - used, "%s%s", n > 0 ? "|" : "", word);
            (void)columns_write_row(&w, &schema_table, &row); // told by w.error
        }
    return w.error;
}

// ---- Table Schema

static void print_string(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text != '\0'; text++)
        fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
    fputc('"', out);
}

// What a column may hold, each thing behind what it takes to go on from the one before.
static void print_constraints(FILE *out, const table_column *c) {
    static const char begin[] = ",\n           \"constraints\": {", more[] = ", ";
    const column_type *const t = c->type;
    const char *before = begin, *word;
    const double limits[] = {t->least, t->most};
    static const char *const names[] = {"minimum", "maximum"};
    if (c->required) {
        fprintf(out, "%s\"required\": true", before);
        before = more;
    }
    for (size_t i = 0; i < COLUMN_COUNT(limits); i++)
        if (t->kind != COLUMN_STRING && isfinite(limits[i])) {
            fprintf(out, "%s\"%s\": %g", before, names[i], limits[i]);
            before = more;
        }
    if (t->pattern != NULL) {
        fprintf(out, "%s\"pattern\": ", before);
        print_string(out, t->pattern);
        before = more;
    }
    if (t->word != NULL) {
        fprintf(out, "%s\"enum\": [", before);
        before = more;
        for (size_t i = 0; (word = t->word(i)) != NULL; i++) {
            fputs(i > 0 ? more : "", out);
            print_string(out, word);
        }
        fputc(']', out);
    }
    if (before == more)
        fputc('}', out);
}

static void print_field(FILE *out, const table_column *c) {
    fprintf(out, "          {\"name\": \"%s\", \"type\": \"%s\"", c->name, kind_name(c));
    if (c->unit != NULL) {
        fputs(", \"unit\": ", out);
        print_string(out, c->unit);
    }
    fputs(",\n           \"description\": ", out);
    print_string(out, c->meaning);
    print_constraints(out, c);
    fputc('}', out);
}

static void print_resource(FILE *out, const column_table *t) {
    fprintf(out,
            "    {\n      \"profile\": \"tabular-data-resource\",\n      \"name\": \"%s\",\n      \"path\": \"%s\",\n  "
            "    \"description\": ",
            t->name, t->path);
    print_string(out, t->meaning);
    fputs(",\n      \"format\": \"csv\",\n      \"encoding\": \"utf-8\",\n      \"dialect\": {\"lineTerminator\": "
          "\"\\n\"},\n      \"schema\": {\n        \"missingValues\": [\"\"],\n        \"fields\": [\n",
          out);
    const size_t count = columns_count(t);
    for (size_t i = 0; i < count; i++) {
        print_field(out, columns_at(t, i));
        fputs(i + 1 < count ? ",\n" : "\n", out);
    }
    fputs("        ]\n      }\n    }", out);
}

static void print_json(FILE *out, const column_table *only) {
    fputs("{\n  \"profile\": \"data-package\",\n  \"name\": \"normbench-results\",\n  \"title\": \"normbench "
          "results\",\n  \"description\": \"Columns of every CSV file that normbench writes. Units are spelled as in "
          "UCUM. Files lie in one folder per machine and run.\",\n  \"licenses\": [{\"name\": \"MIT\"}],\n  "
          "\"resources\": [\n",
          out);
    for (size_t i = 0; i < COLUMN_COUNT(tables); i++)
        if (only == NULL || only == tables[i]) {
            print_resource(out, tables[i]);
            fputs(only == NULL ? ",\n" : "\n", out);
        }
    if (only == NULL)
        fputs("    {\n      \"name\": \"meta\",\n      \"path\": \"*/*/meta.json\",\n      \"description\": "
              "\"Everything about the machine, the build and the run that could change a number: one JSON object, in "
              "which a fact that could not be read is null with the reason beside it.\",\n      \"format\": "
              "\"json\",\n      \"encoding\": \"utf-8\"\n    }\n",
              out);
    fputs("  ]\n}\n", out);
}

// ---- Markdown

static void print_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++)
        fprintf(out, "%s%c", *text == '|' ? "\\" : "", *text);
}

static void print_markdown(FILE *out, const column_table *t) {
    fprintf(out, "## %s.csv\n\n%s\n\n| column | type | unit | meaning |\n|---|---|---|---|\n", t->name, t->meaning);
    for (size_t i = 0; i < columns_count(t); i++) {
        const table_column *const c = columns_at(t, i);
        fprintf(out, "| `%s` | %s | %s | ", c->name, kind_name(c), unit_of(c));
        print_cell(out, c->meaning);
        fputs(" |\n", out);
    }
}

int schema_print(FILE *out, const column_table *only, schema_format format) {
    errno = 0;
    if (format == SCHEMA_CSV)
        return print_csv(out, only);
    if (format == SCHEMA_JSON)
        print_json(out, only);
    bool begun = false;
    for (size_t i = 0; format != SCHEMA_JSON && i < COLUMN_COUNT(tables); i++)
        if (only == NULL || only == tables[i]) {
            fputs(begun && format == SCHEMA_MARKDOWN ? "\n" : "", out);
            (format == SCHEMA_TEXT ? print_text : print_markdown)(out, tables[i]);
            begun = true;
        }
    return fflush(out) != 0 || ferror(out) ? (errno != 0 ? errno : EIO) : 0;
}
