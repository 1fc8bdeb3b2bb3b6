// SPDX-License-Identifier: MIT
// filter.c: see filter.h.
#include "filter.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/parse.h"
#include "base/refuse.h"
#include "layer.h"
#include "plan/select.h"
#include "vocabulary.h"

// The first of several values a|b, without what follows; moves on to the next, NULL after the last.
static bool next_value(const char **values, char *value, size_t size) {
    if (*values == NULL)
        return false;
    const size_t length = strcspn(*values, "|");
    snprintf(value, size, "%.*s", (int)length, *values);
    *values = (*values)[length] == '|' ? *values + length + 1 : NULL;
    return true;
}

// Takes the two dots off a least number.
static bool is_least(char *value) {
    const size_t length = strlen(value);
    const bool least = length > 2 && strcmp(value + length - 2, "..") == 0;
    if (least)
        value[length - 2] = '\0';
    return least;
}

static bool one_of(const char *value, const char *values) {
    char one[72];
    double number, least;
    while (next_value(&values, one, sizeof one))
        if (strcmp(value, one) == 0 ||
            (is_least(one) && parse_real(one, &least) && parse_real(value, &number) && number >= least))
            return true;
    return false;
}

// ---- Words

static const char *const places[] = {"L1", "L2", "L3", "memory"};
enum { PLACES = sizeof places / sizeof *places };

// Columns by which rows are found: names, of which those of other builds and machines are taken as they are, and
// counts.
static const char *const free_names[] = {"variant", "base", "level", "run_id", "status"};
static const char *const counts[] = {"rows",    "cols",  "threads", "batch",  "tokens",
                                     "context", "depth", "stage",   "repeats"};
#define COUNT(list) (sizeof(list) / sizeof *(list))

#define NATIVE "native"

static bool value_is_known(const char *column, char *value, char message[TABLES_MESSAGE]) {
    const char *names[SELECT_MAX_NAMES];
    size_t count = 0, number;
    if (names_find(column, free_names, COUNT(free_names)) < COUNT(free_names))
        return true;
    if (strcmp(column, "data") == 0) {
        count = PLACES;
        memcpy(names, places, sizeof places);
    } else if (names_find(column, counts, COUNT(counts)) < COUNT(counts)) {
        (void)is_least(value);
        if (parse_size(value, &number) || (strcmp(column, "threads") == 0 && strcmp(value, "cores") == 0))
            return true;
        return refuse(message, TABLES_MESSAGE, "\"%.40s\" is no number of %s: give a whole one", value, column);
    } else {
        selector s = 0;
        while (s < SELECTORS && strcmp(selector_option(s), column) != 0)
            s++;
        if (s == SELECTORS) {
            snprintf(
                message, TABLES_MESSAGE,
                "no row is found by \"%.40s\": give op, variant, base, form, level, dtype, pass, rows, cols, threads, "
                "placement, cache, data, model, phase, part, batch, tokens, context, depth or stage",
                column);
            return false;
        }
        count = selector_names(s, names);
    }
    if (strcmp(column, "op") == 0 && strcmp(value, NATIVE) == 0)
        return true;
    if (names_find(value, names, count) < count)
        return true;
    names_explain(message, TABLES_MESSAGE, value, column, names, count);
    return false;
}

static bool add_word(filter *f, const char *word, size_t length, char message[TABLES_MESSAGE]) {
    const char *const equals = memchr(word, '=', length);
    const size_t column = equals == NULL ? 0 : (size_t)(equals - word), values = length - column - 1;
    if (column == 0 || column >= sizeof f->words->column || values >= sizeof f->words->values ||
        f->count == FILTER_WORDS)
        return refuse(message, TABLES_MESSAGE, "\"%.*s\" is no word column=value", (int)(length < 60 ? length : 60),
                      word);
    memcpy(f->words[f->count].column, word, column);
    memcpy(f->words[f->count].values, equals + 1, values);
    f->words[f->count].column[column] = f->words[f->count].values[values] = '\0';
    const char *rest = f->words[f->count].values;
    char value[72];
    while (next_value(&rest, value, sizeof value))
        if (!value_is_known(f->words[f->count].column, value, message))
            return false;
    f->count++;
    return true;
}

bool filter_add(filter *f, const char *text, char message[TABLES_MESSAGE]) {
    const size_t used = strlen(f->text);
    if (*text == '\0')
        return true;
    if (snprintf(f->text + used, sizeof f->text - used, "%s%s", used > 0 ? " " : "", text) >=
        (int)(sizeof f->text - used))
        return refuse(message, TABLES_MESSAGE, "more words than %zu letters hold", sizeof f->text - 1);
    for (size_t length; *text != '\0'; text += length + (text[length] == ' ')) {
        length = strcspn(text, " ");
        if (!add_word(f, text, length, message))
            return false;
    }
    return true;
}

const char *filter_value(const filter *f, const char *column) {
    for (size_t i = f->count; i > 0; i--)
        if (strcmp(f->words[i - 1].column, column) == 0)
            return f->words[i - 1].values;
    return "";
}

void filter_add_value(filter *f, table_row row, const char *column) {
    const char *const value = row_text(row, column);
    const size_t used = strlen(f->text);
    if (f->count == FILTER_WORDS)
        return;
    snprintf(f->text + used, sizeof f->text - used, "%s%s=%s", used > 0 ? " " : "", column, value);
    snprintf(f->words[f->count].column, sizeof f->words->column, "%s", column);
    snprintf(f->words[f->count].values, sizeof f->words->values, "%s", value);
    f->count++;
}

static void add_values(filter *f, table_row row, const char *const *columns, size_t count) {
    for (size_t i = 0; i < count; i++)
        filter_add_value(f, row, columns[i]);
}

void filter_add_conditions(filter *f, run_table table, table_row like) {
    static const char *const of_layers[] = {"run_id",    "model", "phase", "dtype",  "threads",
                                            "placement", "cache", "batch", "tokens", "context",
                                            "depth",     "stage", "part",  "rows",   "cols"};
    static const char *const of_kernels[] = {"run_id",    "pass",  "dtype", "threads",
                                             "placement", "cache", "rows",  "cols"};
    if (table == RUN_TABLE_LAYERS)
        add_values(f, like, of_layers, COUNT(of_layers));
    else
        add_values(f, like, of_kernels, COUNT(of_kernels));
}

void filter_add_same_run(filter *f, table_row like) {
    static const char *const columns[] = {"run_id", "threads", "placement", "tokens", "batch"};
    add_values(f, like, columns, COUNT(columns));
}

// ---- Rows

static double elements(table_row row) { return row_real(row, "rows") * row_real(row, "cols"); }

const char *filter_place(const run_tables *r, table_row row) {
    size_t dtype;
    if (!selector_index(SELECT_DTYPE, row_text(row, "dtype"), &dtype) || r->l1_bytes <= 0 || r->l2_bytes <= 0 ||
        r->llc_bytes <= 0)
        return "";
    const double bytes = 2 * elements(row) * (double)norm_dtype_bytes((norm_dtype)dtype);
    return bytes <= r->l1_bytes        ? "L1"
           : bytes <= r->l2_bytes      ? "L2"
           : bytes <= r->llc_bytes     ? "L3"
           : bytes >= 2 * r->llc_bytes ? "memory"
                                       : "";
}

static bool word_fits(const run_tables *r, table_row row, const char *column, const char *values) {
    if (strcmp(column, "data") == 0)
        return one_of(filter_place(r, row), values);
    if (strcmp(column, "threads") == 0 && strcmp(values, "cores") == 0)
        return row_real(row, column) == (double)r->cores;
    if (strcmp(column, "base") == 0) {
        char base[ROW_BASE];
        return one_of(row_base(row, base), values);
    }
    if (strcmp(column, "op") == 0 && one_of(NATIVE, values)) {
        const model_shape *const model = model_find(row_text(row, "model"));
        if (model != NULL && strcmp(row_text(row, column), norm_op_name(model->native)) == 0)
            return true;
    }
    return one_of(row_text(row, column), values);
}

static bool fits(const filter *f, const run_tables *r, table_row row) {
    for (size_t i = f->count; i > 0; i--)
        if (!word_fits(r, row, f->words[i - 1].column, f->words[i - 1].values))
            return false;
    return true;
}

bool filter_next(const filter *f, const run_tables *r, run_table table, table_row *row) {
    const csv_table *const files = r->tables[table].files;
    size_t file = row->table == NULL ? 0 : (size_t)(row->table - files), at = row->table == NULL ? 0 : row->at + 1;
    for (; file < r->tables[table].count; file++, at = 0)
        for (; at < files[file].row_count; at++) {
            *row = (table_row){&files[file], at};
            if (fits(f, r, *row))
                return true;
        }
    return false;
}

size_t filter_strength(table_row row) {
    const char *const name = row_text(row, "level");
    size_t level;
    if (strncmp(name, "auto_", 5) == 0)
        return 0;
    if (!selector_index(SELECT_LEVEL, name, &level))
        return NORM_ALL_LEVELS + 1;
    return level == NORM_LEVEL_LIBRARY ? 0 : level + 1;
}

int filter_default(table_row row) {
    char base[ROW_BASE];
    size_t op, form;
    return selector_index(SELECT_OP, row_text(row, "op"), &op) &&
                   selector_index(SELECT_FORM, row_text(row, "form"), &form)
               ? vocabulary_stands((norm_op)op, (norm_form)form, row_base(row, base))
               : 0;
}

// Whether a is meant rather than b; of equals the first.
static bool is_better(table_row a, table_row b) {
    const double by_a[] = {filter_default(a), elements(a), row_real(a, "threads"), (double)filter_strength(a)};
    const double by_b[] = {filter_default(b), elements(b), row_real(b, "threads"), (double)filter_strength(b)};
    size_t i = 0;
    while (i + 1 < COUNT(by_a) && by_a[i] == by_b[i])
        i++;
    return by_a[i] > by_b[i];
}

table_row filter_find(const filter *f, const run_tables *r, run_table table, char why[TABLES_MESSAGE]) {
    table_row best = {0}, row = {0};
    const char *const name = run_table_name(table);
    if (r->tables[table].count == 0)
        snprintf(why, TABLES_MESSAGE, "there is no %s.csv", name);
    else
        snprintf(why, TABLES_MESSAGE, "no row of %s.csv has %s", name, f->text);
    while (filter_next(f, r, table, &row)) {
        if (row_is_measured(row) && *row_text(row, "time_ns_median") != '\0') {
            if (!row_is(best) || is_better(row, best))
                best = row;
        } else {
            const char *const reason = row_text(row, "reason");
            snprintf(why, TABLES_MESSAGE, "the row of %s.csv with %.600s is %.60s%s%.200s", name, f->text,
                     row_text(row, "status"), *reason == '\0' ? "" : ", ", reason);
        }
    }
    return best;
}
