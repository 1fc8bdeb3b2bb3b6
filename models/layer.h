// SPDX-License-Identifier: MIT
// layer.h: one layer, several of them, or the ends of a model, with a slot for its norms; run forward, or forward and
// backward, step by step, each step timed in place. The one header that harness, dump and tests know models by.
//
// A layer takes the residual stream in two parts, as serving engines do: the stream and what the last branch adds to
// it. So its first step is the add of the layer before, where form add_fused can join it with the norm, and its two
// results are again stream and branch: a stack is layers one after another. Post-norm layers and ConvNeXt have one
// input and one output.
#ifndef LAYER_H
#define LAYER_H

#include "math/matrix.h"
#include "shapes.h"

typedef enum { PHASE_PREFILL, PHASE_DECODE, PHASE_TRAIN, PHASES } model_phase;
const char *model_phase_name(model_phase phase);

typedef enum {
    PART_LAYER, // `depth` layers of distinct weights, one after another
    PART_ENDS,  // what a model has but its layers: embedding, final norm, head, and in training the loss
    PART_MODEL, // ends and `depth` layers
} model_part;

// What stands in every norm slot. `repeats` calls of it per site: 1; 0 passes its input on; 2 and 4 are for the
// dose-response check. op identity is no norm at all, as in the paper's third arm: nothing is copied.
typedef struct {
    norm_op op;
    const char *variant; // with beta or without as the model has it; layer_slot finds it
    norm_form form;
    const char *level; // a level's name; layer_slot turns "best" into the one that it stands for
    unsigned repeats;
} norm_slot;

typedef struct {
    const model_shape *shape;
    model_part part;
    model_phase phase;
    norm_dtype dtype;
    size_t depth;          // layers of PART_LAYER and PART_MODEL; of convnext's model, of each stage, at most its own
    size_t batch;          // sequences
    size_t tokens;         // of each; decode: 1. convnext: ignored
    size_t context;        // decode: tokens already in the cache of each sequence
    size_t stage;          // convnext: which stage the layer is of
    int threads;           // of norms and pointwise steps; products and attention run on the calling thread's OpenMP
                           // team, which must be as large when the layer is made as when it runs
    uint64_t seed;         // of weights, inputs and labels
    bool packed_only;      // prefill and decode: products keep their weights in the library's layout alone, half the
                           // memory; nobody can read them then
    const norm_slot *arms; // layer_select picks one; they share weights and activations
    size_t arm_count;
} layer_config;

// The slot that an op's name stands for in a model: the variant as the model has it (no beta in llama, no affine
// parameters in dit), one call per site. false: the op has no such implementation in this form, level and dtype.
bool layer_slot(const model_shape *shape, norm_op op, const char *variant, norm_form form, const char *level,
                norm_dtype dtype, norm_slot *slot);

typedef struct layer layer;
enum { LAYER_ERROR_SIZE = 512 };

// What layer_make would allocate, matmul scratch estimated; 0 if the config makes no sense.
size_t layer_bytes(const layer_config *config);
// Draws weights and inputs, prepares the products. NULL with a message: the config makes no sense, or memory ran out.
layer *layer_make(const layer_config *config, char error[LAYER_ERROR_SIZE]);
void layer_free(layer *l);

// ---- Steps

typedef enum {
    STEP_NORM, // the slot's implementation; with form add_fused the residual add as well
    STEP_MATMUL,
    STEP_ATTENTION,  // with its softmax
    STEP_ACTIVATION, // swiglu, gelu, silu
    STEP_RESIDUAL,   // residual adds, forward and backward
    STEP_ROPE,
    STEP_CONV,
    STEP_OTHER, // modulation, gates, embedding, loss, gradients of biases
    STEP_KINDS
} step_kind;
const char *step_kind_name(step_kind kind);

typedef struct {
    char name[48]; // "attention.norm", "ffn.up": of the first layer; unique within a layer
    step_kind kind;
    norm_pass pass;
    double flops; // of products, attention included; 0 elsewhere
} layer_step;

// The steps that the selected arm runs, in order; those that it skips (a norm of op identity) are not in it.
size_t layer_steps(const layer *l);
// How often the clock is read for their times: a step that goes by tiles of rows takes a reading for each.
size_t layer_readings(const layer *l);
const layer_step *layer_step_at(const layer *l, size_t index);

void layer_select(layer *l, size_t arm);
// One call of the phase: forward; in training backward as well, gradients of parameters added to what is there. ns, if
// not NULL: layer_steps() times, each from the end of the step before to its own. false: the library failed.
bool layer_run(layer *l, double *ns);
// What timing adds to a step, ns: the clock that layer_run reads, and keeping and adding up what it says, of a run of
// steps that do nothing. A little above the truth, for there nothing overlaps with it. Of one short run: take a median.
double layer_clock_ns(void);
// Sets the gradients of all parameters to zero.
void layer_zero_gradients(layer *l);
double layer_loss(const layer *l); // of the last run; NaN without a loss

// "brg:avx2", or what the products run, for the record.
const char *layer_matmul(const layer *l);

// ---- Tensors

typedef enum { TENSOR_INPUT, TENSOR_PARAMETER, TENSOR_OUTPUT } tensor_role;
typedef struct {
    const char *name; // "input.stream", "layer0.attention.q.weight", "output.branch": unique
    tensor_role role;
    matrix value;    // inputs, parameters (a vector is one row) and outputs; data NULL for packed_only weights
    matrix gradient; // data NULL outside training; parameters: f32; outputs: what backward begins with, drawn
} layer_tensor;
// In the order of the steps. Ids (input.tokens, input.labels) are shown as f32 and may not be changed; alpha is f32 in
// every dtype. Of the selected arm: layer_select may move values and gradients, never inputs and parameters.
size_t layer_tensors(const layer *l);
const layer_tensor *layer_tensor_at(const layer *l, size_t index);

#endif
