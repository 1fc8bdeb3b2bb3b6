// SPDX-License-Identifier: MIT
// compile.h: what graph.c, compile.c, the node_*.c files and layer.c share: how a graph is written down and how an
// arm's steps come from it. Model files see graph.h alone.
//
// A *node* is what a model file listed. For each arm every node is compiled, forward in order and in training backward
// in reverse, to *steps*, which work on *views* of *storages*. A storage lives from the first node that touches it to
// the last, in any arm; arena.c places storages whose lives do not meet in the same memory. So inference reuses its
// activations, training keeps exactly what backward reads, and an activation is at the same address in every arm.
#ifndef COMPILE_H
#define COMPILE_H

#include "graph.h"
#include "layer.h"
#include "math/attention.h"
#include "math/conv.h"
#include "math/long_conv.h"
#include "math/matmul.h"

enum { NAME_SIZE = 64, NONE = -1 };

// ---- Memory

typedef struct {
    size_t bytes;
    int first, last; // node times of its life; nobody touches it while first > last
    size_t offset;   // into the arena, from arena_place
    void *fresh;     // not NULL: what the last run has left elsewhere for whoever asks from outside
} storage;

enum { ALWAYS = 1 << 30 }; // the end of a life that never ends

// Elements of a storage. No storage: an operand that is not there.
typedef struct {
    int storage;
    norm_dtype dtype;
    size_t offset, rows, cols, stride;
} view;

// Gives every storage a place; the bytes they need together, SIZE_MAX on overflow or where memory ran out.
size_t arena_place(storage *storages, size_t count);

// ---- Notes

typedef struct {
    char name[NAME_SIZE]; // "" if nobody outside sees it
    tensor_role role;
    norm_dtype dtype;
    size_t rows, cols;
    int storage;                  // NONE: a view of parent, or weights kept only in the product's own layout
    tensor parent;                // NO_TENSOR: none
    size_t offset, parent_stride; // elements into parent; 0: as the parent's rows have it
    bool constant;                // has no gradient
    bool gradient_f32;            // whatever the dtype
    int gradient[2];              // storages: the sum of what has arrived, and what arrives; parameters: the sum
    double mean, deviation;       // how it is drawn, if it is an input or a parameter
    graph_fill *fill;             // not NULL: what writes its values instead
} tensor_note;

typedef struct node node;
typedef struct compiler compiler;
typedef struct {
    void (*forward)(compiler *c, const node *n);
    void (*backward)(compiler *c, const node *n);
} node_kind;

enum { NODE_TENSORS = 4, NODE_PARAMETERS = 4, NODE_SCRATCH = 6 };
struct node {
    const node_kind *kind;
    char name[NAME_SIZE];
    tensor in[NODE_TENSORS], out, param[NODE_PARAMETERS];
    int scratch[NODE_SCRATCH]; // storages of its own, by their user
    int product[6], resource;  // indices into graph
    activation activation;
    size_t size; // side of an image, rows of a chunk
    bool again;  // another tile: its steps are those of the last node of this name
};

typedef struct {
    matmul_spec spec;
    tensor weight; // packed ones: of whom
    matmul *made;
} product_note;

// An attention or a convolution, shared by all nodes of one shape: neither keeps anything from call to call.
typedef struct {
    enum { RESOURCE_ATTENTION, RESOURCE_CONV, RESOURCE_LONG_CONV } kind;
    attention_spec attention_spec;
    conv_spec conv_spec;
    long_conv_spec long_spec;
    attention *attention;
    conv *conv;
    long_conv *long_conv;
} resource_note;

// Where each row comes from when rows are put in an order, and when they are put back.
typedef struct {
    row_order order;
    size_t count; // of rows
    int to, back; // storages of int32_t, filled once
} move_note;

// ---- Arms and their steps

typedef struct {
    const norm_impl *plain; // NULL: nothing in the slot
    const norm_impl *add;   // form add_fused, where a residual add stands before; NULL: the arm has another form
    unsigned repeats;
} arm_impls;

// What a norm of form framework has made; see fresh.h.
typedef struct {
    matrix *m;
    size_t offset; // bytes
} fresh_use;
typedef struct fresh_result fresh_result;
struct fresh_result {
    fresh_use *uses;
    size_t use_count, last; // last: the step that reads it last
    storage *storage;       // where it would be otherwise
    bool listed;            // read from outside as well
    void *block;
    fresh_result *next; // that ends with the same step
};

typedef struct step step;
typedef bool (*step_run)(graph *g, const step *s);
enum { OPERANDS = 14 };
struct step {
    layer_step shown; // flops: of this tile alone
    size_t at;        // in the program's list of steps: tiles of one step are at the same place
    step_run run;
    const node *node;
    view views[OPERANDS];
    matrix m[OPERANDS]; // of the views, once there is memory
    int product;
    const norm_impl *impl;
    unsigned repeats;
    fresh_result *makes, *ends;
};

// Steps of one arm, and where its listed tensors and their gradients are.
typedef struct {
    step *steps;
    size_t step_count;
    layer_step *shown; // each step once, whatever its tiles
    size_t shown_count;
    view *values, *gradients; // one per listed tensor
    fresh_result *fresh;
    size_t fresh_count;
} program;

typedef struct {
    tensor of;
    char name[NAME_SIZE];
    tensor_role role;
    int gradient; // outputs of a layer in training: the storage of what backward begins with
} listed_tensor;

struct graph {
    layer_config config;
    const model_parts *parts;
    bool train;
    bool failed;     // memory ran out for the notes
    unsigned params; // that any arm's norms have
    char scope[NAME_SIZE];
    size_t layers; // listed so far
    size_t layer;  // of graph_layers, the one that is being listed
    arm_impls *arms;
    tensor_note *tensors;
    node *nodes;
    storage *storages;
    product_note *products;
    resource_note *resources;
    listed_tensor *listed;
    move_note *moves;
    program *programs; // one per arm
    size_t tensor_count, node_count, storage_count, product_count, resource_count, listed_count, move_count;
    int angles, tokens, labels;        // storages: of RoPE, of random ids; NONE: not used
    tensor token_values, label_values; // the ids as listed tensors, which are floats
    size_t angle_rows, token_count, token_limit, label_count, label_limit;
    char *arena;
    size_t arena_bytes;
    bool has_loss;
    double loss;
};

// ---- config.c: what a config asks for

// false with a message: the config makes no sense.
bool config_valid(const layer_config *config, char error[LAYER_ERROR_SIZE]);
// The implementations of an arm; false with a message: there are none.
bool config_arm(const layer_config *config, size_t index, arm_impls *a, char error[LAYER_ERROR_SIZE]);
const model_parts *model_parts_of(model_kind kind);

// ---- graph.c, for the nodes

// Appends a zeroed item to one of graph's arrays, whose count is *count; its index. 0 where memory ran out: the graph
// is then thrown away, so it does not matter who else has that place.
#define GRAPH_APPEND(g, items, count) graph_append(g, (void **)&(g)->items, &(g)->count, sizeof *(g)->items)
int graph_append(graph *g, void **items, size_t *count, size_t size);
// Both SIZE_MAX on overflow.
size_t size_product(size_t a, size_t b);
size_t dense_bytes(norm_dtype dtype, size_t rows, size_t cols);

// bytes 0: sized when it is used. pinned: lives always.
int graph_storage(graph *g, size_t bytes, bool pinned);
tensor graph_tensor(graph *g, norm_dtype dtype, size_t rows, size_t cols);
// Elements of a tensor, from `offset` on in the dense parent; stride 0: the parent's.
tensor graph_view(graph *g, tensor parent, size_t rows, size_t cols, size_t offset, size_t stride);
// A parameter `name` + suffix of the current scope, drawn about mean.
tensor graph_parameter(graph *g, norm_dtype dtype, const char *name, const char *suffix, size_t rows, size_t cols,
                       double mean, double deviation);
// A row of one value, which nobody outside sees.
tensor graph_constant(graph *g, const char *name, size_t cols, double value);
// What graph_input and graph_data are, in any dtype.
tensor graph_drawn(graph *g, norm_dtype dtype, const char *name, size_t rows, size_t cols, double deviation,
                   bool constant);
void graph_list(graph *g, tensor t, const char *name, tensor_role role, int gradient);
// Valid until the next node.
node *graph_node(graph *g, const node_kind *kind, const char *name, tensor in, tensor out);
// The product of this spec, shared by all that need it unless it is packed.
int graph_product(graph *g, matmul_spec spec, tensor weight);
// The same for attentions and convolutions.
int graph_resource(graph *g, resource_note r);

// ---- compile.c, for the nodes

struct compiler {
    graph *g;
    const arm_impls *arm;
    program *program;
    size_t capacity; // of program->steps
    norm_pass pass;
    int time;      // of the node being compiled
    tensor *alias; // per tensor: what it is in this arm, because nothing stands between them
    struct {
        view at;
        bool arrived, owned; // owned: nobody else reads it, so that what arrives later may be added in place
    } * gradient;            // per tensor
    step spare;              // stands in for steps where memory ran out
};

static inline int threads_of(const graph *g) { return g->config.threads; }

view view_none(void);
view view_of_storage(int s, norm_dtype dtype, size_t rows, size_t cols); // dense
view tensor_value(const compiler *c, tensor t);                          // none for NO_TENSOR
view parameter_gradient(const compiler *c, tensor t);
// A storage must hold this many bytes of this arm.
void need(const compiler *c, int s, size_t bytes);

// The gradient of a tensor once all its consumers are done.
view gradient_of(const compiler *c, tensor t);
// Where a consumer's backward writes its share of the gradient, and that it has. What is not the first to arrive is
// added by a step of its own, as a framework does.
view gradient_place(compiler *c, tensor t);
void gradient_arrived(compiler *c, const node *n, tensor t, view share);
bool gradient_has_arrived(const compiler *c, tensor t);
// For a share into which its maker has already added what had arrived.
void gradient_replace(compiler *c, tensor t, view sum);
// A parameter's share, before it is added: f32, one row, in one of the node's own storages. None for NO_TENSOR.
view gradient_share(const compiler *c, const node *n, int scratch, tensor parameter);
// For a share that is another tensor's gradient: nothing is copied.
void gradient_alias(compiler *c, const node *n, tensor t, view share);

// Appends a step called n->name + suffix that works on the given views, in the order that `run` expects them.
#define EMIT(c, n, suffix, kind, run, ...)                                                                             \
    emit(c, n, suffix, kind, run, (const view[]){__VA_ARGS__}, sizeof((const view[]){__VA_ARGS__}) / sizeof(view))
step *emit(compiler *c, const node *n, const char *suffix, step_kind kind, step_run run, const view *views,
           size_t count);
// Adds (1, n) f32 scratch to the gradients of parameters, pair by pair: operands are sum, share, sum, share...
bool run_accumulate(graph *g, const step *s);
bool run_add(graph *g, const step *s);  // operands out, a, b
bool run_copy(graph *g, const step *s); // operands out, a

// ---- node_layer.c, for node_model.c: linear layers

enum { WEIGHT, BIAS }; // param of a linear layer

// read: also by others than products, who need it as it is.
tensor linear_weight(graph *g, const char *name, size_t out, size_t in, bool read);
// The products of a linear layer of x, and its parameters (bias may be NO_TENSOR), into a node.
void linear_note(graph *g, node *n, tensor x, tensor weight, tensor bias);
void linear_product(compiler *c, const node *n, view out);    // forward
void linear_gradients(compiler *c, const node *n, view dout); // of weights, bias and x

// ---- node_pointwise.c, for node_layer.c

// graph_activation; again: for another tile.
tensor activation_note(graph *g, const char *name, activation which, tensor x, bool again);

// ---- node_move.c, for layer.c

// Fills the storages of all moves.
void move_fill(const graph *g);

// ---- compile.c, for graph.c

// false: memory ran out.
bool compile_arm(graph *g, size_t index);

// ---- graph.c, for layer.c

// Writes down, compiles and plans. NULL with a message. bytes: what the arena needs and the products are thought to.
graph *graph_make(const layer_config *config, size_t *bytes, char error[LAYER_ERROR_SIZE]);
void graph_free(graph *g);
void *graph_at(const graph *g, int s);
matrix graph_matrix(const graph *g, view v);

#endif
