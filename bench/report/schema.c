// SPDX-License-Identifier: MIT
// schema.c: see schema.h.
#include "schema.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "measure/samples_table.h"

static const column_table *const tables[] = {&kernels_table,       &samples_table,  &verify_table,     &layers_table,
                                             &layer_samples_table, &steps_table,    &efficiency_table, &others_table,
                                             &claims_table,        &verdicts_table, &comparison_table, &squash_table,
                                             &tokens_table,        &limits_table};

const column_table *schema_at(size_t index) { return index < COLUMN_COUNT(tables) ? tables[index] : NULL; }

const column_table *schema_find(const char *name) {
    size_t i = 0;
    while (i < COLUMN_COUNT(tables) && strcmp(tables[i]->name, name) != 0)
        i++;
    return schema_at(i);
}

#define FORMAT_NAME(ID, name) #name,
static const char *const format_names[] = {SCHEMA_FORMAT_LIST(FORMAT_NAME)};
const char *schema_format_name(schema_format format) { return format_names[format]; }

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

// What a column may hold besides what its kind says: words, separated by `|`, or a pattern.
static void write_allowed(csv_writer *w, const column_type *t) {
    char text[400] = "";
    size_t used = 0;
    const char *word;
    for (size_t i = 0; t->word != NULL && (word = t->word(i)) != NULL && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? "|" : "", word);
    csv_text(w, text);
    csv_text(w, t->pattern);
}

static void write_csv(csv_writer *w, const column_table *t) {
    for (size_t i = 0; i < columns_count(t); i++) {
        const table_column *const c = columns_at(t, i);
        const bool number = c->type->kind != COLUMN_STRING;
        const char *const texts[] = {t->name, c->name, kind_name(c), c->unit};
        for (size_t k = 0; k < COLUMN_COUNT(texts); k++)
            csv_text(w, texts[k]);
        csv_size(w, c->required);
        csv_real(w, number && isfinite(c->type->least) ? c->type->least : (double)NAN, 9);
        csv_real(w, number && isfinite(c->type->most) ? c->type->most : (double)NAN, 9);
        write_allowed(w, c->type);
        csv_text(w, c->meaning);
        (void)csv_end(w); // told by csv_close
    }
}

static int print_csv(FILE *out, const column_table *only) {
    static const char *const names[] = {"table", "column", "type",  "unit",    "required",
                                        "least", "most",   "words", "pattern", "meaning"};
    csv_writer w = {.file = out};
    for (size_t i = 0; i < COLUMN_COUNT(names); i++)
        csv_text(&w, names[i]);
    (void)csv_end(&w);
    for (size_t i = 0; i < COLUMN_COUNT(tables); i++)
        if (only == NULL || only == tables[i])
            write_csv(&w, tables[i]);
    return w.error;
}

// ---- Table Schema

static void print_string(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text != '\0'; text++)
        fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
    fputc('"', out);
}

static void print_constraints(FILE *out, const table_column *c) {
    const column_type *const t = c->type;
    const char *before = ",\n           \"constraints\": {", *word;
    if (c->required) {
        fprintf(out, "%s\"required\": true", before);
        before = ", ";
    }
    const double limits[] = {t->least, t->most};
    static const char *const names[] = {"minimum", "maximum"};
    for (size_t i = 0; i < 2 && t->kind != COLUMN_STRING; i++)
        if (isfinite(limits[i])) {
            fprintf(out, "%s\"%s\": %g", before, names[i], limits[i]);
            before = ", ";
        }
    if (t->pattern != NULL) {
        fprintf(out, "%s\"pattern\": ", before);
        print_string(out, t->pattern);
        before = ", ";
    }
    for (size_t i = 0; t->word != NULL && (word = t->word(i)) != NULL; i++) {
        fprintf(out, "%s", i > 0 ? ", " : before);
        if (i == 0)
            fputs("\"enum\": [", out);
        print_string(out, word);
    }
    if (t->word != NULL)
        fputs("]", out);
    fputs(c->required || t->pattern != NULL || t->word != NULL ||
                  (t->kind != COLUMN_STRING && (isfinite(t->least) || isfinite(t->most)))
              ? "}"
              : "",
          out);
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
