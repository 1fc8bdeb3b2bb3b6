// SPDX-License-Identifier: MIT
// graph.h: the vocabulary in which a model file lists its layers: tensors, and one function per kind of step. Internal
// to models/. The functions only write down what is to be done (no memory is taken for a tensor, nothing is computed);
// compile.c makes from it, for each arm, the steps that layer.h shows.
//
// A step's name is unique within a layer; its parameters are called scope + name + ".weight" and the like. Matrices are
// (tokens of all sequences, features) unless said. Running out of memory for the notes is remembered, not returned:
// graph.c looks once, at the end.
#ifndef GRAPH_H
#define GRAPH_H

#include "layer_config.h"
#include "math/pointwise.h"

typedef struct graph graph;
typedef int tensor; // of one graph
enum { NO_TENSOR = -1 };

// The residual stream and what is still to be added to it (NO_TENSOR: nothing).
typedef struct {
    tensor stream, branch;
} residual;

// A kind of model: one layer of it, and all of it with `depth` layers (0: the ends alone).
typedef struct {
    residual (*layer)(graph *g, residual x);
    void (*model)(graph *g, size_t depth);
    bool decode; // whether it has the phase
} model_parts;
extern const model_parts llama_parts, vit_parts, dit_parts, wav2vec_parts, gpt2_parts, esm_parts, convnext_parts,
    swin_parts, whisper_parts, mobilevit_parts, conformer_parts, pairformer_parts, hyena_parts, caduceus_parts;

const layer_config *graph_config(const graph *g);
size_t graph_rows(const graph *g); // tokens of all sequences
size_t graph_cols(const graph *g, tensor t);
// The stage whose width a tensor has, of models that have stages; otherwise all of the model.
model_stage graph_stage(const graph *g, tensor t);
// How many layers there are before this one in graph_layers.
size_t graph_layer(const graph *g);
// The next `depth` layers; the scopes of their parameters are layer0., layer1. and so on.
residual graph_layers(graph *g, residual x, size_t depth);

// ---- Tensors

// Drawn values. An input has a gradient, data has none. Called again by the same name, it is the same tensor.
tensor graph_input(graph *g, const char *name, size_t rows, size_t cols, double deviation);
tensor graph_data(graph *g, const char *name, size_t rows, size_t cols, double deviation);
// Data whose values are not drawn: `fill` writes them. Called again by the same name, it is the same tensor.
typedef void graph_fill(const graph *g, matrix values);
tensor graph_fixed(graph *g, const char *name, size_t rows, size_t cols, graph_fill *fill);
// A parameter of one row, NAME.weight, for as many steps as take it.
tensor graph_vector(graph *g, const char *name, size_t cols, double mean, double deviation);
// Draws a parameter about another mean.
void graph_draw_about(graph *g, tensor parameter, double mean, double deviation);
void graph_output(graph *g, const char *name, tensor t);
// Columns [first, first + count) of a tensor, and the same elements in rows of another length. What is cut into columns
// must be consumed column by column, each once.
tensor graph_columns(graph *g, tensor t, size_t first, size_t count);
tensor graph_reshape(graph *g, tensor t, size_t cols);

// ---- Steps of a layer

// The norm in the slot, with parameters of its own.
tensor graph_norm(graph *g, const char *name, tensor x, float alpha);
// Adds the branch to the stream, which it leaves in *x, and returns the norm of that. Steps name.add and name.norm, or
// name.norm alone in form add_fused.
tensor graph_add_norm(graph *g, const char *name, residual *x, float alpha);
tensor graph_add(graph *g, const char *name, tensor a, tensor b);
// x W^T (+ bias), W (out, cols of x).
tensor graph_linear(graph *g, const char *name, tensor x, size_t out, bool bias);
// The weights of such a layer, for as many as take them.
typedef struct {
    tensor weight, bias; // bias: NO_TENSOR for none
} linear_weights;
linear_weights graph_weights(graph *g, const char *name, size_t in, size_t out, bool bias);
tensor graph_linear_by(graph *g, const char *name, tensor x, const linear_weights *w);
// Rotary embedding of every head; takes x's place.
tensor graph_rope(graph *g, const char *name, tensor x);
// Over q, k and v as attention.h has them; decode: k and v go into a cache first, steps name.cache.k and name.cache.v.
tensor graph_attention(graph *g, const char *name, tensor q, tensor k, tensor v, bool causal);
// Attention in which every token sees every other of its sequence, of sequences that are not the batch's.
typedef struct {
    size_t sequences, tokens, heads;
    tensor bias; // (heads * bias_groups * tokens, tokens), added to scores as attention.h has it; NO_TENSOR: none
    size_t bias_groups;
    size_t window, windows_across, shift; // of images that graph_move has moved round; 0: not moved
} attention_grid;
tensor graph_attention_within(graph *g, const char *name, tensor q, tensor k, tensor v, const attention_grid *grid);
// A learned weight per head for each distance of two positions in a window, as such a bias.
tensor graph_relative_bias(graph *g, const char *name, size_t window, size_t heads);
// In inference it takes the gate's place, if that is no part of a tensor: then nobody else may read the gate.
tensor graph_swiglu(graph *g, const char *name, tensor gate, tensor up);
// x times the logistic function of the gate. In inference it takes the place of x, if that is no part of a tensor: then
// nobody else may read x.
tensor graph_glu(graph *g, const char *name, tensor x, tensor gate);
// x times a number. In inference it takes x's place, which nobody else may read.
tensor graph_times(graph *g, const char *name, tensor x, double factor);
// In training, each column less its mean, over its deviation, with a scale and a shift of its own; inference engines
// fold what is left of that into the convolution before, so that then it is nothing.
tensor graph_batch_norm(graph *g, const char *name, tensor x);
// In inference it takes x's place, unless x is an input: nobody else may read x.
tensor graph_activation(graph *g, const char *name, activation kind, tensor x);
// NAME.up to `width` columns, NAME.gelu or .silu, and NAME.down to x's, both products with a bias. In inference what is
// too large for caches between the three goes through them by tiles of rows; each is one step for all of its tiles.
tensor graph_feed_forward(graph *g, const char *name, tensor x, activation kind, size_t width);
// x * (1 + scale) + shift and x * gate, one row of shift, scale and gate per sequence. These three are columns of one
// tensor from graph_condition.
tensor graph_modulate(graph *g, const char *name, tensor x, tensor shift, tensor scale);
tensor graph_gate(graph *g, const char *name, tensor x, tensor gate);
// graph_linear whose result is consumed by the two above: its gradient is f32.
tensor graph_condition(graph *g, const char *name, tensor x, size_t out);
// x times a weight per column.
tensor graph_scale(graph *g, const char *name, tensor x, double initial);
// The same with a weight of graph_vector.
tensor graph_scale_by(graph *g, const char *name, tensor x, tensor weight);
// a * b, element by element.
tensor graph_multiply(graph *g, const char *name, tensor a, tensor b);
// The rows in another order, or back in the old one.
typedef struct {
    // MOVE_WINDOWS: windows of window * window positions of images, each a sequence; MOVE_MIRROR: rows and columns of a
    // square of positions change places; MOVE_REVERSE: sequences of `side` tokens from their ends.
    enum { MOVE_WINDOWS, MOVE_MIRROR, MOVE_REVERSE } kind;
    size_t side, window, shift; // the image's side; shift: it is first moved round by so many positions up and left
} row_order;
tensor graph_move(graph *g, const char *name, tensor x, const row_order *order, bool back);
// Depthwise convolution over images of side x side positions.
tensor graph_conv(graph *g, const char *name, tensor x, size_t side, size_t kernel);
// The same along each sequence.
tensor graph_line_conv(graph *g, const char *name, tensor x, size_t kernel);

// The same, of which a token sees itself and the taps - 1 before it, in sequences of the config's tokens.
tensor graph_causal_conv(graph *g, const char *name, tensor x, size_t taps);
// The same with a filter (tokens, cols of x) as long as the sequence, and a weight per column for the token itself,
// NAME.skip; by Fourier transforms.
tensor graph_long_conv(graph *g, const char *name, tensor x, tensor filter);

// The recurrence of scan.h along sequences of the config's tokens. steps: as x; what goes into states and comes out of
// them are the last columns of `inout`. Parameters NAME.log_rates and NAME.skip.
tensor graph_scan(graph *g, const char *name, tensor x, tensor steps, tensor inout);
// The same elements in a place of their own: products want columns of another tensor so.
tensor graph_copied(graph *g, const char *name, tensor x);

// x's product with a weight, its result (out, rows of x): a row for each channel. gradient_f32: as graph_condition.
tensor graph_channels(graph *g, const char *name, tensor x, size_t out, bool gradient_f32);
// Of twice as many channels, over all k the products of pairs (i, k) in the first half and (j, k) in the second, for
// each pair (i, j); incoming: of (k, i) and (k, j).
tensor graph_triangles(graph *g, const char *name, tensor ab, bool incoming);
// From channels to rows.
tensor graph_transposed(graph *g, const char *name, tensor x);

// ---- Ends of a model

typedef struct {
    tensor table; // (vocabulary, dim), for a tied head
    tensor x;
} embedding;
// Rows of a table for random tokens.
embedding graph_embed(graph *g, const char *name, size_t vocabulary, size_t dim);
// Learned positions added to every sequence, behind a learned class token if there is one.
tensor graph_positions(graph *g, const char *name, tensor x, bool class_token);
// The first row of each sequence; the mean of the rows of each.
tensor graph_first(graph *g, const char *name, tensor x);
tensor graph_mean(graph *g, const char *name, tensor x);
// Squares of 2 x 2 positions of a side x side image, side by side in one row.
tensor graph_squares(graph *g, const char *name, tensor x, size_t side);
// Logits of every row of x; in training their cross-entropy with random labels, else output.logits. In chunks of rows,
// so that logits never take more than 64 MiB; output.logits is the last chunk. table: NO_TENSOR for weights of its own.
void graph_head(graph *g, const char *name, tensor x, size_t classes, bool bias, tensor table);
// In training the mean squared error against random targets, else an output of that name.
void graph_target(graph *g, const char *name, tensor x);

#endif
