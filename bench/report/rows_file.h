// SPDX-License-Identifier: MIT
// rows_file.h: what a command found, row by row, in the format that was asked for.
#ifndef ROWS_FILE_H
#define ROWS_FILE_H

#include "schema.h"

typedef struct {
    const column_table *table; // csv and json: the rows as they are
    const void *rows;
    size_t count, size; // of rows; of one, in bytes
    schema_format format;
    // text and markdown: what people are to see.
    void (*print)(FILE *out, const void *what, bool markdown);
    const void *what;
} rows_file;
// A files_writer of a rows_file.
int rows_file_write(const void *file, const char *path);

#endif
