// SPDX-License-Identifier: MIT
// compile.c: makes an arm's steps from the nodes: values, gradients and their sums; see compile.h.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile.h"

// ---- Values and gradients of an arm

view view_none(void) { return (view){.storage = NONE}; }

view view_of_storage(int s, norm_dtype dtype, size_t rows, size_t cols) {
    return s == NONE ? view_none() : (view){.storage = s, .dtype = dtype, .rows = rows, .cols = cols, .stride = cols};
}

static tensor resolve(const compiler *c, tensor t) {
    while (c->alias[t] != NO_TENSOR)
        t = c->alias[t];
    return t;
}

// What a view tensor is of its parent, given where the parent is.
static view part_of(view parent, const tensor_note *n) {
    parent.offset += n->offset;
    parent.rows = n->rows;
    parent.cols = n->cols;
    parent.stride = n->parent_stride != 0 ? n->parent_stride : parent.stride;
    return parent;
}

view tensor_value(const compiler *c, tensor t) {
    if (t == NO_TENSOR)
        return view_none();
    t = resolve(c, t);
    const tensor_note *const n = &c->g->tensors[t];
    return n->parent != NO_TENSOR ? part_of(tensor_value(c, n->parent), n)
                                  : view_of_storage(n->storage, n->dtype, n->rows, n->cols);
}

view parameter_gradient(const compiler *c, tensor t) {
    if (t == NO_TENSOR)
        return view_none();
    const tensor_note *const n = &c->g->tensors[t];
    return view_of_storage(n->gradient[0], NORM_F32, n->rows, n->cols);
}

void need(const compiler *c, int s, size_t bytes) {
    storage *const st = &c->g->storages[s];
    st->bytes = bytes > st->bytes ? bytes : st->bytes;
}

view gradient_of(const compiler *c, tensor t) {
    t = resolve(c, t);
    const tensor_note *const n = &c->g->tensors[t];
    return n->parent != NO_TENSOR ? part_of(gradient_of(c, n->parent), n) : c->gradient[t].at;
}

bool gradient_has_arrived(const compiler *c, tensor t) {
    t = resolve(c, t);
    const tensor parent = c->g->tensors[t].parent;
    return parent != NO_TENSOR ? gradient_has_arrived(c, parent) : c->gradient[t].arrived;
}

view gradient_place(compiler *c, tensor t) {
    t = resolve(c, t);
    graph *const g = c->g;
    const tensor_note n = g->tensors[t];
    if (n.parent != NO_TENSOR) {
        const tensor parent = resolve(c, n.parent);
        if (!gradient_has_arrived(c, parent))
            gradient_arrived(c, NULL, parent, gradient_place(c, parent));
        return part_of(gradient_of(c, parent), &n);
    }
    // The place that does not hold what has arrived so far.
    const int slot = c->gradient[t].arrived && c->gradient[t].at.storage == n.gradient[0] ? 1 : 0;
    const norm_dtype dtype = n.gradient_f32 ? NORM_F32 : n.dtype;
    if (n.gradient[slot] == NONE) {
        const int s = graph_storage(g, dense_bytes(dtype, n.rows, n.cols), false);
        g->tensors[t].gradient[slot] = s;
    }
    return view_of_storage(g->tensors[t].gradient[slot], dtype, n.rows, n.cols);
}

bool run_add(graph *g, const step *s) {
    pointwise_add(g->config.threads, s->m[0], s->m[1], s->m[2]);
    return true;
}

// Adds the second and later arrivals: into one of the two that nobody else reads, where a framework would write a third
// tensor, or into a place of its own.
static void arrive(compiler *c, const node *n, tensor t, view share, bool owned) {
    t = resolve(c, t);
    if (c->g->tensors[t].parent != NO_TENSOR)
        return; // written in place, as part of the parent's
    if (!c->gradient[t].arrived) {
        c->gradient[t].at = share;
        c->gradient[t].owned = owned;
        c->gradient[t].arrived = true;
        return;
    }
    const view sum = c->gradient[t].owned ? c->gradient[t].at : owned ? share : gradient_place(c, t);
    EMIT(c, n, ".sum", STEP_RESIDUAL, run_add, sum, c->gradient[t].at, share);
    c->gradient[t].at = sum;
    c->gradient[t].owned = true;
}

void gradient_arrived(compiler *c, const node *n, tensor t, view share) { arrive(c, n, t, share, true); }
void gradient_alias(compiler *c, const node *n, tensor t, view share) { arrive(c, n, t, share, false); }

void gradient_replace(compiler *c, tensor t, view sum) {
    t = resolve(c, t);
    c->gradient[t].at = sum;
    c->gradient[t].owned = true;
    c->gradient[t].arrived = true;
}

view gradient_share(const compiler *c, const node *n, int scratch, tensor parameter) {
    if (parameter == NO_TENSOR)
        return view_none();
    const size_t cols = c->g->tensors[parameter].cols;
    need(c, n->scratch[scratch], cols * sizeof(float));
    return view_of_storage(n->scratch[scratch], NORM_F32, 1, cols);
}

// ---- Steps

static void touch(graph *g, view v, int time) {
    if (v.storage == NONE)
        return;
    storage *const s = &g->storages[v.storage];
    s->first = time < s->first ? time : s->first;
    s->last = time > s->last ? time : s->last;
}

// Where the list has the last step of this name but the one at the end.
static size_t earlier(const program *p, const char *name) {
    size_t i = p->step_count - 1;
    while (i > 0 && strcmp(p->steps[i - 1].shown.name, name) != 0)
        i--;
    assert(i > 0);
    return p->steps[i - 1].at;
}

step *emit(compiler *c, const node *n, const char *suffix, step_kind kind, step_run run, const view *views,
           size_t count) {
    program *const p = c->program;
    if (p->step_count == c->capacity) {
        const size_t capacity = 2 * c->capacity + 64;
        step *const grown = realloc(p->steps, capacity * sizeof *grown);
        if (grown == NULL) {
            c->g->failed = true;
            return &c->spare;
        }
        p->steps = grown;
        c->capacity = capacity;
    }
    step *const s = &p->steps[p->step_count++];
    *s = (step){.shown = {.kind = kind, .pass = c->pass}, .run = run, .node = n, .product = NONE};
    snprintf(s->shown.name, sizeof s->shown.name, "%.*s%s", 32, n->name, suffix);
    s->at = n->again ? earlier(p, s->shown.name) : p->shown_count++;
    for (size_t i = 0; i < OPERANDS; i++)
        s->views[i] = i < count ? views[i] : view_none();
    for (size_t i = 0; i < count; i++)
        touch(c->g, views[i], c->time);
    return s;
}

bool run_accumulate(graph *g, const step *s) {
    (void)g;
    for (size_t i = 0; i < OPERANDS; i += 2)
        if (s->m[i].data != NULL)
            pointwise_add(1, s->m[i], s->m[i], s->m[i + 1]); // a row each: not worth a team
    return true;
}

// ---- Programs

// The list of steps as it is shown, the tiles of each added up.
static bool list_steps(program *p) {
    p->shown = calloc(p->shown_count + 1, sizeof *p->shown);
    if (p->shown == NULL)
        return false;
    for (size_t i = 0; i < p->step_count; i++) {
        layer_step *const shown = &p->shown[p->steps[i].at];
        const double flops = shown->flops;
        *shown = p->steps[i].shown; // a norm has no tiles
        shown->flops += flops;
    }
    return true;
}

// Moves the steps to the start of a page. A step is read by nobody else, and waited for in memory: where one arm's lay
// in two pages and another's in one, the same norm took 2 % longer in this arm, in every process.
static bool settle_steps(program *p) {
    enum { PAGE = 4096 };
    const size_t bytes = p->step_count * sizeof *p->steps;
    step *const settled = aligned_alloc(PAGE, (bytes / PAGE + 1) * PAGE);
    if (settled == NULL)
        return false;
    if (p->step_count > 0)
        memcpy(settled, p->steps, bytes);
    free(p->steps);
    p->steps = settled;
    return true;
}

bool compile_arm(graph *g, size_t index) {
    compiler c = {.g = g, .arm = &g->arms[index], .program = &g->programs[index]};
    c.alias = malloc(g->tensor_count * sizeof *c.alias);
    c.gradient = calloc(g->tensor_count, sizeof *c.gradient);
    c.program->values = calloc(g->listed_count, sizeof *c.program->values);
    c.program->gradients = calloc(g->listed_count, sizeof *c.program->gradients);
    bool ok = c.alias != NULL && c.gradient != NULL && c.program->values != NULL && c.program->gradients != NULL;
    for (size_t i = 0; ok && i < g->tensor_count; i++)
        c.alias[i] = NO_TENSOR;

    for (size_t i = 0; ok && i < g->node_count; i++, c.time++)
        g->nodes[i].kind->forward(&c, &g->nodes[i]);
    c.pass = NORM_BACKWARD;
    for (size_t i = 0; ok && g->train && i < g->listed_count; i++) {
        const listed_tensor *const l = &g->listed[i];
        if (l->role == TENSOR_OUTPUT)
            gradient_alias(
                &c, &g->nodes[g->node_count - 1], l->of,
                view_of_storage(l->gradient, g->tensors[l->of].dtype, g->tensors[l->of].rows, g->tensors[l->of].cols));
    }
    for (size_t i = g->node_count; ok && g->train && i-- > 0; c.time++)
        g->nodes[i].kind->backward(&c, &g->nodes[i]);

    // What is read from outside must survive the run.
    for (size_t i = 0; ok && i < g->listed_count; i++) {
        const listed_tensor *const l = &g->listed[i];
        const tensor_note *const n = &g->tensors[l->of];
        view gradient = view_none();
        if (l->role == TENSOR_PARAMETER)
            gradient = parameter_gradient(&c, l->of);
        else if (l->role == TENSOR_OUTPUT)
            gradient = view_of_storage(l->gradient, n->dtype, n->rows, n->cols);
        else if (g->train && gradient_has_arrived(&c, l->of))
            gradient = gradient_of(&c, l->of);
        c.program->values[i] = tensor_value(&c, l->of);
        c.program->gradients[i] = gradient;
        touch(g, c.program->values[i], c.time);
        touch(g, gradient, c.time);
    }
    free(c.alias);
    free(c.gradient);
    return ok && !g->failed && list_steps(c.program) && settle_steps(c.program);
}
