// SPDX-License-Identifier: MIT
// node_model.c: the steps at the two ends of a model: embedding, positions, pooling, head and loss. All of them are
// STEP_OTHER but for their products.
#include <stdio.h>

#include "compile.h"
#include "math/draw.h"

// Rows of each sequence.
static size_t sequence(const graph *g, matrix all) { return all.rows / g->config.batch; }

// `rows` rows of a matrix from row `first` on.
static matrix row_range(matrix m, size_t first, size_t rows) {
    m.data = (char *)m.data + first * m.stride * norm_dtype_bytes(m.dtype);
    m.rows = rows;
    return m;
}

// The same elements, one row per sequence: of its first `rows` rows, dense, all in one.
static matrix by_sequence(const graph *g, matrix m, size_t first, size_t rows) {
    const size_t tokens = sequence(g, m);
    const size_t cols = m.cols;
    m = row_range(m, first, g->config.batch);
    m.cols = rows * cols;
    m.stride = tokens * cols;
    return m;
}

// ---- Random ids

// Room for at least `count` ids below `limit` in *s, and a listed tensor that shows them.
static void note_ids(graph *g, int *s, tensor *shown, size_t *room, size_t *below, const char *name, size_t count,
                     size_t limit) {
    if (*s != NONE)
        return;
    *s = graph_storage(g, size_product(count, sizeof(int32_t)), true);
    *shown = graph_drawn(g, NORM_F32, name, 1, count, 0.0, true);
    *room = count;
    *below = limit;
}

static view ids_view(int s, size_t first, size_t count) {
    view v = view_of_storage(s, NORM_F32, 1, count); // int32_t, which is as wide
    v.offset = first;
    return v;
}

// ---- Embedding

static bool run_gather(graph *g, const step *s) {
    pointwise_gather(threads_of(g), s->m[0], s->m[1], s->m[2].data);
    return true;
}

static bool run_scatter(graph *g, const step *s) {
    pointwise_scatter(threads_of(g), s->m[0].data, s->m[0].rows, s->m[1], s->m[2].data);
    return true;
}

static void embed_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_gather, tensor_value(c, n->out), tensor_value(c, n->param[0]),
         ids_view(c->g->tokens, 0, c->g->token_count));
}

static void embed_backward(compiler *c, const node *n) {
    EMIT(c, n, ".grad", STEP_OTHER, run_scatter, parameter_gradient(c, n->param[0]), gradient_of(c, n->out),
         ids_view(c->g->tokens, 0, c->g->token_count));
}

embedding graph_embed(graph *g, const char *name, size_t vocabulary, size_t dim) {
    static const node_kind kind = {embed_forward, embed_backward};
    const size_t rows = graph_rows(g);
    note_ids(g, &g->tokens, &g->token_values, &g->token_count, &g->token_limit, "input.tokens", rows, vocabulary);
    const tensor table = linear_weight(g, name, vocabulary, dim, true);
    const tensor out = graph_tensor(g, g->config.dtype, rows, dim);
    graph_node(g, &kind, name, NO_TENSOR, out)->param[0] = table;
    return (embedding){table, out};
}

// ---- Positions

// out, x, positions, class token: per sequence, the class token and then the rows of x, each with its position.
static bool run_positions(graph *g, const step *s) {
    const matrix out = s->m[0], x = s->m[1], positions = s->m[2], class_token = s->m[3];
    const size_t tokens = sequence(g, out), own = tokens - sequence(g, x);
    for (size_t b = 0; b < g->config.batch; b++) {
        if (own > 0)
            pointwise_add(1, row_range(out, b * tokens, 1), class_token, row_range(positions, 0, 1));
        pointwise_add(threads_of(g), row_range(out, b * tokens + own, tokens - own),
                      row_range(x, b * (tokens - own), tokens - own), row_range(positions, own, tokens - own));
    }
    return true;
}

// dout, dpositions, dclass_token
static bool run_positions_backward(graph *g, const step *s) {
    const matrix dout = s->m[0];
    pointwise_col_sums(threads_of(g), s->m[1].data, by_sequence(g, dout, 0, sequence(g, dout)));
    if (s->m[2].data != NULL)
        pointwise_col_sums(threads_of(g), s->m[2].data, by_sequence(g, dout, 0, 1));
    return true;
}

// dx, dout: without the class token's rows.
static bool run_positions_dx(graph *g, const step *s) {
    const size_t rows = sequence(g, s->m[0]);
    pointwise_copy(threads_of(g), by_sequence(g, s->m[0], 0, rows), by_sequence(g, s->m[1], 1, rows));
    return true;
}

static void positions_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_positions, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->in[1]), tensor_value(c, n->param[1]));
}

static void positions_backward(compiler *c, const node *n) {
    const view dout = gradient_of(c, n->out);
    EMIT(c, n, ".grad", STEP_OTHER, run_positions_backward, dout, parameter_gradient(c, n->param[0]),
         parameter_gradient(c, n->param[1]));
    if (n->param[1] == NO_TENSOR) {
        gradient_alias(c, n, n->in[0], dout);
        return;
    }
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".dx", STEP_OTHER, run_positions_dx, dx, dout);
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_positions(graph *g, const char *name, tensor x, bool class_token) {
    static const node_kind kind = {positions_forward, positions_backward};
    const norm_dtype dtype = g->config.dtype;
    const size_t cols = g->tensors[x].cols, tokens = g->tensors[x].rows / g->config.batch + (class_token ? 1 : 0);
    const size_t before = g->config.phase == PHASE_DECODE ? g->config.context : 0;
    const tensor table = graph_parameter(g, dtype, name, ".weight", before + tokens, cols, 0.0, 0.02);
    const tensor first = class_token ? graph_parameter(g, dtype, name, ".class", 1, cols, 0.0, 0.02) : NO_TENSOR;
    const tensor used = graph_view(g, table, tokens, cols, before * cols, 0);
    const tensor out = graph_tensor(g, dtype, g->config.batch * tokens, cols);
    node *const n = graph_node(g, &kind, name, x, out);
    n->in[1] = used;
    n->param[0] = table;
    n->param[1] = first;
    return out;
}

// ---- From many rows to one

static bool run_first(graph *g, const step *s) {
    pointwise_copy(threads_of(g), s->m[0], by_sequence(g, s->m[1], 0, 1));
    return true;
}

static bool run_first_backward(graph *g, const step *s) {
    zero_matrix(threads_of(g), s->m[0]);
    pointwise_copy(threads_of(g), by_sequence(g, s->m[0], 0, 1), s->m[1]);
    return true;
}

// out, x, and f32 sums (1, cols).
static bool run_mean(graph *g, const step *s) {
    const matrix out = s->m[0], x = s->m[1], sums = s->m[2];
    const size_t rows = sequence(g, x);
    for (size_t b = 0; b < out.rows; b++) {
        zero_matrix(1, sums);
        pointwise_col_sums(threads_of(g), sums.data, row_range(x, b * rows, rows));
        for (size_t c = 0; c < out.cols; c++)
            matrix_set(out, b, c, matrix_get(sums, 0, c) / (float)rows);
    }
    return true;
}

static bool run_mean_backward(graph *g, const step *s) {
    const matrix dx = s->m[0], dout = s->m[1];
    const size_t rows = sequence(g, dx);
    for (size_t r = 0; r < dx.rows; r++)
        for (size_t c = 0; c < dx.cols; c++)
            matrix_set(dx, r, c, matrix_get(dout, r / rows, c) / (float)rows);
    return true;
}

// out, x: row (b, y, x) of out is the four positions (b, 2y + dy, 2x + dx). Two neighbours in a row of the image are
// already side by side.
static bool run_squares(graph *g, const step *s) {
    const bool backward = s->shown.pass == NORM_BACKWARD;
    const size_t side = s->node->size, half = side / 2;
    for (size_t b = 0; b < g->config.batch; b++)
        for (size_t y = 0; y < side; y++) {
            matrix pairs = row_range(s->m[1], (b * side + y) * side, half);
            matrix squares = row_range(s->m[0], (b * half + y / 2) * half, half);
            pairs.cols = pairs.stride = 2 * s->m[1].cols;
            squares.cols = squares.stride / 2;
            if (y % 2 == 1)
                squares.data = (char *)squares.data + squares.cols * norm_dtype_bytes(squares.dtype);
            pointwise_copy(1, backward ? pairs : squares, backward ? squares : pairs); // tens of rows: no team
        }
    return true;
}

static void first_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_first, tensor_value(c, n->out), tensor_value(c, n->in[0]));
}
static void mean_forward(compiler *c, const node *n) {
    const size_t cols = c->g->tensors[n->out].cols;
    need(c, n->scratch[0], cols * sizeof(float));
    EMIT(c, n, "", STEP_OTHER, run_mean, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         view_of_storage(n->scratch[0], NORM_F32, 1, cols));
}
static void squares_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_squares, tensor_value(c, n->out), tensor_value(c, n->in[0]));
}

static void first_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_OTHER, run_first_backward, dx, gradient_of(c, n->out));
    gradient_arrived(c, n, n->in[0], dx);
}
static void mean_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_OTHER, run_mean_backward, dx, gradient_of(c, n->out));
    gradient_arrived(c, n, n->in[0], dx);
}
static void squares_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_OTHER, run_squares, gradient_of(c, n->out), dx);
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_first(graph *g, const char *name, tensor x) {
    static const node_kind kind = {first_forward, first_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->config.batch, g->tensors[x].cols);
    graph_node(g, &kind, name, x, out);
    return out;
}

tensor graph_mean(graph *g, const char *name, tensor x) {
    static const node_kind kind = {mean_forward, mean_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->config.batch, g->tensors[x].cols);
    const int sums = graph_storage(g, 0, false);
    graph_node(g, &kind, name, x, out)->scratch[0] = sums;
    return out;
}

tensor graph_squares(graph *g, const char *name, tensor x, size_t side) {
    static const node_kind kind = {squares_forward, squares_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->tensors[x].rows / 4, 4 * g->tensors[x].cols);
    graph_node(g, &kind, name, x, out)->size = side;
    return out;
}

// ---- Head and cross-entropy

// logits, labels. The mean over all rows, of which these are some.
static bool run_cross_entropy(graph *g, const step *s) {
    g->loss += pointwise_cross_entropy(threads_of(g), s->m[0], s->m[1].data, 1.0 / (double)g->label_count);
    return true;
}

enum { LOGITS }; // scratch

// A chunk of rows from logits to gradients, since its logits give way to the next one's: backward happens here.
static void head_forward(compiler *c, const node *n) {
    const graph *const g = c->g;
    const view x = tensor_value(c, n->in[0]), logits = tensor_value(c, n->out);
    linear_product(c, n, logits);
    if (!g->train)
        return;
    const size_t first = n->size;
    EMIT(c, n, ".loss", STEP_OTHER, run_cross_entropy, logits, ids_view(g->labels, first, x.rows));
    c->pass = NORM_BACKWARD;
    linear_gradients(c, n, logits);
    c->pass = NORM_FORWARD;
}

static void done_in_forward(compiler *c, const node *n) {
    (void)c;
    (void)n;
}

void graph_head(graph *g, const char *name, tensor x, size_t classes, bool bias, tensor table) {
    static const node_kind kind = {head_forward, done_in_forward};
    enum { LIMIT = 64 << 20 };
    const size_t rows = g->tensors[x].rows, cols = g->tensors[x].cols;
    const size_t bytes = size_product(size_product(rows, classes), norm_dtype_bytes(g->config.dtype));
    const size_t least = bytes / LIMIT + (bytes % LIMIT > 0 ? 1 : 0);
    const size_t chunks = least < rows ? least : rows;
    const size_t each = (rows + chunks - 1) / chunks;
    const tensor weight = table != NO_TENSOR ? table : linear_weight(g, name, classes, cols, false);
    const tensor shift = bias ? graph_parameter(g, g->config.dtype, name, ".bias", 1, classes, 0.0, 0.02) : NO_TENSOR;
    g->has_loss = g->train;
    if (g->train)
        note_ids(g, &g->labels, &g->label_values, &g->label_count, &g->label_limit, "input.labels", rows, classes);
    const tensor logits = graph_tensor(g, g->config.dtype, each, classes);
    for (size_t i = 0, first = 0; first < rows; i++, first += each) {
        // In inference the last chunk begins early, to be as long as the others: two lengths of chunks would mean two
        // packed copies of the weights.
        const size_t begin = g->train || first + each <= rows ? first : rows - each;
        const size_t count = rows - begin < each ? rows - begin : each;
        const tensor part = chunks > 1 ? graph_view(g, x, count, cols, begin * cols, 0) : x;
        const tensor out = count < each ? graph_view(g, logits, count, classes, 0, 0) : logits;
        char chunk[NAME_SIZE];
        snprintf(chunk, sizeof chunk, chunks > 1 ? "%.32s.%zu" : "%.32s", name, i);
        node *const n = graph_node(g, &kind, chunk, part, out);
        n->size = begin;
        linear_note(g, n, part, weight, shift);
    }
    if (!g->train)
        graph_output(g, "output.logits", logits);
}

// ---- Squared error

// dx, x, target. Ends of models alone, a few rows of a few columns: no vector code, no team.
static bool run_squared_error(graph *g, const step *s) {
    const matrix dx = s->m[0], x = s->m[1], target = s->m[2];
    const double weight = 1.0 / ((double)x.rows * (double)x.cols);
    for (size_t r = 0; r < x.rows; r++)
        for (size_t c = 0; c < x.cols; c++) {
            const float difference = matrix_get(x, r, c) - matrix_get(target, r, c);
            g->loss += weight * (double)difference * (double)difference;
            matrix_set(dx, r, c, (float)(2.0 * weight) * difference);
        }
    return true;
}

static void target_forward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, "", STEP_OTHER, run_squared_error, dx, tensor_value(c, n->in[0]), tensor_value(c, n->in[1]));
    gradient_arrived(c, n, n->in[0], dx);
}

void graph_target(graph *g, const char *name, tensor x) {
    static const node_kind kind = {target_forward, done_in_forward};
    char full[NAME_SIZE * 2];
    if (!g->train) {
        snprintf(full, sizeof full, "output.%s", name);
        graph_output(g, full, x);
        return;
    }
    char loss[NAME_SIZE]; // a model that has several ends has as many of them
    snprintf(loss, sizeof loss, "%.32s%s", g->has_loss ? name : "", g->has_loss ? ".loss" : "loss");
    g->has_loss = true;
    snprintf(full, sizeof full, "input.%s", name);
    const tensor target = graph_data(g, full, g->tensors[x].rows, g->tensors[x].cols, 1.0);
    graph_node(g, &kind, loss, x, NO_TENSOR)->in[1] = target;
}
