// SPDX-License-Identifier: MIT
// json_file.c: see json_file.h.
#include "json_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

int json_file_read(const char *path, json_t **json, json_error_t *why) {
    FILE *file;
    const int code = files_open(path, &file);
    *json = code == 0 ? json_loadf(file, JSON_REJECT_DUPLICATES, why) : NULL;
    if (code == 0)
        (void)fclose(file);
    return code == 0 && *json == NULL ? -1 : code;
}

int json_file_write(const void *json, const char *path) {
    FILE *const file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    int error = file == NULL ? errno : 0;
    if (file == NULL)
        return error;
    errno = 0;
    if (json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0 || fputc('\n', file) == EOF ||
        fflush(file) != 0)
        error = errno != 0 ? errno : EIO;
    if (file != stdout && fclose(file) != 0 && error == 0)
        error = errno;
    return error;
}

json_t *json_number(double value, int digits) {
    char text[64];
    if (!isfinite(value))
        return json_null();
    snprintf(text, sizeof text, "%.*g", digits, value);
    return json_real(strtod(text, NULL));
}

static json_t *json_field(column_value v) {
    switch (v.kind) {
    case VALUE_TEXT:
        return v.text != NULL ? json_string(v.text) : json_null();
    case VALUE_SIZE:
        return json_integer((json_int_t)v.size);
    case VALUE_REAL:
        return json_number(v.real, v.digits);
    case VALUE_EMPTY:
        break;
    }
    return json_null();
}

json_t *json_row(const column_table *t, const void *row) {
    json_t *const object = json_object();
    for (size_t i = 0; i < t->part_count; i++) {
        const column_part *const part = &t->parts[i];
        for (size_t k = 0; k < part->count; k++)
            if (json_object_set_new(object, part->columns[k].name,
                                    json_field(part->columns[k].value(part->of != NULL ? part->of(row) : row))) != 0) {
                json_decref(object);
                return NULL;
            }
    }
    return object;
}
