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

#include "layer_config.h"
#include "math/matrix.h"

// The slot that an op's name stands for in a model: the variant as the model has it (no beta in llama, no affine
// parameters in dit), one call per site. false: the op has no such implementation in this form, level and dtype.
bool layer_slot(const model_shape *shape, norm_op op, const char *variant, norm_form form, const char *level,
                norm_dtype dtype, norm_slot *slot);
// What its names stand for in this form. NULL: nothing.
const norm_impl *layer_slot_impl(const norm_slot *slot, norm_form form, norm_dtype dtype);

// What the model's steps need beyond oneDNN and this machine lacks, and how to install it. NULL: nothing.
const char *layer_missing(const model_shape *shape);

typedef struct layer layer;

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
    STEP_FFT,   // a convolution as long as the sequence
    STEP_SCAN,  // a recurrence along the sequence
    STEP_OTHER, // modulation, gates, embedding, loss, gradients of biases
    STEP_KINDS
} step_kind;
const char *step_kind_name(step_kind kind);

typedef struct {
    char name[48]; // "attention.norm", "ffn.up": of the first layer; unique within a layer
    step_kind kind;
    norm_pass pass;
    double flops;  // of products, attention and convolutions included; 0 elsewhere
    double normed; // elements that a norm takes, going forward; 0 elsewhere
} layer_step;

// What the steps of the first arm add up to. With I = flops / normed, and c what a normed element costs, in operations
// that the products would do meanwhile, the norms take at most 1 / (1 + I / c) of the time.
typedef struct {
    double flops, normed;
} layer_work;
// Counts it without making the layer: no tensor is allocated. false with a message, as layer_make.
bool layer_count(const layer_config *config, layer_work *work, char error[LAYER_ERROR_SIZE]);

// The steps that the selected arm runs, in order; those that it skips (a norm of op identity) are not in it.
size_t layer_steps(const layer *l);
// How often the clock is read for their times: a step that goes by tiles of rows takes a reading for each.
size_t layer_readings(const layer *l);
const layer_step *layer_step_at(const layer *l, size_t index);

void layer_select(layer *l, size_t arm);
// One call of the phase: forward; in training backward as well, gradients of parameters added to what is there. ns, if
// not NULL: layer_steps() times, each from the end of the step before to its own. false: the library failed.
bool layer_run(layer *l, double *ns);
// The same; what each step took are the pages that the kernel gave anew, to any thread. Asking costs more than a clock.
bool layer_run_pages(layer *l, double *pages);
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
