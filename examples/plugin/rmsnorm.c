// SPDX-License-Identifier: MIT
// rmsnorm.c: RMSNorm in plain C as a plug-in of normbench: y = gamma * x / sqrt(mean(x^2) + eps), and its gradients.
#include <math.h>
#include <norm_plugin.h>

enum { LINE = 16 }; // floats of a cache line

static float *row_of(const void *matrix, size_t stride, size_t row) {
    return (float *)(uintptr_t)matrix + row * stride;
}

static void forward(const norm_args *a, const norm_slice *rows) {
    const float *const gamma = a->gamma;
    float *const saved = a->saved; // what backward needs of each row; NULL: no backward follows
    for (size_t row = rows->begin; row < rows->end; row++) {
        const float *const x = row_of(a->x, a->x_stride, row);
        float *const y = row_of(a->y, a->y_stride, row);
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < a->cols; i++)
            sum += (double)x[i] * x[i];
        const float scale = (float)(1 / sqrt(sum / (double)a->cols + (double)a->eps));
#pragma omp simd
        for (size_t i = 0; i < a->cols; i++)
            y[i] = gamma[i] * (x[i] * scale);
        if (saved != NULL)
            saved[row] = scale;
    }
}

// This thread's part of dgamma, in the workspace that per_slice_col below asks for.
static float *part(const norm_args *a, size_t slice) {
    return (float *)a->workspace + slice * ((a->cols + LINE - 1) / LINE * LINE);
}

static void backward(const norm_args *a, const norm_slice *rows) {
    const float *const gamma = a->gamma, *const saved = a->saved;
    float *const dgamma = part(a, rows->index);
    for (size_t i = 0; i < a->cols; i++)
        dgamma[i] = 0;
    for (size_t row = rows->begin; row < rows->end; row++) {
        const float *const x = row_of(a->x, a->x_stride, row), *const dy = row_of(a->dy, a->dy_stride, row);
        float *const dx = row_of(a->dx, a->dx_stride, row);
        const double scale = saved[row];
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < a->cols; i++)
            sum += (double)dy[i] * gamma[i] * x[i];
        const double mean = sum / (double)a->cols * scale * scale;
#pragma omp simd
        for (size_t i = 0; i < a->cols; i++) {
            dgamma[i] += (float)(dy[i] * (x[i] * scale));
            dx[i] = (float)(scale * ((double)dy[i] * gamma[i] - x[i] * mean));
        }
    }
}

// Once every thread is done with its rows, each adds up some of the columns.
static void add_up(const norm_args *a, const norm_slice *cols) {
    for (size_t i = cols->begin; i < cols->end; i++) {
        double sum = 0;
        for (size_t slice = 0; slice < cols->count; slice++)
            sum += part(a, slice)[i];
        a->dgamma[i] = (float)sum;
    }
}

// The last number of a stage is the memory traffic that it cannot avoid, in bytes per element.
static const norm_stage forward_stages[] = {{forward, NORM_SPLIT_ROWS, 8}};
static const norm_stage backward_stages[] = {{backward, NORM_SPLIT_ROWS, 12}, {add_up, NORM_SPLIT_COLS, 0}};
static const norm_impl impls[] = {{.op = NORM_RMSNORM,
                                   .dtype = NORM_F32,
                                   .params = NORM_GAMMA,
                                   .pass[NORM_FORWARD] = {forward_stages, 1},
                                   .pass[NORM_BACKWARD] = {backward_stages, 2},
                                   .saved = {.per_row = sizeof(float)},
                                   .workspace = {.per_slice_col = sizeof(float)}}};
const norm_plugin norm_plugin_table = {NORM_ABI, "plain", impls, 1};
