// SPDX-License-Identifier: MIT
// attention_reference.h: attention in double precision, with the gradients of its sum of outputs times dout, and what
// f32 arithmetic may be off by.
#ifndef ATTENTION_REFERENCE_H
#define ATTENTION_REFERENCE_H

#include "math/attention.h"

typedef struct {
    const attention_spec *s;
    double *q, *k, *v, *dout;                           // dense, as attention.h orders them
    double *out, *dq, *dk, *dv;                         // results
    double *out_error, *dq_error, *dk_error, *dv_error; // what f32 arithmetic may be off by
    double *bias, *dbias, *dbias_error;
} reference;

// Elements of q, of k, and of the bias.
size_t attention_queries(const attention_spec *s);
size_t attention_keys(const attention_spec *s);
size_t attention_biases(const attention_spec *s);

double *reference_doubles(size_t count); // zeros
reference reference_make(const attention_spec *s);
void reference_free(reference *r);
void reference_draw(reference *r);
void reference_run(reference *r);

#endif
