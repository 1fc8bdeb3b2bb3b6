// SPDX-License-Identifier: MIT
// pointwise.h: what stands between the products and the norms of a layer: residual adds, activations, rotary
// embeddings, modulation, and the ends of a model. Written once over the vector vocabulary of kernels/simd/simd.h,
// compiled once per level; the best level that this CPU has is used. Each function runs on an OpenMP team of `threads`
// threads, one thread without opening a region. Rows are split, inside a row where there are few; what is summed over
// rows is split by columns, so that results are the same for any team. Arithmetic is f32; bf16 is rounded once, where a
// result is stored.
#ifndef POINTWISE_H
#define POINTWISE_H

#include "matrix.h"

// All matrices of a call have the same rows, cols and dtype unless said; outputs may be inputs (same data and stride).
// A `per sample` matrix has one row for each `rows / samples` rows of the others. Gradients of parameters (float *) are
// added to.

void pointwise_add(int threads, matrix out, matrix a, matrix b); // out = a + b
void pointwise_copy(int threads, matrix out, matrix a);          // also between f32 and another dtype

// out = silu(gate) * up, silu(z) = z / (1 + exp(-z)); Shazeer 2020 (arXiv 2002.05202).
void pointwise_swiglu(int threads, matrix out, matrix gate, matrix up);
void pointwise_swiglu_backward(int threads, matrix dgate, matrix dup, matrix gate, matrix up, matrix dout);

// out = x / (1 + exp(-gate)); Dauphin et al. 2016 (arXiv 1612.08083).
void pointwise_glu(int threads, matrix out, matrix x, matrix gate);
void pointwise_glu_backward(int threads, matrix dx, matrix dgate, matrix x, matrix gate, matrix dout);

// x P(x) with P the normal distribution; 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), Hendrycks and Gimpel 2016
// (arXiv 1606.08415), whose gradient is for |x| < 1e12; silu; sin(x), for |x| < 2^12; log(1 + exp(x)).
typedef enum {
    ACTIVATION_GELU_ERF,
    ACTIVATION_GELU_TANH,
    ACTIVATION_SILU,
    ACTIVATION_SINE,
    ACTIVATION_SOFTPLUS,
    ACTIVATIONS
} activation;
void pointwise_activation(int threads, activation kind, matrix out, matrix x);
void pointwise_activation_backward(int threads, activation kind, matrix dx, matrix x, matrix dout);

// Rotary embedding in place, halves as pairs (element i of a head with i + head_dim / 2), as Llama's published weights
// have it in the usual model library. Row r is position first + r % tokens; x has cols = heads * head_dim.
// angles: (positions, head_dim): cosines in the first half of a row, sines in the second, f32; from pointwise_angles.
// inverse: rotates back, which is the gradient.
void pointwise_angles(float *angles, size_t positions, size_t head_dim, double theta);
void pointwise_rope(int threads, matrix x, size_t head_dim, const float *angles, size_t tokens, size_t first,
                    bool inverse);

// out = x * (1 + scale) + shift and out = x * gate; shift, scale and gate are per sample, (samples, cols).
void pointwise_modulate(int threads, matrix out, matrix x, matrix shift, matrix scale);
void pointwise_modulate_backward(int threads, matrix dx, matrix dshift, matrix dscale, matrix x, matrix scale,
                                 matrix dout); // dshift, dscale: (samples, cols) f32, overwritten
void pointwise_gate(int threads, matrix out, matrix x, matrix gate);
void pointwise_gate_backward(int threads, matrix dx, matrix dgate, matrix x, matrix gate, matrix dout);

// sums (cols) += the sum of each column, f32: the gradient of a bias.
void pointwise_col_sums(int threads, float *sums, matrix a);

// Rows ids[r] of table; its gradient, added to dtable (f32, (vocabulary, cols)).
void pointwise_gather(int threads, matrix out, matrix table, const int32_t *ids);
void pointwise_scatter(int threads, float *dtable, size_t vocabulary, matrix dout, const int32_t *ids);

// Sum over rows of the cross-entropy of softmax(logits) against labels, times weight; logits become weight times its
// gradient.
double pointwise_cross_entropy(int threads, matrix logits, const int32_t *labels, double weight);

// Softmax of each row r of scores (f32, in place) over its first lengths(r) elements, zero beyond, of scale * scores,
// scale > 0: lengths(r) = cols if !causal, else first + r + 1 (at most cols).
void pointwise_softmax(int threads, matrix scores, float scale, bool causal, size_t first);

#endif
