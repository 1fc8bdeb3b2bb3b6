// SPDX-License-Identifier: MIT
// layer_reference.h: what a layer must compute, in double precision, straight from the formulas, with no line in common
// with models/ or kernels/. It reads parameters and inputs from the layer's tensors by name, and gets its gradients
// from differences of its own forward pass, so nothing of a backward pass can be wrong twice.
#ifndef LAYER_REFERENCE_H
#define LAYER_REFERENCE_H

#include "layer.h"

// Mistakes that the reference makes when told to. A comparison that does not notice them proves nothing.
typedef enum {
    MISTAKE_NONE,
    MISTAKE_ROPE_PAIRS,    // neighbours as pairs instead of halves
    MISTAKE_ROPE_POSITION, // positions begin at 1
    MISTAKE_ROPE_VALUES,   // v is rotated as well
    MISTAKE_NO_MASK,       // every token sees every other
    MISTAKE_HEAD_MODULO,   // query head h reads key head h % kv_heads
    MISTAKE_NO_SCALE,      // no 1 / sqrt(head_dim)
    MISTAKE_UNBIASED,      // variance and mean square divided by cols - 1
    MISTAKE_NO_EPS,
    MISTAKE_OTHER_GELU,     // the tanh form for the erf form, and the other way round
    MISTAKE_GATE_UP,        // silu of the other half of SwiGLU
    MISTAKE_QK_NORM_LAST,   // QK-norm after RoPE
    MISTAKE_NO_PLUS_ONE,    // modulation by scale instead of 1 + scale
    MISTAKE_FLIPPED_CONV,   // a convolution as mathematics has it, instead of the correlation that frameworks call so
    MISTAKE_SUMMED_LOSS,    // the loss not divided by the rows
    MISTAKE_DISTANCE_BACK,  // a bias by the distance from key to query
    MISTAKE_NO_HALF,        // a feed-forward counts whole where half of it is meant
    MISTAKE_NO_GATE,        // no logistic function of a gate
    MISTAKE_OTHER_TRIANGLE, // incoming for outgoing, and the other way round
    MISTAKE_NO_PAIR_BIAS,
    MISTAKE_NO_WINDOW, // a filter that does not fade
    MISTAKE_NO_DECAY,  // states that keep all that went into them
    MISTAKE_ONE_WAY,   // both directions from the beginning
    MISTAKE_NO_SEAM,   // what an image that was moved round brought together sees each other
    MISTAKES
} mistake;
const char *mistake_name(mistake m);

typedef struct {
    const char *name;
    tensor_role role;
    size_t rows, cols;
    double *value;    // (rows, cols)
    double *gradient; // (rows, cols): outputs: the drawn one; others: layer_reference_gradients writes it
} reference_tensor;

typedef struct layer_reference layer_reference;

// Copies the tensors of the layer, whose arm must be selected. NULL: out of memory.
layer_reference *layer_reference_make(const layer *l, const layer_config *config, size_t arm);
void layer_reference_free(layer_reference *r);

// Writes the outputs from inputs and parameters. Returns what is differentiated: the loss if there is one, else the sum
// of outputs times their drawn gradients (0 outside training).
double layer_reference_forward(layer_reference *r, mistake m);
// Whether there is a gradient by this tensor: parameters and activations have one; patches, token ids, targets and what
// is in a cache are data.
bool layer_reference_differentiates(const reference_tensor *t);
// Writes the gradient of every element of these.
void layer_reference_gradients(layer_reference *r, mistake m);

// Keys, rotated, and values of the last layer's tokens in the last forward pass, (batch * tokens, kv_heads * head_dim).
void layer_reference_keys(const layer_reference *r, const double **k, const double **v);

size_t layer_reference_tensors(const layer_reference *r); // in the order of the layer's
const reference_tensor *layer_reference_at(const layer_reference *r, size_t index);
const reference_tensor *layer_reference_named(const layer_reference *r, const char *name); // NULL: there is none

#endif
