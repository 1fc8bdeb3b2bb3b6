// SPDX-License-Identifier: MIT
#include "broken.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/inputs.h"

defect broken_by;
double broken_off_by;

static const float *row_const(const void *matrix, size_t row, size_t stride) {
    return (const float *)matrix + row * stride;
}
static float *row_mutable(void *matrix, size_t row, size_t stride) { return (float *)matrix + row * stride; }

// Sums are in double, so that a kernel without a defect is as good as f32 can be.
static float mean_of(const float *x, size_t cols) {
    double sum = 0;
    for (size_t i = 0; i < cols; i++)
        sum += (double)x[i];
    return (float)(sum / (double)cols);
}

static float rstd_of(const float *x, size_t cols, float mean, float eps) {
    double squares = 0;
    for (size_t i = 0; i < cols; i++) {
        const float centred = broken_by == ONE_PASS_VARIANCE ? x[i] : x[i] - mean;
        squares += (double)(centred * centred);
    }
    float variance = (float)(squares / (double)(broken_by == BIASED_VARIANCE ? cols - 1 : cols));
    if (broken_by == ONE_PASS_VARIANCE)
        variance = fmaxf(variance - mean * mean, 0);
    return 1 / sqrtf(variance + eps);
}

static float bf16(float value) {
    uint16_t bits;
    dtype_set(NORM_BF16, &bits, 0, (double)value);
    return (float)dtype_get(NORM_BF16, &bits, 0);
}

// The defects that any output row can have, done to a correct one.
static void spoil_row(const norm_args *args, const norm_slice *slice, size_t row, float *out, size_t stride) {
    const size_t cols = args->cols, last = cols - 1;
    const bool last_row = row == slice->end - 1;
    switch (broken_by) {
    case ALL_ZERO:
        memset(out, 0, cols * sizeof *out);
        break;
    case TAIL_MISSED:
        out[last] = row ? out[last - stride] : 0;
        break;
    case WRITES_PAST_END:
        if (last_row)
            out[cols] = 0;
        break;
    case WRITES_FAR_PAST_END: // a stray store, not the end of a loop
        if (last_row)
            out[cols + 40] = 0;
        break;
    case WRITES_BEFORE_START:
        if (row == 0)
            out[-1] = 0;
        break;
    case WRITES_BETWEEN_ROWS:
        if (!last_row)
            out[cols] = 0;
        break;
    case WRITES_INPUT:
        ((float *)(uintptr_t)args->x)[0] = 0;
        break;
    case NAN_OUTPUT:
        if (last_row)
            out[last] = NAN;
        break;
    case INFINITE_OUTPUT:
        if (last_row)
            out[last] = INFINITY;
        break;
    default:
        break;
    }
}

// A load that the compiler may not drop.
static float touch(const float *p) { return *(const volatile float *)p; }

static void spoil_reads(const norm_args *args, const norm_slice *slice, const void *matrix, size_t stride) {
    if (broken_by == READS_PAST_END)
        (void)touch(row_const(matrix, slice->end - 1, stride) + args->cols);
    if (broken_by == READS_BEFORE_START)
        (void)touch(row_const(matrix, slice->begin, stride) - 1);
}

static void layernorm_forward(const norm_args *args, const norm_slice *slice) {
    const float *gamma = args->gamma, *beta = args->beta;
    float *const saved = args->saved;
    const size_t stride = broken_by == WRONG_STRIDE ? args->x_stride : args->y_stride;
    if (broken_by == SWAPPED_PARAMETERS) {
        gamma = args->beta;
        beta = args->gamma;
    }
    spoil_reads(args, slice, args->x, args->x_stride);
    for (size_t row = slice->begin; row < slice->end; row++) {
        const float *const x = row_const(args->x, row, args->x_stride);
        float *const y = row_mutable(args->y, row, stride);
        const float mean = mean_of(x, args->cols), rstd = rstd_of(x, args->cols, mean, args->eps);
        for (size_t i = 0; i < args->cols; i++)
            y[i] = gamma[i] * ((x[i] - mean) * rstd) + beta[i];
        if (saved) {
            saved[2 * row] = mean;
            saved[2 * row + 1] = rstd;
        }
        spoil_row(args, slice, row, y, stride);
        if (broken_by == ONE_OFF && row == 0) {
            double *const want = malloc(2 * args->cols * sizeof *want);
            assert_non_null(want);
            norm_reference_forward(NORM_LAYERNORM, NORM_GAMMA | NORM_BETA, NORM_F32, args, row, want,
                                   want + args->cols);
            y[3] = (float)(want[3] + broken_off_by * want[args->cols + 3] * 0x1p-23);
            free(want);
        }
    }
}

static void layernorm_dx(const norm_args *args, const norm_slice *slice) {
    const float *const gamma = args->gamma, *const saved = args->saved;
    spoil_reads(args, slice, args->dy, args->dy_stride);
    for (size_t row = slice->begin; row < slice->end; row++) {
        const float *const x = row_const(args->x, row, args->x_stride), *const dy =
                                                                            row_const(args->dy, row, args->dy_stride);
        float *const dx = row_mutable(args->dx, row, args->dx_stride);
        const float mean = saved[2 * row], rstd = saved[2 * row + 1];
        double g_sum = 0, gn_sum = 0;
        for (size_t i = 0; i < args->cols; i++) {
            g_sum += (double)(gamma[i] * dy[i]);
            gn_sum += (double)(gamma[i] * dy[i] * ((x[i] - mean) * rstd));
        }
        const float g_mean = broken_by == DX_WITHOUT_MEAN ? 0 : (float)(g_sum / (double)args->cols);
        const float gn_mean = (float)(gn_sum / (double)args->cols);
        for (size_t i = 0; i < args->cols; i++)
            dx[i] = rstd * (gamma[i] * dy[i] - g_mean - (x[i] - mean) * rstd * gn_mean);
        spoil_row(args, slice, row, dx, args->dx_stride);
    }
}

static void layernorm_sums(const norm_args *args, const norm_slice *slice) {
    const float *const saved = args->saved;
    for (size_t i = slice->begin; i < slice->end; i++) {
        double dgamma = 0, dbeta = 0;
        for (size_t row = broken_by == DGAMMA_MISSES_A_ROW; row < args->rows; row++) {
            const float x = row_const(args->x, row, args->x_stride)[i],
                        dy = row_const(args->dy, row, args->dy_stride)[i];
            dgamma += (double)(dy * ((x - saved[2 * row]) * saved[2 * row + 1]));
            dbeta += (double)dy;
        }
        args->dgamma[i] = (float)dgamma;
        args->dbeta[i] = (float)dbeta;
    }
}

// Form add_fused: the addition, and then the kernels above on its sum.
static void add_forward(const norm_args *args, const norm_slice *slice) {
    for (size_t row = slice->begin; row < slice->end; row++) {
        const float *const x = row_const(args->x, row, args->x_stride);
        const float *const branch = row_const(args->branch, row, args->branch_stride);
        float *const sum = row_mutable(args->sum, row, args->sum_stride);
        for (size_t i = 0; i < args->cols; i++)
            sum[i] = broken_by == SUM_TAIL_MISSED && i == args->cols - 1 ? x[i] : x[i] + branch[i];
        if (broken_by == SUM_WRITES_PAST_END && row == slice->end - 1)
            sum[args->cols] = 0;
    }
    norm_args normed = *args;
    if (broken_by != BRANCH_NOT_NORMALISED) {
        normed.x = args->sum;
        normed.x_stride = args->sum_stride;
    }
    layernorm_forward(&normed, slice);
}

static void add_dx(const norm_args *args, const norm_slice *slice) {
    layernorm_dx(args, slice);
    for (size_t row = slice->begin; row < slice->end && broken_by != DSUM_FORGOTTEN; row++)
        for (size_t i = 0; i < args->cols; i++)
            row_mutable(args->dx, row, args->dx_stride)[i] += row_const(args->dsum, row, args->dsum_stride)[i];
    if (broken_by == DX_WRITES_SUM)
        row_mutable(args->sum, 0, args->sum_stride)[0] = 0;
}

static void dyt_forward(const norm_args *args, const norm_slice *slice) {
    const float *const gamma = args->gamma, *const beta = args->beta;
    for (size_t row = slice->begin; row < slice->end; row++) {
        const float *const x = row_const(args->x, row, args->x_stride);
        float *const y = row_mutable(args->y, row, args->y_stride);
        for (size_t i = 0; i < args->cols; i++)
            y[i] = gamma[i] * tanhf(args->alpha * x[i]) + beta[i];
        spoil_row(args, slice, row, y, args->y_stride);
    }
}

static void dyt_backward(const norm_args *args, const norm_slice *slice) {
    const float *const gamma = args->gamma;
    double dalpha = 0;
    memset(args->dgamma, 0, args->cols * sizeof *args->dgamma);
    memset(args->dbeta, 0, args->cols * sizeof *args->dbeta);
    for (size_t row = slice->begin; row < slice->end; row++) {
        const float *const x = row_const(args->x, row, args->x_stride), *const dy =
                                                                            row_const(args->dy, row, args->dy_stride);
        float *const dx = row_mutable(args->dx, row, args->dx_stride);
        for (size_t i = 0; i < args->cols; i++) {
            const float t = tanhf(args->alpha * x[i]), u = gamma[i] * dy[i] * (1 - t * t);
            dalpha += (double)(u * x[i]);
            args->dgamma[i] += dy[i] * t;
            args->dbeta[i] += dy[i];
            dx[i] = args->alpha * u;
        }
        spoil_row(args, slice, row, dx, args->dx_stride);
    }
    *args->dalpha = broken_by == DALPHA_IN_BF16 ? bf16((float)dalpha) : (float)dalpha;
}

static const norm_stage layernorm_forward_stages[] = {{layernorm_forward, NORM_SPLIT_ROWS, 8}};
static const norm_stage layernorm_backward_stages[] = {{layernorm_dx, NORM_SPLIT_ROWS, 12},
                                                       {layernorm_sums, NORM_SPLIT_COLS, 0}};
const norm_impl broken_layernorm = {
    .op = NORM_LAYERNORM,
    .variant = "twopass",
    .base = "twopass",
    .level = NORM_LEVEL_SCALAR,
    .params = NORM_GAMMA | NORM_BETA,
    .pass = {{layernorm_forward_stages, 1}, {layernorm_backward_stages, 2}},
    .saved = {.per_row = 2 * sizeof(float)},
};

static const norm_stage add_forward_stages[] = {{add_forward, NORM_SPLIT_ROWS, 16}};
static const norm_stage add_backward_stages[] = {{add_dx, NORM_SPLIT_ROWS, 16}, {layernorm_sums, NORM_SPLIT_COLS, 0}};
const norm_impl broken_add_layernorm = {
    .op = NORM_LAYERNORM,
    .variant = "twopass",
    .base = "twopass",
    .form = NORM_ADD_FUSED,
    .level = NORM_LEVEL_SCALAR,
    .params = NORM_GAMMA | NORM_BETA,
    .pass = {{add_forward_stages, 1}, {add_backward_stages, 2}},
    .saved = {.per_row = 2 * sizeof(float)},
};

static const norm_stage dyt_forward_stages[] = {{dyt_forward, NORM_SPLIT_ROWS, 8}};
static const norm_stage dyt_backward_stages[] = {{dyt_backward, NORM_SPLIT_ROWS, 12}};
const norm_impl broken_dyt = {
    .op = NORM_DYT,
    .variant = "libm",
    .base = "libm",
    .level = NORM_LEVEL_SCALAR,
    .params = NORM_GAMMA | NORM_BETA | NORM_ALPHA,
    .pass = {{dyt_forward_stages, 1}, {dyt_backward_stages, 1}},
};
