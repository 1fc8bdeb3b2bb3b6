// SPDX-License-Identifier: MIT
// The comparator: what an implementation wrote against the double reference, element by element, in units of scale *
// epsilon.
#include "verify.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "inputs.h"

// Of a finite value. The exponent is cut out of its bits, for every element of every verification asks for it: with
// ilogb and ldexp this took a sixth of the time of one.
static double ulp_of(norm_dtype dtype, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= 0x7ff0000000000000;
    double power; // the largest power of two that is not above |value|; 0 for what is denormal in double
    memcpy(&power, &bits, sizeof power);
    return dtype_epsilon(dtype) * (power < 0x1p-126 ? 0x1p-126 : power);
}

// Beyond half an ulp above the largest finite number, round to nearest gives infinity.
static double round_overflow(norm_dtype dtype, double value) {
    return fabs(value) >= dtype_overflow(dtype) ? copysign((double)INFINITY, value) : value;
}

void verify_element(verify_worst *worst, norm_dtype dtype, double got, double want, double scale, size_t row,
                    size_t col) {
    want = round_overflow(dtype, want);
    double error = 0, ulp = 0;
    if (!(got == want || (isnan(got) && isnan(want)))) {
        const double difference = fabs(got - want);
        error = difference / (scale * dtype_epsilon(dtype));
        if (!isfinite(got) || !isfinite(want) || isnan(error))
            error = ulp = (double)INFINITY;
        else
            ulp = difference / ulp_of(dtype, want);
    }
    if (worst->cases++ == 0 || error > worst->max_error) {
        worst->max_error = error;
        worst->row = row;
        worst->col = col;
        worst->got = got;
        worst->want = want;
    }
    if (ulp > worst->max_ulp) // never NaN
        worst->max_ulp = ulp;
}

static double share_of_bound(const verify_worst *w) { return w->max_error == 0 ? 0 : w->max_error / w->bound; }

bool verify_merge(verify_worst *into, const verify_worst *from) {
    if (from->cases == 0)
        return false;
    const size_t cases = into->cases + from->cases;
    const double max_ulp = fmax(into->max_ulp, from->max_ulp);
    const bool worse = into->cases == 0 || share_of_bound(from) > share_of_bound(into);
    if (worse)
        *into = *from;
    into->cases = cases;
    into->max_ulp = max_ulp;
    return worse;
}

// The sampled rows are i * (rows - 1) / (sampled - 1) for i below sampled.
static bool is_sampled(size_t row, size_t rows, size_t max_rows) {
    if (rows <= max_rows)
        return true;
    if (max_rows < 2)
        return max_rows == 1 && row == 0;
    const size_t i = (row * (max_rows - 1) + rows - 2) / (rows - 1);
    return i * (rows - 1) / (max_rows - 1) == row;
}

// What one thread of a verification works with: vectors of cols doubles, one after the other.
enum { WANT, SCALE, DGAMMA, DGAMMA_SCALE, DBETA, DBETA_SCALE, VECTORS };
typedef struct {
    double *vectors;
    norm_reference_sums sums;
    verify_worst worst[NORM_OUTPUTS]; // of the matrices
} worker;

static double *vector(const worker *w, size_t cols, size_t which) { return w->vectors + which * cols; }

// A row of a matrix against the worker's vectors.
static void compare_matrix(worker *w, norm_output output, norm_dtype dtype, const void *got, size_t stride, size_t row,
                           size_t cols) {
    const double *const want = vector(w, cols, WANT), *const scale = vector(w, cols, SCALE);
    for (size_t i = 0; i < cols; i++)
        verify_element(&w->worst[output], dtype, dtype_get(dtype, got, row * stride + i), want[i], scale[i], row, i);
}

static void compare_forward_row(const norm_impl *impl, const norm_args *args, size_t row, worker *w) {
    const norm_dtype dtype = impl->dtype;
    double *const want = vector(w, args->cols, WANT), *const scale = vector(w, args->cols, SCALE);
    norm_args normed = *args;
    if (impl->form == NORM_ADD_FUSED) {
        norm_reference_sum(dtype, args, row, want, scale);
        compare_matrix(w, NORM_OUT_SUM, dtype, args->sum, args->sum_stride, row, args->cols);
        normed.x = args->sum;
        normed.x_stride = args->sum_stride;
    }
    norm_reference_forward(impl->op, impl->params, dtype, &normed, row, want, scale);
    compare_matrix(w, NORM_OUT_Y, dtype, args->y, args->y_stride, row, args->cols);
}

static void compare_backward_row(const norm_impl *impl, const norm_args *args, size_t row, bool sampled, worker *w) {
    double *const want = vector(w, args->cols, WANT), *const scale = vector(w, args->cols, SCALE);
    norm_reference_backward(impl->op, impl->params, impl->dtype, args, row, sampled ? want : NULL,
                            sampled ? scale : NULL, &w->sums);
    if (!sampled)
        return;
    if (impl->form == NORM_ADD_FUSED)
        norm_reference_add_dsum(impl->dtype, args, row, want, scale);
    compare_matrix(w, NORM_OUT_DX, impl->dtype, args->dx, args->dx_stride, row, args->cols);
}

// Adds every worker's sums to those of the first, in order, so that the result does not depend on who was quicker.
static void reduce(worker *workers, size_t count, size_t cols) {
    for (size_t t = 1; t < count; t++) {
        for (size_t i = DGAMMA * cols; i < VECTORS * cols; i++)
            workers[0].vectors[i] += workers[t].vectors[i];
        workers[0].sums.dalpha += workers[t].sums.dalpha;
        workers[0].sums.dalpha_scale += workers[t].sums.dalpha_scale;
        workers[0].sums.dshift += workers[t].sums.dshift;
        workers[0].sums.dshift_scale += workers[t].sums.dshift_scale;
    }
}

static void compare_sums(const norm_impl *impl, const norm_args *args, const norm_reference_sums *sums,
                         verify_worst worst[NORM_OUTPUTS]) {
    // The sums are f32, but what an implementation op by op sums in bf16 was rounded to bf16 first.
    const norm_dtype dtype = impl->op_by_op ? impl->dtype : NORM_F32;
    for (size_t i = 0; i < args->cols; i++) {
        if (impl->params & NORM_GAMMA)
            verify_element(&worst[NORM_OUT_DGAMMA], dtype, (double)args->dgamma[i], sums->dgamma[i],
                           sums->dgamma_scale[i], 0, i);
        if (impl->params & NORM_BETA)
            verify_element(&worst[NORM_OUT_DBETA], dtype, (double)args->dbeta[i], sums->dbeta[i], sums->dbeta_scale[i],
                           0, i);
    }
    if (impl->params & NORM_ALPHA)
        verify_element(&worst[NORM_OUT_DALPHA], dtype, (double)*args->dalpha, sums->dalpha, sums->dalpha_scale, 0, 0);
    if (impl->params & NORM_SHIFT)
        verify_element(&worst[NORM_OUT_DSHIFT], dtype, (double)*args->dshift, sums->dshift, sums->dshift_scale, 0, 0);
}

bool verify_outputs(const norm_impl *impl, norm_pass pass, const norm_args *args, size_t max_rows, int threads,
                    verify_result *result) {
    const size_t rows = args->rows, cols = args->cols;
    const size_t team = (size_t)threads < rows ? (size_t)threads : rows;
    bool complete = false;
    worker *const workers = calloc(team, sizeof *workers);
    if (!workers)
        return false;
    for (size_t t = 0; t < team; t++) {
        if (!(workers[t].vectors = calloc(cols, VECTORS * sizeof(double))))
            goto cleanup;
        workers[t].sums = (norm_reference_sums){
            .dgamma = vector(&workers[t], cols, DGAMMA),
            .dgamma_scale = vector(&workers[t], cols, DGAMMA_SCALE),
            .dbeta = vector(&workers[t], cols, DBETA),
            .dbeta_scale = vector(&workers[t], cols, DBETA_SCALE),
        };
    }
    // A loop over parts, not over threads: should OpenMP give fewer threads than asked for, the parts are still all
    // done.
#pragma omp parallel for schedule(static, 1) num_threads((int)team) if (team > 1)
    for (size_t t = 0; t < team; t++)
        for (size_t row = rows * t / team; row < rows * (t + 1) / team; row++)
            if (pass == NORM_BACKWARD)
                compare_backward_row(impl, args, row, is_sampled(row, rows, max_rows), &workers[t]);
            else if (is_sampled(row, rows, max_rows))
                compare_forward_row(impl, args, row, &workers[t]);

    verify_worst worst[NORM_OUTPUTS] = {0};
    for (size_t t = 0; t < team; t++)
        for (norm_output output = 0; output < NORM_OUTPUTS; output++)
            verify_merge(&worst[output], &workers[t].worst[output]);
    if (pass == NORM_BACKWARD) {
        reduce(workers, team, cols);
        compare_sums(impl, args, &workers[0].sums, worst);
    }
    for (norm_output output = 0; output < NORM_OUTPUTS; output++) {
        if (worst[output].cases == 0)
            continue;
        worst[output].bound = norm_error_bound(impl, output, rows, cols);
        result->ok = result->ok && worst[output].max_error <= worst[output].bound;
        verify_merge(&result->worst[output], &worst[output]);
    }
    complete = true;

cleanup:
    for (size_t t = 0; t < team; t++)
        free(workers[t].vectors);
    free(workers);
    return complete;
}

double verify_largest(const verify_result *result) {
    double largest = 0;
    for (norm_output output = 0; output < NORM_OUTPUTS; output++)
        largest = fmax(largest, result->worst[output].max_error);
    return largest;
}

void verify_explain(const verify_result *result, char *text, size_t size) {
    for (norm_output output = 0; output < NORM_OUTPUTS; output++) {
        const verify_worst *const w = &result->worst[output];
        if (w->cases == 0 || w->max_error <= w->bound)
            continue;
        char where[64] = ""; // dalpha and dshift are one number each
        if (output == NORM_OUT_Y || output == NORM_OUT_SUM || output == NORM_OUT_DX)
            snprintf(where, sizeof where, "[%zu, %zu]", w->row, w->col);
        else if (output != NORM_OUT_DALPHA && output != NORM_OUT_DSHIFT)
            snprintf(where, sizeof where, "[%zu]", w->col);
        snprintf(text, size, "%s%s: got %.9g, reference %.9g, error %.3g of %.3g allowed", norm_output_name(output),
                 where, w->got, w->want, w->max_error, w->bound);
        return;
    }
    snprintf(text, size, "every output within its bound");
}
