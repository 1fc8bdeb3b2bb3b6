// SPDX-License-Identifier: MIT
// layer.c: a graph given memory, weights and the library's products, and run step by step against the clock.
#include "layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "dtype.h"
#include "fresh.h"
#include "math/draw.h"
#include "math/scratch.h"
#include "step_clock.h"

struct layer {
    graph *g;
    program *selected;
    layer_tensor *tensors;
};

const char *layer_missing(const model_shape *shape) { return shape->kind == MODEL_HYENA ? long_conv_missing() : NULL; }

size_t layer_bytes(const layer_config *config) {
    char error[LAYER_ERROR_SIZE];
    size_t bytes = 0;
    graph_free(graph_make(config, &bytes, error));
    return bytes;
}

bool layer_count(const layer_config *config, layer_work *work, char error[LAYER_ERROR_SIZE]) {
    size_t bytes;
    graph *const g = graph_make(config, &bytes, error);
    *work = (layer_work){0};
    if (g == NULL)
        return false;
    for (size_t i = 0; i < g->programs[0].shown_count; i++) {
        work->flops += g->programs[0].shown[i].flops;
        work->normed += g->programs[0].shown[i].normed;
    }
    graph_free(g);
    return true;
}

// ---- Memory and values

static bool take_arena(graph *g) {
    g->arena = scratch_allocate(g->arena_bytes);
    return g->arena != NULL;
}

// alpha is f32, but an implementation in bf16 wants a value that bf16 can hold.
static float representable(norm_dtype dtype, double value) {
    double room;
    dtype_set(dtype, &room, 0, (double)(float)value);
    return (float)dtype_get(dtype, &room, 0);
}

static void draw(const graph *g, const tensor_note *n, matrix m) {
    if (n->fill != NULL)
        n->fill(g, m);
    else if (n->deviation > 0.0)
        draw_matrix(g->config.threads, m, draw_seed(g->config.seed, n->name), n->mean, n->deviation);
    else
        for (size_t c = 0; c < m.cols; c++) // constants are vectors
            matrix_set(m, 0, c, representable(g->config.dtype, n->mean));
}

static void draw_id_tensor(const graph *g, int s, tensor shown, size_t count, size_t limit) {
    if (s == NONE)
        return;
    int32_t *const ids = graph_at(g, s);
    float *const values = graph_at(g, g->tensors[shown].storage);
    draw_ids(ids, count, limit, draw_seed(g->config.seed, g->tensors[shown].name));
    for (size_t i = 0; i < count; i++)
        values[i] = (float)ids[i];
}

static void draw_all(const graph *g) {
    for (size_t i = 0; i < g->tensor_count; i++) {
        const tensor_note *const n = &g->tensors[i];
        if (n->name[0] != '\0' && n->storage != NONE)
            draw(g, n, graph_matrix(g, view_of_storage(n->storage, n->dtype, n->rows, n->cols)));
    }
    for (size_t i = 0; i < g->listed_count; i++) {
        const listed_tensor *const l = &g->listed[i];
        const tensor_note *const n = &g->tensors[l->of];
        if (l->gradient != NONE)
            draw_matrix(g->config.threads, graph_matrix(g, view_of_storage(l->gradient, n->dtype, n->rows, n->cols)),
                        draw_seed(g->config.seed + 1, l->name), 0.0, 1.0);
    }
    draw_id_tensor(g, g->tokens, g->token_values, g->token_count, g->token_limit);
    draw_id_tensor(g, g->labels, g->label_values, g->label_count, g->label_limit);
    move_fill(g);
    if (g->angles != NONE)
        pointwise_angles(graph_at(g, g->angles), g->angle_rows, g->config.shape->head_dim, g->config.shape->theta);
}

// ---- The library's objects

static int larger_first(const void *a, const void *b) {
    const matmul_spec *const x = &(*(const product_note *const *)a)->spec, *const y =
                                                                               &(*(const product_note *const *)b)->spec;
    const size_t p = x->k * x->n, q = y->k * y->n;
    return p < q ? 1 : p > q ? -1 : 0;
}

// Weights that nobody else reads are drawn, packed and given back one after another, the largest first, so that memory
// peaks little above what remains.
static bool pack_alone(const graph *g, product_note *p, char error[LAYER_ERROR_SIZE]) {
    const tensor_note *const n = &g->tensors[p->weight];
    matrix plain = {.dtype = n->dtype, .rows = n->rows, .cols = n->cols, .stride = n->cols};
    plain.data = malloc(n->rows * n->cols * norm_dtype_bytes(n->dtype));
    bool ok = plain.data != NULL;
    if (ok) {
        draw(g, n, plain);
        ok = matmul_pack(p->made, plain.data);
    }
    free(plain.data);
    if (!ok)
        snprintf(error, LAYER_ERROR_SIZE, "%s could not be packed: out of memory?", n->name);
    return ok;
}

static bool make_products(graph *g, char error[LAYER_ERROR_SIZE]) {
    product_note **const order = malloc((g->product_count + 1) * sizeof *order);
    bool ok = order != NULL;
    for (size_t i = 0; ok && i < g->product_count; i++)
        order[i] = &g->products[i];
    if (ok)
        qsort(order, g->product_count, sizeof *order, larger_first);
    else
        snprintf(error, LAYER_ERROR_SIZE, "out of memory");
    for (size_t i = 0; ok && i < g->product_count; i++) {
        order[i]->made = matmul_make(&order[i]->spec, error);
        ok = order[i]->made != NULL;
        if (ok && order[i]->spec.pack_b && g->tensors[order[i]->weight].storage == NONE)
            ok = pack_alone(g, order[i], error);
    }
    free(order);
    return ok;
}

static bool make_resources(graph *g, char error[LAYER_ERROR_SIZE]) {
    for (size_t i = 0; i < g->resource_count; i++) {
        resource_note *const r = &g->resources[i];
        if (r->kind == RESOURCE_CONV)
            r->conv = conv_make(&r->conv_spec, error);
        else if (r->kind == RESOURCE_LONG_CONV)
            r->long_conv = long_conv_make(&r->long_spec, error);
        else
            r->attention = attention_make(&r->attention_spec, error);
        if (r->conv == NULL && r->long_conv == NULL && r->attention == NULL)
            return false;
    }
    return true;
}

static bool pack_rest(const graph *g, char error[LAYER_ERROR_SIZE]) {
    for (size_t i = 0; i < g->product_count; i++) {
        const product_note *const p = &g->products[i];
        const int s = g->tensors[p->weight].storage;
        if (p->spec.pack_b && s != NONE && !matmul_pack(p->made, graph_at(g, s))) {
            snprintf(error, LAYER_ERROR_SIZE, "%s could not be packed: out of memory?", g->tensors[p->weight].name);
            return false;
        }
    }
    return true;
}

static void resolve_views(graph *g) {
    for (size_t a = 0; a < g->config.arm_count; a++)
        for (size_t i = 0; i < g->programs[a].step_count; i++)
            for (size_t k = 0; k < OPERANDS; k++)
                g->programs[a].steps[i].m[k] = graph_matrix(g, g->programs[a].steps[i].views[k]);
}

layer *layer_make(const layer_config *config, char error[LAYER_ERROR_SIZE]) {
    size_t bytes;
    step_clock_begin();
    graph *const g = graph_make(config, &bytes, error);
    if (g == NULL)
        return NULL;
    layer *const l = calloc(1, sizeof *l);
    layer_tensor *const tensors = calloc(g->listed_count, sizeof *tensors);
    bool ok = l != NULL && tensors != NULL && make_products(g, error);
    if (l == NULL || tensors == NULL)
        snprintf(error, LAYER_ERROR_SIZE, "out of memory");
    ok = ok && make_resources(g, error);
    if (ok && !take_arena(g)) {
        snprintf(error, LAYER_ERROR_SIZE, "out of memory: %s needs %.3g GB", config->shape->name, (double)bytes / 1e9);
        ok = false;
    }
    if (ok) {
        draw_all(g);
        ok = pack_rest(g, error);
    }
    if (!ok) {
        free(l);
        free(tensors);
        graph_free(g);
        return NULL;
    }
    l->g = g;
    l->tensors = tensors;
    resolve_views(g);
    for (size_t i = 0; i < config->arm_count; i++)
        if (!fresh_prepare(g, &g->programs[i])) {
            snprintf(error, LAYER_ERROR_SIZE, "out of memory");
            layer_free(l);
            return NULL;
        }
    layer_zero_gradients(l);
    layer_select(l, 0);
    g->loss = (double)NAN;
    return l;
}

void layer_free(layer *l) {
    if (l == NULL)
        return;
    graph_free(l->g);
    free(l->tensors);
    free(l);
}

// ---- Running

// Weights that are kept packed alone have a shape, and no data.
static matrix shown(const graph *g, const tensor_note *n, view v) {
    if (v.storage == NONE)
        return (matrix){.dtype = n->dtype, .rows = n->rows, .cols = n->cols, .stride = n->cols};
    return graph_matrix(g, v);
}

// Where the listed tensors are.
static void list_tensors(layer *l) {
    const graph *const g = l->g;
    for (size_t i = 0; i < g->listed_count; i++)
        l->tensors[i] = (layer_tensor){.name = g->listed[i].name,
                                       .role = g->listed[i].role,
                                       .value = shown(g, &g->tensors[g->listed[i].of], l->selected->values[i]),
                                       .gradient = graph_matrix(g, l->selected->gradients[i])};
}

void layer_select(layer *l, size_t arm) {
    if (l->selected != NULL)
        fresh_drop(l->selected);
    l->selected = &l->g->programs[arm];
    list_tensors(l);
}

size_t layer_steps(const layer *l) { return l->selected->shown_count; }
size_t layer_readings(const layer *l) { return l->selected->step_count; }
const layer_step *layer_step_at(const layer *l, size_t index) { return &l->selected->shown[index]; }

typedef double reading(void);

// What was read since *last, which moves on. One reading ends a step and begins the next.
static inline double lap(reading *read, double *last) {
    const double now = read(), took = now - *last;
    *last = now;
    return took;
}

double layer_clock_ns(void) {
    enum { STEPS = 64 };
    volatile double ns[STEPS], sums[STEPS] = {0.0};
    const double begin = step_clock_ns();
    double last = begin;
    for (size_t i = 0; i < STEPS; i++)
        ns[i] = lap(step_clock_ns, &last);
    for (size_t i = 0; i < STEPS; i++)
        sums[i] = sums[i] + ns[i];
    return (step_clock_ns() - begin) / (double)STEPS;
}

static inline bool run_steps(layer *l, double *took, reading *read) {
    graph *const g = l->g;
    const program *const p = l->selected;
    g->loss = g->has_loss ? 0.0 : (double)NAN;
    for (size_t i = 0; took != NULL && i < p->shown_count; i++)
        took[i] = 0.0;
    double last = took != NULL ? read() : 0.0;
    for (size_t i = 0; i < p->step_count; i++) {
        if (!p->steps[i].run(g, &p->steps[i]))
            return false;
        if (p->steps[i].ends != NULL)
            fresh_end(&p->steps[i]);
        if (took != NULL)
            took[p->steps[i].at] += lap(read, &last);
    }
    if (p->fresh_count > 0)
        list_tensors(l);
    return true;
}

static double pages_so_far(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_minflt : 0.0;
}

bool layer_run(layer *l, double *ns) { return run_steps(l, ns, step_clock_ns); }
bool layer_run_pages(layer *l, double *pages) { return run_steps(l, pages, pages_so_far); }

void layer_zero_gradients(layer *l) {
    const graph *const g = l->g;
    for (size_t i = 0; i < g->listed_count; i++) {
        const tensor_note *const n = &g->tensors[g->listed[i].of];
        if (g->listed[i].role == TENSOR_PARAMETER && n->gradient[0] != NONE)
            zero_matrix(g->config.threads,
                        graph_matrix(g, view_of_storage(n->gradient[0], NORM_F32, n->rows, n->cols)));
    }
}

double layer_loss(const layer *l) { return l->g->loss; }

// That of the largest product, which is what a layer's time is mostly spent in.
const char *layer_matmul(const layer *l) {
    const product_note *largest = NULL;
    for (size_t i = 0; i < l->g->product_count; i++) {
        const product_note *const p = &l->g->products[i];
        if (largest == NULL || p->spec.m * p->spec.k * p->spec.n > largest->spec.m * largest->spec.k * largest->spec.n)
            largest = p;
    }
    return largest != NULL ? matmul_describe(largest->made) : "none";
}

size_t layer_tensors(const layer *l) { return l->g->listed_count; }
const layer_tensor *layer_tensor_at(const layer *l, size_t index) { return &l->tensors[index]; }
