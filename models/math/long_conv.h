// SPDX-License-Identifier: MIT
// long_conv.h: convolutions whose filter is as long as the sequence, as in Hyena, through fast Fourier transforms of
// KissFFT, which is loaded where it is installed.
#ifndef LONG_CONV_H
#define LONG_CONV_H

#include "matrix.h"

enum { LONG_CONV_ERROR_SIZE = 256 };

// NULL, or what is missing and how to install it.
const char *long_conv_missing(void);

// x, y: (batch * tokens, channels); filter: (tokens, channels), the same for all sequences; skip: (1, channels).
// y[t] = the sum over s <= t of filter[t - s] x[s], and skip x[t], channel by channel: Poli et al. 2023 (arXiv
// 2302.10866). All matrices of a call have one dtype and any stride; y and dx are no operands.
typedef struct {
    size_t batch, tokens, channels;
} long_conv_spec;

typedef struct long_conv long_conv;

// Runs on the calling thread's OpenMP team, which must be as large as when it was made. NULL with a message.
long_conv *long_conv_make(const long_conv_spec *spec, char error[LONG_CONV_ERROR_SIZE]);
void long_conv_free(long_conv *c);
void long_conv_forward(const long_conv *c, matrix x, matrix filter, matrix skip, matrix y);
// dfilter is a result like dx; dskip (channels), f32, is added to.
void long_conv_backward(const long_conv *c, matrix x, matrix filter, matrix skip, matrix dy, matrix dx, matrix dfilter,
                        float *dskip);

#endif
