// SPDX-License-Identifier: MIT
// node_move.c: the steps that put rows in another order, windows of images, the mirror image of a square, sequences
// from their ends; or in another place. They hold no arithmetic, and backward is the way back.
#include "compile.h"

// ---- Orders

// Row r in the new order is row came_from() of the old one.
static size_t came_from(const row_order *o, size_t r) {
    if (o->kind == MOVE_REVERSE)
        return r + o->side - 1 - 2 * (r % o->side);
    const size_t in_image = r % (o->side * o->side);
    if (o->kind == MOVE_MIRROR)
        return r - in_image + in_image % o->side * o->side + in_image / o->side;
    const size_t across = o->side / o->window, area = o->window * o->window;
    const size_t window = in_image / area, place = in_image % area;
    const size_t down = (window / across * o->window + place / o->window + o->shift) % o->side;
    const size_t right = (window % across * o->window + place % o->window + o->shift) % o->side;
    return r - in_image + down * o->side + right;
}

void move_fill(const graph *g) {
    for (size_t i = 0; i < g->move_count; i++) {
        const move_note *const m = &g->moves[i];
        int32_t *const to = graph_at(g, m->to), *const back = graph_at(g, m->back);
        for (size_t r = 0; r < m->count; r++) {
            const size_t from = came_from(&m->order, r);
            to[r] = (int32_t)from;
            back[from] = (int32_t)r;
        }
    }
}

static bool same_order(const row_order *a, const row_order *b) {
    return a->kind == b->kind && a->side == b->side && a->window == b->window && a->shift == b->shift;
}

static const move_note *move_of(graph *g, const row_order *order, size_t rows) {
    for (size_t i = 0; i < g->move_count; i++)
        if (same_order(&g->moves[i].order, order) && g->moves[i].count == rows)
            return &g->moves[i];
    const int to = graph_storage(g, size_product(rows, sizeof(int32_t)), true),
              back = graph_storage(g, size_product(rows, sizeof(int32_t)), true);
    const int i = GRAPH_APPEND(g, moves, move_count);
    static const move_note lost;
    if (g->failed)
        return &lost;
    g->moves[i] = (move_note){.order = *order, .count = rows, .to = to, .back = back};
    return &g->moves[i];
}

// ---- The step

enum { THERE, BACK }; // scratch: of forward, and of backward

// out, x, ids
static bool run_move(graph *g, const step *s) {
    pointwise_gather(threads_of(g), s->m[0], s->m[1], s->m[2].data);
    return true;
}

static view ids_of(const compiler *c, const node *n, int which) {
    return view_of_storage(n->scratch[which], NORM_F32, 1, c->g->tensors[n->out].rows); // int32_t, which is as wide
}

static void move_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_move, tensor_value(c, n->out), tensor_value(c, n->in[0]), ids_of(c, n, THERE));
}

static void move_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_OTHER, run_move, dx, gradient_of(c, n->out), ids_of(c, n, BACK));
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_move(graph *g, const char *name, tensor x, const row_order *order, bool back) {
    static const node_kind kind = {move_forward, move_backward};
    const size_t rows = g->tensors[x].rows;
    const move_note m = *move_of(g, order, rows);
    const tensor out = graph_tensor(g, g->config.dtype, rows, g->tensors[x].cols);
    node *const n = graph_node(g, &kind, name, x, out);
    n->scratch[THERE] = back ? m.back : m.to;
    n->scratch[BACK] = back ? m.to : m.back;
    return out;
}

// ---- Another place

static void copied_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_copy, tensor_value(c, n->out), tensor_value(c, n->in[0]));
}

static void copied_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_OTHER, run_copy, dx, gradient_of(c, n->out));
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_copied(graph *g, const char *name, tensor x) {
    static const node_kind kind = {copied_forward, copied_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->tensors[x].rows, g->tensors[x].cols);
    graph_node(g, &kind, name, x, out);
    return out;
}
