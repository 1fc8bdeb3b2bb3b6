// SPDX-License-Identifier: MIT
// layer_errors.h: how far a layer's outputs and gradients are from the double reference.
#ifndef LAYER_ERRORS_H
#define LAYER_ERRORS_H

#include "layer_reference.h"

typedef struct {
    double error; // the largest, in units of the dtype's rounding times the largest magnitude of the tensor
    char where[200];
} worst;

double errors_bound(norm_dtype dtype, bool gradient); // in these units

// floor: what the magnitude of the tensor is not taken to be below; the worst so far is in *w.
void errors_compare(const matrix *got, const double *want, double floor, norm_dtype dtype, const char *name,
                    const char *what, worst *w);
// objective: what the reference's forward pass returned.
worst errors_of_outputs(const layer *l, const layer_reference *r, double objective, norm_dtype dtype);
// times: how many runs were added up in the gradients of parameters.
worst errors_of_gradients(const layer *l, const layer_reference *r, norm_dtype dtype, double times);

// These fail, of the arm-th norm of a config, unless it can be had, runs, and is within the bound.
layer_reference *errors_reference(const layer *l, const layer_config *c, size_t arm);
void errors_run(layer *l, const layer_config *c, size_t arm);
void errors_within(const worst *w, double bound, const layer_config *c, size_t arm);

#endif
