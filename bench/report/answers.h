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

// Of layers: what stands above the answers to a kind of question, and one of them.
const char *layers_answer_heading(asked what);
void layers_answer_print(FILE *out, const verdict_row *r);
// The layer that a row is of; "" of one that this program could not have measured.
void layers_answer_place(table_row row, char *text, size_t size);

#endif
