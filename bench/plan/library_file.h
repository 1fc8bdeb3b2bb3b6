// SPDX-License-Identifier: MIT
// library_file.h: what a file is, before any of it is mapped into a process: whether it can be a shared library of this
// architecture.
#ifndef LIBRARY_FILE_H
#define LIBRARY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "norm.h"

// false with a reason, to be put behind the file's name: "is an object file: link it with -shared".
bool library_file_check(const char *path, char *why, size_t size);

// Whether a table of implementations from outside is one that this program can run: every name, number
// and pointer of it, for whatever walks the registry takes them as they are.
// Whether a text can be a variant from outside: letters, digits and underscores, at most `most`.
bool library_table_is_name(const char *text, size_t most);

// Makes a plug-in's implementation one of its name: its level, and the names that it leaves out.
void library_table_adopt(norm_impl *impl, const char *name);

// own: of a plug-in, whose variants are its name or begin with it; NULL: of a libnorm. false with a reason.
bool library_table_check(const norm_impl *impls, size_t count, const char *own, char *why, size_t size);

#endif
