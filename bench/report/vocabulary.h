// SPDX-License-Identifier: MIT
// vocabulary.h: the names that stand in tables, in their order, and how figures show them: a table for scripts, which
// have no list of their own. It says nothing of a run, is made anew wherever it is read and the same on every machine,
// so no file of results/ has it, and results/datapackage.json no resource.
#ifndef VOCABULARY_H
#define VOCABULARY_H

#include "base/csv.h"
#include "norm.h"

// Header and rows, from the lists that the program itself goes by. 0 or errno.
int vocabulary_write(csv_writer *w);

// How well a variant of this base stands for its op: where the op's name alone is asked for, the one of a run's
// variants with the largest number is meant; 0: it never is.
int vocabulary_stands(norm_op op, norm_form form, const char *base);

// The colour of an op, as "#D55E00"; that of the first, the second and so on of whatever else is to be told apart.
enum { VOCABULARY_COLOUR = 8 };
void vocabulary_op_colour(norm_op op, char colour[VOCABULARY_COLOUR]);
void vocabulary_colour(size_t turn, char colour[VOCABULARY_COLOUR]);

#endif
