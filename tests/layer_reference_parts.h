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
    double layer_loss;   // what layers add to a model's
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
typedef struct {
    size_t sequences, tokens, context, heads, kv_heads, head_dim; // context: keys of each sequence, tokens among them
    bool causal;
} attention_shape;
// softmax(q k^T / sqrt(head_dim)) v; q (sequences * tokens, heads * head_dim), k and v (sequences * context, kv_heads *
// head_dim). The queries are the last tokens of the context.
double *reference_attend(layer_reference *r, const attention_shape *s, const double *q, const double *k,
                         const double *v);
// Everything between the norm and the residual add of a layer's attention and of its MLP.
double *reference_attention(layer_reference *r, const char *prefix, const double *x);
double *reference_mlp(layer_reference *r, const char *prefix, const double *x, size_t n);

// Of Conformer.
double *reference_conformer_layer(layer_reference *r, const char *prefix, const double *x);
// Of Pairformer; a model's has a loss of its own in training.
double *reference_pairformer_layer(layer_reference *r, const char *prefix, const double *x, size_t index, double *loss);
// What HyenaDNA has in the place of attention, and Caduceus in that of attention and feed-forward; and a convolution
// along sequences in which a token sees itself and those before it.
double *reference_hyena_mixer(layer_reference *r, const char *prefix, const double *x, size_t n);
double *reference_caduceus_mixer(layer_reference *r, const char *prefix, const double *x, size_t n);
double *reference_causal(layer_reference *r, const double *x, size_t n, size_t cols, size_t taps, const char *prefix,
                         const char *name);
// Layers of the stage, the index-th in the model the first; of Swin and MobileViT, whose models follow.
double *reference_image_layers(layer_reference *r, double *x, size_t index, size_t count, size_t stage);
double reference_swin_model(layer_reference *r, size_t depth);
double reference_mobilevit_model(layer_reference *r, size_t depth);

// x (batch * side * side, width) as squares of 2 x 2 positions, (batch * side / 2 * side / 2, 4 * width): upper left,
// upper right, lower left, lower right.
double *reference_squares(layer_reference *r, const double *x, size_t side, size_t width);
// The mean of the positions of each image.
double *reference_means(layer_reference *r, const double *x, size_t positions, size_t width);
// Ends of models: in training the loss, else an output.
double reference_head(layer_reference *r, const double *x, size_t n, const char *weights);
double reference_squared_error(layer_reference *r, const double *x, size_t elements, const char *name);

// Forward passes of layers alone, which write outputs; and of a model with this many layers (of ConvNeXt: at most so
// many of each stage), which return the loss of training and write outputs else.
void reference_part_layers(layer_reference *r);
double reference_part_ends(layer_reference *r, size_t depth);

#endif
