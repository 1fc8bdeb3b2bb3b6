// SPDX-License-Identifier: MIT
// layer_reference_parts.c: see layer_reference_parts.h. Formulas: RoPE of Su et al. 2021 (arXiv 2104.09864,
// section 3.4.2, on halves), SwiGLU of Shazeer 2020 (arXiv 2002.05202). Norms as in norm.h.
#include "layer_reference_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void give_up(const char *what, const char *name) {
    fprintf(stderr, "layer_reference: %s %s\n", what, name);
    abort();
}

// Zeros until the end of the forward pass.
double *reference_take(layer_reference *r, size_t n) {
    if (r->scratch_used + n > r->scratch_size)
        give_up("out of", "scratch");
    double *const p = r->scratch + r->scratch_used;
    r->scratch_used += n;
    memset(p, 0, n * sizeof *p);
    return p;
}

// ---- Tensors by name

enum { NAME_SIZE = 96 };

// PREFIX.NAME, or NAME where there is no prefix.
static void join(char full[NAME_SIZE], const char *prefix, const char *name) {
    if (snprintf(full, NAME_SIZE, "%s%s%s", prefix, *prefix != '\0' ? "." : "", name) >= NAME_SIZE)
        give_up("too long a name:", name);
}

double *reference_values(const layer_reference *r, const char *prefix, const char *name, size_t elements) {
    char full[NAME_SIZE];
    join(full, prefix, name);
    const reference_tensor *const t = layer_reference_named(r, full);
    if (t == NULL)
        give_up("there is no tensor", full);
    if (t->rows * t->cols != elements)
        give_up("an unexpected shape:", full);
    return t->value;
}

static bool has(const layer_reference *r, const char *prefix, const char *name) {
    char full[NAME_SIZE];
    join(full, prefix, name);
    return layer_reference_named(r, full) != NULL;
}

// ---- What layers are made of. Matrices are dense; y = f(x) with x of n rows.

// y (n, out) = x (n, in) W^T + b, W (out, in).
double *reference_linear(layer_reference *r, const double *x, size_t n, size_t in, size_t out, const char *prefix,
                         const char *name) {
    char site[NAME_SIZE];
    join(site, prefix, name);
    const double *const w = reference_values(r, site, "weight", out * in);
    const double *const b = has(r, site, "bias") ? reference_values(r, site, "bias", out) : NULL;
    double *const y = reference_take(r, n * out);
    for (size_t i = 0; i < n; i++)
        for (size_t o = 0; o < out; o++) {
            double sum = b != NULL ? b[o] : 0;
            for (size_t k = 0; k < in; k++)
                sum += x[i * in + k] * w[o * in + k];
            y[i * out + o] = sum;
        }
    return y;
}

// Whether the norms of a model have a scale and a shift, whatever tensors other arms may need: Llama's have no shift,
// DiT's have neither, RMSNorm never has a shift.
static bool norm_scales(const layer_reference *r) { return r->config.shape->kind != MODEL_DIT; }
static bool norm_shifts(const layer_reference *r) {
    const model_kind kind = r->config.shape->kind;
    return kind != MODEL_DIT && kind != MODEL_LLAMA && r->op != NORM_RMSNORM;
}

static double squash(norm_op op, double z) {
    switch (op) {
    case NORM_DERF:
        return erf(z);
    case NORM_HARDTANH:
        return z < -1 ? -1 : z > 1 ? 1 : z;
    case NORM_SIGMOID:
        return 1 / (1 + exp(-z));
    case NORM_ISRU:
        return z / hypot(1, z);
    default:
        return tanh(z);
    }
}

// The op in the slot.
double *reference_norm(layer_reference *r, const double *x, size_t n, size_t cols, const char *prefix,
                       const char *name) {
    char site[NAME_SIZE];
    join(site, prefix, name);
    double *const y = reference_take(r, n * cols);
    if (r->op == NORM_IDENTITY) {
        memcpy(y, x, n * cols * sizeof *y);
        return y;
    }
    const double *const gamma = norm_scales(r) ? reference_values(r, site, "weight", cols) : NULL;
    const double *const beta = norm_shifts(r) ? reference_values(r, site, "bias", cols) : NULL;
    const bool squashes = r->op != NORM_LAYERNORM && r->op != NORM_RMSNORM;
    const double alpha = squashes ? *reference_values(r, site, "alpha", 1) : 0;
    const double shift = r->op == NORM_DERF ? *reference_values(r, site, "shift", 1) : 0;
    const double eps = r->mistake == MISTAKE_NO_EPS ? 0 : (double)r->config.shape->eps;
    const double divisor = (double)(r->mistake == MISTAKE_UNBIASED ? cols - 1 : cols);
    for (size_t i = 0; i < n; i++) {
        double mean = 0, square = 0;
        for (size_t j = 0; j < cols && r->op == NORM_LAYERNORM; j++)
            mean += x[i * cols + j] / (double)cols;
        for (size_t j = 0; j < cols; j++)
            square += (x[i * cols + j] - mean) * (x[i * cols + j] - mean) / divisor;
        for (size_t j = 0; j < cols; j++) {
            const double v = x[i * cols + j];
            const double normed = squashes ? squash(r->op, alpha * v + shift) : (v - mean) / sqrt(square + eps);
            y[i * cols + j] = (gamma != NULL ? gamma[j] : 1) * normed + (beta != NULL ? beta[j] : 0);
        }
    }
    return y;
}

double *reference_add(layer_reference *r, const double *a, const double *b, size_t n) {
    double *const y = reference_take(r, n);
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
    return y;
}

double reference_silu(double z) { return z / (1 + exp(-z)); }
// Hendrycks and Gimpel 2016 (arXiv 1606.08415): z Phi(z), and its approximation.
static double gelu_erf(double z) { return z * 0.5 * (1 + erf(z / sqrt(2))); }
static double gelu_tanh(double z) { return 0.5 * z * (1 + tanh(sqrt(2 / M_PI) * (z + 0.044715 * z * z * z))); }

void reference_gelu(const layer_reference *r, double *x, size_t n, bool by_tanh) {
    for (size_t i = 0; i < n; i++)
        x[i] = by_tanh != (r->mistake == MISTAKE_OTHER_GELU) ? gelu_tanh(x[i]) : gelu_erf(x[i]);
}

// x (sequences * tokens, heads * head_dim) in place; token t of a sequence is at position first + t.
static void rope(const layer_reference *r, double *x, size_t sequences, size_t tokens, size_t first, size_t heads) {
    const size_t d = r->config.shape->head_dim;
    for (size_t row = 0; row < sequences * tokens; row++)
        for (size_t h = 0; h < heads; h++)
            for (size_t i = 0; i < d / 2; i++) {
                const double position = (double)(first + row % tokens + (r->mistake == MISTAKE_ROPE_POSITION));
                const double angle = position * pow(r->config.shape->theta, -2 * (double)i / (double)d);
                double *const head = x + (row * heads + h) * d;
                double *const a = head + (r->mistake == MISTAKE_ROPE_PAIRS ? 2 * i : i);
                double *const b = head + (r->mistake == MISTAKE_ROPE_PAIRS ? 2 * i + 1 : i + d / 2);
                const double was = *a;
                *a = was * cos(angle) - *b * sin(angle);
                *b = *b * cos(angle) + was * sin(angle);
            }
}

double *reference_attend(layer_reference *r, const attention_shape *s, const double *q, const double *k,
                         const double *v) {
    const size_t d = s->head_dim;
    double *const out = reference_take(r, s->sequences * s->tokens * s->heads * d), *const p =
                                                                                        reference_take(r, s->context);
    const double scale = r->mistake == MISTAKE_NO_SCALE ? 1 : 1 / sqrt((double)d);
    for (size_t b = 0; b < s->sequences; b++)
        for (size_t t = 0; t < s->tokens; t++)
            for (size_t h = 0; h < s->heads; h++) {
                const size_t g = r->mistake == MISTAKE_HEAD_MODULO ? h % s->kv_heads : h / (s->heads / s->kv_heads);
                const bool masked = s->causal && r->mistake != MISTAKE_NO_MASK;
                const size_t keys = masked ? s->context - s->tokens + t + 1 : s->context;
                const double *const query = q + ((b * s->tokens + t) * s->heads + h) * d;
                double *const y = out + ((b * s->tokens + t) * s->heads + h) * d;
                double largest = -INFINITY, total = 0;
                for (size_t j = 0; j < keys; j++) {
                    p[j] = 0;
                    for (size_t i = 0; i < d; i++)
                        p[j] += scale * query[i] * k[((b * s->context + j) * s->kv_heads + g) * d + i];
                    largest = fmax(largest, p[j]);
                }
                for (size_t j = 0; j < keys; j++) {
                    p[j] = exp(p[j] - largest);
                    total += p[j];
                }
                for (size_t j = 0; j < keys; j++)
                    for (size_t i = 0; i < d; i++)
                        y[i] += p[j] / total * v[((b * s->context + j) * s->kv_heads + g) * d + i];
            }
    return out;
}

// ---- Branches

// The cache of each sequence with its last row replaced by the new token's, which is an output as well.
static double *append(layer_reference *r, const char *prefix, const char *cache, const double *fresh, size_t cols) {
    const size_t sequences = r->config.batch, rows = r->config.context + 1;
    double *const all = reference_take(r, sequences * rows * cols);
    char added[NAME_SIZE];
    join(added, cache, "added");
    memcpy(all, reference_values(r, prefix, cache, sequences * rows * cols), sequences * rows * cols * sizeof *all);
    memcpy(reference_values(r, prefix, added, sequences * cols), fresh, sequences * cols * sizeof *all);
    for (size_t b = 0; b < sequences; b++)
        memcpy(all + ((b + 1) * rows - 1) * cols, fresh + b * cols, cols * sizeof *all);
    return all;
}

double *reference_columns(layer_reference *r, const double *x, size_t n, size_t cols, size_t first, size_t count) {
    double *const y = reference_take(r, n * count);
    for (size_t i = 0; i < n; i++)
        memcpy(y + i * count, x + i * cols + first, count * sizeof *y);
    return y;
}

double *reference_attention(layer_reference *r, const char *prefix, const double *x) {
    const model_shape *const m = r->config.shape;
    const bool decode = r->config.phase == PHASE_DECODE;
    const size_t before = decode ? r->config.context : 0, tokens = r->config.tokens, n = r->config.batch * tokens;
    const size_t q_cols = m->heads * m->head_dim, kv_cols = m->kv_heads * m->head_dim, all = q_cols + 2 * kv_cols;
    double *q, *k, *v;
    if (m->kind == MODEL_LLAMA || m->kind == MODEL_WAV2VEC || m->kind == MODEL_ESM || m->kind == MODEL_WHISPER) {
        q = reference_linear(r, x, n, m->dim, q_cols, prefix, "attention.q");
        k = reference_linear(r, x, n, m->dim, kv_cols, prefix, "attention.k");
        v = reference_linear(r, x, n, m->dim, kv_cols, prefix, "attention.v");
    } else {
        const double *const qkv = reference_linear(r, x, n, m->dim, all, prefix, "attention.qkv");
        q = reference_columns(r, qkv, n, all, 0, q_cols);
        k = reference_columns(r, qkv, n, all, q_cols, kv_cols);
        v = reference_columns(r, qkv, n, all, q_cols + kv_cols, kv_cols);
    }
    for (int late = 0; late < 2; late++) {
        if (m->qk_norm && late == (r->mistake == MISTAKE_QK_NORM_LAST)) {
            q = reference_norm(r, q, n * m->heads, m->head_dim, prefix, "attention.q.norm");
            k = reference_norm(r, k, n * m->kv_heads, m->head_dim, prefix, "attention.k.norm");
        }
        if (m->theta > 0 && late == 0) {
            rope(r, q, r->config.batch, tokens, before, m->heads);
            rope(r, k, r->config.batch, tokens, before, m->kv_heads);
            if (r->mistake == MISTAKE_ROPE_VALUES)
                rope(r, v, r->config.batch, tokens, before, m->kv_heads);
        }
    }
    r->k = k;
    r->v = v;
    if (decode) {
        k = append(r, prefix, "attention.heads.cache.k", k, kv_cols);
        v = append(r, prefix, "attention.heads.cache.v", v, kv_cols);
    }
    const attention_shape shape = {r->config.batch,
                                   tokens,
                                   before + tokens,
                                   m->heads,
                                   m->kv_heads,
                                   m->head_dim,
                                   m->kind == MODEL_LLAMA || m->kind == MODEL_GPT2};
    return reference_linear(r, reference_attend(r, &shape, q, k, v), n, q_cols, m->dim, prefix, "attention.o");
}

double *reference_mlp(layer_reference *r, const char *prefix, const double *x, size_t n) {
    const model_shape *const m = r->config.shape;
    if (m->kind == MODEL_LLAMA || m->kind == MODEL_PAIRFORMER) {
        const double *const gate = reference_linear(r, x, n, m->dim, m->ffn, prefix, "ffn.gate");
        const double *const up = reference_linear(r, x, n, m->dim, m->ffn, prefix, "ffn.up");
        double *const h = reference_take(r, n * m->ffn);
        for (size_t i = 0; i < n * m->ffn; i++)
            h[i] = r->mistake == MISTAKE_GATE_UP ? gate[i] * reference_silu(up[i]) : reference_silu(gate[i]) * up[i];
        return reference_linear(r, h, n, m->ffn, m->dim, prefix, "ffn.down");
    }
    double *const h = reference_linear(r, x, n, m->dim, m->ffn, prefix, "ffn.up");
    reference_gelu(r, h, n * m->ffn, m->kind == MODEL_DIT || m->kind == MODEL_GPT2 || m->kind == MODEL_HYENA);
    return reference_linear(r, h, n, m->ffn, m->dim, prefix, "ffn.down");
}
