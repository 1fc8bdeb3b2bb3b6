// SPDX-License-Identifier: MIT
// vocabulary.h: the names that stand in tables, in their order, and how figures show them: a table for scripts, which
// have no list of their own.
#ifndef VOCABULARY_H
#define VOCABULARY_H

#include "base/csv.h"

// Header and rows, from the lists that the program itself goes by. 0 or errno.
int vocabulary_write(csv_writer *w);

#endif
