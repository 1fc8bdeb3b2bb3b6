// SPDX-License-Identifier: MIT
// causal.h: short depthwise convolutions along sequences, in which a token sees itself and those before it.
#ifndef CAUSAL_H
#define CAUSAL_H

#include "matrix.h"

enum { CAUSAL_TAPS = 4 }; // at most

// x, y: (sequences * tokens, channels); weights: (channels, taps), the last tap the token's own; bias: (1, channels).
// y[t] = bias + the sum over j of weights[j] x[t - taps + 1 + j], channel by channel, with zeros before the sequence.
// All matrices of a call have one dtype and any stride; y and dx are no operands.
size_t causal_bytes(size_t channels); // of scratch
void causal_forward(int threads, size_t tokens, matrix x, matrix weights, matrix bias, matrix y, float *scratch);
// dweights (channels, taps) and dbias, f32, are added to.
void causal_backward(int threads, size_t tokens, matrix x, matrix weights, matrix dy, matrix dx, float *dweights,
                     float *dbias, float *scratch);

#endif
