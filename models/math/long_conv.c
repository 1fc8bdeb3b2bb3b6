// SPDX-License-Identifier: MIT
// long_conv.c: see long_conv.h. A block of channels is one thread's, for all sequences, so that results are the same
// whatever the team. The numbers of a channel are brought together, transformed, multiplied by the filter's transform
// and brought back; behind them stand as many zeros, so that nothing comes round.
#include "long_conv.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kissfft.h"
#include "pointwise.h"
#include "scratch.h"

// Channels of a block: in f32, a line of a cache.
enum { BLOCK = 16 };

struct long_conv {
    long_conv_spec spec;
    size_t length, bins; // of a transform
    size_t row;          // numbers from one channel to the next: not a power of two, for all would share a cache's set
    size_t workspace;    // bytes of one thread's
    int threads;
    kissfft_plan **there, **back; // one of each for each thread
};

// One thread's memory.
typedef struct {
    float *dense;         // (tokens, BLOCK), of another dtype than f32
    float *x, *y;         // (BLOCK, row)
    kissfft_bin *filter;  // (BLOCK, bins), its transform over the length
    kissfft_bin *dfilter; // (BLOCK, bins), sums over the sequences
    kissfft_bin *a, *b;   // (bins)
} workspace;

static void *take(char *base, size_t *offset, size_t bytes) {
    void *const here = base != NULL ? base + *offset : NULL;
    *offset += scratch_align(bytes);
    return here;
}

static size_t place(const long_conv *c, char *base, workspace *w) {
    size_t offset = 0;
    w->dense = take(base, &offset, c->spec.tokens * BLOCK * sizeof(float));
    w->x = take(base, &offset, BLOCK * c->row * sizeof(float));
    w->y = take(base, &offset, BLOCK * c->row * sizeof(float));
    w->filter = take(base, &offset, BLOCK * c->bins * sizeof(kissfft_bin));
    w->dfilter = take(base, &offset, BLOCK * c->bins * sizeof(kissfft_bin));
    w->a = take(base, &offset, c->bins * sizeof(kissfft_bin));
    w->b = take(base, &offset, c->bins * sizeof(kissfft_bin));
    return offset;
}

static workspace own_workspace(const long_conv *c) {
    workspace w;
    (void)place(c, (char *)scratch_data() + (size_t)omp_get_thread_num() * c->workspace, &w);
    return w;
}

const char *long_conv_missing(void) {
    return kissfft_open() ? NULL
                          : "KissFFT, Fourier transforms that this machine lacks; install them with `sh "
                            "scripts/setup.sh`, or as libkissfft-float131 (Debian) or kissfft (Fedora)";
}

// ---- Making it

static void free_plans(long_conv *c) {
    for (int i = 0; i < c->threads; i++) {
        free(c->there != NULL ? c->there[i] : NULL);
        free(c->back != NULL ? c->back[i] : NULL);
    }
    free(c->there);
    free(c->back);
}

static bool make_plans(long_conv *c) {
    c->there = calloc((size_t)c->threads, sizeof(kissfft_plan *));
    c->back = calloc((size_t)c->threads, sizeof(kissfft_plan *));
    bool ok = c->there != NULL && c->back != NULL;
    for (int i = 0; ok && i < c->threads; i++) {
        c->there[i] = kissfft_make(c->length, false);
        c->back[i] = kissfft_make(c->length, true);
        ok = c->there[i] != NULL && c->back[i] != NULL;
    }
    return ok;
}

long_conv *long_conv_make(const long_conv_spec *spec, char error[LONG_CONV_ERROR_SIZE]) {
    if (long_conv_missing() != NULL) {
        snprintf(error, LONG_CONV_ERROR_SIZE, "long convolutions need %s", long_conv_missing());
        return NULL;
    }
    long_conv *const c = calloc(1, sizeof *c);
    if (c != NULL) {
        c->spec = *spec;
        c->threads = omp_get_max_threads();
        c->length = kissfft_length(2 * spec->tokens);
        c->bins = c->length / 2 + 1;
        c->row = c->length + BLOCK;
        workspace none;
        c->workspace = place(c, NULL, &none);
    }
    if (c == NULL || !make_plans(c) || !scratch_reserve((size_t)c->threads * c->workspace)) {
        snprintf(error, LONG_CONV_ERROR_SIZE, "out of memory for transforms of %zu tokens", spec->tokens);
        if (c != NULL)
            free_plans(c);
        free(c);
        return NULL;
    }
    return c;
}

void long_conv_free(long_conv *c) {
    if (c == NULL)
        return;
    scratch_release();
    free_plans(c);
    free(c);
}

// ---- A block of channels, between matrices and rows of its own

typedef struct {
    size_t first, count; // channels
} block;

static block block_at(const long_conv *c, size_t index) {
    const size_t first = index * BLOCK, left = c->spec.channels - first;
    return (block){first, left < BLOCK ? left : BLOCK};
}

// The block's columns of the tokens of one sequence.
static matrix part_of(const long_conv *c, matrix m, size_t sequence, block b) {
    const size_t offset = sequence * c->spec.tokens * m.stride + b.first;
    return (matrix){m.dtype, c->spec.tokens, b.count, m.stride, (char *)m.data + offset * norm_dtype_bytes(m.dtype)};
}

static void bring(const long_conv *c, const workspace *w, matrix m, float *rows) {
    matrix from = m;
    if (m.dtype != NORM_F32) {
        from = (matrix){NORM_F32, m.rows, m.cols, m.cols, w->dense};
        pointwise_copy(1, from, m);
    }
    for (size_t t = 0; t < m.rows; t++)
        for (size_t i = 0; i < m.cols; i++)
            rows[i * c->row + t] = ((const float *)from.data)[t * from.stride + i];
    for (size_t i = 0; i < m.cols; i++)
        memset(rows + i * c->row + m.rows, 0, (c->length - m.rows) * sizeof *rows);
}

static void bring_back(const long_conv *c, const workspace *w, const float *rows, matrix m) {
    const matrix to = m.dtype == NORM_F32 ? m : (matrix){NORM_F32, m.rows, m.cols, m.cols, w->dense};
    for (size_t t = 0; t < m.rows; t++)
        for (size_t i = 0; i < m.cols; i++)
            ((float *)to.data)[t * to.stride + i] = rows[i * c->row + t];
    if (m.dtype != NORM_F32)
        pointwise_copy(1, m, to);
}

static float skip_at(matrix skip, size_t channel) {
    float value;
    pointwise_copy(1, (matrix){NORM_F32, 1, 1, 1, &value},
                   (matrix){skip.dtype, 1, 1, 1, (char *)skip.data + channel * norm_dtype_bytes(skip.dtype)});
    return value;
}

static kissfft_plan *there(const long_conv *c) { return c->there[omp_get_thread_num()]; }
static kissfft_plan *back(const long_conv *c) { return c->back[omp_get_thread_num()]; }

// The transforms of the filters of a block, over the length by which those there and back multiply.
static void transform_filters(const long_conv *c, const workspace *w, matrix filter, block b) {
    const float scale = 1.0f / (float)c->length;
    bring(c, w, part_of(c, filter, 0, b), w->x);
    for (size_t i = 0; i < b.count; i++) {
        kissfft_bin *const to = w->filter + i * c->bins;
        kissfft_forward(there(c), w->x + i * c->row, to);
        for (size_t k = 0; k < c->bins; k++)
            to[k] = (kissfft_bin){to[k].re * scale, to[k].im * scale};
    }
}

// ---- Forward

// y = x convolved with the filter, and skip x.
static void filter_row(const long_conv *c, const workspace *w, size_t i, const float *x, float skip, float *y) {
    const kissfft_bin *const f = w->filter + i * c->bins;
    kissfft_bin *const a = w->a;
    kissfft_forward(there(c), x, a);
    for (size_t k = 0; k < c->bins; k++)
        a[k] = (kissfft_bin){a[k].re * f[k].re - a[k].im * f[k].im, a[k].re * f[k].im + a[k].im * f[k].re};
    kissfft_inverse(back(c), a, y);
    for (size_t t = 0; t < c->spec.tokens; t++)
        y[t] += skip * x[t];
}

void long_conv_forward(const long_conv *c, matrix x, matrix filter, matrix skip, matrix y) {
    const size_t blocks = (c->spec.channels + BLOCK - 1) / BLOCK;
#pragma omp parallel for schedule(dynamic) default(none) firstprivate(c, x, filter, skip, y, blocks)
    for (size_t index = 0; index < blocks; index++) {
        const workspace w = own_workspace(c);
        const block b = block_at(c, index);
        transform_filters(c, &w, filter, b);
        for (size_t s = 0; s < c->spec.batch; s++) {
            bring(c, &w, part_of(c, x, s, b), w.x);
            for (size_t i = 0; i < b.count; i++)
                filter_row(c, &w, i, w.x + i * c->row, skip_at(skip, b.first + i), w.y + i * c->row);
            bring_back(c, &w, w.y, part_of(c, y, s, b));
        }
    }
}

// ---- Backward

// dx = dy correlated with the filter, and skip dy, in place of x; adds to the transform of the filter's gradient, which
// is dy correlated with x. Returns the gradient of skip.
static float filter_row_backward(const long_conv *c, const workspace *w, size_t i, float *x, float skip,
                                 const float *dy) {
    const kissfft_bin *const f = w->filter + i * c->bins;
    kissfft_bin *const a = w->a, *const b = w->b, *const sum = w->dfilter + i * c->bins;
    double dskip = 0;
    for (size_t t = 0; t < c->spec.tokens; t++)
        dskip += (double)dy[t] * (double)x[t];
    kissfft_forward(there(c), x, a);
    kissfft_forward(there(c), dy, b);
    for (size_t k = 0; k < c->bins; k++) {
        sum[k].re += a[k].re * b[k].re + a[k].im * b[k].im;
        sum[k].im += a[k].re * b[k].im - a[k].im * b[k].re;
        b[k] = (kissfft_bin){f[k].re * b[k].re + f[k].im * b[k].im, f[k].re * b[k].im - f[k].im * b[k].re};
    }
    kissfft_inverse(back(c), b, x);
    for (size_t t = 0; t < c->spec.tokens; t++)
        x[t] += skip * dy[t];
    return (float)dskip;
}

static void give_dfilter(const long_conv *c, const workspace *w, matrix dfilter, block b) {
    const float scale = 1.0f / (float)c->length;
    for (size_t i = 0; i < b.count; i++) {
        float *const row = w->x + i * c->row;
        kissfft_inverse(back(c), w->dfilter + i * c->bins, row);
        for (size_t t = 0; t < c->spec.tokens; t++)
            row[t] *= scale;
    }
    bring_back(c, w, w->x, part_of(c, dfilter, 0, b));
}

void long_conv_backward(const long_conv *c, matrix x, matrix filter, matrix skip, matrix dy, matrix dx, matrix dfilter,
                        float *dskip) {
    const size_t blocks = (c->spec.channels + BLOCK - 1) / BLOCK;
#pragma omp parallel for schedule(dynamic) default(none)                                                               \
    firstprivate(c, x, filter, skip, dy, dx, dfilter, dskip, blocks)
    for (size_t index = 0; index < blocks; index++) {
        const workspace w = own_workspace(c);
        const block b = block_at(c, index);
        transform_filters(c, &w, filter, b);
        memset(w.dfilter, 0, BLOCK * c->bins * sizeof *w.dfilter);
        for (size_t s = 0; s < c->spec.batch; s++) {
            bring(c, &w, part_of(c, x, s, b), w.x);
            bring(c, &w, part_of(c, dy, s, b), w.y);
            for (size_t i = 0; i < b.count; i++)
                dskip[b.first + i] +=
                    filter_row_backward(c, &w, i, w.x + i * c->row, skip_at(skip, b.first + i), w.y + i * c->row);
            bring_back(c, &w, w.x, part_of(c, dx, s, b));
        }
        give_dfilter(c, &w, dfilter, b);
    }
}
