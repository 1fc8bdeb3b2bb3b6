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
} attention_spec;

typedef struct attention attention;

// For the calling thread's OpenMP team as it is now. NULL with a message.
attention *attention_make(const attention_spec *spec, char error[ATTENTION_ERROR_SIZE]);
void attention_free(attention *a);
// Bytes of the process's scratch that it computes in, see scratch.h: at most 64 MiB of scores, though never less than
// one row for each thread, and for backward in bf16 the gradients of one head's keys and values for each thread.
size_t attention_bytes(const attention *a);
// q, out: (batch * tokens, heads * head_dim); k, v: (batch * context, kv_heads * head_dim); strides as the matrices
// say, so that q, k and v may stand in one fused tensor. false: the library failed.
bool attention_forward(attention *a, matrix q, matrix k, matrix v, matrix out);
// The forward call's q, k and v; dq, dk and dv are overwritten. Probabilities are computed again, so nothing else of
// the forward call is needed.
bool attention_backward(attention *a, matrix q, matrix k, matrix v, matrix dout, matrix dq, matrix dk, matrix dv);

#endif
