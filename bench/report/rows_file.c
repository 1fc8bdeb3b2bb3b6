// SPDX-License-Identifier: MIT
// rows_file.c: see schema.h.
#include "schema.h"

#include <errno.h>

#include "base/files.h"
#include "base/json_file.h"

static const void *row_at(const rows_file *f, size_t i) { return (const char *)f->rows + i * f->size; }

static void write_rows(csv_writer *w, const void *file) {
    const rows_file *const f = file;
    for (size_t i = 0; i < f->count; i++)
        (void)columns_write_row(w, f->table, row_at(f, i));
}

static int write_json(const rows_file *f, const char *path) {
    json_t *const list = json_array();
    int error = list == NULL ? ENOMEM : 0;
    for (size_t i = 0; error == 0 && i < f->count; i++)
        error = json_array_append_new(list, json_row(f->table, row_at(f, i))) != 0 ? ENOMEM : 0;
    if (error == 0)
        error = json_file_write(list, path);
    json_decref(list);
    return error;
}

static void print(FILE *out, const void *what) {
    const rows_file *const f = what;
    f->print(out, f->what, f->format == SCHEMA_MARKDOWN);
}

int rows_file_write(const void *file, const char *path) {
    const rows_file *const f = file;
    if (f->format == SCHEMA_CSV)
        return columns_write(path, f->table, write_rows, f);
    return f->format == SCHEMA_JSON ? write_json(f, path) : text_file_write(&(text_file){print, f}, path);
}
