// SPDX-License-Identifier: MIT
// parse.h: strict parsing of what people type. Whole text or nothing: no trailing characters, no sign where none
// belongs, no overflow.
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool parse_size(const char *text, size_t *value);
bool parse_u64(const char *text, uint64_t *value);
bool parse_real(const char *text, double *value);               // finite; '.' whatever the locale
bool parse_shape(const char *text, size_t *rows, size_t *cols); // "64x768", both >= 1
bool parse_nanoseconds(const char *text, double *ns);           // "500ns", "2us", "1.5us", "1ms"; > 0
bool parse_duration(const char *text, double *seconds);         // "40s", "5m", "1.5m", "1h"; > 0

// Splits a comma list in place; empty items make it fail. Returns the number of items, 0 on failure or if there are
// more than max.
size_t parse_list(char *text, char **items, size_t max);

#endif
