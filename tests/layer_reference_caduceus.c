// SPDX-License-Identifier: MIT
// layer_reference_caduceus.c: what Caduceus has in the place of attention and feed-forward, Schiff et al. 2024 (arXiv
// 2403.03234, section 3) after Gu and Dao 2023 (arXiv 2312.00752, algorithm 2), of the parts in
// layer_reference_parts.h. Each strand is a sequence.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layer_reference_parts.h"

enum { STATES = 16, TAPS = 4 };

static void join(char full[64], const char *way, const char *name) { snprintf(full, 64, "%s.%s", way, name); }

// y (n, inner) of x and steps (n, inner) and what goes into states and comes out of them, the last columns of made.
static double *scan(layer_reference *r, const char *prefix, const char *way, const double *x, const double *steps,
                    const double *made, size_t n, size_t inner, size_t rank) {
    char name[64];
    join(name, way, "scan.log_rates");
    const double *const log_rates = reference_values(r, prefix, name, inner * STATES);
    join(name, way, "scan.skip");
    const double *const skip = reference_values(r, prefix, name, inner);
    double *const y = reference_take(r, n * inner);
    for (size_t c = 0; c < inner; c++) {
        double h[STATES];
        for (size_t i = 0; i < n; i++) {
            const double *const into = made + i * (rank + 2 * STATES) + rank, *const out = into + STATES;
            const double step = steps[i * inner + c], value = x[i * inner + c];
            if (i % r->config.tokens == 0)
                memset(h, 0, sizeof h);
            y[i * inner + c] = skip[c] * value;
            for (size_t k = 0; k < STATES; k++) {
                const double decay = r->mistake == MISTAKE_NO_DECAY ? 1 : exp(-exp(log_rates[c * STATES + k]) * step);
                h[k] = decay * h[k] + step * into[k] * value;
                y[i * inner + c] += out[k] * h[k];
            }
        }
    }
    return y;
}

static double *mamba(layer_reference *r, const char *prefix, const char *way, const double *x, size_t n) {
    const size_t dim = r->config.shape->dim, inner = r->config.shape->ffn, rank = (dim + 15) / 16;
    char name[64];
    const double *const both = reference_linear(r, x, n, dim, 2 * inner, prefix, "mixer.in");
    const double *const gate = reference_columns(r, both, n, 2 * inner, inner, inner);
    join(name, way, "conv");
    double *const u =
        reference_causal(r, reference_columns(r, both, n, 2 * inner, 0, inner), n, inner, TAPS, prefix, name);
    for (size_t i = 0; i < n * inner; i++)
        u[i] = reference_silu(u[i]);
    join(name, way, "x");
    const double *const made = reference_linear(r, u, n, inner, rank + 2 * STATES, prefix, name);
    join(name, way, "steps");
    double *const steps =
        reference_linear(r, reference_columns(r, made, n, rank + 2 * STATES, 0, rank), n, rank, inner, prefix, name);
    for (size_t i = 0; i < n * inner; i++)
        steps[i] = log1p(exp(steps[i]));
    double *const y = scan(r, prefix, way, u, steps, made, n, inner, rank);
    for (size_t i = 0; i < n * inner; i++)
        y[i] = r->mistake == MISTAKE_GATE_UP ? reference_silu(y[i]) * gate[i] : y[i] * reference_silu(gate[i]);
    return reference_linear(r, y, n, inner, dim, prefix, "mixer.out");
}

// Each sequence from its end.
static double *turn(layer_reference *r, const double *x, size_t n) {
    const size_t dim = r->config.shape->dim, tokens = r->config.tokens;
    double *const y = reference_take(r, n * dim);
    for (size_t i = 0; i < n; i++) {
        const size_t t = i % tokens, from = r->mistake == MISTAKE_ONE_WAY ? i : i - t + tokens - 1 - t;
        memcpy(y + i * dim, x + from * dim, dim * sizeof *y);
    }
    return y;
}

double *reference_caduceus_mixer(layer_reference *r, const char *prefix, const double *x, size_t n) {
    const double *const back = turn(r, mamba(r, prefix, "back", turn(r, x, n), n), n);
    return reference_add(r, mamba(r, prefix, "there", x, n), back, n * r->config.shape->dim);
}
