// SPDX-License-Identifier: MIT
// layer_reference_hyena.c: what HyenaDNA has in the place of attention, Nguyen et al. 2023 (arXiv 2306.15794, section
// 3) after Poli et al. 2023 (arXiv 2302.10866), of the parts in layer_reference_parts.h. The long convolution is the
// sum that it is.
#include <math.h>
#include <stdio.h>

#include "dtype.h"
#include "layer_reference_parts.h"

// As the layer can hold it.
static double stored(const layer_reference *r, double value) {
    double room;
    dtype_set(r->config.dtype, &room, 0, value);
    return dtype_get(r->config.dtype, &room, 0);
}

// y[t] = bias + the sum over j of w[j] x[t - taps + 1 + j], channel by channel.
double *reference_causal(layer_reference *r, const double *x, size_t n, size_t cols, size_t taps, const char *prefix,
                         const char *name) {
    char weight[64], bias[64];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    const double *const w = reference_values(r, prefix, weight, cols * taps);
    const double *const b = reference_values(r, prefix, bias, cols);
    double *const y = reference_take(r, n * cols);
    for (size_t i = 0; i < n * cols; i++) {
        const size_t t = i / cols % r->config.tokens, c = i % cols;
        y[i] = b[c];
        for (size_t j = 0; j < taps; j++) {
            const size_t tap = r->mistake == MISTAKE_FLIPPED_CONV ? taps - 1 - j : j, back = taps - 1 - j;
            if (back <= t)
                y[i] += w[c * taps + tap] * x[i - back * cols];
        }
    }
    return y;
}

// (tokens, dim)
static double *filter(layer_reference *r, const char *prefix) {
    enum { FEATURES = 5 };
    const model_shape *const m = r->config.shape;
    const size_t tokens = r->config.tokens, width = m->filter;
    const double last = (double)(tokens > m->tokens ? tokens : m->tokens) + 1;
    const double *const frequencies = reference_values(r, prefix, "filter.frequencies.weight", width);
    double *const z = reference_take(r, tokens * FEATURES);
    for (size_t t = 0; t < tokens; t++) {
        const double turn = 2 * M_PI * (double)t / (last + 1);
        const double row[FEATURES] = {(double)t / last, cos(1e-4 * turn), cos(turn), -sin(1e-4 * turn), -sin(turn)};
        for (size_t i = 0; i < FEATURES; i++)
            z[t * FEATURES + i] = stored(r, row[i]);
    }
    double *h = z;
    for (size_t i = 1; i <= 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "filter.%zu", i);
        h = reference_linear(r, h, tokens, i == 1 ? FEATURES : width, width, prefix, name);
        for (size_t k = 0; k < tokens * width; k++)
            h[k] = sin(frequencies[k % width] * h[k]);
    }
    h = reference_linear(r, h, tokens, width, m->dim, prefix, "filter.out");
    for (size_t t = 0; t < tokens; t++)
        for (size_t c = 0; c < m->dim; c++) {
            const double rate = (1 / 1.5 + (1 / 0.3 - 1 / 1.5) * (double)c / (double)(m->dim - 1)) * log(0.01);
            h[t * m->dim + c] *= r->mistake == MISTAKE_NO_WINDOW ? 1 : stored(r, exp(rate * (double)t / last));
        }
    return h;
}

double *reference_hyena_mixer(layer_reference *r, const char *prefix, const double *x, size_t n) {
    enum { TAPS = 3 };
    const size_t dim = r->config.shape->dim, tokens = r->config.tokens;
    const double *const k = filter(r, prefix), *const skip = reference_values(r, prefix, "mixer.long.skip", dim);
    const double *const p = reference_linear(r, x, n, dim, 3 * dim, prefix, "mixer.in");
    const double *const s = reference_causal(r, p, n, 3 * dim, TAPS, prefix, "mixer.conv");
    double *const y = reference_take(r, n * dim);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < dim; c++) {
            const size_t t = i % tokens, first = i - t;
            for (size_t u = 0; u <= t; u++) {
                const double *const row = s + (first + u) * 3 * dim;
                const double gated = row[dim + c] * row[2 * dim + c];
                y[i * dim + c] += (k[(t - u) * dim + c] + (u == t ? skip[c] : 0)) * gated;
            }
            y[i * dim + c] *= s[i * 3 * dim + c];
        }
    return reference_linear(r, y, n, dim, dim, prefix, "mixer.out");
}
