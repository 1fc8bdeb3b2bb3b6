// SPDX-License-Identifier: MIT
// layer_config.h: what a layer is made for: the model, the part of it, the phase, sizes, and what stands in its norm
// slots.
#ifndef LAYER_CONFIG_H
#define LAYER_CONFIG_H

#include "shapes.h"

typedef enum { PHASE_PREFILL, PHASE_DECODE, PHASE_TRAIN, PHASES } model_phase;
const char *model_phase_name(model_phase phase);

typedef enum {
    PART_LAYER, // `depth` layers of distinct weights, one after another
    PART_ENDS,  // what a model has but its layers: embedding, final norm, head, and in training the loss
    PART_MODEL, // ends and `depth` layers
} model_part;

// An implementation by its names, as norm_find; source: of whose kernels. NULL: it has none.
typedef const norm_impl *norm_finder(const void *source, const char *op, const char *variant, const char *form,
                                     const char *level, const char *dtype);

// What stands in every norm slot. `repeats` calls of it per site: 1; 0 passes its input on; 2 and 4 are for the
// dose-response check. op identity is no norm at all, as in the paper's third arm: nothing is copied.
typedef struct {
    norm_op op;
    const char *variant; // with beta or without as the model has it; layer_slot finds it
    norm_form form;
    const char *level; // a level's name; layer_slot turns "best" into the one that it stands for
    unsigned repeats;
    norm_finder *find; // NULL: the program's own kernels
    const void *source;
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

enum { LAYER_ERROR_SIZE = 512 }; // of a message that says why a config cannot be had

#endif
