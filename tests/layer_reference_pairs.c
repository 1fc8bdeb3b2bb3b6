// SPDX-License-Identifier: MIT
// layer_reference_pairs.c: the pair track of Pairformer, of the parts in layer_reference_parts.h, element by element.
// Formulas: Abramson et al. 2024 (doi 10.1038/s41586-024-07487-w, supplement, algorithms 12 to 17).
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layer_reference_parts.h"

static double sigmoid(double z) { return 1 / (1 + exp(-z)); }

static const double *weights(const layer_reference *r, const char *prefix, const char *module, const char *name,
                             size_t elements) {
    char full[64];
    snprintf(full, sizeof full, "%s.%s.weight", module, name);
    return reference_values(r, prefix, full, elements);
}

static double *product(layer_reference *r, const double *x, size_t n, size_t in, const double *w, size_t out) {
    double *const y = reference_take(r, n * out);
    for (size_t i = 0; i < n; i++)
        for (size_t o = 0; o < out; o++)
            for (size_t k = 0; k < in; k++)
                y[i * out + o] += x[i * in + k] * w[o * in + k];
    return y;
}

// x (n, cols) * sigmoid(gate), in place.
static void gate(const layer_reference *r, double *x, const double *gates, size_t elements) {
    for (size_t i = 0; i < elements; i++)
        x[i] *= r->mistake == MISTAKE_NO_GATE ? 1 : sigmoid(gates[i]);
}

static double *triangles(layer_reference *r, const char *prefix, const char *module, const double *z, bool incoming) {
    const size_t c = r->config.shape->dim, tokens = r->config.tokens, pairs = tokens * tokens,
                 n = r->config.batch * pairs;
    char norm[32], result[32];
    snprintf(norm, sizeof norm, "%s.norm", module);
    snprintf(result, sizeof result, "%s.result.norm", module);
    const double *const h = reference_norm(r, z, n, c, prefix, norm);
    double *const ab = product(r, h, n, c, weights(r, prefix, module, "values", 2 * c * c), 2 * c);
    gate(r, ab, product(r, h, n, c, weights(r, prefix, module, "gates", 2 * c * c), 2 * c), n * 2 * c);
    double *const sums = reference_take(r, n * c);
    const bool swapped = incoming != (r->mistake == MISTAKE_OTHER_TRIANGLE);
    for (size_t b = 0; b < r->config.batch; b++)
        for (size_t i = 0; i < tokens; i++)
            for (size_t j = 0; j < tokens; j++)
                for (size_t k = 0; k < tokens; k++) {
                    const size_t left = b * pairs + (swapped ? k * tokens + i : i * tokens + k);
                    const size_t right = b * pairs + (swapped ? k * tokens + j : j * tokens + k);
                    for (size_t e = 0; e < c; e++)
                        sums[(b * pairs + i * tokens + j) * c + e] += ab[left * 2 * c + e] * ab[right * 2 * c + c + e];
                }
    double *const out =
        product(r, reference_norm(r, sums, n, c, prefix, result), n, c, weights(r, prefix, module, "o", c * c), c);
    gate(r, out, product(r, h, n, c, weights(r, prefix, module, "z", c * c), c), n * c);
    return out;
}

static double *attention(layer_reference *r, const char *prefix, const char *module, const double *z, bool columns) {
    const model_shape *const m = r->config.shape;
    const size_t c = m->dim, heads = m->heads, d = m->head_dim, tokens = r->config.tokens, pairs = tokens * tokens,
                 n = r->config.batch * pairs;
    char norm[32];
    snprintf(norm, sizeof norm, "%s.norm", module);
    const double *const h = reference_norm(r, z, n, c, prefix, norm);
    const double *const q = product(r, h, n, c, weights(r, prefix, module, "q", c * c), c);
    const double *const k = product(r, h, n, c, weights(r, prefix, module, "k", c * c), c);
    const double *const v = product(r, h, n, c, weights(r, prefix, module, "v", c * c), c);
    const double *const bias = product(r, h, n, c, weights(r, prefix, module, "bias", heads * c), heads);
    double *const mixed = reference_take(r, n * c), *const p = reference_take(r, tokens);
    // Pair (i, t), or (t, i) of columns, sees (i, j) by a score that pair (t, j), or (j, t), is asked for a bias.
#define PAIR(a, b) (at + (columns ? (b)*tokens + (a) : (a)*tokens + (b)))
    for (size_t e = 0; e < r->config.batch * tokens * tokens * heads; e++) {
        const size_t head = e % heads, t = e / heads % tokens, i = e / heads / tokens % tokens;
        const size_t at = e / heads / pairs * pairs;
        double total = 0;
        for (size_t j = 0; j < tokens; j++) {
            double score = bias[PAIR(t, j) * heads + head] * (r->mistake != MISTAKE_NO_PAIR_BIAS);
            for (size_t x = 0; x < d; x++)
                score += q[PAIR(i, t) * c + head * d + x] * k[PAIR(i, j) * c + head * d + x] / sqrt((double)d);
            total += p[j] = exp(score);
        }
        for (size_t j = 0; j < tokens; j++)
            for (size_t x = 0; x < d; x++)
                mixed[PAIR(i, t) * c + head * d + x] += p[j] / total * v[PAIR(i, j) * c + head * d + x];
    }
#undef PAIR
    gate(r, mixed, product(r, h, n, c, weights(r, prefix, module, "g", c * c), c), n * c);
    return product(r, mixed, n, c, weights(r, prefix, module, "o", c * c), c);
}

double *reference_pairformer_layer(layer_reference *r, const char *prefix, const double *x, size_t index,
                                   double *loss) {
    const size_t c = r->config.shape->dim, n = r->config.batch * r->config.tokens * r->config.tokens;
    x = reference_add(r, x, triangles(r, prefix, "out", x, false), n * c);
    x = reference_add(r, x, triangles(r, prefix, "in", x, true), n * c);
    x = reference_add(r, x, attention(r, prefix, "rows", x, false), n * c);
    x = reference_add(r, x, attention(r, prefix, "columns", x, true), n * c);
    double *const z =
        reference_add(r, x, reference_mlp(r, prefix, reference_norm(r, x, n, c, prefix, "ffn.norm"), n), n * c);
    // A row for each head.
    const double *const by_pair =
        product(r, reference_norm(r, z, n, c, prefix, "bias.norm"), n, c,
                reference_values(r, prefix, "bias.weight", MODEL_PAIR_HEADS * c), MODEL_PAIR_HEADS);
    double *const by_head = reference_take(r, n * MODEL_PAIR_HEADS);
    for (size_t i = 0; i < n * MODEL_PAIR_HEADS; i++)
        by_head[i] = by_pair[i % n * MODEL_PAIR_HEADS + i / n];
    char name[32];
    snprintf(name, sizeof name, "bias%zu", index);
    if (r->config.part == PART_LAYER)
        memcpy(reference_values(r, "output", name, n * MODEL_PAIR_HEADS), by_head,
               n * MODEL_PAIR_HEADS * sizeof *by_head);
    else
        *loss += reference_squared_error(r, by_head, n * MODEL_PAIR_HEADS, name);
    return z;
}
