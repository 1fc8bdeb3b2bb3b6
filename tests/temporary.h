// SPDX-License-Identifier: MIT
// temporary.h: a folder of a test's own, and text files in it.
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <stdbool.h>

// Set-up and teardown of cmocka: makes it, empties it, removes it with what is in it.
int temporary_make(void **state);
int temporary_empty(void **state);
int temporary_remove(void **state);

const char *temporary_folder(void);
// The path of a file there, good until the eighth call from now.
const char *temporary_path(const char *name);
// Writes a file there: what printf makes of it.
__attribute__((format(printf, 2, 3))) void temporary_put(const char *name, const char *format, ...);

#endif
