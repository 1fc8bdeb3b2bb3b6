// SPDX-License-Identifier: MIT
// tune_compare.h: whether two tunings of a machine agree.
#ifndef TUNE_COMPARE_H
#define TUNE_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "tables.h"

// Of two classes' choices: faster or slower by no more than this is the same.
#define TUNE_AGREES 0.02

// Prints the classes in which two tune.csv differ, what the second's choice takes of the first's time by their ratios
// to the default, and how many agree. false with a message: a file cannot be read or is no tune.csv, or they share no
// class.
bool tune_compare(const char *const paths[2], FILE *out, char message[TABLES_MESSAGE]);

#endif
