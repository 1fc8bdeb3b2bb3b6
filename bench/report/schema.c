// SPDX-License-Identifier: MIT
// schema.c: see schema.h. The JSON is turned into plain values once, for a table may have a million fields.
#include "schema.h"

#include <jansson.h>
#include <math.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/parse.h"

enum { LONGEST_TEXT = 1 << 16 }; // of a field: the times of all steps of a layer are some thousand characters

typedef enum { FIELD_STRING, FIELD_INTEGER, FIELD_NUMBER } field_type;

struct schema_field {
    const char *name; // this and the texts below are the package's
    field_type type;
    bool required, has_pattern;
    double minimum, maximum; // infinite where there is none
    regex_t pattern;
    const char **allowed;
    size_t allowed_count;
};

struct schema {
    json_t *package;
    schema_table *tables;
    size_t count;
};

static const char *text_of(const json_t *object, const char *key) {
    const char *const text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static double limit_of(const json_t *constraints, const char *key, double none) {
    const json_t *const limit = json_object_get(constraints, key);
    return limit != NULL ? json_number_value(limit) : none;
}

// NULL, or what is wrong with the description of a column.
static const char *read_field(schema_field *f, const json_t *from) {
    static const char *const types[] = {"string", "integer", "number"};
    const json_t *const constraints = json_object_get(from, "constraints"), *const allowed =
                                                                                json_object_get(constraints, "enum");
    const size_t type = names_find(text_of(from, "type"), types, sizeof types / sizeof *types);
    if (type == sizeof types / sizeof *types)
        return "has no type that is known";
    f->name = text_of(from, "name");
    f->type = (field_type)type;
    f->required = json_is_true(json_object_get(constraints, "required"));
    f->minimum = limit_of(constraints, "minimum", -INFINITY);
    f->maximum = limit_of(constraints, "maximum", INFINITY);
    const char *const pattern = text_of(constraints, "pattern");
    if (*pattern != '\0') {
        char whole[256]; // a pattern of Table Schema matches all of a value
        const int length = snprintf(whole, sizeof whole, "^(%s)$", pattern);
        if (length < 0 || (size_t)length >= sizeof whole || regcomp(&f->pattern, whole, REG_EXTENDED | REG_NOSUB) != 0)
            return "has a pattern that is no regular expression";
        f->has_pattern = true;
    }
    if (allowed == NULL)
        return NULL;
    f->allowed = calloc(json_array_size(allowed) + 1, sizeof *f->allowed);
    if (f->allowed == NULL)
        return "does not fit into memory";
    size_t i;
    const json_t *item;
    json_array_foreach(allowed, i, item) f->allowed[f->allowed_count++] =
        json_is_string(item) ? json_string_value(item) : "";
    return NULL;
}

static bool read_table(schema_table *t, const json_t *resource, char *message, size_t size) {
    const json_t *const fields = json_object_get(json_object_get(resource, "schema"), "fields"), *field;
    t->name = text_of(resource, "name");
    t->fields = calloc(json_array_size(fields) + 1, sizeof *t->fields);
    const char *fault = t->fields == NULL ? "does not fit into memory" : NULL;
    size_t i;
    json_array_foreach(fields, i, field) {
        if (fault == NULL)
            fault = read_field(&t->fields[t->count++], field);
    }
    if (fault != NULL)
        snprintf(message, size, "column %zu of table %s %s", t->count, t->name, fault);
    return fault == NULL;
}

schema *schema_open(const char *path, char *message, size_t size) {
    json_error_t why;
    schema *const s = calloc(1, sizeof *s);
    bool ok = s != NULL;
    if (!ok) {
        snprintf(message, size, "out of memory");
        return NULL;
    }
    s->package = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    const json_t *const resources = json_object_get(s->package, "resources"), *resource;
    if (resources == NULL)
        snprintf(message, size, "cannot read the columns of tables from %s: %s", path,
                 s->package == NULL ? why.text : "it has no \"resources\"");
    s->tables = calloc(json_array_size(resources) + 1, sizeof *s->tables);
    ok = resources != NULL && s->tables != NULL;
    size_t i;
    json_array_foreach(resources, i, resource) {
        if (ok && json_object_get(resource, "schema") != NULL)
            ok = read_table(&s->tables[s->count++], resource, message, size);
    }
    if (ok)
        return s;
    schema_close(s);
    return NULL;
}

void schema_close(schema *s) {
    if (s == NULL)
        return;
    for (size_t t = 0; t < s->count; t++) {
        for (size_t i = 0; i < s->tables[t].count; i++) {
            schema_field *const f = &s->tables[t].fields[i];
            if (f->has_pattern)
                regfree(&f->pattern);
            free(f->allowed);
        }
        free(s->tables[t].fields);
    }
    free(s->tables);
    json_decref(s->package);
    free(s);
}

const schema_table *schema_find(const schema *s, const char *name) {
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->tables[i].name, name) == 0)
            return &s->tables[i];
    return NULL;
}

size_t schema_column(const schema_table *t, const char *name) {
    size_t i = 0;
    while (i < t->count && strcmp(t->fields[i].name, name) != 0)
        i++;
    return i;
}

const char *schema_name(const schema_table *t, size_t column) { return t->fields[column].name; }
bool schema_required(const schema_table *t, size_t column) { return t->fields[column].required; }

static const char *number_fault(const schema_field *f, const char *value) {
    uint64_t whole;
    double number = INFINITY;
    if (f->type == FIELD_INTEGER && !parse_u64(value, &whole))
        return "is not an integer";
    // An error may be infinite; "INF" is the spelling of Table Schema.
    const bool infinite = f->type == FIELD_NUMBER && strcmp(value, "INF") == 0;
    if (!infinite && !parse_real(value, &number))
        return "is not a number";
    if (number < f->minimum)
        return "is below the minimum";
    return number > f->maximum ? "is above the maximum" : NULL;
}

const char *schema_fault(const schema_table *t, size_t column, const char *value) {
    const schema_field *const f = &t->fields[column];
    if (*value == '\0')
        return f->required ? "is empty but required" : NULL;
    if (f->type != FIELD_STRING)
        return number_fault(f, value);
    if (!schema_is_plain(value))
        return "is not one line of plain text";
    if (f->has_pattern && regexec(&f->pattern, value, 0, NULL, 0) != 0)
        return "is not spelt as such a name is";
    if (f->allowed != NULL && names_find(value, f->allowed, f->allowed_count) == f->allowed_count)
        return "is not one of the allowed values";
    return NULL;
}

// ---- Text

// The length of the character at p, 0 if it is a control character or not UTF-8.
static size_t character(const unsigned char *p) {
    if (*p < 0x80)
        return *p >= 0x20 && *p != 0x7f;
    const size_t length = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
    uint32_t code = *p & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) // also where the text ends
            return 0;
        code = code << 6 | (p[i] & 0x3fU);
    }
    static const uint32_t least[] = {
        [2] = 0xa0, [3] = 0x800, [4] = 0x10000}; // no C1 control, nothing longer than need be
    const bool surrogate = code >= 0xd800 && code < 0xe000, turns = code >= 0x2028 && code <= 0x202e;
    return *p < 0xc2 || *p > 0xf4 || code < least[length] || code > 0x10ffff || surrogate || turns ? 0 : length;
}

bool schema_is_plain(const char *text) {
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0') {
        const size_t length = character(p);
        if (length == 0 || p - (const unsigned char *)text > LONGEST_TEXT)
            return false;
        p += length;
    }
    return true;
}

bool schema_is_name(const char *text) {
    return *text != '\0' &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-/")] == '\0';
}
