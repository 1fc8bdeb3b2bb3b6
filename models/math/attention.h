// SPDX-License-Identifier: MIT
// attention.h: softmax(Q K^T / sqrt(head_dim)) V over a batch of sequences and heads, forward and backward, in memory
// that does not grow with the square of the tokens.
#ifndef ATTENTION_H
#define ATTENTION_H

#include "matrix.h"

enum { ATTENTION_ERROR_SIZE = 256 };

// Row b * tokens + t of a matrix is token t of sequence b; its heads stand side by side, head_dim elements each. Query
// head h reads key and value head h / (heads / kv_heads).
typedef struct {
    size_t batch, heads, kv_heads, head_dim;
    size_t tokens;  // queries of each sequence
    size_t context; // keys of each sequence; causal: the queries are its last `tokens` positions
    bool causal;
    bool train; // attention_backward will follow
    norm_dtype dtype;
    // What is added to scaled scores, not causal: row (head * bias_groups + g) * tokens + t of a bias (., context) is
    // that of token t in the g-th of bias_groups equal parts of the batch. 0: nothing.
    size_t bias_groups;
    // Swin's windows of an image that was moved round by `shift` positions: sequences are windows of window * window
    // tokens, windows_across to a row and as many rows; what was not beside each other before sees each other by -100
    // less. shift 0: an image that was not moved.
    size_t window, windows_across, shift;
} attention_spec;

typedef struct attention attention;

// For the calling thread's OpenMP team as it is now. NULL with a message.
attention *attention_make(const attention_spec *spec, char error[ATTENTION_ERROR_SIZE]);
void attention_free(attention *a);
// Bytes of the process's scratch that it computes in, see scratch.h: at most 64 MiB of scores, though never less than
// one row for each thread, and for backward in bf16 the gradients of one head's keys and values for each thread; for
// the backward of a bias, 16 MiB more, though never less than the scores of one sequence.
size_t attention_bytes(const attention *a);
// q, out: (batch * tokens, heads * head_dim); k, v: (batch * context, kv_heads * head_dim); strides as the matrices
// say, so that q, k and v may stand in one fused tensor. false: the library failed.
bool attention_forward(attention *a, matrix q, matrix k, matrix v, matrix out);
// With a bias, of spec.dtype.
bool attention_forward_biased(attention *a, matrix q, matrix k, matrix v, matrix bias, matrix out);
// The forward call's q, k and v; dq, dk and dv are overwritten. Probabilities are computed again, so nothing else of
// the forward call is needed.
bool attention_backward(attention *a, matrix q, matrix k, matrix v, matrix dout, matrix dq, matrix dk, matrix dv);
// dbias: f32, dense, overwritten.
bool attention_backward_biased(attention *a, matrix q, matrix k, matrix v, matrix bias, matrix dout, matrix dq,
                               matrix dk, matrix dv, matrix dbias);

#endif
