// SPDX-License-Identifier: MIT
// fields.c: see fields.h.
#include "fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "parse.h"
#include "refuse.h"

fields fields_of(const csv_table *t, char *message, size_t size) {
    return (fields){.table = t, .ok = true, .message = message, .size = size};
}

size_t fields_line(size_t row) { return row + 2; }

// The first is told.
#define COMPLAIN(f, ...) ((f)->ok = (f)->ok && refuse((f)->message, (f)->size, __VA_ARGS__))

const char *fields_text(fields *f, const char *column) {
    const int at = csv_column(f->table, column);
    if (at < 0)
        COMPLAIN(f, "there is no column %s: go on with the version that began the run", column);
    return at < 0 ? "" : f->table->rows[f->row][at];
}

void fields_refuse(fields *f, const char *column, const char *expected) {
    COMPLAIN(f, "line %zu: %s is \"%.40s\", expected %s", fields_line(f->row), column, fields_text(f, column),
             expected);
}

void fields_refuse_row(fields *f, const char *what) { COMPLAIN(f, "line %zu %s", fields_line(f->row), what); }

size_t fields_size(fields *f, const char *column, size_t least, size_t most) {
    size_t value;
    char expected[64];
    if (parse_size(fields_text(f, column), &value) && value >= least && value <= most)
        return value;
    snprintf(expected, sizeof expected, "a whole number from %zu to %zu", least, most);
    fields_refuse(f, column, expected);
    return least;
}

double fields_real(fields *f, const char *column, double least, double most) {
    double value;
    char expected[64];
    if (parse_real(fields_text(f, column), &value) && value >= least && value <= most)
        return value;
    snprintf(expected, sizeof expected, "a number from %g to %g", least, most);
    fields_refuse(f, column, expected);
    return least;
}

double fields_real_or_nan(fields *f, const char *column, double least, double most) {
    const char *const text = fields_text(f, column);
    if (isinf(most) && strcmp(text, "INF") == 0)
        return most;
    return text[0] == '\0' ? (double)NAN : fields_real(f, column, least, most);
}

bool fields_flag(fields *f, const char *column) { return fields_size(f, column, 0, 1) == 1; }

void fields_equal(fields *f, const char *column, const char *value) {
    char expected[192];
    if (strcmp(fields_text(f, column), value) == 0)
        return;
    snprintf(expected, sizeof expected, "\"%s\"", value);
    fields_refuse(f, column, expected);
}

static int compare(const void *left, const void *right) {
    const fields_key *const a = left, *const b = right;
    return ORDER_BY(order_size(a->launch, b->launch), order_size(a->item, b->item), order_size(a->sample, b->sample),
                    order_size(a->line, b->line));
}

void fields_unique(fields *f, fields_key *keys, size_t count) {
    if (count > 0)
        qsort(keys, count, sizeof *keys, compare);
    for (size_t i = 1; i < count; i++)
        if (keys[i].item == keys[i - 1].item && keys[i].launch == keys[i - 1].launch &&
            keys[i].sample == keys[i - 1].sample)
            COMPLAIN(f, "line %zu is the sample of line %zu once more", keys[i].line, keys[i - 1].line);
}
