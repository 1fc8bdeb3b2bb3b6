// SPDX-License-Identifier: MIT
// text_file.h: text for people, or for other tools, as a file.
#ifndef TEXT_FILE_H
#define TEXT_FILE_H

#include <stdio.h>

// What is printed, and how.
typedef struct {
    void (*print)(FILE *out, const void *what);
    const void *what;
} text_file;
// A files_writer of a text_file; path "-" is stdout. 0 or errno.
int text_file_write(const void *text, const char *path);

#endif
