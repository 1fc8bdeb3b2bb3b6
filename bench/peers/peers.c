// SPDX-License-Identifier: MIT
// peers.c: see peers.h. A stage is one primitive on the thread's own rows, prepared at the first call of its shape and
// kept by the thread, so that what is timed is its execution, as in a program that prepared it once. The library itself
// is held to one thread: the team is ours (run.c), as for every other implementation.
#include "peers.h"

#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/matmul.h"
#include "math/onednn.h"
#include "math/pointwise.h"
#include "mkl_tanh.h"
#include "svml_tanh.h"
#include "table.h"

// ---- Prepared primitives, per thread

typedef struct {
    norm_op op;
    norm_pass pass;
    norm_dtype dtype;
    bool saves; // forward leaves what backward needs
    size_t rows, cols;
    float eps;
} peer_key;

// More than the primitives that a thread needs for one group of cells that are timed in turn: three ops, of which one
// has two passes.
enum { KEPT = 8 };

// A parameter that was given in bf16, and in f32, which is what the library's fast kernels of norms read. A program
// would keep it so; here a look at every call tells whether the copy is still that of what is given.
typedef struct {
    size_t cols;
    uint16_t *given;
    float *wide;
} wide_row;

enum { GAMMA, BETA, WIDE };
typedef struct {
    wide_row rows[WIDE];
    size_t next;
    struct {
        peer_key key;
        onednn_op op;
    } items[KEPT];
} peer_store;

static pthread_key_t store_key;
static pthread_once_t store_once = PTHREAD_ONCE_INIT;
static _Thread_local peer_store *store;

static void free_store(void *of) {
    peer_store *const s = of;
    for (size_t i = 0; i < KEPT; i++)
        onednn_free(&s->items[i].op);
    for (size_t i = 0; i < WIDE; i++) {
        free(s->rows[i].given);
        free(s->rows[i].wide);
    }
    free(s);
}

// The initial thread ends without its keys' destructors; its store is freed before oneDNN is closed.
static void free_own_store(void) {
    if (store)
        free_store(store);
    store = NULL;
}

static void make_key(void) { (void)pthread_key_create(&store_key, free_store); }

static bool same(const peer_key *a, const peer_key *b) {
    return a->op == b->op && a->pass == b->pass && a->dtype == b->dtype && a->saves == b->saves && a->rows == b->rows &&
           a->cols == b->cols && memcmp(&a->eps, &b->eps, sizeof a->eps) == 0;
}

static onednn_tensor matrix_of(norm_dtype dtype, size_t rows, size_t cols) {
    return (onednn_tensor){
        .dtype = dtype, .ndims = 2, .dims = {(dnnl_dim_t)rows, (dnnl_dim_t)cols}, .strides = {(dnnl_dim_t)cols, 1}};
}
static onednn_tensor vector_of(norm_dtype dtype, size_t count) {
    return (onednn_tensor){.dtype = dtype, .ndims = 1, .dims = {(dnnl_dim_t)count}, .strides = {1}};
}

static dnnl_status_t prepare(onednn_op *op, const peer_key *k) {
    const onednn_tensor x = matrix_of(k->dtype, k->rows, k->cols), row = matrix_of(NORM_F32, 1, k->cols),
                        alpha = matrix_of(NORM_F32, 1, 1), gamma = vector_of(NORM_F32, k->cols),
                        stats = vector_of(NORM_F32, k->rows);
    if (k->op == NORM_DYT)
        return onednn_dyt(op, &x, &alpha, &row, &row);
    if (k->pass == NORM_BACKWARD)
        return onednn_norm_backward(op, &x, &stats, &gamma, k->eps);
    return onednn_norm_forward(op, &x, k->saves ? &stats : NULL, &gamma, k->op == NORM_LAYERNORM ? &gamma : NULL,
                               k->eps);
}

static bool open_store(void) {
    if (store)
        return true;
    (void)pthread_once(&store_once, make_key);
    store = calloc(1, sizeof *store);
    if (store)
        (void)pthread_setspecific(store_key, store);
    return store != NULL;
}

// NULL if the library refuses or memory ran out.
static onednn_op *prepared(const peer_key *k) {
    if (!open_store())
        return NULL;
    for (size_t i = 0; i < KEPT; i++)
        if (store->items[i].op.primitive && same(&store->items[i].key, k))
            return &store->items[i].op;
    const size_t place = store->next;
    store->next = (place + 1) % KEPT;
    onednn_free(&store->items[place].op);
    store->items[place].key = *k;
    return prepare(&store->items[place].op, k) == dnnl_success ? &store->items[place].op : NULL;
}

// A parameter of the call in f32, until the next call. NULL if memory ran out.
static const float *in_f32(size_t which, norm_dtype dtype, const void *given, size_t cols) {
    if (dtype == NORM_F32)
        return given;
    if (!open_store())
        return NULL;
    wide_row *const row = &store->rows[which];
    const size_t bytes = cols * sizeof *row->given;
    if (row->cols == cols && memcmp(row->given, given, bytes) == 0)
        return row->wide;
    free(row->given);
    free(row->wide);
    *row = (wide_row){cols, malloc(bytes), malloc(cols * sizeof *row->wide)};
    if (!row->given || !row->wide) {
        row->cols = 0;
        return NULL;
    }
    memcpy(row->given, given, bytes);
    pointwise_copy(1, (matrix){NORM_F32, 1, cols, cols, row->wide}, (matrix){dtype, 1, cols, cols, row->given});
    return row->wide;
}

// ---- Stages

// One thread, whatever the caller's next team would have: inside a team the library would run serially by itself, in a
// call on one thread it would open a team of its own.
static int hold_to_one_thread(void) {
    const int threads = omp_get_max_threads();
    if (threads != 1)
        omp_set_num_threads(1);
    return threads;
}
static void let_go(int threads) {
    if (threads != 1)
        omp_set_num_threads(threads);
}

static char *at(const void *data, norm_dtype dtype, size_t element) {
    return (char *)(uintptr_t)data + element * norm_dtype_bytes(dtype);
}

// A failure of the library shows in the results, which are verified before they are timed.
static void spoil(norm_dtype dtype, void *data, size_t stride, size_t cols, const norm_slice *rows) {
    for (size_t row = rows->begin; row < rows->end; row++)
        memset(at(data, dtype, row * stride), 0xff, cols * norm_dtype_bytes(dtype)); // a NaN in either dtype
}

// saved: the means of all rows, then their variances.
static float *means(const norm_args *a) { return a->saved; }
static float *variances(const norm_args *a) { return means(a) + a->rows; }

// The library's kernels of norms take rows to lie one after the other; where they do not, each is a call.
static size_t rows_at_once(const norm_slice *s, bool dense) { return dense ? s->end - s->begin : 1; }

typedef struct {
    const float *gamma, *beta;
} params;

static bool run_forward(norm_op op, norm_dtype dtype, const norm_args *a, const params *p, size_t row,
                        onednn_op *primitive) {
    const void *const x = at(a->x, dtype, row * a->x_stride), *const y = at(a->y, dtype, row * a->y_stride);
    if (op == NORM_DYT)
        return onednn_run(primitive, (const void *const[]){x, &a->alpha, p->gamma, p->beta, y});
    if (op == NORM_RMSNORM)
        return onednn_run(primitive, (const void *const[]){x, p->gamma, y});
    if (a->saved == NULL)
        return onednn_run(primitive, (const void *const[]){x, p->gamma, p->beta, y});
    return onednn_run(primitive, (const void *const[]){x, means(a) + row, variances(a) + row, p->gamma, p->beta, y});
}

static void forward(norm_op op, norm_dtype dtype, const norm_args *a, const norm_slice *s) {
    if (s->begin == s->end)
        return;
    const int threads = hold_to_one_thread();
    const peer_key key = {.op = op,
                          .pass = NORM_FORWARD,
                          .dtype = dtype,
                          .saves = op == NORM_LAYERNORM && a->saved != NULL,
                          .rows = rows_at_once(s, a->x_stride == a->cols && a->y_stride == a->cols),
                          .cols = a->cols,
                          .eps = op == NORM_DYT ? 0 : a->eps};
    onednn_op *const primitive = prepared(&key);
    const bool has_beta = op != NORM_RMSNORM;
    const params p = {in_f32(GAMMA, dtype, a->gamma, a->cols), has_beta ? in_f32(BETA, dtype, a->beta, a->cols) : NULL};
    bool ok = primitive != NULL && p.gamma != NULL && (p.beta != NULL || !has_beta);
    for (size_t row = s->begin; ok && row < s->end; row += key.rows)
        ok = run_forward(op, dtype, a, &p, row, primitive);
    if (!ok)
        spoil(dtype, a->y, a->y_stride, a->cols, s);
    let_go(threads);
}

// A slice's part of dgamma, then its part of dbeta, then those of a single row. In lines of floats, as run.c sizes
// them.
enum { PARTS = 4, LINE_FLOATS = 64 / sizeof(float) };
static float *partial(const norm_args *a, size_t slice, size_t part) {
    const size_t floats = (a->cols + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS;
    return (float *)a->workspace + (slice * PARTS + part) * floats;
}

static void backward_rows(norm_dtype dtype, const norm_args *a, const norm_slice *s) {
    float *const dgamma = partial(a, s->index, 0), *const dbeta = partial(a, s->index, 1);
    const bool dense = a->x_stride == a->cols && a->dy_stride == a->cols && a->dx_stride == a->cols;
    const peer_key key = {.op = NORM_LAYERNORM,
                          .pass = NORM_BACKWARD,
                          .dtype = dtype,
                          .rows = rows_at_once(s, dense),
                          .cols = a->cols,
                          .eps = a->eps};
    memset(dgamma, 0, a->cols * sizeof *dgamma);
    memset(dbeta, 0, a->cols * sizeof *dbeta);
    if (s->begin == s->end)
        return;
    const int threads = hold_to_one_thread();
    onednn_op *const primitive = prepared(&key);
    const float *const gamma = in_f32(GAMMA, dtype, a->gamma, a->cols);
    const bool one_by_one = key.rows < s->end - s->begin;
    float *const own_dgamma = one_by_one ? partial(a, s->index, 2) : dgamma, *const own_dbeta =
                                                                                 one_by_one ? partial(a, s->index, 3)
                                                                                            : dbeta;
    bool ok = primitive != NULL && gamma != NULL;
    for (size_t row = s->begin; ok && row < s->end; row += key.rows) {
        ok = onednn_run(primitive,
                        (const void *const[]){at(a->x, dtype, row * a->x_stride), means(a) + row, variances(a) + row,
                                              gamma, at(a->dy, dtype, row * a->dy_stride),
                                              at(a->dx, dtype, row * a->dx_stride), own_dgamma, own_dbeta, gamma});
        for (size_t c = 0; one_by_one && c < a->cols; c++) {
            dgamma[c] += own_dgamma[c];
            dbeta[c] += own_dbeta[c];
        }
    }
    if (!ok)
        spoil(dtype, a->dx, a->dx_stride, a->cols, s);
    let_go(threads);
}

static void backward_cols(const norm_args *a, const norm_slice *s) {
    for (size_t c = s->begin; c < s->end; c++) {
        a->dgamma[c] = a->dbeta[c] = 0;
        for (size_t slice = 0; slice < s->count; slice++) {
            a->dgamma[c] += partial(a, slice, 0)[c];
            a->dbeta[c] += partial(a, slice, 1)[c];
        }
    }
}

// ---- The table

#define FORWARD(name, OP, DTYPE)                                                                                       \
    static void name(const norm_args *a, const norm_slice *s) { forward(OP, DTYPE, a, s); }
FORWARD(layernorm_f32, NORM_LAYERNORM, NORM_F32)
FORWARD(layernorm_bf16, NORM_LAYERNORM, NORM_BF16)
FORWARD(rmsnorm_f32, NORM_RMSNORM, NORM_F32)
FORWARD(rmsnorm_bf16, NORM_RMSNORM, NORM_BF16)
FORWARD(dyt_f32, NORM_DYT, NORM_F32)
FORWARD(dyt_bf16, NORM_DYT, NORM_BF16)
static void layernorm_backward_f32(const norm_args *a, const norm_slice *s) { backward_rows(NORM_F32, a, s); }
static void layernorm_backward_bf16(const norm_args *a, const norm_slice *s) { backward_rows(NORM_BF16, a, s); }

// Reads x, writes y. Parameters are f32 in the library, whatever x is, and so are their gradients, as in norm.h.
#define STAGES(...)                                                                                                    \
    { (const norm_stage[]){__VA_ARGS__}, sizeof((norm_stage[]){__VA_ARGS__}) / sizeof(norm_stage) }
#define PEER(OP, DTYPE, PARAMS, SIZE, function)                                                                        \
    .op = OP, .base = "onednn", .variant = "onednn", .form = NORM_FUSED, .level = NORM_LEVEL_LIBRARY, .dtype = DTYPE,  \
    .params = PARAMS, .elementwise = OP == NORM_DYT,                                                                   \
    .pass[NORM_FORWARD] = STAGES({function, NORM_SPLIT_ROWS, 2 * (SIZE)})
#define BACKWARD(SIZE, function)                                                                                       \
    .pass[NORM_BACKWARD] = STAGES({function, NORM_SPLIT_ROWS, 3 * (SIZE)}, {backward_cols, NORM_SPLIT_COLS, 0}),       \
    .saved = {.per_row = 2 * sizeof(float)}, .workspace = {.per_slice_col = PARTS * sizeof(float)}
static norm_impl impls[] = {
    {PEER(NORM_LAYERNORM, NORM_F32, NORM_GAMMA | NORM_BETA, 4, layernorm_f32), BACKWARD(4, layernorm_backward_f32)},
    {PEER(NORM_LAYERNORM, NORM_BF16, NORM_GAMMA | NORM_BETA, 2, layernorm_bf16), BACKWARD(2, layernorm_backward_bf16)},
    {PEER(NORM_RMSNORM, NORM_F32, NORM_GAMMA, 4, rmsnorm_f32)},
    {PEER(NORM_RMSNORM, NORM_BF16, NORM_GAMMA, 2, rmsnorm_bf16)},
    {PEER(NORM_DYT, NORM_F32, NORM_GAMMA | NORM_BETA | NORM_ALPHA, 4, dyt_f32)},
    {PEER(NORM_DYT, NORM_BF16, NORM_GAMMA | NORM_BETA | NORM_ALPHA, 2, dyt_bf16)},
};
enum { IMPLS = sizeof impls / sizeof *impls };

void peers_library_impl(const norm_impl *impl, norm_pass pass, size_t rows, size_t cols, size_t threads,
                        char name[PEERS_NAME_SIZE]) {
    const norm_slice first = norm_part(NORM_SPLIT_ROWS, rows, 0, threads);
    const peer_key key = {.op = impl->op,
                          .pass = pass,
                          .dtype = impl->dtype,
                          .saves = impl->saved.per_row > 0,
                          .rows = first.end - first.begin,
                          .cols = cols,
                          .eps = impl->op == NORM_DYT ? 0 : 1e-5F};
    onednn_op op;
    name[0] = '\0';
    if (impl < impls || impl >= impls + IMPLS || impl->lacks != NULL)
        return;
    const int had = hold_to_one_thread();
    if (prepare(&op, &key) == dnnl_success) {
        snprintf(name, PEERS_NAME_SIZE, "%s", onednn_name(&op));
        onednn_free(&op);
    }
    let_go(had);
}

bool peers_is_reference(const char *name) { return onednn_names_reference(name); }

const char *peers_tanh_note(void) {
#ifdef __x86_64__
    if (strcmp(norm_default_variant(NORM_DYT, NORM_FRAMEWORK, NORM_F32), "mkl") != 0)
        return "form framework, dyt in f32: the tanh is SLEEF's, for " MKL_LIBRARY
               ", whose tanh PyTorch calls and which may be several times as fast, is not found; pip install mkl, and "
               "name its folder in LD_LIBRARY_PATH";
#endif
    return NULL;
}

void peers_register(void) {
    static char texts[IMPLS][64];
    const int threads = hold_to_one_thread();
    for (size_t i = 0; i < IMPLS; i++) {
        norm_impl *const impl = &impls[i];
        const peer_key key = {.op = impl->op, .dtype = impl->dtype, .rows = 1, .cols = 64, .eps = 1e-5F};
        onednn_op op;
        if (prepare(&op, &key) == dnnl_success) {
            onednn_free(&op);
            continue;
        }
        snprintf(texts[i], sizeof texts[i], "%s in %s by %s", norm_op_name(impl->op), norm_dtype_name(impl->dtype),
                 matmul_library());
        impl->lacks = onednn_refusal() != NULL ? onednn_refusal() : texts[i];
    }
    let_go(threads);
    (void)atexit(free_own_store);
    (void)norm_register(impls, IMPLS);
    torch_register();
    sleef_register();
    mkl_register();
    svml_register();
}
