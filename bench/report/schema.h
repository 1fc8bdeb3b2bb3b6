// SPDX-License-Identifier: MIT
// schema.h: what the columns of a table may hold, as results/datapackage.json says it (Table Schema). Results travel
// between people, so every field is held against its column before anything else reads it.
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct schema_field schema_field;
typedef struct {
    const char *name; // "kernels", of kernels.csv
    schema_field *fields;
    size_t count;
} schema_table;
typedef struct schema schema;

// NULL with a message if the file cannot be read or is no such package.
schema *schema_open(const char *path, char *message, size_t size);
void schema_close(schema *s);

// NULL if there is no such table.
const schema_table *schema_find(const schema *s, const char *name);
// The place of a column, the table's count if it has none of this name.
size_t schema_column(const schema_table *t, const char *name);
const char *schema_name(const schema_table *t, size_t column);
bool schema_required(const schema_table *t, size_t column);

// What is wrong with a value, as in "is not a number"; NULL: nothing. Text without a pattern or a list of its values
// must be plain.
const char *schema_fault(const schema_table *t, size_t column, const char *value);

// Whether a text is one line of valid UTF-8 without control characters, of a length that people read.
bool schema_is_plain(const char *text);
// Whether it is what a name of ours may be: letters, digits and _ . + - / alone.
bool schema_is_name(const char *text);

#endif
