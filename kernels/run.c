// SPDX-License-Identifier: MIT
// run.c: the one place that turns an implementation's stages into work for a team of threads, and that sizes the
// buffers they share.
#include <omp.h>

#include "fp_state.h"
#include "framework_run.h"
#include "schedules.h"
#include "team.h"

// Column slices begin on a multiple of this, so that two threads never write one cache line of a parameter gradient.
enum { COLUMN_UNIT = 64 };

// Inline, for it is much of what a small call takes: 2 of 15 ns.
static inline norm_slice slice_of(norm_split split, size_t total, size_t index, size_t count,
                                  const norm_schedule *schedule) {
    const size_t unit = split == NORM_SPLIT_COLS ? COLUMN_UNIT : 1;
    const size_t units = (total + unit - 1) / unit;
    // The first units % count parts are one unit longer.
    const size_t each = units / count, extra = units % count;
    const size_t begin = (index * each + (index < extra ? index : extra)) * unit;
    const size_t end = begin + (each + (index < extra ? 1 : 0)) * unit;
    return (norm_slice){begin < total ? begin : total, end < total ? end : total, index, count, schedule};
}

norm_slice norm_part(norm_split split, size_t total, size_t index, size_t count) {
    return slice_of(split, total, index, count, NULL);
}

static bool add_product(size_t *sum, size_t a, size_t b, size_t c) {
    size_t product;
    return !__builtin_mul_overflow(a, b, &product) && !__builtin_mul_overflow(product, c, &product) &&
           !__builtin_add_overflow(*sum, product, sum);
}

// A buffer is cut into at most this many parts, each of which is aligned by up to a cache line.
enum { LINE = 64, PARTS = 16 };

static size_t size_of(const norm_size *size, size_t rows, size_t cols, size_t slices) {
    size_t bytes = 0, element_row = 0;
    if (__builtin_mul_overflow(cols, (size_t)size->per_element, &element_row) || cols > SIZE_MAX / LINE)
        return SIZE_MAX;
    const size_t floats =
        (cols * sizeof(float) + LINE - 1) / LINE * LINE; // one partial row, to the end of its last line
    if (!add_product(&bytes, rows, size->per_row, 1) || !add_product(&bytes, rows, element_row, 1) ||
        !add_product(&bytes, slices, floats, size->per_slice_col / sizeof(float)) ||
        !add_product(&bytes, slices, LINE, size->per_slice > 0))
        return SIZE_MAX;
    if (__builtin_add_overflow(bytes, (size_t)size->fixed, &bytes) ||
        (bytes > 0 && __builtin_add_overflow(bytes, (size_t)LINE * PARTS, &bytes)))
        return SIZE_MAX;
    return bytes / LINE * LINE; // the room for aligning parts is ample; so buffers put side by side stay aligned
}

size_t norm_saved_bytes(const norm_impl *impl, size_t rows, size_t cols) {
    return impl == NULL ? 0 : size_of(&impl->saved, rows, cols, 0);
}

size_t norm_workspace_bytes(const norm_impl *impl, size_t rows, size_t cols, int threads) {
    return impl == NULL ? 0 : size_of(&impl->workspace, rows, cols, threads > 0 ? (size_t)threads : 1);
}

// Whether a buffer of this size is needed at all, whatever the shape: asked at each call, where sizing it would cost as
// much as a short row.
static bool is_needed(const norm_size *size) {
    return size->per_row > 0 || size->per_element > 0 || size->per_slice_col > 0 || size->per_slice > 0 ||
           size->fixed > 0;
}

// Of no rows nothing is read or written; others must lie in what can be addressed at all.
static bool is_matrix(const norm_args *a, const void *data, size_t stride) {
    size_t elements;
    return a->rows == 0 || (data != NULL && stride >= a->cols && !__builtin_mul_overflow(a->rows, stride, &elements) &&
                            elements <= PTRDIFF_MAX / sizeof(float));
}

static bool has_parameters(const norm_args *a, unsigned has) {
    return (a->gamma != NULL || !(has & NORM_GAMMA)) && (a->beta != NULL || !(has & NORM_BETA));
}
static bool has_gradients(const norm_args *a, unsigned has) {
    return (a->dgamma != NULL || !(has & NORM_GAMMA)) && (a->dbeta != NULL || !(has & NORM_BETA)) &&
           (a->dalpha != NULL || !(has & NORM_ALPHA)) && (a->dshift != NULL || !(has & NORM_SHIFT));
}

static bool valid(const norm_impl *impl, norm_pass pass, const norm_args *a, int threads) {
    if (impl == NULL || a == NULL || (unsigned)pass >= NORM_PASSES || impl->pass[pass].count == 0)
        return false;
    if (a->cols == 0 || threads < 1 || threads > NORM_MOST_THREADS)
        return false;
    const bool backward = pass == NORM_BACKWARD, adds = impl->form == NORM_ADD_FUSED;
    const bool fresh = impl->form == NORM_FRAMEWORK && a->fresh != NULL;
    const bool needs_x = !backward || impl->op != NORM_IDENTITY, needs_y = backward ? impl->reads_y : !fresh;
    if ((needs_x && !is_matrix(a, a->x, a->x_stride)) || (needs_y && !is_matrix(a, a->y, a->y_stride)))
        return false;
    // Backward has no use for beta.
    if (!has_parameters(a, impl->params & (backward ? ~(unsigned)NORM_BETA : ~0U)))
        return false;
    if (a->saved == NULL && a->rows > 0 && is_needed(&impl->saved) &&
        (backward || (impl->form == NORM_EAGER && a->workspace == NULL)))
        return false;
    if (!backward)
        return !adds || (is_matrix(a, a->branch, a->branch_stride) && is_matrix(a, a->sum, a->sum_stride));
    return is_matrix(a, a->dy, a->dy_stride) && (fresh || is_matrix(a, a->dx, a->dx_stride)) &&
           (!adds || is_matrix(a, a->dsum, a->dsum_stride)) && has_gradients(a, impl->params) &&
           (a->workspace != NULL || !is_needed(&impl->workspace));
}

static const void *behind(const void *data, size_t bytes) { return data == NULL ? NULL : (const char *)data + bytes; }
static void *behind_mut(void *data, size_t bytes) { return data == NULL ? NULL : (char *)data + bytes; }

// Part `index` of `count` of the columns, as the arguments of a call of its own; of no columns if there are too few.
static norm_args part_of(const norm_impl *impl, const norm_args *args, size_t index, size_t count) {
    const norm_slice cols = slice_of(NORM_SPLIT_COLS, args->cols, index, count, NULL);
    const size_t bytes = cols.begin * norm_dtype_bytes(impl->dtype),
                 affine = cols.begin * norm_dtype_bytes(norm_affine_dtype(impl));
    norm_args own = *args;
    own.cols = cols.end - cols.begin;
    own.x = behind(args->x, bytes);
    own.y = behind_mut(args->y, bytes);
    own.branch = behind(args->branch, bytes);
    own.sum = behind_mut(args->sum, bytes);
    own.gamma = behind(args->gamma, affine);
    own.beta = behind(args->beta, affine);
    return own;
}

static void run_columns(const norm_impl *impl, const norm_stage *stage, const norm_args *args,
                        const norm_schedule *schedule, size_t index, size_t count) {
    const norm_args own = part_of(impl, args, index, count);
    const norm_slice rows = slice_of(NORM_SPLIT_ROWS, args->rows, 0, 1, schedule);
    if (own.cols > 0)
        stage->run(&own, &rows);
}

// Each piece's moments, and its share of the columns, in a cache line of its own; of a row and of the next, whose
// pieces may be summed while others still join those of this one, but not before all have been.
typedef struct {
    _Alignas(LINE) norm_moments moments;
    double share;
} piece_sum;
enum { MOST_PIECES = 64, ROWS_IN_FLIGHT = 2 };

// Moments of parts make those of the whole by the means' own deviations from the whole's (Chan, Golub and LeVeque,
// Algorithms for Computing the Sample Variance, 1983, section 2): nothing is lost where the mean is large.
static norm_moments join(const piece_sum *pieces, size_t count) {
    norm_moments whole = {0};
    for (size_t i = 0; i < count; i++)
        whole.mean += pieces[i].share * pieces[i].moments.mean;
    for (size_t i = 0; i < count; i++) {
        const double off = pieces[i].moments.mean - whole.mean;
        whole.variance += pieces[i].share * (pieces[i].moments.variance + off * off);
    }
    return whole;
}

// By every thread of a team: its piece of each row in turn.
static void run_pieces(const norm_impl *impl, const norm_args *args, piece_sum pieces[][MOST_PIECES], size_t index,
                       size_t count) {
    norm_args own = part_of(impl, args, index, count);
    if (index > 0)
        own.saved = NULL; // one of them saves, and the first has columns
    for (size_t row = 0; row < args->rows; row++) {
        piece_sum *const sums = pieces[row % ROWS_IN_FLIGHT];
        sums[index] = (piece_sum){.share = (double)own.cols / (double)args->cols};
        if (own.cols > 0)
            impl->piece.sum(&own, row, &sums[index].moments);
#pragma omp barrier
        const norm_moments whole = join(sums, count);
        if (own.cols > 0)
            impl->piece.apply(&own, row, &whole);
    }
}

static void run_stage(const norm_stage *stage, const norm_args *args, const norm_schedule *schedule, size_t index,
                      size_t count) {
    const size_t total = stage->split == NORM_SPLIT_ROWS ? args->rows : args->cols;
    const norm_slice slice = slice_of(stage->split, total, index, count, schedule);
    stage->run(args, &slice);
}

// A row that is shorter takes as long whole as cut: a team begins and ends, and joins a sum where there is one. What
// computes for each element is worth cutting at fewer columns than what moves it.
size_t norm_whole_cols(const norm_impl *impl) {
    enum { COMPUTED_COLS = 6144, MOVED_BYTES = 98304 };
    if (impl == NULL)
        return 0;
    const bool computes = impl->op == NORM_DYT || impl->op == NORM_DERF || impl->op == NORM_SIGMOID;
    return computes ? COMPUTED_COLS : MOVED_BYTES / norm_dtype_bytes(impl->dtype);
}

// A thread's part of a call.
typedef struct {
    const norm_impl *impl;
    const norm_stage *stages;
    size_t count;
    const norm_args *args;
    const norm_schedule *schedule;
    size_t index, threads;
    bool cuts;
} share;

// What runs between fp_enter and fp_leave is never inlined: arithmetic could be moved across them.
__attribute__((noinline)) static void run_alone(const norm_stage *stages, size_t count, const norm_args *args,
                                                const norm_schedule *schedule) {
    for (size_t i = 0; i < count; i++)
        run_stage(&stages[i], args, schedule, 0, 1);
}

__attribute__((noinline)) static void run_share(const share *s, piece_sum pieces[][MOST_PIECES]) {
    if (s->cuts && !s->impl->elementwise) {
        run_pieces(s->impl, s->args, pieces, s->index, s->threads);
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (i > 0) {
#pragma omp barrier
        }
        if (s->cuts)
            run_columns(s->impl, &s->stages[i], s->args, s->schedule, s->index, s->threads);
        else
            run_stage(&s->stages[i], s->args, s->schedule, s->index, s->threads);
    }
}

// What the threads are handed is scalars, which fit in one cache line: as a struct they would be in another one, whose
// way to the other cores takes 0.15 us.
static norm_error run_team(const norm_impl *impl, norm_pass pass, const norm_args *args, const norm_schedule *schedule,
                           bool cuts, int threads) {
    piece_sum pieces[ROWS_IN_FLIGHT][MOST_PIECES];
    bool short_team = false;
    if (threads > omp_get_thread_limit())
        return NORM_NO_TEAM;
    team_opens();
#pragma omp parallel num_threads(threads) default(none) shared(short_team, pieces)                                     \
    firstprivate(impl, pass, args, schedule, cuts, threads)
    {
        if (omp_get_num_threads() != threads) {
#pragma omp single
            short_team = true;
        } else {
            const share own = {.impl = impl,
                               .stages = impl->pass[pass].stages,
                               .count = impl->pass[pass].count,
                               .args = args,
                               .schedule = schedule,
                               .index = (size_t)omp_get_thread_num(),
                               .threads = (size_t)threads,
                               .cuts = cuts};
            const fp_state found = fp_enter();
            run_share(&own, pieces);
            fp_leave(found);
        }
    }
    return short_team ? NORM_NO_TEAM : NORM_OK;
}

norm_error norm_run(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads) {
    if (!valid(impl, pass, args, threads))
        return NORM_BAD_ARGUMENT;
    if (impl->run != NULL && impl->run != norm_run)
        return impl->run(impl, pass, args, threads);
    if (norm_missing(impl) != NULL)
        return NORM_CPU_LACKS;
    if (impl->form == NORM_FRAMEWORK)
        return framework_run(impl, pass, args, threads, NULL);
    const norm_schedule *const schedule = schedules_for(impl, pass, args, threads);
    if (threads > 1 && args->rows > 0 && !team_lost()) {
        const bool few = pass == NORM_FORWARD && args->rows < (size_t)threads &&
                         (impl->elementwise || (impl->piece.sum != NULL && threads <= MOST_PIECES));
        const bool cuts = few && !args->batch_invariant && args->cols > norm_whole_cols(impl);
        if (!few || cuts || args->rows > 1)
            return run_team(impl, pass, args, schedule, cuts, threads);
    }
    const fp_state found = fp_enter();
    run_alone(impl->pass[pass].stages, impl->pass[pass].count, args, schedule);
    fp_leave(found);
    return NORM_OK;
}

norm_error norm_run_operations(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads,
                               norm_operation *times, size_t *count) {
    if (!valid(impl, pass, args, threads) || impl->form != NORM_FRAMEWORK || *count < impl->pass[pass].count)
        return NORM_BAD_ARGUMENT;
    *count = impl->pass[pass].count;
    return norm_missing(impl) != NULL ? NORM_CPU_LACKS : framework_run(impl, pass, args, threads, times);
}
