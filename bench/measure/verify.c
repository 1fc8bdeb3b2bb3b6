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
    return dtype_epsilon(dtype) * fmax(power, dtype_smallest(dtype));
}

// Beyond half an ulp above the largest finite number, round to nearest gives infinity.
static double round_overflow(norm_dtype dtype, double value) {
    return fabs(value) >= dtype_overflow(dtype) ? copysign((double)INFINITY, value) : value;
}

// Most elements are no worse than one before, which products tell sooner than quotients: surely so if the product is
// less by more than its rounding. An ulp is a power of two, by which products are exact.
DTYPE_INLINE void compare_element(verify_worst *worst, norm_dtype dtype, double got, double want, double scale,
                                  size_t row, size_t col) {
    want = round_overflow(dtype, want);
    const double difference = fabs(got - want), unit = scale * dtype_epsilon(dtype), ulp_size = ulp_of(dtype, want);
    if (worst->cases++ > 0 && difference < worst->max_error * unit * (1 - 0x1p-50) &&
        difference <= worst->max_ulp * ulp_size)
        return;
    double error = 0, ulp = 0;
    if (!(got == want || (isnan(got) && isnan(want)))) {
        error = difference / unit;
        if (!isfinite(got) || !isfinite(want) || isnan(error))
            error = ulp = (double)INFINITY;
        else
            ulp = difference / ulp_size;
    }
    if (worst->cases == 1 || error > worst->max_error) {
        worst->max_error = error;
        worst->row = row;
        worst->col = col;
        worst->got = got;
        worst->want = want;
    }
    if (ulp > worst->max_ulp) // never NaN
        worst->max_ulp = ulp;
}

void verify_element(verify_worst *worst, norm_dtype dtype, double got, double want, double scale, size_t row,
                    size_t col) {
    compare_element(worst, dtype, got, want, scale, row, col);
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

// What one thread of a verification works with. A row's vectors lie in the reference; if it is not kept, those of every
// row in the same place.
enum { DGAMMA, DGAMMA_SCALE, DBETA, DBETA_SCALE, SUM_VECTORS };
enum { WANT, SCALE, SUM, SUM_SCALE, ROW_VECTORS };
typedef struct {
    verify_reference *reference;
    bool keeps;
    verify_worst worst[NORM_OUTPUTS]; // of the matrices
} worker;

size_t verify_reference_bytes(size_t rows, size_t cols) {
    return sizeof(verify_reference) + (SUM_VECTORS + rows * ROW_VECTORS) * cols * sizeof(double);
}

static void begin_sums(verify_reference *r, size_t cols) {
    r->sums = (norm_reference_sums){.dgamma = r->values + DGAMMA * cols,
                                    .dgamma_scale = r->values + DGAMMA_SCALE * cols,
                                    .dbeta = r->values + DBETA * cols,
                                    .dbeta_scale = r->values + DBETA_SCALE * cols};
}

static double *vector(const worker *w, size_t row, size_t cols, size_t which) {
    return w->reference->values + (SUM_VECTORS + (w->keeps ? row * ROW_VECTORS : 0) + which) * cols;
}

DTYPE_INLINE void compare_row(verify_worst *worst, norm_dtype dtype, const void *got, size_t begin, size_t row,
                              size_t cols, const double *want, const double *scale) {
    for (size_t i = 0; i < cols; i++)
        compare_element(worst, dtype, dtype_get(dtype, got, begin + i), want[i], scale[i], row, i);
}
// A row of a matrix against two of its vectors.
static void compare_matrix(worker *w, norm_output output, norm_dtype dtype, const void *got, size_t stride, size_t row,
                           size_t cols, size_t which) {
    const double *const want = vector(w, row, cols, which), *const scale = vector(w, row, cols, which + 1);
    verify_worst worst = w->worst[output]; // in registers
#define COMPARE(ID, ...)                                                                                               \
    case NORM_##ID:                                                                                                    \
        compare_row(&worst, NORM_##ID, got, row *stride, row, cols, want, scale);                                      \
        break;
    DTYPE_SWITCH(dtype, COMPARE)
#undef COMPARE
    w->worst[output] = worst;
}

static void compare_forward_row(const norm_impl *impl, const norm_args *args, size_t row, worker *w) {
    const norm_dtype dtype = impl->dtype;
    const size_t cols = args->cols;
    norm_args normed = *args;
    if (impl->form == NORM_ADD_FUSED) {
        if (!w->reference->known)
            norm_reference_sum(dtype, args, row, vector(w, row, cols, SUM), vector(w, row, cols, SUM_SCALE));
        compare_matrix(w, NORM_OUT_SUM, dtype, args->sum, args->sum_stride, row, cols, SUM);
        normed.x = args->sum;
        normed.x_stride = args->sum_stride;
    }
    if (!w->reference->known)
        norm_reference_forward(impl->op, impl->params, dtype, &normed, row, vector(w, row, cols, WANT),
                               vector(w, row, cols, SCALE));
    compare_matrix(w, NORM_OUT_Y, dtype, args->y, args->y_stride, row, cols, WANT);
}

static void compare_backward_row(const norm_impl *impl, const norm_args *args, size_t row, bool sampled, worker *w) {
    double *const want = vector(w, row, args->cols, WANT), *const scale = vector(w, row, args->cols, SCALE);
    if (!w->reference->known)
        norm_reference_backward(impl->op, impl->params, impl->dtype, args, row, sampled ? want : NULL,
                                sampled ? scale : NULL, &w->reference->sums);
    if (!sampled)
        return;
    if (!w->reference->known && impl->form == NORM_ADD_FUSED)
        norm_reference_add_dsum(impl->dtype, args, row, want, scale);
    compare_matrix(w, NORM_OUT_DX, impl->dtype, args->dx, args->dx_stride, row, args->cols, WANT);
}

// Adds every worker's sums to those of the first, in order, so that the result does not depend on who was quicker.
static void reduce(worker *workers, size_t count, size_t cols) {
    verify_reference *const first = workers[0].reference;
    for (size_t t = 1; t < count; t++) {
        const verify_reference *const other = workers[t].reference;
        for (size_t i = 0; i < SUM_VECTORS * cols; i++)
            first->values[i] += other->values[i];
        first->sums.dalpha += other->sums.dalpha;
        first->sums.dalpha_scale += other->sums.dalpha_scale;
        first->sums.dshift += other->sums.dshift;
        first->sums.dshift_scale += other->sums.dshift_scale;
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

// What the workers saw, and the sums, which the first has.
static void conclude(const norm_impl *impl, norm_pass pass, const norm_args *args, const worker *workers, size_t count,
                     verify_result *result) {
    verify_worst worst[NORM_OUTPUTS] = {0};
    for (size_t t = 0; t < count; t++)
        for (norm_output output = 0; output < NORM_OUTPUTS; output++)
            verify_merge(&worst[output], &workers[t].worst[output]);
    if (pass == NORM_BACKWARD)
        compare_sums(impl, args, &workers[0].reference->sums, worst);
    for (norm_output output = 0; output < NORM_OUTPUTS; output++) {
        if (worst[output].cases == 0)
            continue;
        worst[output].bound = norm_error_bound(impl, output, args->rows, args->cols);
        result->ok = result->ok && worst[output].max_error <= worst[output].bound;
        verify_merge(&result->worst[output], &worst[output]);
    }
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
        if (!(workers[t].reference = calloc(1, verify_reference_bytes(1, cols))))
            goto cleanup;
        begin_sums(workers[t].reference, cols);
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
    reduce(workers, team, cols);
    conclude(impl, pass, args, workers, team, result);
    complete = true;

cleanup:
    for (size_t t = 0; t < team; t++)
        free(workers[t].reference);
    free(workers);
    return complete;
}

void verify_against(const norm_impl *impl, norm_pass pass, const norm_args *args, verify_reference *reference,
                    verify_result *result) {
    worker w = {.reference = reference, .keeps = true};
    if (!reference->known)
        begin_sums(reference, args->cols);
    for (size_t row = 0; row < args->rows; row++)
        if (pass == NORM_BACKWARD)
            compare_backward_row(impl, args, row, true, &w);
        else
            compare_forward_row(impl, args, row, &w);
    reference->known = true;
    conclude(impl, pass, args, &w, 1, result);
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
