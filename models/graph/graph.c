// SPDX-License-Identifier: MIT
// graph.c: writes down what a model file lists, and says what memory all of it takes; compile.c makes the steps.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fresh.h"

// ---- Notes

int graph_append(graph *g, void **items, size_t *count, size_t size) {
    // Doubled whenever the count is a power of two, so that no capacity has to be kept beside it.
    if ((*count & (*count - 1)) == 0) {
        void *const grown = *count < INT_MAX ? realloc(*items, (*count == 0 ? 1 : 2 * *count) * size) : NULL;
        if (grown == NULL) {
            g->failed = true;
            return 0;
        }
        *items = grown;
    }
    memset((char *)*items + *count * size, 0, size);
    return (int)(*count)++;
}

size_t size_product(size_t a, size_t b) {
    size_t both;
    return __builtin_mul_overflow(a, b, &both) ? SIZE_MAX : both;
}

int graph_storage(graph *g, size_t bytes, bool pinned) {
    const int s = GRAPH_APPEND(g, storages, storage_count);
    if (!g->failed)
        g->storages[s] = (storage){.bytes = bytes, .first = pinned ? 0 : ALWAYS, .last = pinned ? ALWAYS : -1};
    return s;
}

size_t dense_bytes(norm_dtype dtype, size_t rows, size_t cols) {
    return size_product(size_product(rows, cols), norm_dtype_bytes(dtype));
}

static tensor make_tensor(graph *g, norm_dtype dtype, size_t rows, size_t cols, int s) {
    const tensor t = GRAPH_APPEND(g, tensors, tensor_count);
    if (!g->failed)
        g->tensors[t] = (tensor_note){
            .dtype = dtype, .rows = rows, .cols = cols, .storage = s, .parent = NO_TENSOR, .gradient = {NONE, NONE}};
    return t;
}

tensor graph_tensor(graph *g, norm_dtype dtype, size_t rows, size_t cols) {
    return make_tensor(g, dtype, rows, cols, graph_storage(g, dense_bytes(dtype, rows, cols), false));
}

void graph_list(graph *g, tensor t, const char *name, tensor_role role, int gradient) {
    const int i = GRAPH_APPEND(g, listed, listed_count);
    if (g->failed)
        return;
    g->listed[i] = (listed_tensor){.of = t, .role = role, .gradient = gradient};
    snprintf(g->listed[i].name, NAME_SIZE, "%s", name);
}

tensor graph_parameter(graph *g, norm_dtype dtype, const char *name, const char *suffix, size_t rows, size_t cols,
                       double mean, double deviation) {
    char full[NAME_SIZE * 3];
    snprintf(full, sizeof full, "%s%s%s", g->scope, name, suffix);
    const tensor t = make_tensor(g, dtype, rows, cols, graph_storage(g, dense_bytes(dtype, rows, cols), true));
    if (g->failed)
        return t;
    snprintf(g->tensors[t].name, NAME_SIZE, "%.*s", NAME_SIZE - 1, full);
    g->tensors[t].role = TENSOR_PARAMETER;
    g->tensors[t].mean = mean;
    g->tensors[t].deviation = deviation;
    if (g->train) {
        const int gradient = graph_storage(g, dense_bytes(NORM_F32, rows, cols), true);
        g->tensors[t].gradient[0] = gradient;
    }
    graph_list(g, t, g->tensors[t].name, TENSOR_PARAMETER, NONE);
    return t;
}

tensor graph_drawn(graph *g, norm_dtype dtype, const char *name, size_t rows, size_t cols, double deviation,
                   bool constant) {
    for (size_t i = 0; i < g->listed_count; i++)
        if (strcmp(g->listed[i].name, name) == 0)
            return g->listed[i].of;
    const tensor t = make_tensor(g, dtype, rows, cols, graph_storage(g, dense_bytes(dtype, rows, cols), true));
    if (g->failed)
        return t;
    snprintf(g->tensors[t].name, NAME_SIZE, "%s", name);
    g->tensors[t].role = TENSOR_INPUT;
    g->tensors[t].constant = constant;
    g->tensors[t].deviation = deviation;
    graph_list(g, t, name, TENSOR_INPUT, NONE);
    return t;
}

tensor graph_constant(graph *g, const char *name, size_t cols, double value) {
    const tensor t =
        make_tensor(g, g->config.dtype, 1, cols, graph_storage(g, dense_bytes(g->config.dtype, 1, cols), true));
    if (g->failed)
        return t;
    snprintf(g->tensors[t].name, NAME_SIZE, "%s", name);
    g->tensors[t].constant = true;
    g->tensors[t].mean = value;
    return t;
}

tensor graph_fixed(graph *g, const char *name, size_t rows, size_t cols, graph_fill *fill) {
    const tensor t = graph_drawn(g, g->config.dtype, name, rows, cols, 0.0, true);
    if (!g->failed)
        g->tensors[t].fill = fill;
    return t;
}

void graph_draw_about(graph *g, tensor parameter, double mean, double deviation) {
    if (g->failed)
        return;
    g->tensors[parameter].mean = mean;
    g->tensors[parameter].deviation = deviation;
}

tensor graph_vector(graph *g, const char *name, size_t cols, double mean, double deviation) {
    return graph_parameter(g, g->config.dtype, name, ".weight", 1, cols, mean, deviation);
}

tensor graph_input(graph *g, const char *name, size_t rows, size_t cols, double deviation) {
    return graph_drawn(g, g->config.dtype, name, rows, cols, deviation, false);
}

tensor graph_data(graph *g, const char *name, size_t rows, size_t cols, double deviation) {
    return graph_drawn(g, g->config.dtype, name, rows, cols, deviation, true);
}

void graph_output(graph *g, const char *name, tensor t) {
    if (g->failed)
        return;
    const tensor_note *const n = &g->tensors[t];
    const int gradient = g->train ? graph_storage(g, dense_bytes(n->dtype, n->rows, n->cols), true) : NONE;
    graph_list(g, t, name, TENSOR_OUTPUT, gradient);
}

tensor graph_view(graph *g, tensor parent, size_t rows, size_t cols, size_t offset, size_t stride) {
    const tensor t = make_tensor(g, g->tensors[parent].dtype, rows, cols, NONE);
    if (g->failed)
        return t;
    g->tensors[t].parent = parent;
    g->tensors[t].constant = g->tensors[parent].constant;
    g->tensors[t].offset = offset;
    g->tensors[t].parent_stride = stride;
    return t;
}

tensor graph_columns(graph *g, tensor t, size_t first, size_t count) {
    return graph_view(g, t, g->tensors[t].rows, count, first, 0);
}

tensor graph_reshape(graph *g, tensor t, size_t cols) {
    const tensor_note *const n = &g->tensors[t];
    return graph_view(g, t, n->rows * n->cols / cols, cols, 0, cols);
}

node *graph_node(graph *g, const node_kind *kind, const char *name, tensor in, tensor out) {
    const int i = GRAPH_APPEND(g, nodes, node_count);
    static node lost; // memory ran out: written to, never read
    node *const n = g->failed ? &lost : &g->nodes[i];
    *n = (node){.kind = kind, .in = {in, NO_TENSOR, NO_TENSOR, NO_TENSOR}, .out = out, .resource = NONE};
    for (size_t k = 0; k < NODE_PARAMETERS; k++)
        n->param[k] = NO_TENSOR;
    for (size_t k = 0; k < NODE_SCRATCH; k++)
        n->scratch[k] = NONE;
    for (size_t k = 0; k < sizeof n->product / sizeof *n->product; k++)
        n->product[k] = NONE;
    snprintf(n->name, NAME_SIZE, "%s", name);
    return n;
}

static bool same_product(const matmul_spec *a, const matmul_spec *b) {
    return a->m == b->m && a->k == b->k && a->n == b->n && a->dtype == b->dtype && a->transpose_a == b->transpose_a &&
           a->transpose_b == b->transpose_b && a->bias == b->bias && a->accumulate == b->accumulate &&
           a->f32_result == b->f32_result && a->pack_b == b->pack_b;
}

int graph_product(graph *g, matmul_spec spec, tensor weight) {
    for (size_t i = 0; i < g->product_count; i++)
        if (same_product(&g->products[i].spec, &spec) && (!spec.pack_b || g->products[i].weight == weight))
            return (int)i;
    const int i = GRAPH_APPEND(g, products, product_count);
    if (!g->failed)
        g->products[i] = (product_note){.spec = spec, .weight = weight};
    return i;
}

static bool same_resource(const resource_note *a, const resource_note *b) {
    const attention_spec *const x = &a->attention_spec, *const y = &b->attention_spec;
    const conv_spec *const v = &a->conv_spec, *const w = &b->conv_spec;
    const long_conv_spec *const p = &a->long_spec, *const q = &b->long_spec;
    return a->kind == b->kind && p->batch == q->batch && p->tokens == q->tokens && p->channels == q->channels &&
           x->batch == y->batch && x->heads == y->heads && x->kv_heads == y->kv_heads && x->head_dim == y->head_dim &&
           x->tokens == y->tokens && x->context == y->context && x->causal == y->causal &&
           x->bias_groups == y->bias_groups && x->window == y->window && x->windows_across == y->windows_across &&
           x->shift == y->shift && v->batch == w->batch && v->side == w->side && v->channels == w->channels &&
           v->kernel == w->kernel && v->line == w->line; // dtype and phase are the graph's
}

int graph_resource(graph *g, resource_note r) {
    for (size_t i = 0; i < g->resource_count; i++)
        if (same_resource(&g->resources[i], &r))
            return (int)i;
    const int i = GRAPH_APPEND(g, resources, resource_count);
    if (!g->failed)
        g->resources[i] = r;
    return i;
}

const layer_config *graph_config(const graph *g) { return &g->config; }
size_t graph_rows(const graph *g) {
    const layer_config *const k = &g->config;
    return k->batch * model_rows(k->shape, k->stage, k->tokens);
}
size_t graph_cols(const graph *g, tensor t) { return g->tensors[t].cols; }

size_t graph_layer(const graph *g) { return g->layer; }

model_stage graph_stage(const graph *g, tensor t) {
    const model_shape *const m = g->config.shape;
    size_t stage = 0;
    while (stage + 1 < model_stages(m) && m->stages[stage].width != g->tensors[t].cols)
        stage++;
    return model_stage_at(m, stage);
}

residual graph_layers(graph *g, residual x, size_t depth) {
    for (g->layer = 0; g->layer < depth; g->layer++) {
        snprintf(g->scope, sizeof g->scope, "layer%zu.", g->layers++);
        x = g->parts->layer(g, x);
    }
    g->scope[0] = '\0';
    return x;
}

// ---- What it takes

// What a product is thought to take, before the library is asked: weights in its own layout, which may be f32.
static size_t product_bytes(const matmul_spec *s) { return s->pack_b ? dense_bytes(s->dtype, s->k, s->n) : 0; }

// Scratch that all products, attentions and convolutions share, see scratch.h: copies in f32 where a dtype has no
// product, and scores.
static size_t scratch_estimate(const graph *g) {
    enum { COPIES = 80 << 20, SCORES = 64 << 20 };
    size_t most = g->config.dtype == NORM_F32 ? 0 : COPIES;
    for (size_t i = 0; i < g->resource_count; i++) {
        const attention_spec *const a = &g->resources[i].attention_spec;
        const size_t scores = size_product(size_product(a->batch * a->heads, a->tokens), a->context * sizeof(float));
        const size_t taken = g->resources[i].kind != RESOURCE_ATTENTION ? 0 : scores < SCORES ? scores : SCORES;
        most = taken > most ? taken : most;
    }
    return most;
}

// What the norms of an arm allocate by themselves, where they do: of the arm that has most.
static size_t fresh_estimate(const graph *g) {
    size_t most = 0;
    for (size_t a = 0; a < g->config.arm_count; a++) {
        size_t sum = 0;
        for (size_t i = 0; i < g->programs[a].step_count; i++) {
            const step *const s = &g->programs[a].steps[i];
            if (s->impl != NULL && s->shown.pass == NORM_FORWARD)
                sum += norm_fresh_bytes(s->impl, s->views[0].rows, s->views[0].cols);
        }
        most = sum > most ? sum : most;
    }
    return most;
}

static size_t estimate(const graph *g, size_t arena) {
    size_t sum = arena;
    if (__builtin_add_overflow(sum, fresh_estimate(g), &sum))
        return SIZE_MAX;
    for (size_t i = 0; i < g->product_count; i++)
        if (__builtin_add_overflow(sum, product_bytes(&g->products[i].spec), &sum))
            return SIZE_MAX;
    return __builtin_add_overflow(sum, scratch_estimate(g), &sum) ? SIZE_MAX : sum;
}

// ---- Making it

static void build(graph *g) {
    const layer_config *const k = &g->config;
    const model_shape *const m = k->shape;
    if (k->part != PART_LAYER) {
        g->parts->model(g, k->part == PART_MODEL ? k->depth : 0);
        return;
    }
    const size_t cols = model_stage_at(m, k->stage).width, rows = k->batch * model_rows(m, k->stage, k->tokens);
    // Deviations as in the middle of a network: a branch is smaller than the stream that it is added to.
    residual x = {graph_input(g, "input.stream", rows, cols, 1.0), NO_TENSOR};
    if (model_has_branch(m))
        x.branch = graph_input(g, "input.branch", rows, cols, 0.5);
    x = graph_layers(g, x, k->depth);
    graph_output(g, "output.stream", x.stream);
    if (x.branch != NO_TENSOR)
        graph_output(g, "output.branch", x.branch);
}

void graph_free(graph *g) {
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->product_count; i++)
        matmul_free(g->products[i].made);
    for (size_t i = 0; i < g->resource_count; i++) {
        attention_free(g->resources[i].attention);
        conv_free(g->resources[i].conv);
        long_conv_free(g->resources[i].long_conv);
    }
    for (size_t i = 0; g->programs != NULL && i < g->config.arm_count; i++) {
        free(g->programs[i].steps);
        free(g->programs[i].shown);
        free(g->programs[i].values);
        free(g->programs[i].gradients);
        fresh_free(&g->programs[i]);
    }
    free(g->programs);
    free(g->arms);
    free(g->tensors);
    free(g->nodes);
    free(g->storages);
    free(g->products);
    free(g->resources);
    free(g->listed);
    free(g->moves);
    free(g->arena);
    free(g);
}

graph *graph_make(const layer_config *config, size_t *bytes, char error[LAYER_ERROR_SIZE]) {
    if (!config_valid(config, error))
        return NULL;
    graph *const g = calloc(1, sizeof *g);
    if (g != NULL) {
        g->config = *config;
        g->parts = model_parts_of(config->shape->kind);
        g->train = config->phase == PHASE_TRAIN;
        g->angles = g->tokens = g->labels = NONE;
        g->token_values = g->label_values = NO_TENSOR;
        g->arms = calloc(config->arm_count, sizeof *g->arms);
        g->programs = calloc(config->arm_count, sizeof *g->programs);
        g->failed = g->arms == NULL || g->programs == NULL;
    }
    for (size_t i = 0; g != NULL && !g->failed && i < config->arm_count; i++) {
        if (!config_arm(config, i, &g->arms[i], error)) {
            graph_free(g);
            return NULL;
        }
        g->params |= g->arms[i].plain != NULL ? g->arms[i].plain->params : 0;
    }
    // One tensor is always there, so that notes on the first may be read even where memory ran out.
    if (g != NULL && !g->failed)
        make_tensor(g, config->dtype, 0, 0, NONE);
    if (g != NULL && !g->failed)
        build(g);
    bool ok = g != NULL && !g->failed;
    for (size_t i = 0; ok && i < config->arm_count; i++)
        ok = compile_arm(g, i);
    if (!ok) {
        graph_free(g);
        snprintf(error, LAYER_ERROR_SIZE, "out of memory while the steps of %s are written down", config->shape->name);
        return NULL;
    }
    g->arena_bytes = arena_place(g->storages, g->storage_count);
    *bytes = estimate(g, g->arena_bytes);
    return g;
}

void *graph_at(const graph *g, int s) {
    if (s == NONE)
        return NULL;
    const storage *const st = &g->storages[s];
    return st->fresh != NULL ? st->fresh : g->arena + st->offset;
}

matrix graph_matrix(const graph *g, view v) {
    if (v.storage == NONE)
        return (matrix){0};
    return (matrix){.dtype = v.dtype,
                    .rows = v.rows,
                    .cols = v.cols,
                    .stride = v.stride,
                    .data = (char *)graph_at(g, v.storage) + v.offset * norm_dtype_bytes(v.dtype)};
}
