// SPDX-License-Identifier: MIT
// columns.h: the columns of a table, each once: its name, its unit, what it means, what it may hold and how its value
// is made. Headers, rows, results/datapackage.json, the tables of results/README.md and what `normbench check` holds a
// field against are all made from such lists.
//
// A list has rows X(need, name, type, unit, value, meaning); value is made from r, the row of the table. COLUMN_LIST
// makes an array of them (COLUMN_OWN_LIST one of this file alone), as in
//
//     #define ROW my_row
//     #define MY_COLUMNS(X)
//         X(REQUIRED, launches, count, "{launch}", value_size(r->launches), "Fresh processes that measured this row.")
//     COLUMN_LIST(my_columns, MY_COLUMNS)
//
// and a table is put together from parts of such arrays.
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "csv.h"
#include "interval.h"

// What a column may hold.
typedef enum { COLUMN_STRING, COLUMN_INTEGER, COLUMN_NUMBER } column_kind;
typedef struct {
    column_kind kind;
    double least, most;                // of numbers; infinite: no bound
    const char *pattern;               // of strings: what matches all of it. NULL: any line of plain text
    const char *(*word)(size_t index); // of strings: the only ones, NULL behind the last. NULL: any
} column_type;

// In the order in which they are used most: any number, one of at least 0, a part of 1; a whole number from 0, from 1,
// 0 or 1; plain text, a name of ours, what names a run or a machine.
extern const column_type column_real, column_amount, column_fraction, column_count, column_ordinal, column_flag,
    column_text, column_name, column_id;

// A type of the words that follow.
#define COLUMN_WORDS(type, ...)                                                                                        \
    static const char *type##_word(size_t index) {                                                                     \
        static const char *const words[] = {__VA_ARGS__};                                                              \
        return index < sizeof words / sizeof *words ? words[index] : NULL;                                             \
    }                                                                                                                  \
    static const column_type column_##type = {.word = type##_word};

// A field's value.
typedef struct {
    enum { VALUE_EMPTY, VALUE_TEXT, VALUE_SIZE, VALUE_REAL } kind;
    const char *text;
    size_t size;
    double real; // NaN: an empty field
    int digits;  // of real, significant
} column_value;

static inline column_value value_empty(void) { return (column_value){.kind = VALUE_EMPTY}; }
static inline column_value value_text(const char *text) { return (column_value){.kind = VALUE_TEXT, .text = text}; }
static inline column_value value_size(size_t size) { return (column_value){.kind = VALUE_SIZE, .size = size}; }
static inline column_value value_real(double real, int digits) {
    return (column_value){.kind = VALUE_REAL, .real = real, .digits = digits};
}
static inline column_value value_if(bool known, column_value value) { return known ? value : value_empty(); }
// A number with the digits that the interval supports, of it or of what it is a multiple of.
static inline column_value value_known_to(double real, stats_interval i) {
    return value_real(real, interval_digits(&i));
}
static inline column_value value_median(stats_interval i) { return value_known_to(i.median, i); }
static inline column_value value_lower(stats_interval i) { return value_known_to(i.lo, i); }
static inline column_value value_upper(stats_interval i) { return value_known_to(i.hi, i); }

typedef struct {
    const char *name;
    const column_type *type;
    const char *unit; // as UCUM spells it; NULL: none
    const char *meaning;
    bool required;                          // never empty, and in every version of the table
    column_value (*value)(const void *row); // NULL: scripts or people write it
} table_column;

enum { COLUMN_OPTIONAL, COLUMN_REQUIRED };
#define COLUMN_JOIN(name, row) name##_of_##row
#define COLUMN_MAKER(name, row) COLUMN_JOIN(name, row)
#define COLUMN_FUNCTION(need, name, type, unit, value, meaning)                                                        \
    static column_value COLUMN_MAKER(name, ROW)(const void *row) {                                                     \
        const ROW *const r = row;                                                                                      \
        (void)r;                                                                                                       \
        return value;                                                                                                  \
    }
#define COLUMN_ROW(need, name, type, unit, value, meaning)                                                             \
    {#name, &column_##type, unit, meaning, COLUMN_##need, COLUMN_MAKER(name, ROW)},
#define COLUMN_LIST(array, LIST) LIST(COLUMN_FUNCTION) const table_column array[] = {LIST(COLUMN_ROW)};
#define COLUMN_OWN_LIST(array, LIST) LIST(COLUMN_FUNCTION) static const table_column array[] = {LIST(COLUMN_ROW)};

// Three columns: a median and the ends of its interval.
#define COLUMN_INTERVAL(X, name, stem, type, unit, interval, meaning)                                                  \
    X(OPTIONAL, name, type, unit, value_median(interval), meaning)                                                     \
    X(OPTIONAL, stem##_lo95, type, unit, value_lower(interval),                                                        \
      "Lower end of the 95 % interval of " #name "; empty below six launches.")                                        \
    X(OPTIONAL, stem##_hi95, type, unit, value_upper(interval), "Upper end of the same interval.")

// Columns that stand together in a table, and what of the table's row they are made from.
typedef struct {
    const table_column *columns;
    size_t count;
    const void *(*of)(const void *row); // NULL: the row itself
} column_part;
#define COLUMN_COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct {
    const char *name;    // "kernels", of kernels.csv
    const char *path;    // where it lies under results/, with `*` for names
    const char *meaning; // of a row
    const column_part *parts;
    size_t part_count;
} column_table;

// Defines the table NAME_table of NAME.csv, of the parts that follow.
#define COLUMN_PART(array)                                                                                             \
    { array, COLUMN_COUNT(array), NULL }
#define COLUMN_TABLE(name, path, meaning, ...)                                                                         \
    static const column_part name##_parts[] = {__VA_ARGS__};                                                           \
    const column_table name##_table = {#name, path, meaning, name##_parts, COLUMN_COUNT(name##_parts)};

size_t columns_count(const column_table *t);
const table_column *columns_at(const column_table *t, size_t index);       // index < columns_count
const table_column *columns_find(const column_table *t, const char *name); // NULL: it has none of this name

void columns_write_header(csv_writer *w, const column_table *t);
int columns_write_row(csv_writer *w, const column_table *t, const void *row); // 0 or errno, as csv_end
// The whole table into a file: `rows` writes its rows. 0 or errno.
typedef void columns_rows(csv_writer *w, const void *of);
int columns_write(const char *path, const column_table *t, columns_rows *rows, const void *of);
// The names of some parts, and the fields, of which more follow in the row.
void columns_write_names(csv_writer *w, const column_part *parts, size_t count);
void columns_write_values(csv_writer *w, const column_part *parts, size_t count, const void *row);

// What is wrong with a field, as in "is not a number"; NULL: nothing.
const char *columns_fault(const table_column *c, const char *value);

#endif
