// SPDX-License-Identifier: MIT
// layer_checks.c: see layer_checks.h.
#include "layer_checks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "math/draw.h"

layer *checks_make(const layer_config *config) {
    char error[LAYER_ERROR_SIZE] = "";
    layer *const l = layer_make(config, error);
    if (l == NULL)
        fail_msg("%s: %s", config->shape->name, error);
    return l;
}

void checks_run(layer *l) { assert_true(layer_run(l, NULL)); }

const layer_tensor *checks_tensor(const layer *l, const char *name) {
    for (size_t i = 0; i < layer_tensors(l); i++)
        if (strcmp(layer_tensor_at(l, i)->name, name) == 0)
            return layer_tensor_at(l, i);
    return NULL;
}

double checks_largest(matrix m) {
    double most = 0.0;
    for (size_t r = 0; r < m.rows; r++)
        for (size_t c = 0; c < m.cols; c++)
            most = fmax(most, fabs((double)matrix_get(m, r, c)));
    return most;
}

void checks_same(const char *what, matrix a, matrix b, double tolerance) {
    assert_non_null(a.data);
    assert_non_null(b.data);
    assert_int_equal(a.rows, b.rows);
    assert_int_equal(a.cols, b.cols);
    const double bound = tolerance * checks_largest(b);
    for (size_t r = 0; r < a.rows; r++)
        for (size_t c = 0; c < a.cols; c++) {
            const double x = (double)matrix_get(a, r, c), y = (double)matrix_get(b, r, c);
            if (!(fabs(x - y) <= bound))
                fail_msg("%s (%zu, %zu): %.9g instead of %.9g", what, r, c, x, y);
        }
}

norm_slot checks_slot(const model_shape *m, norm_op op, norm_form form, norm_dtype dtype) {
    norm_slot slot;
    if (!layer_slot(m, op, NULL, form, "best", dtype, &slot))
        fail_msg("%s has no %s, form %s", m->name, norm_op_name(op), norm_form_name(form));
    return slot;
}

size_t checks_arms(const model_shape *m, norm_dtype dtype, norm_slot arms[MOST_ARMS]) {
    size_t count = 0;
    for (norm_op op = 0; op < NORM_OPS; op++)
        for (norm_form form = 0; form < NORM_FORMS; form++)
            if (layer_slot(m, op, NULL, form, "best", dtype, &arms[count]))
                count++;
    return count;
}

size_t checks_expected_arms(void) {
    bool has[NORM_OPS][NORM_FORMS] = {0};
    const norm_impl *impl;
    size_t count = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        has[impl->op][impl->form] = true;
    for (norm_op op = 0; op < NORM_OPS; op++)
        for (norm_form form = 0; form < NORM_FORMS; form++)
            count += has[op][form] || op == NORM_IDENTITY; // no norm at all, whatever the form of the others
    return count;
}

bool checks_ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

bool checks_is_noise(const char *name) {
    return checks_ends_with(name, "attention.k.bias") || checks_ends_with(name, "mix.conv.bias");
}
