// SPDX-License-Identifier: MIT
// layer_errors.c: see layer_errors.h.
#include "layer_errors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "layer_checks.h"
#include "measure/inputs.h"

// Errors are in units of the dtype's rounding, u = 2^-24, 2^-9 or, in f16, 2^-12, times the largest magnitude of the
// tensor, since an element that is small by cancellation carries the error of what cancelled. A layer is a path of a
// dozen steps (add, norm, product, rotation, scores and softmax, product, add, norm, product, activation, product),
// whose errors add up as a random walk, of which a tensor of a hundred elements shows three deviations; where a small
// vector is normed, and where softmax turns absolute errors of scores of up to 4 into relative ones, they grow by a
// factor of about three. In 16 bits sums are f32, so that a step errs by its one rounding, of deviation 1 / sqrt(3):
// sqrt(12 / 3) * 3 * 3 = 18. In f32 a dot product of K <= 28 terms errs by about sqrt(K / 3) of them: sqrt(12) * 3 * 3
// = 31. Bounds are a good half above that; gradients take the path there and back, and a model of two layers both of
// its layers'.
double errors_bound(norm_dtype dtype, bool gradient) { return (dtype == NORM_F32 ? 50 : 30) * (gradient ? 2 : 1); }
static double unit_of(norm_dtype dtype) { return dtype_epsilon(dtype) / (dtype == NORM_F32 ? 2 : 4); }

static double largest_of(const double *values, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(values[i]));
    return largest;
}

void errors_compare(const matrix *got, const double *want, double floor, norm_dtype dtype, const char *name,
                    const char *what, worst *w) {
    const double scale = fmax(largest_of(want, got->rows * got->cols), floor);
    for (size_t i = 0; i < got->rows; i++)
        for (size_t j = 0; j < got->cols; j++) {
            const double value = dtype_get(got->dtype, got->data, i * got->stride + j);
            const double off = fabs(value - want[i * got->cols + j]);
            const double error = off == 0 ? 0 : off / (scale * unit_of(dtype));
            if (!(error <= w->error)) { // also for a NaN
                w->error = isnan(error) ? INFINITY : error;
                snprintf(w->where, sizeof w->where, "%s%s (%zu, %zu): %.9g, want %.9g, magnitude %.3g: %.3g units",
                         name, what, i, j, value, want[i * got->cols + j], scale, error);
            }
        }
}

worst errors_of_outputs(const layer *l, const layer_reference *r, double objective, norm_dtype dtype) {
    worst w = {0};
    if (!isnan(layer_loss(l))) {
        float loss = (float)layer_loss(l);
        const matrix one = {NORM_F32, 1, 1, 1, &loss};
        errors_compare(&one, &objective, 0, dtype, "loss", "", &w);
    }
    for (size_t i = 0; i < layer_tensors(l); i++) {
        const layer_tensor *const t = layer_tensor_at(l, i);
        if (t->role == TENSOR_OUTPUT)
            errors_compare(&t->value, layer_reference_at(r, i)->value, 0, dtype, t->name, "", &w);
    }
    return w;
}

// Of the gradients of every tensor so called.
static double largest_gradient(const layer_reference *r, const char *end) {
    double largest = 0;
    for (size_t i = 0; i < layer_reference_tensors(r); i++) {
        const reference_tensor *const t = layer_reference_at(r, i);
        if (checks_ends_with(t->name, end))
            largest = fmax(largest, largest_of(t->gradient, t->rows * t->cols));
    }
    return largest;
}

// times: how many runs were added up in the gradients of parameters. Some gradients are small by cancellation as a
// whole: that of the bias of k vanishes, for softmax does not see what all keys share, and is made of the products that
// make that of q; those of alpha and shift are each one sum over all rows and columns, whose terms are those of the
// gradients of gamma or, in models without one, of other alphas.
worst errors_of_gradients(const layer *l, const layer_reference *r, norm_dtype dtype, double times) {
    worst w = {0};
    for (size_t i = 0; i < layer_tensors(l); i++) {
        const layer_tensor *const t = layer_tensor_at(l, i);
        const reference_tensor *const want = layer_reference_at(r, i);
        const size_t n = want->rows * want->cols;
        if (!layer_reference_differentiates(want))
            continue;
        if (t->gradient.data == NULL)
            fail_msg("%s has no gradient", t->name);
        double floor = 0;
        if (checks_ends_with(t->name, "attention.k.bias"))
            floor = largest_gradient(r, "attention.q.bias");
        if (checks_ends_with(t->name, "mix.conv.bias")) // a mean that batch norm takes off again
            floor = largest_gradient(r, "batchnorm.bias");
        if (checks_ends_with(t->name, ".alpha"))
            floor = fmax(largest_gradient(r, ".alpha"), largest_gradient(r, "norm.weight"));
        if (checks_ends_with(t->name, ".shift"))
            floor = fmax(largest_gradient(r, ".shift"), largest_gradient(r, "norm.weight"));
        double *const scaled = malloc(n * sizeof *scaled);
        assert_non_null(scaled);
        for (size_t j = 0; j < n; j++)
            scaled[j] = want->gradient[j] * (t->role == TENSOR_PARAMETER ? times : 1);
        errors_compare(&t->gradient, scaled, floor * times, dtype, t->name, ".gradient", &w);
        free(scaled);
    }
    return w;
}

static void say_arm(char text[160], const layer_config *c, size_t arm) {
    snprintf(text, 160, "%s %s %s, %s %s, %d threads", c->shape->name, model_phase_name(c->phase),
             norm_dtype_name(c->dtype), norm_op_name(c->arms[arm].op), norm_form_name(c->arms[arm].form), c->threads);
}

void errors_run(layer *l, const layer_config *c, size_t arm) {
    char text[160];
    say_arm(text, c, arm);
    if (!layer_run(l, NULL))
        fail_msg("%s: failed to run", text);
}

void errors_within(const worst *w, double bound, const layer_config *c, size_t arm) {
    char text[160];
    say_arm(text, c, arm);
    if (!(w->error <= bound))
        fail_msg("%s: %s, bound %.3g", text, w->where, bound);
}

layer_reference *errors_reference(const layer *l, const layer_config *c, size_t arm) {
    layer_reference *const r = layer_reference_make(l, c, arm);
    assert_non_null(r);
    return r;
}
