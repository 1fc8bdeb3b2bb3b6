// SPDX-License-Identifier: MIT
// json_file.h: JSON as this project writes it: how a number is rounded, what an empty field is, how a file is made.
#ifndef JSON_FILE_H
#define JSON_FILE_H

#include <jansson.h>

#include "columns.h"

// Reads a plain file (files.h). 0, errno, a code of files_reason, or -1: it is no JSON, *why tells. *json is NULL then.
int json_file_read(const char *path, json_t **json, json_error_t *why);
// A files_writer of a json_t; path "-" is stdout. 0 or errno.
int json_file_write(const void *json, const char *path);

// A number of so many significant digits; null if it is not finite. What an interval supports is interval_digits of it.
json_t *json_number(double value, int digits);
// A row of a table: an object with a key for each column, null where its field is empty.
json_t *json_row(const column_table *t, const void *row);

#endif
