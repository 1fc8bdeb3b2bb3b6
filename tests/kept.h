// SPDX-License-Identifier: MIT
// kept.h: tables that an earlier version of the program made of the same samples, in tests/data/kept/.
#ifndef KEPT_H
#define KEPT_H

// The path of an empty file for a table that is to be compared.
enum { KEPT_PATH = 40 };
void kept_path(char path[KEPT_PATH]);
// Fails unless the table at `written` is the kept one of this name, byte for byte, but for columns that were appended;
// removes it.
void kept_compare(const char *written, const char *name);

#endif
