// SPDX-License-Identifier: MIT
// tiny.h: every structure of model at a size that a test can run in milliseconds, odd where it may be.
#ifndef TINY_H
#define TINY_H

#include "layer.h"

size_t tiny_count(void);
model_shape tiny_at(size_t index); // two layers; of images: one in the first stage, two in the others
layer_config tiny_config(const model_shape *m, model_part part, model_phase phase, const norm_slot *arms, size_t count);

#endif
