// SPDX-License-Identifier: MIT
// extreme.h: rows of a norm whose mean square, or variance, and eps together are no finite normal number of f32, nor
// their root's reciprocal what f32 can multiply by: rows beyond 1e19, rows below 1e-19 with an eps of zero, and those
// with infinities and NaNs. Element by element in double, whose range holds the square of any float, and any sum of
// such squares. Slow, and so rare that it is one copy for all variants.
#ifndef EXTREME_H
#define EXTREME_H

#include "gradients.h"

SIMD_INLINE void put_element(norm_dtype dtype, void *row, size_t i, double value) {
    v_put(dtype, row, i, 1, v_set1((float)value));
}
SIMD_INLINE double gamma_of(kernel_spec spec, const norm_args *a, size_t i) {
    return spec.params & NORM_GAMMA ? dtype_get(affine_dtype(spec), a->gamma, i) : 1.0;
}

// layernorm is centred, rmsnorm not.
SIMD_SHARED void extreme_moments(norm_dtype dtype, bool centred, const void *x, size_t cols, norm_moments *out) {
    double mean = 0.0, squares = 0.0;
    for (size_t i = 0; centred && i < cols; i++)
        mean += dtype_get(dtype, x, i);
    mean /= double_of(cols);
    for (size_t i = 0; i < cols; i++) {
        const double d = dtype_get(dtype, x, i) - mean;
        squares += d * d;
    }
    out->mean = mean;
    out->variance = squares / double_of(cols);
}
SIMD_INLINE double extreme_rstd(const norm_moments *m, float eps) { return 1.0 / sqrt(m->variance + (double)eps); }

// y may be x.
SIMD_SHARED void extreme_apply(kernel_spec spec, const norm_args *a, const void *x, void *y, const norm_moments *m) {
    const double r = extreme_rstd(m, a->eps);
    for (size_t i = 0; i < a->cols; i++) {
        const double beta = spec.params & NORM_BETA ? dtype_get(affine_dtype(spec), a->beta, i) : 0.0;
        put_element(spec.dtype, y, i, gamma_of(spec, a, i) * ((dtype_get(spec.dtype, x, i) - m->mean) * r) + beta);
    }
}

// A row that has been read once, so that in add_fused its sum is there.
SIMD_SHARED void extreme_forward(kernel_spec spec, bool centred, const norm_args *a, size_t row) {
    const row_source source = row_source_at(spec, a, row);
    const void *const x = row_again(spec, &source);
    norm_moments m;
    extreme_moments(spec.dtype, centred, x, a->cols, &m);
    extreme_apply(spec, a, x, row_of_mut(spec.dtype, a->y, row, a->y_stride), &m);
}

// dx may be dy or dsum.
SIMD_SHARED void extreme_dx(kernel_spec spec, bool centred, const norm_args *a, const row_pair *row,
                            const norm_moments *m) {
    const double r = extreme_rstd(m, a->eps), count = double_of(a->cols);
    double mean_g = 0.0, mean_gn = 0.0;
    for (size_t i = 0; i < a->cols; i++) {
        const double g = gamma_of(spec, a, i) * dtype_get(spec.dtype, row->dy, i);
        mean_g += centred ? g / count : 0.0;
        mean_gn += g * ((dtype_get(spec.dtype, row->x, i) - m->mean) * r) / count;
    }
    for (size_t i = 0; i < a->cols; i++) {
        const double g = gamma_of(spec, a, i) * dtype_get(spec.dtype, row->dy, i);
        const double n = (dtype_get(spec.dtype, row->x, i) - m->mean) * r;
        const double dsum = spec.form == NORM_ADD_FUSED ? dtype_get(spec.dtype, row->dsum, i) : 0.0;
        put_element(spec.dtype, row->dx, i, r * (g - mean_g - n * mean_gn) + dsum);
    }
}

SIMD_SHARED void extreme_backward(kernel_spec spec, bool centred, const norm_args *a, size_t row, partials partial) {
    const row_pair pair = row_pair_at(spec, a, row);
    norm_moments m;
    extreme_moments(spec.dtype, centred, pair.x, a->cols, &m);
    const double r = extreme_rstd(&m, a->eps);
    for (size_t i = 0; i < a->cols; i++) {
        const double dy = dtype_get(spec.dtype, pair.dy, i);
        const size_t place = dealt_place(is_dealt(spec, true), a->cols, i);
        if (spec.params & NORM_GAMMA)
            partial.dgamma[place] += (float)(dy * ((dtype_get(spec.dtype, pair.x, i) - m.mean) * r));
        if (spec.params & NORM_BETA)
            partial.dbeta[place] += (float)dy;
    }
    extreme_dx(spec, centred, a, &pair, &m);
}

#endif
