// SPDX-License-Identifier: MIT
// csv.h: RFC 4180, one writer and one reader for every file of the project. Numbers use '.' whatever the locale; a NaN
// is an empty field.
#ifndef CSV_H
#define CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// Writer: fields in order, then csv_end. Every error (full disk, closed pipe) is remembered and told by csv_end and
// csv_close.
typedef struct {
    FILE *file;
    size_t field; // fields of this row so far
    int error;    // errno of the first failure; 0
} csv_writer;

// path "-" is stdout. append: continue a plain file (files.h) that csv_read has taken, unpacked if it was packed, but
// for a last line without an end. 0 or errno, or a code of files_reason.
int csv_open(csv_writer *w, const char *path, bool append);
void csv_text(csv_writer *w, const char *text); // NULL: empty
void csv_size(csv_writer *w, size_t value);
void csv_int(csv_writer *w, long long value);
void csv_real(csv_writer *w, double value, int significant); // %.*g; NaN: empty
void csv_empty(csv_writer *w);
int csv_end(csv_writer *w);   // ends the row and flushes it to the file; 0 or errno
int csv_close(csv_writer *w); // 0 or errno; leaves stdout open

// Reader: a whole file in memory, with columns found by name.
typedef struct {
    char *buffer;
    char ***rows; // rows[i][column], all of the header's width
    size_t row_count, column_count;
    char **header;
    bool truncated; // the last line had no end and was left out: the writer was cut off
} csv_table;

// Reads a plain file (files.h), or in its place the one that gzip made of it (packed.h). 0, errno or a code of
// files_reason, or -1 with a message ("line 7: 3 fields, header has 12").
int csv_read(csv_table *t, const char *path, char *message, size_t size);
// The same of a text.
int csv_take(csv_table *t, const char *text, char *message, size_t size);
void csv_free(csv_table *t);
// Column index by name, -1 if there is none.
int csv_column(const csv_table *t, const char *name);

#endif
