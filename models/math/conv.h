// SPDX-License-Identifier: MIT
// conv.h: the depthwise convolution of ConvNeXt through oneDNN.
#ifndef CONV_H
#define CONV_H

#include "matrix.h"

enum { CONV_ERROR_SIZE = 256 };

// x, y: (batch * side * side, channels), channels last; weights (channels, kernel, kernel) and bias (channels); stride
// 1, padding kernel / 2.
typedef struct {
    size_t batch, side, channels, kernel;
    norm_dtype dtype;
    bool train;
} conv_spec;

typedef struct conv conv;

conv *conv_make(const conv_spec *spec, char error[CONV_ERROR_SIZE]); // NULL with a message
void conv_free(conv *c);
size_t conv_bytes(const conv *c);
bool conv_forward(conv *c, const void *x, const void *weights, const void *bias, void *y); // all dense
// Gradients of parameters are f32 and accumulated.
bool conv_backward(conv *c, const void *x, const void *weights, const void *dy, void *dx, float *dweights,
                   float *dbias);

#endif
