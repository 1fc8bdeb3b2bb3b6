// SPDX-License-Identifier: MIT
// layer_reference_parts.h: what the reference of layer_reference.h is made of, for its own files alone. Matrices are
// dense; those that a function returns lie in scratch until the forward pass ends.
#ifndef LAYER_REFERENCE_PARTS_H
#define LAYER_REFERENCE_PARTS_H

#include "layer_reference.h"

struct layer_reference {
    layer_config config;
    norm_op op;
    size_t count;
    reference_tensor *tensors;
    mistake mistake;
    const double *k, *v; // of the last layer: what a cache would hold
    // Temporaries of one forward pass, all given back at once.
    double *scratch;
    size_t scratch_used, scratch_size;
};

double *reference_take(layer_reference *r, size_t n); // zeros
// The values of the tensor PREFIX.NAME, or NAME where there is no prefix, which must have this many elements.
double *reference_values(const layer_reference *r, const char *prefix, const char *name, size_t elements);

// x of n rows. Weights are those of the tensors PREFIX.NAME.weight and so on.
double *reference_linear(layer_reference *r, const double *x, size_t n, size_t in, size_t out, const char *prefix,
                         const char *name);
double *reference_norm(layer_reference *r, const double *x, size_t n, size_t cols, const char *prefix,
                       const char *name);
double *reference_add(layer_reference *r, const double *a, const double *b, size_t n);
double reference_silu(double z);
void reference_gelu(const layer_reference *r, double *x, size_t n, bool by_tanh); // in place, n elements
// Columns [first, first + count) of x (n, cols).
double *reference_columns(layer_reference *r, const double *x, size_t n, size_t cols, size_t first, size_t count);
// Everything between the norm and the residual add of a layer's attention and of its MLP.
double *reference_attention(layer_reference *r, const char *prefix, const double *x);
double *reference_mlp(layer_reference *r, const char *prefix, const double *x, size_t n);

// Forward passes of layers alone, which write outputs; and of a model with this many layers (of ConvNeXt: at most so
// many of each stage), which return the loss of training and write outputs else.
void reference_part_layers(layer_reference *r);
double reference_part_ends(layer_reference *r, size_t depth);

#endif
