// SPDX-License-Identifier: MIT
// conv.h: depthwise convolutions through oneDNN: of images, as in ConvNeXt, and of lines, as in Conformer.
#ifndef CONV_H
#define CONV_H

#include "matrix.h"

enum { CONV_ERROR_SIZE = 256 };

// x, y: (batch * side * side, channels), channels last; weights (channels, kernel, kernel) and bias (channels); stride
// 1, padding kernel / 2. Of lines: (batch * side, channels) and (channels, kernel).
typedef struct {
    size_t batch, side, channels, kernel;
    bool line;
    norm_dtype dtype;
    bool train;
} conv_spec;

// Positions of an image or line, and weights of a channel.
static inline size_t conv_positions(const conv_spec *s) { return s->line ? s->side : s->side * s->side; }
static inline size_t conv_taps(const conv_spec *s) { return s->line ? s->kernel : s->kernel * s->kernel; }

typedef struct conv conv;

conv *conv_make(const conv_spec *spec, char error[CONV_ERROR_SIZE]); // NULL with a message
void conv_free(conv *c);
size_t conv_bytes(const conv *c);
bool conv_forward(conv *c, const void *x, const void *weights, const void *bias, void *y); // all dense
// Gradients of parameters are f32 and accumulated.
bool conv_backward(conv *c, const void *x, const void *weights, const void *dy, void *dx, float *dweights,
                   float *dbias);

#endif
