// SPDX-License-Identifier: MIT
// framework.c: the table of form framework. framework.h has the lists of rmsnorm and dyt; here are the two that are
// one kernel in PyTorch, too: layernorm, written as layer_norm_kernel.cpp has it, for what it computes in which order
// is its time, and identity, which is a clone.
#include <string.h>

#include "framework.h"
#include "gradients.h"

// PyTorch's kernels round to bf16 by integer arithmetic: there is no level with the instruction for it, but where
// operations are counted, which are bf16's alone.
#if defined(SIMD_HARDWARE_BF16) && !defined(COUNTING_SIMD_H)
NORM_NO_TABLE(framework);
#else

// Moments by Welford's recurrence, a lane each, CHUNK vectors at a time, and chunks joined as a tree: how PyTorch has
// them, each step waiting for the one before. What has 16 bits goes by two vectors at once.
enum { CHUNK = 16, DEEPEST = 48, HALVES = 2 };
SIMD_INLINE size_t halves_of(norm_dtype dtype) { return dtype == NORM_F32 ? 1 : HALVES; }

typedef struct {
    size_t count;
    vf mean, squares; // of deviations from the mean
} lane_moments;
typedef struct {
    size_t count;
    float mean, squares;
    float left; // of the mean, where that was rounded
} moments;

SIMD_INLINE void join_lanes(lane_moments *into, size_t count, vf mean, vf squares) {
    const size_t n = into->count + count;
    const vf share = v_set1(n > 0 ? (float)count / (float)n : 0.0f), delta = v_sub(mean, into->mean);
    into->mean = v_fma(delta, share, into->mean);
    const vf between = v_mul(v_mul(delta, delta), v_mul(share, v_set1((float)into->count)));
    into->squares = v_add(into->squares, v_add(squares, between));
    into->count = n;
}

static void join_moments(moments *into, size_t count, float mean, float squares) {
    const size_t n = into->count + count;
    const float share = n > 0 ? (float)count / (float)n : 0.0f, delta = mean - into->mean;
    into->mean += share * delta;
    into->squares += squares + delta * delta * share * (float)into->count;
    into->count = n;
}

// A chunk onto the bottom of the tree: its halves one after the other. Its sum comes on top of what PyTorch does: each
// step of the recurrence rounds a mean, and a plain sum, for which the chain leaves room, is more accurate.
static const float weights[CHUNK] = {1.0f,      1.0f / 2,  1.0f / 3,  1.0f / 4,  1.0f / 5,  1.0f / 6,
                                     1.0f / 7,  1.0f / 8,  1.0f / 9,  1.0f / 10, 1.0f / 11, 1.0f / 12,
                                     1.0f / 13, 1.0f / 14, 1.0f / 15, 1.0f / 16};
SIMD_INLINE void chunk_moments(norm_dtype dtype, const void *x, size_t first, size_t steps, lane_moments *into,
                               vf shift, double total[SIMD_WIDTH]) {
    const size_t halves = halves_of(dtype);
    vf mean[HALVES] = {v_zero(), v_zero()}, squares[HALVES] = {v_zero(), v_zero()}, sum[HALVES] = {v_zero(), v_zero()};
    for (size_t j = 0; j < steps; j++) {
        const vf weight = v_set1(weights[j]);
        UNROLL_SPAN for (size_t h = 0; h < halves; h++) {
            const vf plain = v_get(dtype, x, ((first + j) * halves + h) * SIMD_WIDTH, SIMD_WIDTH);
            const vf a = v_sub(plain, shift);
            const vf delta = v_sub(a, mean[h]);
            add_to(&sum[h], plain);
            mean[h] = v_fma(delta, weight, mean[h]);
            squares[h] = v_fma(delta, v_sub(a, mean[h]), squares[h]);
        }
    }
    UNROLL_SPAN for (size_t h = 0; h < halves; h++) {
        join_lanes(into, steps, mean[h], squares[h]);
        v_add_to_doubles(total, sum[h]);
    }
}

// What vectors have not reached, then lane by lane.
SIMD_INLINE moments whole_moments(norm_dtype dtype, const void *x, size_t from, size_t cols, const lane_moments *lanes,
                                  float shift, double total) {
    moments all = {0, 0.0f, 0.0f, 0.0f};
    float mean[SIMD_WIDTH], squares[SIMD_WIDTH];
    for (size_t c = from; c < cols; c++) {
        v_store_part(mean, v_get(dtype, x, c, 1), 1);
        join_moments(&all, 1, mean[0] - shift, 0.0f);
        total += (double)mean[0];
    }
    v_store(mean, lanes->mean);
    v_store(squares, lanes->squares);
    for (size_t k = 0; k < SIMD_WIDTH; k++)
        join_moments(&all, lanes->count, mean[k], squares[k]);
    total /= double_of(cols);
    all.mean = (float)total;
    all.left = (float)(total - (double)all.mean);
    return all;
}

// A number near a row's mean, about which the recurrence runs: about zero it loses a deviation that is small against
// the mean, which PyTorch's does, too. The difference stands beside the chain of dependent operations.
SIMD_INLINE float near_mean(norm_dtype dtype, const void *x, size_t cols) {
    const size_t count = cols < CHUNK ? cols : CHUNK;
    float sum = 0.0f;
    for (size_t c = 0, n; c < count; c += n) {
        n = count - c < SIMD_WIDTH ? count - c : SIMD_WIDTH;
        sum += v_sum(v_get(dtype, x, c, n));
    }
    return sum / (float)count;
}

SIMD_INLINE moments row_moments(norm_dtype dtype, const void *x, size_t cols) {
    const size_t halves = halves_of(dtype), steps = cols / (halves * SIMD_WIDTH);
    const lane_moments none = {0, v_zero(), v_zero()};
    lane_moments tree[DEEPEST];
    size_t depth = 1;
    double total[SIMD_WIDTH] = {0.0};
    const float shift = near_mean(dtype, x, cols);
    tree[0] = none;
    for (size_t chunk = 0; chunk * CHUNK < steps; chunk++) {
        const size_t left = steps - chunk * CHUNK;
        chunk_moments(dtype, x, chunk * CHUNK, left < CHUNK ? left : CHUNK, &tree[0], v_set1(shift), total);
        for (size_t k = 1, mask = chunk + 1; mask % 2 == 0; k++, mask /= 2) {
            if (k == depth)
                tree[depth++] = none;
            join_lanes(&tree[k], tree[k - 1].count, tree[k - 1].mean, tree[k - 1].squares);
            tree[k - 1] = none;
        }
    }
    for (size_t k = 1; k < depth; k++)
        join_lanes(&tree[0], tree[k].count, tree[k].mean, tree[k].squares);
    return whole_moments(dtype, x, steps * halves * SIMD_WIDTH, cols, &tree[0], shift, sum_of_lanes(total));
}

// Of each row: mean, rstd, and what the rounded mean leaves, without which a mean that is large against the deviation
// would spoil the gradients.
enum { ROW_STATS = 3 };
SIMD_INLINE float *stats_of(const norm_args *a) { return ((const norm_made *)a->workspace)->at[MADE_STATS]; }

SIMD_INLINE vf weighted(norm_dtype dtype, unsigned params, const norm_args *a, vf value, size_t c, size_t n) {
    if (!(params & NORM_GAMMA))
        return value;
    const vf beta = params & NORM_BETA ? v_get(dtype, a->beta, c, n) : v_zero();
    return v_fma(value, v_get(dtype, a->gamma, c, n), beta);
}

SIMD_INLINE void layernorm_forward(norm_dtype dtype, unsigned params, const norm_args *a, const norm_slice *s) {
    float *const stats = stats_of(a);
    for (size_t row = s->begin; row < s->end; row++) {
        const void *const x = row_of(dtype, a->x, row, a->x_stride);
        void *const y = row_of_mut(dtype, a->y, row, a->y_stride);
        const moments all = row_moments(dtype, x, a->cols);
        const float rstd = 1.0f / sqrtf(all.squares / (float)a->cols + a->eps);
        const vf mean = v_set1(all.mean), scale = v_set1(rstd);
#define STEP(n)                                                                                                        \
    v_put(dtype, y, c, n, weighted(dtype, params, a, v_mul(v_sub(v_get(dtype, x, c, n), mean), scale), c, n))
        for_each_vector(a->cols, STEP(SIMD_WIDTH), STEP(a->cols - c));
#undef STEP
        stats[ROW_STATS * row] = all.mean;
        stats[ROW_STATS * row + 1] = rstd;
        stats[ROW_STATS * row + 2] = all.left;
    }
}

// A row's dy times gamma.
SIMD_INLINE vf scaled_dy(norm_dtype dtype, unsigned params, const norm_args *a, const void *dy, size_t c, size_t n) {
    const vf d = v_get(dtype, dy, c, n);
    return params & NORM_GAMMA ? v_mul(d, v_get(dtype, a->gamma, c, n)) : d;
}

SIMD_INLINE void add_to_columns(float *sums, size_t c, size_t n, vf value) {
    v_put(NORM_F32, sums, c, n, v_add(v_get(NORM_F32, sums, c, n), value));
}

// The sums over a row are of one vector each, as vec::map_reduce_all has them.
SIMD_INLINE void backward_row(norm_dtype dtype, unsigned params, const norm_args *a, size_t row, float *dgamma,
                              float *dbeta) {
    const void *const x = row_of(dtype, a->x, row, a->x_stride), *const dy = row_of(dtype, a->dy, row, a->dy_stride);
    void *const dx = row_of_mut(dtype, a->dx, row, a->dx_stride);
    const float *const stats = stats_of(a) + ROW_STATS * row;
    const vf mean = v_set1(stats[0]), rstd = v_set1(stats[1]), left = v_set1(stats[2]);
    const float each = 1.0f / (float)a->cols;
    vf with_normed = v_zero(), alone = v_zero();
#define NORMED(n) v_mul(v_sub(v_sub(v_get(dtype, x, c, n), mean), left), rstd)
#define DGAMMA(n) add_to_columns(dgamma, c, n, v_mul(v_get(dtype, dy, c, n), NORMED(n)))
#define DBETA(n) add_to_columns(dbeta, c, n, v_get(dtype, dy, c, n))
#define WITH_NORMED(n) add_to(&with_normed, v_mul(scaled_dy(dtype, params, a, dy, c, n), NORMED(n)))
#define ALONE(n) add_to(&alone, scaled_dy(dtype, params, a, dy, c, n))
#define DX(n)                                                                                                          \
    v_put(dtype, dx, c, n,                                                                                             \
          v_mul(rstd, v_sub(v_fnma(NORMED(n), with_normed, scaled_dy(dtype, params, a, dy, c, n)), alone)))
    if (params & NORM_GAMMA)
        for_each_vector(a->cols, DGAMMA(SIMD_WIDTH), DGAMMA(a->cols - c));
    if (params & NORM_BETA)
        for_each_vector(a->cols, DBETA(SIMD_WIDTH), DBETA(a->cols - c));
    for_each_vector(a->cols, WITH_NORMED(SIMD_WIDTH), WITH_NORMED(a->cols - c));
    for_each_vector(a->cols, ALONE(SIMD_WIDTH), ALONE(a->cols - c));
    with_normed = v_set1(v_sum(with_normed) * each);
    alone = v_set1(v_sum(alone) * each);
    for_each_vector(a->cols, DX(SIMD_WIDTH), DX(a->cols - c));
}

// The slices' sums of columns stand in the caller's workspace, as run.c sizes it.
SIMD_INLINE gradient_rows scratch_rows(const norm_args *a) {
    gradient_rows g = gradient_rows_of(a);
    g.workspace = ((const norm_made *)a->workspace)->scratch;
    return g;
}

// Of gamma, and of beta if it has one.
SIMD_INLINE size_t gradients_of(unsigned params) {
    return (params & NORM_GAMMA ? 1 : 0) + (params & NORM_BETA ? 1 : 0);
}

SIMD_INLINE void layernorm_backward(norm_dtype dtype, unsigned params, const norm_args *a, const norm_slice *s) {
    enum { MOST = 2 };
    const gradient_rows g = scratch_rows(a);
    const size_t count = gradients_of(params);
    const bool runs = has_runs(a->rows, s->count);
    float *columns[MOST] = {NULL, NULL};
    for (size_t i = 0; i < count; i++) {
        columns[i] = partial_columns(g, s->index, i, count);
        zero_columns(columns[i], a->cols);
        if (runs)
            zero_wide(wide_columns(g, s->index, i, count), a->cols);
    }
    for (size_t row = s->begin; row < s->end; row++) {
        backward_row(dtype, params, a, row, columns[0], columns[1]);
        if (runs && ((row + 1 - s->begin) % RUN_ROWS == 0 || row + 1 == s->end))
            for (size_t i = 0; i < count; i++)
                flush_columns(columns[i], wide_columns(g, s->index, i, count), a->cols);
    }
}

SIMD_INLINE void layernorm_reduce(unsigned params, const norm_args *a, const norm_slice *s) {
    const norm_made *const made = a->workspace;
    const size_t count = gradients_of(params);
    reduce_columns(made->scratch, a->rows, a->cols, s, made->slices, a->dgamma, 0, count);
    if (params & NORM_BETA)
        reduce_columns(made->scratch, a->rows, a->cols, s, made->slices, a->dbeta, 1, count);
}
static void layernorm_reduce_affine(const norm_args *a, const norm_slice *s) {
    layernorm_reduce(NORM_GAMMA | NORM_BETA, a, s);
}
static void layernorm_reduce_nobeta(const norm_args *a, const norm_slice *s) { layernorm_reduce(NORM_GAMMA, a, s); }

static void clone_rows(norm_dtype dtype, const norm_slice *s, size_t cols, const void *from, size_t from_stride,
                       void *to, size_t to_stride) {
    for (size_t row = s->begin; row < s->end; row++)
        memcpy(row_of_mut(dtype, to, row, to_stride), row_of(dtype, from, row, from_stride), cols * dtype_size(dtype));
}

#define DEFINE_LAYERNORM(name, D, params)                                                                              \
    static void layernorm_forward_##name(const norm_args *a, const norm_slice *s) {                                    \
        layernorm_forward(D, params, a, s);                                                                            \
    }                                                                                                                  \
    static void layernorm_backward_##name(const norm_args *a, const norm_slice *s) {                                   \
        layernorm_backward(D, params, a, s);                                                                           \
    }
#define DEFINE_KERNELS(name, D)                                                                                        \
    DEFINE_LAYERNORM(affine_##name, D, NORM_GAMMA | NORM_BETA)                                                         \
    DEFINE_LAYERNORM(nobeta_##name, D, NORM_GAMMA)                                                                     \
    DEFINE_LAYERNORM(noaffine_##name, D, 0)                                                                            \
    static void clone_##name(const norm_args *a, const norm_slice *s) {                                                \
        clone_rows(D, s, a->cols, a->x, a->x_stride, a->y, a->y_stride);                                               \
    }                                                                                                                  \
    static void clone_back_##name(const norm_args *a, const norm_slice *s) {                                           \
        clone_rows(D, s, a->cols, a->dy, a->dy_stride, a->dx, a->dx_stride);                                           \
    }

static void nothing(const norm_args *a, const norm_slice *s) {
    (void)a;
    (void)s;
}

// at::parallel_for hands layernorm out row by row. Its statistics are allocated behind its result.
#define LAYERNORM_FORWARD(K, T, kind, e)                                                                               \
    OPERATION(K, nothing, ROWS, 0, RESULT, e, 0, 0, 0, GRAIN, 0),                                                      \
        OPERATION(K, layernorm_forward_##kind##_##T, ROWS, 2 * (e), STATS, 0, ROW_STATS * sizeof(float), 0, 0, 1, 1)
#define LAYERNORM_BACKWARD(K, T, kind, e)                                                                              \
    LAYERNORM_BACKWARD_NOAFFINE(K, T, kind, e),                                                                        \
        OPERATION(K, layernorm_reduce_##kind, COLS, 0, NOTHING, 0, 0, 0, 0, 1, 0)
#define LAYERNORM_BACKWARD_NOAFFINE(K, T, kind, e)                                                                     \
    OPERATION(K, layernorm_backward_##kind##_##T, ROWS, 3 * (e), RESULT, e, 0, 0, MADE(STATS), 1, 1)
#define CLONE(K, name, e) OPERATION(K, clone_##name, ROWS, 2 * (e), RESULT, e, 0, 0, 0, GRAIN, 1)
#define CLONE_BACK(K, name, e) OPERATION(K, clone_back_##name, ROWS, 2 * (e), RESULT, e, 0, 0, 0, GRAIN, 1)

#define KERNEL_IMPLS(T, D, e)                                                                                          \
    {IMPL(NORM_LAYERNORM, "welford", "", D, NORM_GAMMA | NORM_BETA, MADE(STATS)),                                      \
     LISTS(LAYERNORM_FORWARD, LAYERNORM_BACKWARD, T, affine, e),                                                       \
     .workspace = {.per_slice_col = 2 * ROW_PARTS * sizeof(float)}},                                                   \
        {IMPL(NORM_LAYERNORM, "welford", "_nobeta", D, NORM_GAMMA, MADE(STATS)),                                       \
         LISTS(LAYERNORM_FORWARD, LAYERNORM_BACKWARD, T, nobeta, e),                                                   \
         .workspace = {.per_slice_col = ROW_PARTS * sizeof(float)}},                                                   \
        {IMPL(NORM_LAYERNORM, "welford", "_noaffine", D, 0, MADE(STATS)),                                              \
         LISTS(LAYERNORM_FORWARD, LAYERNORM_BACKWARD_NOAFFINE, T, noaffine, e)},                                       \
        {IMPL(NORM_IDENTITY, "std", "", D, 0, 0), LISTS(CLONE, CLONE_BACK, T, e)},
#define RMSNORM_IMPLS(T, D, e)                                                                                         \
    {IMPL(NORM_RMSNORM, "std", "", D, NORM_GAMMA,                                                                      \
          MADE(STATS) | ((D) == NORM_F32 ? MADE(NORMED) : MADE(X32) | MADE(H))),                                       \
     LISTS(RMSNORM_FORWARD, RMSNORM_BACKWARD, T, D, e, affine), .op_by_op = true},                                     \
        {IMPL(NORM_RMSNORM, "std", "_noaffine", D, 0, MADE(STATS) | ((D) == NORM_F32 ? 0 : MADE(X32))),                \
         LISTS(RMSNORM_FORWARD, RMSNORM_BACKWARD, T, D, e, noaffine), .op_by_op = true},

#define IMPLS(T, D)                                                                                                    \
    RMSNORM_IMPLS(T, D, D##_BYTES)                                                                                     \
    KERNEL_IMPLS(T, D, D##_BYTES)                                                                                      \
    DYT_IMPLS(D, u2, D##_BYTES), DYT_NOAFFINE_IMPL(D, u2, D##_BYTES), DYT_IMPLS(D, libm, D##_BYTES),                   \
        WITH_MVEC(DYT_IMPLS(D, mvec, D##_BYTES), )
NORM_EACH_DTYPE(DEFINE_KERNELS)
static const norm_impl impls[] = {NORM_EACH_DTYPE(IMPLS)};
NORM_TABLE(framework, impls);
#endif
