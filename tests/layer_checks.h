// SPDX-License-Identifier: MIT
// layer_checks.h: layers in tests, where what goes wrong is the test's failure.
#ifndef LAYER_CHECKS_H
#define LAYER_CHECKS_H

#include "layer.h"

layer *checks_make(const layer_config *config);
void checks_run(layer *l);
const layer_tensor *checks_tensor(const layer *l, const char *name); // NULL: it has no such tensor

// The best implementation of this op and form, which the model must have; and of every op in every form that has it, in
// the order op, form.
norm_slot checks_slot(const model_shape *m, norm_op op, norm_form form, norm_dtype dtype);
enum { MOST_ARMS = (int)NORM_OPS * (int)NORM_FORMS };
size_t checks_arms(const model_shape *m, norm_dtype dtype, norm_slot arms[MOST_ARMS]);
size_t checks_expected_arms(void); // how many there must be: one for each op and form that has implementations

double checks_largest(matrix m); // magnitude
// Fails unless each element of a is within `tolerance` of b's, relative to b's largest; 0: equal.
void checks_same(const char *what, matrix a, matrix b, double tolerance);

// Softmax does not see what a key's bias adds to all of a query's scores, nor batch norm what is added to a column: the
// gradients of these parameters are the rounding errors of zero.
bool checks_is_noise(const char *name);
bool checks_ends_with(const char *text, const char *end);

#endif
