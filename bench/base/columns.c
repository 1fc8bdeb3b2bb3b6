// SPDX-License-Identifier: MIT
// columns.c: see columns.h.
#include "columns.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"
#include "plain.h"

const column_type column_real = {COLUMN_NUMBER, -INFINITY, INFINITY, NULL, NULL};
const column_type column_amount = {COLUMN_NUMBER, 0, INFINITY, NULL, NULL};
const column_type column_fraction = {COLUMN_NUMBER, 0, 1, NULL, NULL};
const column_type column_count = {COLUMN_INTEGER, 0, INFINITY, NULL, NULL};
const column_type column_ordinal = {COLUMN_INTEGER, 1, INFINITY, NULL, NULL};
const column_type column_flag = {COLUMN_INTEGER, 0, 1, NULL, NULL};
const column_type column_text = {COLUMN_STRING, -INFINITY, INFINITY, NULL, NULL};
const column_type column_name = {COLUMN_STRING, -INFINITY, INFINITY, "[a-z0-9][a-z0-9_.+-]{0,63}", NULL};
const column_type column_id = {COLUMN_STRING, -INFINITY, INFINITY, "[A-Za-z0-9][A-Za-z0-9_.+/-]{0,127}", NULL};

size_t columns_count(const column_table *t) {
    size_t count = 0;
    for (size_t i = 0; i < t->part_count; i++)
        count += t->parts[i].count;
    return count;
}

const table_column *columns_at(const column_table *t, size_t index) {
    size_t part = 0;
    for (; index >= t->parts[part].count; part++)
        index -= t->parts[part].count;
    return &t->parts[part].columns[index];
}

const table_column *columns_find(const column_table *t, const char *name) {
    for (size_t i = 0; i < t->part_count; i++)
        for (size_t k = 0; k < t->parts[i].count; k++)
            if (strcmp(t->parts[i].columns[k].name, name) == 0)
                return &t->parts[i].columns[k];
    return NULL;
}

// ---- Writing

static void write_value(csv_writer *w, column_value v) {
    switch (v.kind) {
    case VALUE_EMPTY:
        csv_empty(w);
        return;
    case VALUE_TEXT:
        csv_text(w, v.text);
        return;
    case VALUE_SIZE:
        csv_size(w, v.size);
        return;
    case VALUE_REAL:
        csv_real(w, v.real, v.digits);
        return;
    }
}

void columns_write_names(csv_writer *w, const column_part *parts, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < parts[i].count; k++)
            csv_text(w, parts[i].columns[k].name);
}

void columns_write_values(csv_writer *w, const column_part *parts, size_t count, const void *row) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < parts[i].count; k++)
            write_value(w, parts[i].columns[k].value(parts[i].of != NULL ? parts[i].of(row) : row));
}

void columns_write_header(csv_writer *w, const column_table *t) {
    columns_write_names(w, t->parts, t->part_count);
    (void)csv_end(w); // told by the next row, or by csv_close
}

int columns_write_row(csv_writer *w, const column_table *t, const void *row) {
    columns_write_values(w, t->parts, t->part_count, row);
    return csv_end(w);
}

int columns_write(const char *path, const column_table *t, columns_rows *rows, const void *of) {
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    columns_write_header(&w, t);
    rows(&w, of); // what goes wrong csv_close tells
    return csv_close(&w);
}

// ---- Checking

// Compiled once each, for a table may have a million fields; there are only as many as there are types of names.
static bool matches(const char *pattern, const char *value) {
    enum { MOST = 16 };
    static struct {
        const char *pattern;
        regex_t compiled;
    } known[MOST];
    size_t i = 0;
    while (i < MOST && known[i].pattern != NULL && known[i].pattern != pattern)
        i++;
    if (i == MOST)
        return false;
    if (known[i].pattern == NULL) {
        char whole[256];
        const int length = snprintf(whole, sizeof whole, "^(%s)$", pattern);
        if (length < 0 || (size_t)length >= sizeof whole ||
            regcomp(&known[i].compiled, whole, REG_EXTENDED | REG_NOSUB) != 0)
            return false;
        known[i].pattern = pattern;
    }
    return regexec(&known[i].compiled, value, 0, NULL, 0) == 0;
}

static bool is_word(const column_type *t, const char *value) {
    const char *word;
    for (size_t i = 0; (word = t->word(i)) != NULL; i++)
        if (strcmp(word, value) == 0)
            return true;
    return false;
}

static const char *number_fault(const column_type *t, const char *value) {
    uint64_t whole;
    double number = INFINITY;
    if (t->kind == COLUMN_INTEGER && !parse_u64(value, &whole))
        return "is not an integer";
    // An error may be infinite; "INF" is the spelling of Table Schema.
    const bool infinite = t->kind == COLUMN_NUMBER && strcmp(value, "INF") == 0;
    if (!infinite && !parse_real(value, &number))
        return "is not a number";
    if (number < t->least)
        return "is below the minimum";
    return number > t->most ? "is above the maximum" : NULL;
}

const char *columns_fault(const table_column *c, const char *value) {
    const column_type *const t = c->type;
    if (*value == '\0')
        return c->required ? "is empty but required" : NULL;
    if (t->kind != COLUMN_STRING)
        return number_fault(t, value);
    if (!plain_text(value))
        return "is not one line of plain text";
    if (t->pattern != NULL && !matches(t->pattern, value))
        return "is not spelt as such a name is";
    return t->word != NULL && !is_word(t, value) ? "is not one of the allowed values" : NULL;
}
