// SPDX-License-Identifier: MIT
// Formulas: Llama, Touvron et al. 2023 (arXiv 2302.13971) with RoPE of Su et al. 2021 (arXiv 2104.09864, section 3.4.2,
// on halves) and SwiGLU of Shazeer 2020 (arXiv 2002.05202); ViT, Dosovitskiy et al. 2021 (arXiv 2010.11929, eq. 1 to
// 4); DiT, Peebles and Xie 2023 (arXiv 2212.09748, section 3.2, adaLN-Zero); wav2vec 2.0, Baevski et al. 2020 (arXiv
// 2006.11477); GPT-2, Radford et al. 2019; ConvNeXt, Liu et al. 2022 (arXiv 2201.03545, figure 4). Norms as in norm.h.
#include "layer_reference.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct layer_reference {
    layer_config config;
    norm_op op;
    size_t count;
    reference_tensor *tensors;
    mistake mistake;
    const double *k, *v; // of the last layer: what a cache would hold
    // Temporaries of one forward pass, all given back at once.
    double *scratch;
    size_t scratch_used, scratch_size;
};

const char *mistake_name(mistake m) {
    static const char *const names[MISTAKES] = {
        "none",         "rope on pairs",       "rope from 1", "rope on v",  "no mask",    "heads by modulo",
        "no scale",     "unbiased variance",   "no eps",      "other gelu", "silu of up", "qk-norm after rope",
        "no 1 + scale", "flipped convolution", "summed loss",
    };
    return names[m];
}

_Noreturn static void give_up(const char *what, const char *name) {
    fprintf(stderr, "layer_reference: %s %s\n", what, name);
    abort();
}

// Zeros until the end of the forward pass.
static double *take(layer_reference *r, size_t n) {
    if (r->scratch_used + n > r->scratch_size)
        give_up("out of", "scratch");
    double *const p = r->scratch + r->scratch_used;
    r->scratch_used += n;
    memset(p, 0, n * sizeof *p);
    return p;
}

// ---- Tensors by name

static reference_tensor *find(const layer_reference *r, const char *name) {
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->tensors[i].name, name) == 0)
            return &r->tensors[i];
    return NULL;
}

enum { NAME_SIZE = 96 };

// PREFIX.NAME, or NAME where there is no prefix.
static void join(char full[NAME_SIZE], const char *prefix, const char *name) {
    if (snprintf(full, NAME_SIZE, "%s%s%s", prefix, *prefix != '\0' ? "." : "", name) >= NAME_SIZE)
        give_up("too long a name:", name);
}

// The tensor of this name, which must have this many elements.
static double *values(const layer_reference *r, const char *prefix, const char *name, size_t elements) {
    char full[NAME_SIZE];
    join(full, prefix, name);
    const reference_tensor *const t = find(r, full);
    if (t == NULL)
        give_up("there is no tensor", full);
    if (t->rows * t->cols != elements)
        give_up("an unexpected shape:", full);
    return t->value;
}

static bool has(const layer_reference *r, const char *prefix, const char *name) {
    char full[NAME_SIZE];
    join(full, prefix, name);
    return find(r, full) != NULL;
}

static double element(norm_dtype dtype, const void *data, size_t i) {
    if (dtype == NORM_F32)
        return (double)((const float *)data)[i];
    const uint32_t bits = (uint32_t)((const uint16_t *)data)[i] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static void read_matrix(const matrix *m, double *out) {
    for (size_t i = 0; i < m->rows; i++)
        for (size_t j = 0; j < m->cols; j++)
            out[i * m->cols + j] = element(m->dtype, m->data, i * m->stride + j);
}

// ---- What layers are made of. Matrices are dense; y = f(x) with x of n rows.

// y (n, out) = x (n, in) W^T + b, W (out, in).
static double *linear(layer_reference *r, const double *x, size_t n, size_t in, size_t out, const char *prefix,
                      const char *name) {
    char site[NAME_SIZE];
    join(site, prefix, name);
    const double *const w = values(r, site, "weight", out * in);
    const double *const b = has(r, site, "bias") ? values(r, site, "bias", out) : NULL;
    double *const y = take(r, n * out);
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
static double *norm(layer_reference *r, const double *x, size_t n, size_t cols, const char *prefix, const char *name) {
    char site[NAME_SIZE];
    join(site, prefix, name);
    double *const y = take(r, n * cols);
    if (r->op == NORM_IDENTITY) {
        memcpy(y, x, n * cols * sizeof *y);
        return y;
    }
    const double *const gamma = norm_scales(r) ? values(r, site, "weight", cols) : NULL;
    const double *const beta = norm_shifts(r) ? values(r, site, "bias", cols) : NULL;
    const bool squashes = r->op != NORM_LAYERNORM && r->op != NORM_RMSNORM;
    const double alpha = squashes ? *values(r, site, "alpha", 1) : 0;
    const double shift = r->op == NORM_DERF ? *values(r, site, "shift", 1) : 0;
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

static double *add(layer_reference *r, const double *a, const double *b, size_t n) {
    double *const y = take(r, n);
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
    return y;
}

static double silu(double z) { return z / (1 + exp(-z)); }
// Hendrycks and Gimpel 2016 (arXiv 1606.08415): z Phi(z), and its approximation.
static double gelu_erf(double z) { return z * 0.5 * (1 + erf(z / sqrt(2))); }
static double gelu_tanh(double z) { return 0.5 * z * (1 + tanh(sqrt(2 / M_PI) * (z + 0.044715 * z * z * z))); }

static void gelu(const layer_reference *r, double *x, size_t n, bool by_tanh) {
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

typedef struct {
    size_t sequences, tokens, context, heads, kv_heads, head_dim; // context: keys of each sequence, tokens among them
    bool causal;
} attention_shape;

// softmax(q k^T / sqrt(head_dim)) v; q (sequences * tokens, heads * head_dim), k and v (sequences * context, kv_heads *
// head_dim). The queries are the last tokens of the context.
static double *attend(layer_reference *r, const attention_shape *s, const double *q, const double *k, const double *v) {
    const size_t d = s->head_dim;
    double *const out = take(r, s->sequences * s->tokens * s->heads * d), *const p = take(r, s->context);
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
    double *const all = take(r, sequences * rows * cols);
    char added[NAME_SIZE];
    join(added, cache, "added");
    memcpy(all, values(r, prefix, cache, sequences * rows * cols), sequences * rows * cols * sizeof *all);
    memcpy(values(r, prefix, added, sequences * cols), fresh, sequences * cols * sizeof *all);
    for (size_t b = 0; b < sequences; b++)
        memcpy(all + ((b + 1) * rows - 1) * cols, fresh + b * cols, cols * sizeof *all);
    return all;
}

// Columns [first, first + count) of x (n, cols).
static double *columns(layer_reference *r, const double *x, size_t n, size_t cols, size_t first, size_t count) {
    double *const y = take(r, n * count);
    for (size_t i = 0; i < n; i++)
        memcpy(y + i * count, x + i * cols + first, count * sizeof *y);
    return y;
}

// Everything between an attention's norm and its residual add.
static double *attention(layer_reference *r, const char *prefix, const double *x) {
    const model_shape *const m = r->config.shape;
    const bool decode = r->config.phase == PHASE_DECODE;
    const size_t before = decode ? r->config.context : 0, tokens = r->config.tokens, n = r->config.batch * tokens;
    const size_t q_cols = m->heads * m->head_dim, kv_cols = m->kv_heads * m->head_dim, all = q_cols + 2 * kv_cols;
    double *q, *k, *v;
    if (m->kind == MODEL_LLAMA || m->kind == MODEL_WAV2VEC) {
        q = linear(r, x, n, m->dim, q_cols, prefix, "attention.q");
        k = linear(r, x, n, m->dim, kv_cols, prefix, "attention.k");
        v = linear(r, x, n, m->dim, kv_cols, prefix, "attention.v");
    } else {
        const double *const qkv = linear(r, x, n, m->dim, all, prefix, "attention.qkv");
        q = columns(r, qkv, n, all, 0, q_cols);
        k = columns(r, qkv, n, all, q_cols, kv_cols);
        v = columns(r, qkv, n, all, q_cols + kv_cols, kv_cols);
    }
    for (int late = 0; late < 2; late++) {
        if (m->qk_norm && late == (r->mistake == MISTAKE_QK_NORM_LAST)) {
            q = norm(r, q, n * m->heads, m->head_dim, prefix, "attention.q.norm");
            k = norm(r, k, n * m->kv_heads, m->head_dim, prefix, "attention.k.norm");
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
    return linear(r, attend(r, &shape, q, k, v), n, q_cols, m->dim, prefix, "attention.o");
}

// Everything between an MLP's norm and its residual add.
static double *mlp(layer_reference *r, const char *prefix, const double *x, size_t n) {
    const model_shape *const m = r->config.shape;
    if (m->kind == MODEL_LLAMA) {
        const double *const gate = linear(r, x, n, m->dim, m->ffn, prefix, "ffn.gate");
        const double *const up = linear(r, x, n, m->dim, m->ffn, prefix, "ffn.up");
        double *const h = take(r, n * m->ffn);
        for (size_t i = 0; i < n * m->ffn; i++)
            h[i] = r->mistake == MISTAKE_GATE_UP ? gate[i] * silu(up[i]) : silu(gate[i]) * up[i];
        return linear(r, h, n, m->ffn, m->dim, prefix, "ffn.down");
    }
    double *const h = linear(r, x, n, m->dim, m->ffn, prefix, "ffn.up");
    gelu(r, h, n * m->ffn, m->kind == MODEL_DIT || m->kind == MODEL_GPT2);
    return linear(r, h, n, m->ffn, m->dim, prefix, "ffn.down");
}

// ---- Layers. The residual stream comes as stream + branch and leaves as such.

typedef struct {
    double *stream, *branch; // branch NULL: all is in the stream
} residual;

static void pre_norm_layer(layer_reference *r, const char *prefix, residual *x, size_t n) {
    const size_t dim = r->config.shape->dim;
    const double *const first = x->branch != NULL ? add(r, x->stream, x->branch, n * dim) : x->stream;
    const double *const a = attention(r, prefix, norm(r, first, n, dim, prefix, "attention.norm"));
    x->stream = add(r, first, a, n * dim);
    x->branch = mlp(r, prefix, norm(r, x->stream, n, dim, prefix, "ffn.norm"), n);
}

static void post_norm_layer(layer_reference *r, const char *prefix, residual *x, size_t n) {
    const size_t dim = r->config.shape->dim;
    const double *const a = attention(r, prefix, x->stream);
    const double *const h = norm(r, add(r, x->stream, a, n * dim), n, dim, prefix, "attention.norm");
    x->stream = norm(r, add(r, h, mlp(r, prefix, h, n), n * dim), n, dim, prefix, "ffn.norm");
}

// x (n, dim) * (1 + scale) + shift, both (sequences, dim) as columns of `parts` (sequences, count * dim).
static double *modulate(layer_reference *r, const double *x, size_t n, const double *parts, size_t count, size_t shift,
                        size_t scale) {
    const size_t dim = r->config.shape->dim, tokens = n / r->config.batch;
    double *const y = take(r, n * dim);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++) {
            const double *const p = parts + i / tokens * count * dim + j;
            y[i * dim + j] = x[i * dim + j] * ((r->mistake != MISTAKE_NO_PLUS_ONE) + p[scale * dim]) + p[shift * dim];
        }
    return y;
}

static void gate(const layer_reference *r, double *x, size_t n, const double *parts, size_t count, size_t index) {
    const size_t dim = r->config.shape->dim, tokens = n / r->config.batch;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++)
            x[i * dim + j] *= parts[i / tokens * count * dim + index * dim + j];
}

// Linear(silu(condition)), the condition (sequences, dim) an input.
static double *modulation(layer_reference *r, const char *prefix, const char *name, size_t count) {
    const size_t dim = r->config.shape->dim, sequences = r->config.batch;
    const double *const condition = values(r, "", "input.condition", sequences * dim);
    double *const c = take(r, sequences * dim);
    for (size_t i = 0; i < sequences * dim; i++)
        c[i] = silu(condition[i]);
    return linear(r, c, sequences, dim, count * dim, prefix, name);
}

static void dit_layer(layer_reference *r, const char *prefix, residual *x, size_t n) {
    enum { SHIFT_ATTENTION, SCALE_ATTENTION, GATE_ATTENTION, SHIFT_FFN, SCALE_FFN, GATE_FFN, PARTS };
    const size_t dim = r->config.shape->dim;
    const double *const parts = modulation(r, prefix, "modulation", PARTS);
    const double *const first = x->branch != NULL ? add(r, x->stream, x->branch, n * dim) : x->stream;
    const double *h = norm(r, first, n, dim, prefix, "attention.norm");
    double *const a = attention(r, prefix, modulate(r, h, n, parts, PARTS, SHIFT_ATTENTION, SCALE_ATTENTION));
    gate(r, a, n, parts, PARTS, GATE_ATTENTION);
    x->stream = add(r, first, a, n * dim);
    h = norm(r, x->stream, n, dim, prefix, "ffn.norm");
    x->branch = mlp(r, prefix, modulate(r, h, n, parts, PARTS, SHIFT_FFN, SCALE_FFN), n);
    gate(r, x->branch, n, parts, PARTS, GATE_FFN);
}

// Depthwise: y(c, i, j) = bias(c) + sum over u, v of w(c, u, v) x(c, i + u - 3, j + v - 3), zero outside; channels
// last.
static double *depthwise(layer_reference *r, const double *x, size_t side, size_t width, const char *prefix) {
    enum { KERNEL = 7 };
    const double *const w = values(r, prefix, "conv.weight", width * KERNEL * KERNEL);
    const double *const bias = values(r, prefix, "conv.bias", width);
    const bool flipped = r->mistake == MISTAKE_FLIPPED_CONV;
    double *const y = take(r, r->config.batch * side * side * width);
    for (size_t b = 0; b < r->config.batch; b++)
        for (size_t i = 0; i < side; i++)
            for (size_t j = 0; j < side; j++)
                for (size_t c = 0; c < width; c++) {
                    double sum = bias[c];
                    for (size_t u = 0; u < KERNEL; u++)
                        for (size_t v = 0; v < KERNEL; v++) {
                            const size_t row = i + u - KERNEL / 2, col = j + v - KERNEL / 2; // wraps if negative
                            const size_t tap = flipped ? (KERNEL - 1 - u) * KERNEL + KERNEL - 1 - v : u * KERNEL + v;
                            if (row < side && col < side)
                                sum += w[c * KERNEL * KERNEL + tap] * x[((b * side + row) * side + col) * width + c];
                        }
                    y[((b * side + i) * side + j) * width + c] = sum;
                }
    return y;
}

static void convnext_layer(layer_reference *r, const char *prefix, residual *x, size_t stage) {
    const size_t side = r->config.shape->stages[stage].side, width = r->config.shape->stages[stage].width;
    const size_t n = r->config.batch * side * side;
    const double *const scale = values(r, prefix, "scale.weight", width);
    double *h = norm(r, depthwise(r, x->stream, side, width, prefix), n, width, prefix, "norm");
    h = linear(r, h, n, width, 4 * width, prefix, "ffn.up");
    gelu(r, h, n * 4 * width, false);
    h = linear(r, h, n, 4 * width, width, prefix, "ffn.down");
    for (size_t i = 0; i < n * width; i++)
        h[i] *= scale[i % width];
    x->stream = add(r, x->stream, h, n * width);
}

// `count` layers from the index-th on; stage: of those of ConvNeXt.
static void layers(layer_reference *r, residual *x, size_t index, size_t count, size_t stage) {
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * r->config.tokens;
    for (size_t i = index; i < index + count; i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "layer%zu", i);
        if (m->kind == MODEL_CONVNEXT)
            convnext_layer(r, prefix, x, stage);
        else if (m->kind == MODEL_DIT)
            dit_layer(r, prefix, x, n);
        else if (m->post_norm)
            post_norm_layer(r, prefix, x, n);
        else
            pre_norm_layer(r, prefix, x, n);
    }
}

static void give(const layer_reference *r, const char *name, const double *value, size_t elements) {
    memcpy(values(r, "output", name, elements), value, elements * sizeof *value);
}

static void part_layers(layer_reference *r) {
    const model_shape *const m = r->config.shape;
    const bool image = m->kind == MODEL_CONVNEXT, parted = !image && !m->post_norm;
    const size_t side = image ? m->stages[r->config.stage].side : 0;
    const size_t elements =
        r->config.batch * (image ? side * side * m->stages[r->config.stage].width : r->config.tokens * m->dim);
    residual x = {values(r, "input", "stream", elements), parted ? values(r, "input", "branch", elements) : NULL};
    layers(r, &x, 0, r->config.depth, r->config.stage);
    give(r, "stream", x.stream, elements);
    if (parted)
        give(r, "branch", x.branch, elements);
}

// ---- Ends of models. In training the loss, else an output.

static const double *sum_of(layer_reference *r, const residual *x, size_t elements) {
    return x->branch != NULL ? add(r, x->stream, x->branch, elements) : x->stream;
}

// The rows of the embedding that the token ids name.
static double *embed(layer_reference *r) {
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * r->config.tokens;
    const double *const ids = values(r, "input", "tokens", n), *const table =
                                                                   values(r, "embed", "weight", m->vocab * m->dim);
    double *const x = take(r, n * m->dim);
    for (size_t i = 0; i < n; i++)
        memcpy(x + i * m->dim, table + (size_t)ids[i] * m->dim, m->dim * sizeof *x);
    return x;
}

// The mean over the rows of -log softmax(logits)[label].
static double cross_entropy(layer_reference *r, const double *logits, size_t n, size_t classes) {
    const double *const labels = values(r, "input", "labels", n);
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        const double *const row = logits + i * classes;
        double largest = row[0];
        for (size_t j = 1; j < classes; j++)
            largest = fmax(largest, row[j]);
        double total = exp(row[0] - largest);
        for (size_t j = 1; j < classes; j++)
            total += exp(row[j] - largest);
        loss -= row[(size_t)labels[i]] - largest - log(total);
    }
    return r->mistake == MISTAKE_SUMMED_LOSS ? loss : loss / (double)n;
}

static double head(layer_reference *r, const double *x, size_t n, const char *weights) {
    const model_shape *const m = r->config.shape;
    const double *const logits = linear(r, x, n, m->dim, m->vocab, "", weights);
    if (r->config.phase == PHASE_TRAIN)
        return cross_entropy(r, logits, n, m->vocab);
    give(r, "logits", logits, n * m->vocab);
    return 0;
}

// The mean over all elements of (x - target)^2.
static double squared_error(layer_reference *r, const double *x, size_t elements, const char *name) {
    if (r->config.phase != PHASE_TRAIN) {
        give(r, name, x, elements);
        return 0;
    }
    const double *const target = values(r, "input", name, elements);
    double loss = 0;
    for (size_t i = 0; i < elements; i++)
        loss += (x[i] - target[i]) * (x[i] - target[i]);
    return r->mistake == MISTAKE_SUMMED_LOSS ? loss : loss / (double)elements;
}

static double language_model(layer_reference *r, size_t depth) {
    const model_shape *const m = r->config.shape;
    const size_t tokens = r->config.tokens, n = r->config.batch * tokens;
    const size_t before = r->config.phase == PHASE_DECODE ? r->config.context : 0;
    residual x = {embed(r), NULL};
    if (m->kind == MODEL_GPT2) {
        const double *const positions = values(r, "positions", "weight", (before + tokens) * m->dim);
        for (size_t i = 0; i < n * m->dim; i++)
            x.stream[i] += positions[(before + i / m->dim % tokens) * m->dim + i % m->dim];
    }
    layers(r, &x, 0, depth, 0);
    const double *const h = norm(r, sum_of(r, &x, n * m->dim), n, m->dim, "", "final.norm");
    return head(r, h, n, m->tied_head ? "embed" : "head");
}

static double vit_model(layer_reference *r, size_t depth) {
    enum { PATCH = 16 * 16 * 3 };
    const size_t dim = r->config.shape->dim, batch = r->config.batch, tokens = r->config.tokens, n = batch * tokens;
    const double *const patches = values(r, "input", "patches", batch * (tokens - 1) * PATCH);
    const double *const embedded = linear(r, patches, batch * (tokens - 1), PATCH, dim, "", "embed");
    const double *const positions = values(r, "positions", "weight", tokens * dim);
    const double *const class_token = values(r, "positions", "class", dim);
    residual x = {take(r, n * dim), NULL};
    for (size_t b = 0; b < batch; b++)
        for (size_t t = 0; t < tokens; t++)
            for (size_t j = 0; j < dim; j++)
                x.stream[(b * tokens + t) * dim + j] =
                    positions[t * dim + j] + (t == 0 ? class_token[j] : embedded[(b * (tokens - 1) + t - 1) * dim + j]);
    layers(r, &x, 0, depth, 0);
    const double *const h = norm(r, sum_of(r, &x, n * dim), n, dim, "", "final.norm");
    return head(r, columns(r, h, batch, tokens * dim, 0, dim), batch, "head");
}

static double dit_model(layer_reference *r, size_t depth) {
    enum { SHIFT, SCALE, PARTS };
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * r->config.tokens, values_in = m->vocab / 2;
    residual x = {linear(r, values(r, "input", "patches", n * values_in), n, values_in, m->dim, "", "embed"), NULL};
    layers(r, &x, 0, depth, 0);
    const double *const h = norm(r, sum_of(r, &x, n * m->dim), n, m->dim, "", "final.norm");
    const double *const parts = modulation(r, "", "final.modulation", PARTS);
    const double *const out = linear(r, modulate(r, h, n, parts, PARTS, SHIFT, SCALE), n, m->dim, m->vocab, "", "head");
    return squared_error(r, out, n * m->vocab, "noise");
}

static double wav2vec_model(layer_reference *r, size_t depth) {
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * r->config.tokens;
    const double *const features = values(r, "input", "features", n * m->vocab);
    double *const h =
        linear(r, norm(r, features, n, m->vocab, "", "features.norm"), n, m->vocab, m->dim, "", "project");
    residual x = {m->post_norm ? norm(r, h, n, m->dim, "", "encoder.norm") : h, NULL};
    layers(r, &x, 0, depth, 0);
    const double *const sum = sum_of(r, &x, n * m->dim);
    return squared_error(r, m->post_norm ? sum : norm(r, sum, n, m->dim, "", "encoder.norm"), n * m->dim, "targets");
}

// x (batch * side * side, width) as squares of 2 x 2 positions, (batch * side / 2 * side / 2, 4 * width): upper left,
// upper right, lower left, lower right.
static double *squares(layer_reference *r, const double *x, size_t side, size_t width) {
    const size_t half = side / 2;
    double *const y = take(r, r->config.batch * side * side * width);
    for (size_t b = 0; b < r->config.batch; b++)
        for (size_t i = 0; i < side; i++)
            for (size_t j = 0; j < side; j++)
                memcpy(y + ((((b * half + i / 2) * half + j / 2) * 2 + i % 2) * 2 + j % 2) * width,
                       x + ((b * side + i) * side + j) * width, width * sizeof *y);
    return y;
}

static double convnext_model(layer_reference *r, size_t depth) {
    enum { PATCH = 4 * 4 * 3 };
    const model_shape *const m = r->config.shape;
    const size_t batch = r->config.batch, positions = m->stages[0].side * m->stages[0].side;
    const double *const patches = values(r, "input", "patches", batch * positions * PATCH);
    residual x = {linear(r, patches, batch * positions, PATCH, m->stages[0].width, "", "stem"), NULL};
    x.stream = norm(r, x.stream, batch * positions, m->stages[0].width, "", "stem.norm");
    size_t index = 0;
    for (size_t i = 0; i < MODEL_STAGES; i++) {
        const size_t side = m->stages[i].side, width = m->stages[i].width, n = batch * side * side;
        if (i > 0) {
            char name[32];
            const size_t before = m->stages[i - 1].width;
            snprintf(name, sizeof name, "down%zu.norm", i);
            x.stream = norm(r, x.stream, 4 * n, before, "", name);
            snprintf(name, sizeof name, "down%zu", i);
            x.stream = linear(r, squares(r, x.stream, 2 * side, before), n, 4 * before, width, "", name);
        }
        const size_t count = depth < m->stages[i].blocks ? depth : m->stages[i].blocks;
        layers(r, &x, index, count, i);
        index += count;
    }
    const size_t last = m->stages[MODEL_STAGES - 1].side * m->stages[MODEL_STAGES - 1].side;
    double *const mean = take(r, batch * m->dim);
    for (size_t i = 0; i < batch * last * m->dim; i++)
        mean[i / (last * m->dim) * m->dim + i % m->dim] += x.stream[i] / (double)last;
    return head(r, norm(r, mean, batch, m->dim, "", "head.norm"), batch, "head");
}

static double part_ends(layer_reference *r, size_t depth) {
    static double (*const models[MODEL_KINDS])(layer_reference *, size_t) = {
        [MODEL_LLAMA] = language_model, [MODEL_GPT2] = language_model,   [MODEL_VIT] = vit_model,
        [MODEL_DIT] = dit_model,        [MODEL_WAV2VEC] = wav2vec_model, [MODEL_CONVNEXT] = convnext_model};
    return models[r->config.shape->kind](r, depth);
}

// ---- The whole

double layer_reference_forward(layer_reference *r, mistake m) {
    r->mistake = m;
    r->scratch_used = 0;
    double objective = 0;
    if (r->config.part == PART_LAYER)
        part_layers(r);
    else
        objective = part_ends(r, r->config.part == PART_MODEL ? r->config.depth : 0);
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; r->tensors[i].role == TENSOR_OUTPUT && j < r->tensors[i].rows * r->tensors[i].cols; j++)
            objective += r->tensors[i].value[j] * r->tensors[i].gradient[j];
    return objective;
}

bool layer_reference_differentiates(const reference_tensor *t) {
    static const char *const inputs[] = {"input.stream", "input.branch", "input.condition", "input.features"};
    bool found = t->role == TENSOR_PARAMETER;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        found = found || strcmp(t->name, inputs[i]) == 0;
    return found;
}

// A central difference errs by h^2 f''' / 6 + u |f| / h, u = 2^-53; at the h = cbrt(u) where the two grow together it
// is of the order of h^2 = 2.4e-11 times |f| and f''', which are up to a few hundred here: four digits better than the
// f32 that it judges. x and h are moved to neighbours whose difference is exact.
void layer_reference_gradients(layer_reference *r, mistake m) {
    for (size_t i = 0; i < r->count; i++) {
        const reference_tensor *const t = &r->tensors[i];
        for (size_t j = 0; layer_reference_differentiates(t) && j < t->rows * t->cols; j++) {
            const double was = t->value[j], step = 5e-6 * fmax(1, fabs(was)), above = was + step, below = was - step;
            t->value[j] = above;
            const double high = layer_reference_forward(r, m);
            t->value[j] = below;
            const double low = layer_reference_forward(r, m);
            t->value[j] = was;
            t->gradient[j] = (high - low) / (above - below);
        }
    }
    (void)layer_reference_forward(r, m); // leaves the outputs of the inputs as they are
}

void layer_reference_keys(const layer_reference *r, const double **k, const double **v) {
    *k = r->k;
    *v = r->v;
}

size_t layer_reference_tensors(const layer_reference *r) { return r->count; }
const reference_tensor *layer_reference_at(const layer_reference *r, size_t index) { return &r->tensors[index]; }

layer_reference *layer_reference_make(const layer *l, const layer_config *config, size_t arm) {
    layer_reference *const r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    size_t elements = 0;
    r->config = *config;
    r->op = config->arms[arm].op;
    r->count = layer_tensors(l);
    r->tensors = calloc(r->count, sizeof *r->tensors);
    for (size_t i = 0; r->tensors != NULL && i < r->count; i++) {
        const layer_tensor *const from = layer_tensor_at(l, i);
        reference_tensor *const to = &r->tensors[i];
        *to = (reference_tensor){.name = from->name, .role = from->role, from->value.rows, from->value.cols};
        to->value = calloc(2 * to->rows * to->cols, sizeof *to->value);
        if (to->value == NULL)
            goto failed;
        to->gradient = to->value + to->rows * to->cols;
        elements += to->rows * to->cols;
        if (to->role != TENSOR_OUTPUT)
            read_matrix(&from->value, to->value);
        else if (from->gradient.data != NULL)
            read_matrix(&from->gradient, to->gradient);
    }
    // No layer has more temporaries than a hundred times the elements of its tensors: each is at most as large as the
    // largest tensor of a model this small or as four of its inputs.
    r->scratch_size = 100 * elements;
    r->scratch = malloc(r->scratch_size * sizeof *r->scratch);
    if (r->tensors == NULL || r->scratch == NULL)
        goto failed;
    return r;
failed:
    layer_reference_free(r);
    return NULL;
}

void layer_reference_free(layer_reference *r) {
    for (size_t i = 0; r != NULL && r->tensors != NULL && i < r->count; i++)
        free(r->tensors[i].value);
    if (r != NULL) {
        free(r->tensors);
        free(r->scratch);
    }
    free(r);
}
