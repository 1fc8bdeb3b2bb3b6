// SPDX-License-Identifier: MIT
// run.c: the one place that turns an implementation's stages into work for a team of threads, and that sizes the
// buffers they share.
#include <omp.h>

#include "cpu.h"
#include "framework_run.h"

// Column slices begin on a multiple of this, so that two threads never write one cache line of a parameter gradient.
enum { COLUMN_UNIT = 64 };

norm_slice norm_part(norm_split split, size_t total, size_t index, size_t count) {
    const size_t unit = split == NORM_SPLIT_COLS ? COLUMN_UNIT : 1;
    const size_t units = (total + unit - 1) / unit;
    // The first units % count parts are one unit longer.
    const size_t each = units / count, extra = units % count;
    const size_t begin = (index * each + (index < extra ? index : extra)) * unit;
    const size_t end = begin + (each + (index < extra ? 1 : 0)) * unit;
    return (norm_slice){
        begin < total ? begin : total, end < total ? end : total, index, count, cpu_drops_fetches(), cpu_overlap()};
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
    return size_of(&impl->saved, rows, cols, 0);
}

size_t norm_workspace_bytes(const norm_impl *impl, size_t rows, size_t cols, int threads) {
    return size_of(&impl->workspace, rows, cols, threads > 0 ? (size_t)threads : 1);
}

// Whether a buffer of this size is needed at all, whatever the shape: asked at each call, where sizing it would cost as
// much as a short row.
static bool is_needed(const norm_size *size) {
    return size->per_row > 0 || size->per_element > 0 || size->per_slice_col > 0 || size->per_slice > 0 ||
           size->fixed > 0;
}

static bool is_matrix(const norm_args *a, const void *data, size_t stride) { return data != NULL && stride >= a->cols; }

static bool valid(const norm_impl *impl, norm_pass pass, const norm_args *a, int threads) {
    const bool backward = pass == NORM_BACKWARD, adds = impl->form == NORM_ADD_FUSED;
    const bool fresh = impl->form == NORM_FRAMEWORK && a->fresh != NULL;
    const bool needs_x = !backward || impl->op != NORM_IDENTITY, needs_y = backward ? impl->reads_y : !fresh;
    const unsigned has = impl->params;
    if (a->rows == 0 || a->cols == 0 || threads < 1 || impl->pass[pass].count == 0)
        return false;
    if ((needs_x && !is_matrix(a, a->x, a->x_stride)) || (needs_y && !is_matrix(a, a->y, a->y_stride)))
        return false;
    if ((has & NORM_GAMMA && a->gamma == NULL) || (!backward && has & NORM_BETA && a->beta == NULL))
        return false;
    if (a->saved == NULL && is_needed(&impl->saved) && (backward || (impl->form == NORM_EAGER && a->workspace == NULL)))
        return false;
    if (!backward)
        return !adds || (is_matrix(a, a->branch, a->branch_stride) && is_matrix(a, a->sum, a->sum_stride));
    return is_matrix(a, a->dy, a->dy_stride) && (fresh || is_matrix(a, a->dx, a->dx_stride)) &&
           (!adds || is_matrix(a, a->dsum, a->dsum_stride)) && !(has & NORM_GAMMA && a->dgamma == NULL) &&
           !(has & NORM_BETA && a->dbeta == NULL) && !(has & NORM_ALPHA && a->dalpha == NULL) &&
           !(has & NORM_SHIFT && a->dshift == NULL) && (a->workspace != NULL || !is_needed(&impl->workspace));
}

static const void *behind(const void *data, size_t bytes) { return data == NULL ? NULL : (const char *)data + bytes; }
static void *behind_mut(void *data, size_t bytes) { return data == NULL ? NULL : (char *)data + bytes; }

// Part `index` of `count` of the columns, as the arguments of a call of its own; of no columns if there are too few.
static norm_args part_of(const norm_impl *impl, const norm_args *args, size_t index, size_t count) {
    const norm_slice part = norm_part(NORM_SPLIT_COLS, args->cols, index, count);
    const size_t bytes = part.begin * norm_dtype_bytes(impl->dtype);
    norm_args own = *args;
    own.cols = part.end - part.begin;
    own.x = behind(args->x, bytes);
    own.y = behind_mut(args->y, bytes);
    own.branch = behind(args->branch, bytes);
    own.sum = behind_mut(args->sum, bytes);
    own.gamma = behind(args->gamma, bytes);
    own.beta = behind(args->beta, bytes);
    return own;
}

static void run_columns(const norm_impl *impl, const norm_stage *stage, const norm_args *args, size_t index,
                        size_t count) {
    const norm_args own = part_of(impl, args, index, count);
    const norm_slice rows = norm_part(NORM_SPLIT_ROWS, args->rows, 0, 1);
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

static void run_stage(const norm_stage *stage, const norm_args *args, size_t index, size_t count) {
    const size_t total = stage->split == NORM_SPLIT_ROWS ? args->rows : args->cols;
    const norm_slice slice = norm_part(stage->split, total, index, count);
    stage->run(args, &slice);
}

// On two cores of a Zen 4 a team takes 0.6 us to begin and end, and 0.2 more where it joins a sum. A row of dyt takes
// as long cut as whole at about 5500 columns in f32, 6000 in bf16, 7500 by `lp`; one of layernorm at 10000 in f32, of
// rmsnorm at 14000, both at twice as many in bf16, and so what else moves more than it computes. On Granite Rapids it
// is about 20000 and 24000 in f32: at 16384 the two take 1.11 and 1.16 times as long cut.
size_t norm_whole_cols(const norm_impl *impl) {
    enum { COMPUTED_COLS = 6144, MOVED_BYTES = 98304 };
    const bool computes = impl->op == NORM_DYT || impl->op == NORM_DERF || impl->op == NORM_SIGMOID;
    return computes ? COMPUTED_COLS : MOVED_BYTES / norm_dtype_bytes(impl->dtype);
}

norm_error norm_run(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads) {
    if (!valid(impl, pass, args, threads))
        return NORM_BAD_ARGUMENT;
    if (norm_missing(impl) != NULL)
        return NORM_CPU_LACKS;
    if (impl->form == NORM_FRAMEWORK)
        return framework_run(impl, pass, args, threads);
    const norm_stage *const stages = impl->pass[pass].stages;
    const size_t count = impl->pass[pass].count;
    const bool few = pass == NORM_FORWARD && args->rows < (size_t)threads &&
                     (impl->elementwise || (impl->piece.sum != NULL && threads <= MOST_PIECES));
    const bool cuts = few && args->cols > norm_whole_cols(impl);
    if (threads == 1 || (few && !cuts && args->rows == 1)) {
        for (size_t i = 0; i < count; i++)
            run_stage(&stages[i], args, 0, 1);
        return NORM_OK;
    }
    piece_sum pieces[ROWS_IN_FLIGHT][MOST_PIECES];
    bool short_team = false;
#pragma omp parallel num_threads(threads) default(none) shared(short_team, pieces)                                     \
    firstprivate(impl, stages, count, args, threads, cuts)
    {
        const size_t thread = (size_t)omp_get_thread_num();
        if (omp_get_num_threads() != threads) {
#pragma omp single
            short_team = true;
        } else if (cuts && !impl->elementwise) {
            run_pieces(impl, args, pieces, thread, (size_t)threads);
        } else {
            for (size_t i = 0; i < count; i++) {
                if (i > 0) {
#pragma omp barrier
                }
                if (cuts)
                    run_columns(impl, &stages[i], args, thread, (size_t)threads);
                else
                    run_stage(&stages[i], args, thread, (size_t)threads);
            }
        }
    }
    return short_team ? NORM_NO_TEAM : NORM_OK;
}
