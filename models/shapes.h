// SPDX-License-Identifier: MIT
// shapes.h: the models, one row each. Sources: reference in shapes.c, per row.
#ifndef SHAPES_H
#define SHAPES_H

#include "norm.h"

typedef enum {
    MODEL_LLAMA,
    MODEL_VIT,
    MODEL_DIT,
    MODEL_WAV2VEC,
    MODEL_GPT2,
    MODEL_ESM,
    MODEL_CONVNEXT,
    MODEL_SWIN,
    MODEL_WHISPER,
    MODEL_MOBILEVIT,
    MODEL_CONFORMER,
    MODEL_PAIRFORMER,
    MODEL_HYENA,
    MODEL_CADUCEUS,
    MODEL_KINDS
} model_kind;

enum { MODEL_STAGES = 4, MODEL_PAIR_HEADS = 16 };   // heads of pairformer's single track, which it makes a bias for
enum { MODEL_SCAN_STATES = 16, MODEL_STRANDS = 2 }; // caduceus: of each channel of its scan; of DNA, each a sequence

typedef struct {
    const char *name;  // as the command line and the CSV spell it
    const char *title; // for plots: "LLaMA 7B"
    model_kind kind;
    size_t dim, depth, heads, kv_heads, head_dim, ffn; // of stages: those of the last; convnext: heads are 0
    size_t vocab; // classes of the head; dit: values of an output patch, wav2vec, whisper, conformer: of an input frame
    size_t tokens; // of one sequence (positions of an image; pairformer: a row for each pair; caduceus: of each strand)
                   // in training or prefill, as published
    size_t filter; // hyena: the width of the network that makes a layer's long filter
    size_t window; // swin: the side of the squares of positions that see each other
    norm_op native; // the model's own norm
    float eps;
    double theta;          // RoPE; 0: none
    bool qk_norm;          // a norm of width head_dim on every head of q and k (Qwen 3)
    bool post_norm;        // x = norm(x + f(x)) instead of x = x + f(norm(x))
    bool tied_head;        // the head's weights are the embedding's
    float alpha;           // initial alpha of DyT in the paper
    float alpha_attention; // the same before attention, where the paper has another
    struct {
        size_t side, width, blocks, heads;
    } stages[MODEL_STAGES]; // models of images that shrink: image side, channels, blocks of each; the ffn widens alike
} model_shape;

// One stage of a model, or all of a model that has none, whose side is 0.
typedef struct {
    size_t side, width, blocks, heads, head_dim, ffn;
} model_stage;

// NULL beyond the last.
const model_shape *model_at(size_t index);
const model_shape *model_find(const char *name); // NULL: no such model
const char *model_kind_name(model_kind kind);
size_t model_stages(const model_shape *m); // 0: all layers are alike
model_stage model_stage_at(const model_shape *m, size_t stage);
// Whether what a layer's last branch adds to the residual stream is left to the next layer's first norm.
bool model_has_branch(const model_shape *m);
// Rows of the residual stream of one sequence or image.
size_t model_rows(const model_shape *m, size_t stage, size_t tokens);
// caduceus: the columns from which the steps of its scan are made.
size_t model_step_rank(const model_shape *m);
// Norm calls of one layer and of the whole model (final norm and the like included).
size_t model_layer_norms(const model_shape *m);
size_t model_norms(const model_shape *m);
// Weights of the products that every token of one layer (of `stage`, where there are several) goes through: half its
// FLOPs in them.
size_t model_layer_weights(const model_shape *m, size_t stage);

#endif
