// SPDX-License-Identifier: MIT
// The depthwise convolution: the library's grouped convolution, one channel a group; in f32 through converted copies
// where it has none for the dtype. The gradient of the weights is a loop of this file's where the library has no
// depthwise one: oneDNN 2.6 on AVX2 then pads every group to eight channels, which took 24 ms for 56 x 56 x 128 where
// forward took 1 ms, both on one thread.
#include "conv.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onednn.h"
#include "pointwise.h"
#include "scratch.h"

struct conv {
    conv_spec spec;
    norm_dtype dtype; // in which it is computed
    size_t rows;      // of x and y
    onednn_op forward, backward_data, backward_weights;
    // Weights come and go as frameworks have them; the library keeps them otherwise.
    onednn_op forward_in, backward_in, gradient_out;
    bool own_gradient; // of the weights
    size_t bytes;      // of scratch
};

// Indices of the weights among the operands of all three.
enum { WEIGHTS = 1 };

// Where the copies stand in scratch; those of x, y, and the weights and bias as given, for another dtype alone.
typedef struct {
    void *x, *y;             // (rows, channels)
    void *given, *bias;      // as conv.h has them
    void *weights, *dlayout; // in the library's layout, and their gradient
    float *dweights, *dbias; // the gradients of one call, before they are added
    size_t bytes;
} copies;

static void *take(char *base, size_t *offset, size_t bytes) {
    void *const here = base ? base + *offset : NULL;
    *offset += scratch_align(bytes);
    return here;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static copies place(const conv *c, char *base) {
    const conv_spec *const s = &c->spec;
    const size_t weights = s->channels * conv_taps(s);
    copies at = {0};
    if (c->dtype != s->dtype) {
        at.x = take(base, &at.bytes, c->rows * s->channels * sizeof(float));
        at.y = take(base, &at.bytes, c->rows * s->channels * sizeof(float));
        at.given = take(base, &at.bytes, weights * sizeof(float));
        at.bias = take(base, &at.bytes, s->channels * sizeof(float));
    }
    const size_t forward = onednn_bytes(&c->forward, WEIGHTS);
    at.weights = take(base, &at.bytes, s->train ? larger(forward, onednn_bytes(&c->backward_data, WEIGHTS)) : forward);
    if (s->train) {
        at.dlayout = take(base, &at.bytes, c->own_gradient ? 0 : onednn_bytes(&c->backward_weights, WEIGHTS));
        at.dweights = take(base, &at.bytes, weights * sizeof(float));
        at.dbias = take(base, &at.bytes, s->channels * sizeof(float));
    }
    return at;
}

static void free_ops(conv *c) {
    onednn_op *const all[] = {&c->forward,    &c->backward_data, &c->backward_weights,
                              &c->forward_in, &c->backward_in,   &c->gradient_out};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        onednn_free(all[i]);
}

// Others pad every group to a vector of channels.
static bool is_depthwise(const onednn_op *op) { return strstr(onednn_name(op), "dw") != NULL; }

static dnnl_status_t make_ops(conv *c, norm_dtype dtype) {
    const conv_spec *const s = &c->spec;
    const dnnl_dim_t batch = (dnnl_dim_t)s->batch, side = (dnnl_dim_t)s->side, channels = (dnnl_dim_t)s->channels;
    const dnnl_dim_t kernel = (dnnl_dim_t)s->kernel, area = (dnnl_dim_t)conv_taps(s);
    const dnnl_dim_t lines = s->line ? 1 : side, kernel_lines = s->line ? 1 : kernel; // a line is an image of one
    const size_t padding[2] = {s->line ? 0 : s->kernel / 2, s->kernel / 2};
    const onednn_tensor image = {.dtype = dtype,
                                 .ndims = 4,
                                 .dims = {batch, channels, lines, side},
                                 .strides = {lines * side * channels, 1, side * channels, channels}};
    const onednn_tensor bias = {.dtype = dtype, .ndims = 1, .dims = {channels}, .strides = {1}};
    const onednn_tensor dbias = {.dtype = NORM_F32, .ndims = 1, .dims = {channels}, .strides = {1}};
    const onednn_tensor given = {.dtype = dtype,
                                 .ndims = 5,
                                 .dims = {channels, 1, 1, kernel_lines, kernel},
                                 .strides = {area, area, area, kernel, 1}};
    onednn_tensor weights = given, dgiven = given, dweights;
    weights.any = true;
    dgiven.dtype = NORM_F32;
    dweights = dgiven;
    dweights.any = true;
    c->dtype = dtype;
    dnnl_status_t status = onednn_conv_forward(&c->forward, &image, &weights, &bias, &image, padding, s->train);
    if (status == dnnl_success)
        status = onednn_reorder_in(&c->forward_in, &given, &c->forward, WEIGHTS);
    if (status == dnnl_success && s->train)
        status = onednn_conv_backward_data(&c->backward_data, &image, &weights, &image, padding, &c->forward);
    if (status == dnnl_success && s->train)
        status = onednn_reorder_in(&c->backward_in, &given, &c->backward_data, WEIGHTS);
    if (status == dnnl_success && s->train)
        status =
            onednn_conv_backward_weights(&c->backward_weights, &image, &dweights, &dbias, &image, padding, &c->forward);
    if (status == dnnl_success && s->train)
        status = onednn_reorder_out(&c->gradient_out, &c->backward_weights, WEIGHTS, &dgiven);
    if (status == dnnl_success && dtype != NORM_F32 &&
        !(is_depthwise(&c->forward) &&
          (!s->train || (is_depthwise(&c->backward_data) && is_depthwise(&c->backward_weights)))))
        status = dnnl_unimplemented;
    if (status == dnnl_success && s->train && !is_depthwise(&c->backward_weights)) {
        c->own_gradient = true;
        onednn_free(&c->gradient_out);
        onednn_free(&c->backward_weights);
    }
    if (status != dnnl_success)
        free_ops(c);
    return status;
}

conv *conv_make(const conv_spec *spec, char error[CONV_ERROR_SIZE]) {
    if (spec->batch < 1 || spec->side < 1 || spec->channels < 1 || spec->kernel % 2 == 0) {
        snprintf(error, CONV_ERROR_SIZE, "no convolution has %zu images of %zu x %zu x %zu and a kernel of %zu",
                 spec->batch, spec->side, spec->side, spec->channels, spec->kernel);
        return NULL;
    }
    if (onednn_refusal() != NULL) {
        snprintf(error, CONV_ERROR_SIZE, "convolutions need %s", onednn_refusal());
        return NULL;
    }
    conv *const c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(error, CONV_ERROR_SIZE, "out of memory");
        return NULL;
    }
    c->spec = *spec;
    c->rows = spec->batch * conv_positions(spec);
    dnnl_status_t status = make_ops(c, spec->dtype);
    if (status != dnnl_success && spec->dtype != NORM_F32)
        status = make_ops(c, NORM_F32);
    if (status != dnnl_success) {
        snprintf(error, CONV_ERROR_SIZE, "the library has no such convolution: %s", onednn_error(status));
        goto failed;
    }
    c->bytes = place(c, NULL).bytes;
    if (!scratch_reserve(c->bytes)) {
        snprintf(error, CONV_ERROR_SIZE, "out of memory: the convolution needs %zu bytes", c->bytes);
        goto failed;
    }
    return c;

failed:
    free_ops(c);
    free(c);
    return NULL;
}

void conv_free(conv *c) {
    if (!c)
        return;
    scratch_release();
    free_ops(c);
    free(c);
}

size_t conv_bytes(const conv *c) { return c->bytes; }

// (rows, cols) of the spec's dtype in the one that is computed in: itself, or the copy.
static const void *widened(const conv *c, const void *data, size_t rows, size_t cols, void *copy) {
    if (c->dtype == c->spec.dtype)
        return data;
    pointwise_copy(omp_get_max_threads(), (matrix){c->dtype, rows, cols, cols, copy},
                   (matrix){c->spec.dtype, rows, cols, cols, (void *)(uintptr_t)data});
    return copy;
}

static const void *given_weights(const conv *c, const void *weights, const copies *at) {
    return widened(c, weights, c->spec.channels, conv_taps(&c->spec), at->given);
}

// Runs op, whose last result goes to `to` through `copy`. result: index of it among the data.
static bool run_rounded(conv *c, onednn_op *op, const void *data[], size_t result, void *to, void *copy) {
    const bool rounds = c->dtype != c->spec.dtype;
    const size_t cols = c->spec.channels;
    data[result] = rounds ? copy : to;
    if (!onednn_run(op, data))
        return false;
    if (rounds)
        pointwise_copy(omp_get_max_threads(), (matrix){c->spec.dtype, c->rows, cols, cols, to},
                       (matrix){c->dtype, c->rows, cols, cols, copy});
    return true;
}

bool conv_forward(conv *c, const void *x, const void *weights, const void *bias, void *y) {
    const copies at = place(c, scratch_data());
    const size_t channels = c->spec.channels;
    if (!onednn_run(&c->forward_in, (const void *const[]){given_weights(c, weights, &at), at.weights}))
        return false;
    const void *data[ONEDNN_ARGS] = {widened(c, x, c->rows, channels, at.x), at.weights,
                                     widened(c, bias, 1, channels, at.bias)};
    return run_rounded(c, &c->forward, data, 3, y, at.y);
}

// Channels that one thread sums at a time: enough independent sums to hide the latency of an addition, and few enough
// that the sums of all taps stay in a first-level cache.
enum { CHUNK = 32 };

// Adds the gradient of the weights of channels [first, first + n): dweights[c][i][j] += the sum over all pixels p of
// x[p + tap][c] dy[p][c]. sums: (kernel * kernel, n), scratch.
static void add_chunk(const conv_spec *s, const float *x, const float *dy, float *sums, float *dweights, size_t first,
                      size_t n) {
    const size_t side = s->side, channels = s->channels, kernel = s->kernel, half = kernel / 2;
    const size_t lines = s->line ? 1 : side, kernel_lines = s->line ? 1 : kernel, above = kernel_lines / 2;
    memset(sums, 0, conv_taps(s) * n * sizeof *sums);
    for (size_t line = 0; line < s->batch * lines; line++) // of all images
        for (size_t i = 0; i < kernel_lines; i++) {
            if (line % lines + i < above || line % lines + i - above >= lines)
                continue;
            for (size_t j = 0; j < kernel; j++) {
                float *const sum = sums + (i * kernel + j) * n;
                const size_t begin = j < half ? half - j : 0, beyond = side + half > j ? side + half - j : 0;
                const size_t end = beyond < side ? beyond : side;
                for (size_t col = begin; col < end; col++) {
                    const float *const from = x + ((line + i - above) * side + col + j - half) * channels + first;
                    const float *const to = dy + (line * side + col) * channels + first;
#pragma omp simd
                    for (size_t c = 0; c < n; c++)
                        sum[c] += from[c] * to[c];
                }
            }
        }
    for (size_t c = 0; c < n; c++)
        for (size_t tap = 0; tap < conv_taps(s); tap++)
            dweights[(first + c) * conv_taps(s) + tap] += sums[tap * n + c];
}

static void add_weights(const conv *c, const float *x, const float *dy, float *sums, float *dweights) {
    const conv_spec *const s = &c->spec;
#pragma omp parallel for num_threads(omp_get_max_threads()) schedule(dynamic) default(none)                            \
    firstprivate(s, x, dy, sums, dweights)
    for (size_t first = 0; first < s->channels; first += CHUNK) {
        const size_t left = s->channels - first;
        add_chunk(s, x, dy, sums + first * conv_taps(s), dweights, first, left < CHUNK ? left : CHUNK);
    }
}

bool conv_backward(conv *c, const void *x, const void *weights, const void *dy, void *dx, float *dweights,
                   float *dbias) {
    if (!c->spec.train)
        return false;
    const copies at = place(c, scratch_data());
    const size_t channels = c->spec.channels, area = conv_taps(&c->spec);
    const void *const wide_dy = widened(c, dy, c->rows, channels, at.y);
    const void *const wide_x = widened(c, x, c->rows, channels, at.x);
    if (c->own_gradient) {
        add_weights(c, wide_x, wide_dy, at.dweights, dweights);
        pointwise_col_sums(omp_get_max_threads(), dbias,
                           (matrix){c->dtype, c->rows, channels, channels, (void *)(uintptr_t)wide_dy});
    } else {
        if (!onednn_run(&c->backward_weights, (const void *const[]){wide_x, at.dlayout, at.dbias, wide_dy}) ||
            !onednn_run(&c->gradient_out, (const void *const[]){at.dlayout, at.dweights}))
            return false;
        for (size_t i = 0; i < channels * area; i++)
            dweights[i] += at.dweights[i];
        for (size_t i = 0; i < channels; i++)
            dbias[i] += at.dbias[i];
    }
    if (!onednn_run(&c->backward_in, (const void *const[]){given_weights(c, weights, &at), at.weights}))
        return false;
    // x has been read for the last time, so its copy makes room for dx.
    const void *data[ONEDNN_ARGS] = {NULL, at.weights, wide_dy};
    return run_rounded(c, &c->backward_data, data, 0, dx, at.x);
}
