// SPDX-License-Identifier: MIT
// Layers and models of every kind, of the parts in layer_reference_parts.h. Formulas: Llama, Touvron et al. 2023 (arXiv
// 2302.13971); ViT, Dosovitskiy et al. 2021 (arXiv 2010.11929, eq. 1 to 4); DiT, Peebles and Xie 2023 (arXiv
// 2212.09748, section 3.2, adaLN-Zero); Whisper, Radford et al. 2022 (arXiv 2212.04356); Conformer, Gulati et al. 2020
// (arXiv 2005.08100); wav2vec 2.0, Baevski et al. 2020 (arXiv 2006.11477); GPT-2, Radford et al. 2019; ConvNeXt, Liu et
// al. 2022 (arXiv 2201.03545, figure 4).
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layer_reference_parts.h"

// ---- Layers. The residual stream comes as stream + branch and leaves as such.

typedef struct {
    double *stream, *branch; // branch NULL: all is in the stream
} residual;

static void pre_norm_layer(layer_reference *r, const char *prefix, residual *x, size_t n) {
    const size_t dim = r->config.shape->dim;
    const double *const first = x->branch != NULL ? reference_add(r, x->stream, x->branch, n * dim) : x->stream;
    const double *a;
    if (r->config.shape->kind == MODEL_HYENA)
        a = reference_hyena_mixer(r, prefix, reference_norm(r, first, n, dim, prefix, "mixer.norm"), n);
    else
        a = reference_attention(r, prefix, reference_norm(r, first, n, dim, prefix, "attention.norm"));
    x->stream = reference_add(r, first, a, n * dim);
    x->branch = reference_mlp(r, prefix, reference_norm(r, x->stream, n, dim, prefix, "ffn.norm"), n);
}

static void caduceus_layer(layer_reference *r, const char *prefix, residual *x, size_t n) {
    const size_t dim = r->config.shape->dim;
    if (x->branch != NULL)
        x->stream = reference_add(r, x->stream, x->branch, n * dim);
    x->branch = reference_caduceus_mixer(r, prefix, reference_norm(r, x->stream, n, dim, prefix, "mixer.norm"), n);
}

static void post_norm_layer(layer_reference *r, const char *prefix, residual *x, size_t n) {
    const size_t dim = r->config.shape->dim;
    const double *const a = reference_attention(r, prefix, x->stream);
    const double *const h =
        reference_norm(r, reference_add(r, x->stream, a, n * dim), n, dim, prefix, "attention.norm");
    x->stream =
        reference_norm(r, reference_add(r, h, reference_mlp(r, prefix, h, n), n * dim), n, dim, prefix, "ffn.norm");
}

// x (n, dim) * (1 + scale) + shift, both (sequences, dim) as columns of `parts` (sequences, count * dim).
static double *modulate(layer_reference *r, const double *x, size_t n, const double *parts, size_t count, size_t shift,
                        size_t scale) {
    const size_t dim = r->config.shape->dim, tokens = n / r->config.batch;
    double *const y = reference_take(r, n * dim);
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
    const double *const condition = reference_values(r, "", "input.condition", sequences * dim);
    double *const c = reference_take(r, sequences * dim);
    for (size_t i = 0; i < sequences * dim; i++)
        c[i] = reference_silu(condition[i]);
    return reference_linear(r, c, sequences, dim, count * dim, prefix, name);
}

static void dit_layer(layer_reference *r, const char *prefix, residual *x, size_t n) {
    enum { SHIFT_ATTENTION, SCALE_ATTENTION, GATE_ATTENTION, SHIFT_FFN, SCALE_FFN, GATE_FFN, PARTS };
    const size_t dim = r->config.shape->dim;
    const double *const parts = modulation(r, prefix, "modulation", PARTS);
    const double *const first = x->branch != NULL ? reference_add(r, x->stream, x->branch, n * dim) : x->stream;
    const double *h = reference_norm(r, first, n, dim, prefix, "attention.norm");
    double *const a = reference_attention(r, prefix, modulate(r, h, n, parts, PARTS, SHIFT_ATTENTION, SCALE_ATTENTION));
    gate(r, a, n, parts, PARTS, GATE_ATTENTION);
    x->stream = reference_add(r, first, a, n * dim);
    h = reference_norm(r, x->stream, n, dim, prefix, "ffn.norm");
    x->branch = reference_mlp(r, prefix, modulate(r, h, n, parts, PARTS, SHIFT_FFN, SCALE_FFN), n);
    gate(r, x->branch, n, parts, PARTS, GATE_FFN);
}

// Depthwise: y(c, i, j) = bias(c) + sum over u, v of w(c, u, v) x(c, i + u - 3, j + v - 3), zero outside; channels
// last.
static double *depthwise(layer_reference *r, const double *x, size_t side, size_t width, const char *prefix) {
    enum { KERNEL = 7 };
    const double *const w = reference_values(r, prefix, "conv.weight", width * KERNEL * KERNEL);
    const double *const bias = reference_values(r, prefix, "conv.bias", width);
    const bool flipped = r->mistake == MISTAKE_FLIPPED_CONV;
    double *const y = reference_take(r, r->config.batch * side * side * width);
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
    const double *const scale = reference_values(r, prefix, "scale.weight", width);
    double *h = reference_norm(r, depthwise(r, x->stream, side, width, prefix), n, width, prefix, "norm");
    h = reference_linear(r, h, n, width, 4 * width, prefix, "ffn.up");
    reference_gelu(r, h, n * 4 * width, false);
    h = reference_linear(r, h, n, 4 * width, width, prefix, "ffn.down");
    for (size_t i = 0; i < n * width; i++)
        h[i] *= scale[i % width];
    x->stream = reference_add(r, x->stream, h, n * width);
}

// `count` layers from the index-th on; stage: of models of images.
static void layers(layer_reference *r, residual *x, size_t index, size_t count, size_t stage) {
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * model_rows(m, stage, r->config.tokens);
    if (m->kind == MODEL_SWIN || m->kind == MODEL_MOBILEVIT) {
        x->stream = reference_image_layers(r, x->stream, index, count, stage);
        return;
    }
    for (size_t i = index; i < index + count; i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "layer%zu", i);
        if (m->kind == MODEL_CONVNEXT)
            convnext_layer(r, prefix, x, stage);
        else if (m->kind == MODEL_DIT)
            dit_layer(r, prefix, x, n);
        else if (m->kind == MODEL_CONFORMER)
            x->stream = reference_conformer_layer(r, prefix, x->stream);
        else if (m->kind == MODEL_PAIRFORMER)
            x->stream = reference_pairformer_layer(r, prefix, x->stream, i, &r->layer_loss);
        else if (m->kind == MODEL_CADUCEUS)
            caduceus_layer(r, prefix, x, n);
        else if (m->post_norm)
            post_norm_layer(r, prefix, x, n);
        else
            pre_norm_layer(r, prefix, x, n);
    }
}

static void give(const layer_reference *r, const char *name, const double *value, size_t elements) {
    memcpy(reference_values(r, "output", name, elements), value, elements * sizeof *value);
}

void reference_part_layers(layer_reference *r) {
    const model_shape *const m = r->config.shape;
    const bool parted = model_has_branch(m);
    const size_t elements =
        r->config.batch * model_rows(m, r->config.stage, r->config.tokens) * model_stage_at(m, r->config.stage).width;
    residual x = {reference_values(r, "input", "stream", elements),
                  parted ? reference_values(r, "input", "branch", elements) : NULL};
    layers(r, &x, 0, r->config.depth, r->config.stage);
    give(r, "stream", x.stream, elements);
    if (parted)
        give(r, "branch", x.branch, elements);
}

// ---- Ends of models. In training the loss, else an output.

static const double *sum_of(layer_reference *r, const residual *x, size_t elements) {
    return x->branch != NULL ? reference_add(r, x->stream, x->branch, elements) : x->stream;
}

// The rows of the embedding that the token ids name.
static double *embed(layer_reference *r) {
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * model_rows(m, 0, r->config.tokens);
    const double *const ids = reference_values(r, "input", "tokens", n), *const table = reference_values(
                                                                             r, "embed", "weight", m->vocab * m->dim);
    double *const x = reference_take(r, n * m->dim);
    for (size_t i = 0; i < n; i++)
        memcpy(x + i * m->dim, table + (size_t)ids[i] * m->dim, m->dim * sizeof *x);
    return x;
}

// The mean over the rows of -log softmax(logits)[label].
static double cross_entropy(layer_reference *r, const double *logits, size_t n, size_t classes) {
    const double *const labels = reference_values(r, "input", "labels", n);
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

double reference_head(layer_reference *r, const double *x, size_t n, const char *weights) {
    const model_shape *const m = r->config.shape;
    double *const logits = reference_linear(r, x, n, m->dim, m->vocab, "", weights);
    if (m->kind == MODEL_ESM) { // the embedding's weights, a bias of its own
        const double *const bias = reference_values(r, "head", "bias", m->vocab);
        for (size_t i = 0; i < n * m->vocab; i++)
            logits[i] += bias[i % m->vocab];
    }
    if (r->config.phase == PHASE_TRAIN)
        return cross_entropy(r, logits, n, m->vocab);
    give(r, "logits", logits, n * m->vocab);
    return 0;
}

// The mean over all elements of (x - target)^2.
double reference_squared_error(layer_reference *r, const double *x, size_t elements, const char *name) {
    if (r->config.phase != PHASE_TRAIN) {
        give(r, name, x, elements);
        return 0;
    }
    const double *const target = reference_values(r, "input", name, elements);
    double loss = 0;
    for (size_t i = 0; i < elements; i++)
        loss += (x[i] - target[i]) * (x[i] - target[i]);
    return r->mistake == MISTAKE_SUMMED_LOSS ? loss : loss / (double)elements;
}

static double language_model(layer_reference *r, size_t depth) {
    const model_shape *const m = r->config.shape;
    const size_t tokens = r->config.tokens, n = r->config.batch * model_rows(m, 0, tokens);
    const size_t before = r->config.phase == PHASE_DECODE ? r->config.context : 0;
    residual x = {embed(r), NULL};
    if (m->kind == MODEL_GPT2) {
        const double *const positions = reference_values(r, "positions", "weight", (before + tokens) * m->dim);
        for (size_t i = 0; i < n * m->dim; i++)
            x.stream[i] += positions[(before + i / m->dim % tokens) * m->dim + i % m->dim];
    }
    layers(r, &x, 0, depth, 0);
    double *h = reference_norm(r, sum_of(r, &x, n * m->dim), n, m->dim, "", "final.norm");
    if (m->kind == MODEL_ESM) {
        h = reference_linear(r, h, n, m->dim, m->dim, "", "head.project");
        reference_gelu(r, h, n * m->dim, false);
        h = reference_norm(r, h, n, m->dim, "", "head.norm");
    }
    return reference_head(r, h, n, m->tied_head ? "embed" : "head");
}

static double vit_model(layer_reference *r, size_t depth) {
    enum { PATCH = 16 * 16 * 3 };
    const size_t dim = r->config.shape->dim, batch = r->config.batch, tokens = r->config.tokens, n = batch * tokens;
    const double *const patches = reference_values(r, "input", "patches", batch * (tokens - 1) * PATCH);
    const double *const embedded = reference_linear(r, patches, batch * (tokens - 1), PATCH, dim, "", "embed");
    const double *const positions = reference_values(r, "positions", "weight", tokens * dim);
    const double *const class_token = reference_values(r, "positions", "class", dim);
    residual x = {reference_take(r, n * dim), NULL};
    for (size_t b = 0; b < batch; b++)
        for (size_t t = 0; t < tokens; t++)
            for (size_t j = 0; j < dim; j++)
                x.stream[(b * tokens + t) * dim + j] =
                    positions[t * dim + j] + (t == 0 ? class_token[j] : embedded[(b * (tokens - 1) + t - 1) * dim + j]);
    layers(r, &x, 0, depth, 0);
    const double *const h = reference_norm(r, sum_of(r, &x, n * dim), n, dim, "", "final.norm");
    return reference_head(r, reference_columns(r, h, batch, tokens * dim, 0, dim), batch, "head");
}

static double dit_model(layer_reference *r, size_t depth) {
    enum { SHIFT, SCALE, PARTS };
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * r->config.tokens, values_in = m->vocab / 2;
    residual x = {
        reference_linear(r, reference_values(r, "input", "patches", n * values_in), n, values_in, m->dim, "", "embed"),
        NULL};
    layers(r, &x, 0, depth, 0);
    const double *const h = reference_norm(r, sum_of(r, &x, n * m->dim), n, m->dim, "", "final.norm");
    const double *const parts = modulation(r, "", "final.modulation", PARTS);
    const double *const out =
        reference_linear(r, modulate(r, h, n, parts, PARTS, SHIFT, SCALE), n, m->dim, m->vocab, "", "head");
    return reference_squared_error(r, out, n * m->vocab, "noise");
}

static double whisper_model(layer_reference *r, size_t depth) {
    const size_t dim = r->config.shape->dim, n = r->config.batch * r->config.tokens;
    residual x = {reference_values(r, "input", "features", n * dim), NULL};
    layers(r, &x, 0, depth, 0);
    return reference_squared_error(r, reference_norm(r, sum_of(r, &x, n * dim), n, dim, "", "final.norm"), n * dim,
                                   "targets");
}

static double conformer_model(layer_reference *r, size_t depth) {
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * r->config.tokens;
    const double *const features = reference_values(r, "input", "features", n * m->vocab);
    residual x = {reference_linear(r, features, n, m->vocab, m->dim, "", "project"), NULL};
    layers(r, &x, 0, depth, 0);
    return reference_squared_error(r, x.stream, n * m->dim, "targets");
}

static double pairformer_model(layer_reference *r, size_t depth) {
    enum { RELATIVE = 139 };
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * r->config.tokens * r->config.tokens;
    const double *const features = reference_values(r, "input", "features", n * RELATIVE);
    residual x = {reference_linear(r, features, n, RELATIVE, m->dim, "", "embed"), NULL};
    r->layer_loss = 0;
    layers(r, &x, 0, depth, 0);
    return reference_head(r, x.stream, n, "head") + r->layer_loss;
}

static double wav2vec_model(layer_reference *r, size_t depth) {
    const model_shape *const m = r->config.shape;
    const size_t n = r->config.batch * r->config.tokens;
    const double *const features = reference_values(r, "input", "features", n * m->vocab);
    double *const h = reference_linear(r, reference_norm(r, features, n, m->vocab, "", "features.norm"), n, m->vocab,
                                       m->dim, "", "project");
    residual x = {m->post_norm ? reference_norm(r, h, n, m->dim, "", "encoder.norm") : h, NULL};
    layers(r, &x, 0, depth, 0);
    const double *const sum = sum_of(r, &x, n * m->dim);
    return reference_squared_error(r, m->post_norm ? sum : reference_norm(r, sum, n, m->dim, "", "encoder.norm"),
                                   n * m->dim, "targets");
}

double *reference_squares(layer_reference *r, const double *x, size_t side, size_t width) {
    const size_t half = side / 2;
    double *const y = reference_take(r, r->config.batch * side * side * width);
    for (size_t b = 0; b < r->config.batch; b++)
        for (size_t i = 0; i < side; i++)
            for (size_t j = 0; j < side; j++)
                memcpy(y + ((((b * half + i / 2) * half + j / 2) * 2 + i % 2) * 2 + j % 2) * width,
                       x + ((b * side + i) * side + j) * width, width * sizeof *y);
    return y;
}

double *reference_means(layer_reference *r, const double *x, size_t positions, size_t width) {
    double *const mean = reference_take(r, r->config.batch * width);
    for (size_t i = 0; i < r->config.batch * positions * width; i++)
        mean[i / (positions * width) * width + i % width] += x[i] / (double)positions;
    return mean;
}

static double convnext_model(layer_reference *r, size_t depth) {
    enum { PATCH = 4 * 4 * 3 };
    const model_shape *const m = r->config.shape;
    const size_t batch = r->config.batch, positions = m->stages[0].side * m->stages[0].side;
    const double *const patches = reference_values(r, "input", "patches", batch * positions * PATCH);
    residual x = {reference_linear(r, patches, batch * positions, PATCH, m->stages[0].width, "", "stem"), NULL};
    x.stream = reference_norm(r, x.stream, batch * positions, m->stages[0].width, "", "stem.norm");
    size_t index = 0;
    for (size_t i = 0; i < MODEL_STAGES; i++) {
        const size_t side = m->stages[i].side, width = m->stages[i].width, n = batch * side * side;
        if (i > 0) {
            char name[32];
            const size_t before = m->stages[i - 1].width;
            snprintf(name, sizeof name, "down%zu.norm", i);
            x.stream = reference_norm(r, x.stream, 4 * n, before, "", name);
            snprintf(name, sizeof name, "down%zu", i);
            x.stream =
                reference_linear(r, reference_squares(r, x.stream, 2 * side, before), n, 4 * before, width, "", name);
        }
        const size_t count = depth < m->stages[i].blocks ? depth : m->stages[i].blocks;
        layers(r, &x, index, count, i);
        index += count;
    }
    const size_t last = m->stages[MODEL_STAGES - 1].side * m->stages[MODEL_STAGES - 1].side;
    const double *const mean = reference_means(r, x.stream, last, m->dim);
    return reference_head(r, reference_norm(r, mean, batch, m->dim, "", "head.norm"), batch, "head");
}

double reference_part_ends(layer_reference *r, size_t depth) {
    static double (*const models[MODEL_KINDS])(layer_reference *,
                                               size_t) = {[MODEL_LLAMA] = language_model,
                                                          [MODEL_GPT2] = language_model,
                                                          [MODEL_ESM] = language_model,
                                                          [MODEL_HYENA] = language_model,
                                                          [MODEL_CADUCEUS] = language_model,
                                                          [MODEL_VIT] = vit_model,
                                                          [MODEL_DIT] = dit_model,
                                                          [MODEL_WAV2VEC] = wav2vec_model,
                                                          [MODEL_CONVNEXT] = convnext_model,
                                                          [MODEL_SWIN] = reference_swin_model,
                                                          [MODEL_WHISPER] = whisper_model,
                                                          [MODEL_MOBILEVIT] = reference_mobilevit_model,
                                                          [MODEL_CONFORMER] = conformer_model,
                                                          [MODEL_PAIRFORMER] = pairformer_model};
    return models[r->config.shape->kind](r, depth);
}
