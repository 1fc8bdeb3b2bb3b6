// SPDX-License-Identifier: MIT
// scan.h: the recurrence along sequences of a selective state-space model, Mamba.
#ifndef SCAN_H
#define SCAN_H

#include "matrix.h"

enum { SCAN_STATES = 16 }; // of each channel

typedef struct {
    size_t sequences, tokens, channels;
} scan_shape;

// x, step, y: (sequences * tokens, channels); in, out: (sequences * tokens, SCAN_STATES); log_rates: (channels,
// SCAN_STATES), dense; skip: (1, channels). For each channel and state n, Gu and Dao 2023 (arXiv 2312.00752, algorithm
// 2), with h = 0 before the sequence:
//   h[t] = exp(-exp(log_rates[n]) step[t]) h[t - 1] + step[t] in[t][n] x[t],
//   y[t] = the sum over n of out[t][n] h[t], and skip x[t].
// All matrices of a call have one dtype and any stride but where said; h is f32; step >= 0; no result is an operand.
typedef struct {
    matrix x, step, in, out, log_rates, skip;
} scan_operands;
typedef struct {
    matrix dx, dstep, din, dout;
    float *dlog_rates, *dskip; // added to
} scan_gradients;

// Bytes of `memory`, in which a call works, and where `train` a forward pass also leaves states for the backward pass.
size_t scan_bytes(int threads, const scan_shape *s, norm_dtype dtype, bool train);
void scan_forward(int threads, const scan_shape *s, const scan_operands *o, matrix y, bool train, float *memory);
void scan_backward(int threads, const scan_shape *s, const scan_operands *o, matrix dy, const scan_gradients *g,
                   float *memory);

#endif
