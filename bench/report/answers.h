// SPDX-License-Identifier: MIT
// answers.h: what a run answers to the summary's questions, in words.
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stdio.h>

#include "measure/run.h"
#include "measure/sample.h"
#include "verdicts.h"

// What a bench ends with: what its tables answer to the program's own questions. As `print` of a subject.
void answers_print_run(const observations *all, FILE *out, const run *r);

// Of a ratio of kernels' times: what bounds either, how near each is to it, and which is not at its limit, as
// "dyt 0.59 of ports (not at its limit), rmsnorm 0.88 of l2". "" where the table knows of neither. Returns text.
enum { ANSWER_BOUNDS = 192 };
const char *answer_bounds(const finding *f, char text[ANSWER_BOUNDS]);

// Of layers: what stands above the answers to a kind of question, and one of them.
const char *layers_answer_heading(asked what);
void layers_answer_print(FILE *out, const verdict_row *r);
// The layer that a row is of; "" of one that this program could not have measured.
void layers_answer_place(table_row row, char *text, size_t size);

#endif
