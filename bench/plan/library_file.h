// SPDX-License-Identifier: MIT
// library_file.h: what a file is, before any of it is mapped into a process: whether it can be a shared library of this
// architecture.
#ifndef LIBRARY_FILE_H
#define LIBRARY_FILE_H

#include <stdbool.h>
#include <stddef.h>

// false with a reason, to be put behind the file's name: "is an object file: link it with -shared".
bool library_file_check(const char *path, char *why, size_t size);

#endif
