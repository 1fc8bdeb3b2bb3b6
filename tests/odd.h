// SPDX-License-Identifier: MIT
// odd.h: every structure of model, so small and odd that gradients can be had from differences and no size hides behind
// another; eps, alpha and theta are far from the usual values, so that leaving one out shows.
#ifndef ODD_H
#define ODD_H

#include "layer.h"

enum { ODD_SHAPES = 16, ODD_BATCH = 2, ODD_TOKENS = 5, ODD_CONTEXT = 4, ODD_STAGE = 1, ODD_MOST_COLS = 32 };
extern const model_shape odd_shapes[ODD_SHAPES];
size_t odd_count(void); // of those that run here, which come first
const model_shape *odd_named(const char *name);
const model_shape *odd_whole(const model_shape *m); // where layers are those of a whole model
bool odd_decodes(const model_shape *m);

// Of one layer, without arms.
layer_config odd_config(const model_shape *m, model_part part, model_phase phase, norm_dtype dtype, int threads);
// In training its weights are so large that no step is all but linear.
layer *odd_make(const layer_config *config);

#endif
