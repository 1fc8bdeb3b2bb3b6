// SPDX-License-Identifier: MIT
// layer_reference_conformer.c: a layer of Conformer, Gulati et al. 2020 (arXiv 2005.08100, eq. 1), of the parts in
// layer_reference_parts.h.
#include <math.h>
#include <stdio.h>

#include "layer_reference_parts.h"

// Half of what a feed-forward computes.
static double *half(layer_reference *r, const char *prefix, const char *name, const double *x, size_t n) {
    const size_t dim = r->config.shape->dim, ffn = r->config.shape->ffn;
    char norm[32], up[32], down[32];
    snprintf(norm, sizeof norm, "%s.norm", name);
    snprintf(up, sizeof up, "%s.up", name);
    snprintf(down, sizeof down, "%s.down", name);
    double *h = reference_linear(r, reference_norm(r, x, n, dim, prefix, norm), n, dim, ffn, prefix, up);
    for (size_t i = 0; i < n * ffn; i++)
        h[i] = reference_silu(h[i]);
    h = reference_linear(r, h, n, ffn, dim, prefix, down);
    for (size_t i = 0; i < n * dim; i++)
        h[i] *= r->mistake == MISTAKE_NO_HALF ? 1 : 0.5;
    return h;
}

// In training, over all rows of a column; in inference it is part of the weights before it.
static void batch_norm(layer_reference *r, const char *prefix, double *x, size_t n, size_t cols) {
    if (r->config.phase != PHASE_TRAIN)
        return;
    const double *const scale = reference_values(r, prefix, "mix.batchnorm.weight", cols);
    const double *const shift = reference_values(r, prefix, "mix.batchnorm.bias", cols);
    for (size_t c = 0; c < cols; c++) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < n; i++)
            mean += x[i * cols + c] / (double)n;
        for (size_t i = 0; i < n; i++)
            variance += pow(x[i * cols + c] - mean, 2) / (double)n;
        const double factor = scale[c] / sqrt(variance + (double)r->config.shape->eps);
        for (size_t i = 0; i < n; i++)
            x[i * cols + c] = (x[i * cols + c] - mean) * factor + shift[c];
    }
}

static double *mix(layer_reference *r, const char *prefix, const double *x, size_t n) {
    enum { KERNEL = 31 };
    const size_t dim = r->config.shape->dim, tokens = r->config.tokens;
    const double *const wide = reference_linear(r, x, n, dim, 2 * dim, prefix, "mix.up");
    const double *const w = reference_values(r, prefix, "mix.conv.weight", dim * KERNEL);
    const double *const bias = reference_values(r, prefix, "mix.conv.bias", dim);
    double *const gated = reference_take(r, n * dim), *const y = reference_take(r, n * dim);
    for (size_t i = 0; i < n * dim; i++) {
        const double *const row = wide + i / dim * 2 * dim;
        const double a = row[i % dim], b = row[dim + i % dim];
        gated[i] = r->mistake == MISTAKE_GATE_UP ? b / (1 + exp(-a)) : a / (1 + exp(-b));
    }
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < dim; c++) {
            y[t * dim + c] = bias[c];
            for (size_t k = 0; k < KERNEL; k++) {
                const size_t from = t % tokens + k - KERNEL / 2; // wraps if negative
                const size_t tap = r->mistake == MISTAKE_FLIPPED_CONV ? KERNEL - 1 - k : k;
                if (from < tokens)
                    y[t * dim + c] += w[c * KERNEL + tap] * gated[(t - t % tokens + from) * dim + c];
            }
        }
    batch_norm(r, prefix, y, n, dim);
    for (size_t i = 0; i < n * dim; i++)
        y[i] = reference_silu(y[i]);
    return reference_linear(r, y, n, dim, dim, prefix, "mix.down");
}

double *reference_conformer_layer(layer_reference *r, const char *prefix, const double *x) {
    const size_t dim = r->config.shape->dim, n = r->config.batch * r->config.tokens;
    x = reference_add(r, x, half(r, prefix, "ffn1", x, n), n * dim);
    const double *h = reference_norm(r, x, n, dim, prefix, "attention.norm");
    x = reference_add(r, x, reference_attention(r, prefix, h), n * dim);
    h = reference_norm(r, x, n, dim, prefix, "mix.norm");
    x = reference_add(r, x, mix(r, prefix, h, n), n * dim);
    x = reference_add(r, x, half(r, prefix, "ffn2", x, n), n * dim);
    return reference_norm(r, x, n, dim, prefix, "final.norm");
}
