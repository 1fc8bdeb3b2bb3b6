// SPDX-License-Identifier: MIT
// layer_reference_images.c: layers and models of images but ConvNeXt, of the parts in layer_reference_parts.h.
// Formulas: Swin, Liu et al. 2021 (arXiv 2103.14030, eq. 3 and 4, figure 4); MobileViT, Mehta and Rastegari 2022 (arXiv
// 2110.02178, section 3.1).
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layer_reference_parts.h"

static model_stage stage_of(const layer_reference *r, size_t stage) { return model_stage_at(r->config.shape, stage); }

// ---- Swin

// What a position sees of an image: it is given where it lies, and finds the others by where they lie.
typedef struct {
    size_t side, window, shift, heads, head_dim;
    const double *table;
} window_shape;

// Where a position lies after the image was moved round, its window there, and which of the parts that were not side by
// side before it belongs to.
typedef struct {
    size_t at, window, part;
} moved;
static moved move_round(const window_shape *s, size_t position) {
    moved m = {.at = (position + s->side - s->shift) % s->side};
    m.window = m.at / s->window;
    m.part = m.at < s->side - s->window ? 0 : m.at < s->side - s->shift ? 1 : 2;
    return m;
}

// The score of a key for a query without their product; -inf: of another window.
static double score_between(const layer_reference *r, const window_shape *s, size_t head, size_t query, size_t key) {
    const moved qy = move_round(s, query / s->side), qx = move_round(s, query % s->side);
    const moved ky = move_round(s, key / s->side), kx = move_round(s, key % s->side);
    const size_t distances = 2 * s->window - 1;
    if (qy.window != ky.window || qx.window != kx.window)
        return -INFINITY;
    const bool apart = s->shift > 0 && (qy.part != ky.part || qx.part != kx.part);
    const size_t dy = qy.at + s->window - 1 - ky.at, dx = qx.at + s->window - 1 - kx.at;
    const size_t index =
        r->mistake == MISTAKE_DISTANCE_BACK ? distances * distances - 1 - (dy * distances + dx) : dy * distances + dx;
    return s->table[index * s->heads + head] + (apart && r->mistake != MISTAKE_NO_SEAM ? -100 : 0);
}

// qkv (side * side, 3 * heads * head_dim) of one image.
static void attend_windows(const layer_reference *r, const window_shape *s, const double *qkv, double *out) {
    const size_t d = s->head_dim, width = s->heads * d, positions = s->side * s->side;
    const double scale = r->mistake == MISTAKE_NO_SCALE ? 1 : 1 / sqrt((double)d);
    for (size_t t = 0; t < positions; t++)
        for (size_t h = 0; h < s->heads; h++) {
            double total = 0;
            for (size_t j = 0; j < positions; j++) {
                double score = score_between(r, s, h, t, j);
                if (isinf(score))
                    continue;
                for (size_t i = 0; i < d; i++)
                    score += scale * qkv[t * 3 * width + h * d + i] * qkv[j * 3 * width + width + h * d + i];
                // Small enough that no largest score has to be taken off first.
                const double weight = exp(score);
                total += weight;
                for (size_t i = 0; i < d; i++)
                    out[t * width + h * d + i] += weight * qkv[j * 3 * width + 2 * width + h * d + i];
            }
            for (size_t i = 0; i < d; i++)
                out[t * width + h * d + i] /= total;
        }
}

static double *swin_layer(layer_reference *r, const char *prefix, const double *x, size_t stage, size_t index) {
    const model_stage m = stage_of(r, stage);
    const size_t window = r->config.shape->window, distances = 2 * window - 1, positions = m.side * m.side,
                 n = r->config.batch * positions;
    const window_shape s = {
        m.side,  window,     index % 2 == 1 && m.side > window ? window / 2 : 0,
        m.heads, m.head_dim, reference_values(r, prefix, "attention.distance.table", distances * distances * m.heads)};
    const double *const qkv = reference_linear(r, reference_norm(r, x, n, m.width, prefix, "attention.norm"), n,
                                               m.width, 3 * m.width, prefix, "attention.qkv");
    double *const mixed = reference_take(r, n * m.width);
    for (size_t b = 0; b < r->config.batch; b++)
        attend_windows(r, &s, qkv + b * positions * 3 * m.width, mixed + b * positions * m.width);
    x = reference_add(r, x, reference_linear(r, mixed, n, m.width, m.width, prefix, "attention.o"), n * m.width);
    double *h =
        reference_linear(r, reference_norm(r, x, n, m.width, prefix, "ffn.norm"), n, m.width, m.ffn, prefix, "ffn.up");
    reference_gelu(r, h, n * m.ffn, false);
    return reference_add(r, x, reference_linear(r, h, n, m.ffn, m.width, prefix, "ffn.down"), n * m.width);
}

// ---- MobileViT

static double *mobilevit_layer(layer_reference *r, const char *prefix, const double *x, size_t stage) {
    enum { PLACES = 4 };
    const model_stage m = stage_of(r, stage);
    const size_t n = r->config.batch * m.side * m.side, w = m.width;
    const double *const qkv =
        reference_linear(r, reference_norm(r, x, n, w, prefix, "attention.norm"), n, w, 3 * w, prefix, "attention.qkv");
    const double *const q = reference_columns(r, qkv, n, 3 * w, 0, w), *const k =
                                                                           reference_columns(r, qkv, n, 3 * w, w, w);
    const double *const v = reference_columns(r, qkv, n, 3 * w, 2 * w, w);
    const size_t tokens = m.side * m.side / PLACES;
    const attention_shape shape = {PLACES * r->config.batch, tokens, tokens, m.heads, m.heads, m.head_dim, false};
    const double *const mixed = reference_attend(r, &shape, q, k, v);
    x = reference_add(r, x, reference_linear(r, mixed, n, w, w, prefix, "attention.o"), n * w);
    double *h = reference_linear(r, reference_norm(r, x, n, w, prefix, "ffn.norm"), n, w, m.ffn, prefix, "ffn.up");
    for (size_t i = 0; i < n * m.ffn; i++)
        h[i] = reference_silu(h[i]);
    return reference_add(r, x, reference_linear(r, h, n, m.ffn, w, prefix, "ffn.down"), n * w);
}

double *reference_image_layers(layer_reference *r, double *x, size_t index, size_t count, size_t stage) {
    for (size_t i = 0; i < count; i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "layer%zu", index + i);
        x = r->config.shape->kind == MODEL_SWIN ? swin_layer(r, prefix, x, stage, i)
                                                : mobilevit_layer(r, prefix, x, stage);
    }
    return x;
}

// ---- Models

static size_t layers_in(const layer_reference *r, size_t depth, size_t stage) {
    const size_t blocks = stage_of(r, stage).blocks;
    return depth < blocks ? depth : blocks;
}

double reference_swin_model(layer_reference *r, size_t depth) {
    enum { PATCH = 4 * 4 * 3 };
    const model_shape *const m = r->config.shape;
    const size_t batch = r->config.batch, stages = model_stages(m);
    model_stage s = stage_of(r, 0);
    size_t n = batch * s.side * s.side, index = 0;
    double *x = reference_linear(r, reference_values(r, "input", "patches", n * PATCH), n, PATCH, s.width, "", "stem");
    x = reference_norm(r, x, n, s.width, "", "stem.norm");
    for (size_t i = 0; i < stages; i++) {
        if (i > 0) {
            char name[32];
            const model_stage before = s;
            s = stage_of(r, i);
            n /= 4;
            x = reference_squares(r, x, before.side, before.width);
            snprintf(name, sizeof name, "down%zu.norm", i);
            x = reference_norm(r, x, n, 4 * before.width, "", name);
            snprintf(name, sizeof name, "down%zu", i);
            x = reference_linear(r, x, n, 4 * before.width, s.width, "", name);
        }
        x = reference_image_layers(r, x, index, layers_in(r, depth, i), i);
        index += layers_in(r, depth, i);
    }
    x = reference_norm(r, x, n, s.width, "", "head.norm");
    return reference_head(r, reference_means(r, x, n / batch, s.width), batch, "head");
}

double reference_mobilevit_model(layer_reference *r, size_t depth) {
    double loss = 0;
    for (size_t i = 0, index = 0; i < model_stages(r->config.shape); index += layers_in(r, depth, i++)) {
        const model_stage s = stage_of(r, i);
        const size_t n = r->config.batch * s.side * s.side, channels = s.width * 2 / 3;
        char in[32], norm[32], out[32], features[32], targets[32];
        snprintf(in, sizeof in, "in%zu", i + 1);
        snprintf(out, sizeof out, "out%zu", i + 1);
        snprintf(norm, sizeof norm, "stage%zu.norm", i + 1);
        snprintf(features, sizeof features, "features%zu", i + 1);
        snprintf(targets, sizeof targets, "targets%zu", i + 1);
        double *x =
            reference_linear(r, reference_values(r, "input", features, n * channels), n, channels, s.width, "", in);
        x = reference_image_layers(r, x, index, layers_in(r, depth, i), i);
        x = reference_linear(r, reference_norm(r, x, n, s.width, "", norm), n, s.width, channels, "", out);
        loss += reference_squared_error(r, x, n * channels, targets);
    }
    return loss;
}
