// SPDX-License-Identifier: MIT
// The reference: every op in double precision, two passes, libm; beside each output its scale, which bounds.c holds
// errors against. Shares no arithmetic with the implementations, so that no mistake can be shared either.
#include <float.h>
#include <math.h>
#include <string.h>

#include "dtype.h"

// Added to the scale of whatever may be stored, results and intermediates alike, so that an error of FLT_MIN counts as
// half an epsilon, for the hardware's bf16 conversion flushes what is smaller to zero; and so does the rounding of the
// dtype's own denormals.
static double floor_of(norm_dtype dtype) {
    return fmax(2 * (double)FLT_MIN / dtype_epsilon(dtype), dtype_smallest(dtype));
}

// What the rows below need of the caller's tensors.
typedef struct {
    norm_op op;
    unsigned params;
    norm_dtype dtype;
    const norm_args *args;
    size_t row;
    double floor;
} view;

static double x_at(const view *v, size_t i) { return dtype_get(v->dtype, v->args->x, v->row * v->args->x_stride + i); }

static double dy_at(const view *v, size_t i) {
    return dtype_get(v->dtype, v->args->dy, v->row * v->args->dy_stride + i);
}

static norm_dtype affine_of(const view *v) { return v->params & NORM_F32_AFFINE ? NORM_F32 : v->dtype; }

static double gamma_at(const view *v, size_t i) {
    return v->params & NORM_GAMMA ? dtype_get(affine_of(v), v->args->gamma, i) : 1;
}

static double beta_at(const view *v, size_t i) {
    return v->params & NORM_BETA ? dtype_get(affine_of(v), v->args->beta, i) : 0;
}

// layernorm and rmsnorm: n = (x - mean) * rstd, y = gamma * n + beta; rmsnorm is the case of a mean held at zero.
//
// The scale of n is rstd * (|x| + m(|x|)). A computed mean is off by a multiple of epsilon * m(|x|), whatever the mean
// itself is, and x - mean inherits that; m(|x|) is |mean| on a row with a large mean and keeps elements near a mean of
// zero from being held to a standard that no sum can meet. The mean's error enters the variance only squared, so a
// one-pass variance, whose error is epsilon * mean^2, is not forgiven.
typedef struct {
    double mean, mean_abs, rstd;
} statistics;

static statistics row_statistics(const view *v) {
    const size_t cols = v->args->cols;
    const double count = (double)cols;
    statistics s = {0};
    if (v->op == NORM_LAYERNORM) {
        for (size_t i = 0; i < cols; i++) {
            s.mean += x_at(v, i);
            s.mean_abs += fabs(x_at(v, i));
        }
        s.mean /= count;
        s.mean_abs /= count;
    }
    double squares = 0;
    for (size_t i = 0; i < cols; i++) {
        const double centred = x_at(v, i) - s.mean;
        squares += centred * centred;
    }
    s.rstd = 1 / sqrt(squares / count + (double)v->args->eps);
    return s;
}

static double normed(const view *v, statistics s, size_t i) { return (x_at(v, i) - s.mean) * s.rstd; }

static double normed_scale(const view *v, statistics s, size_t i) {
    return (fabs(x_at(v, i)) + s.mean_abs) * s.rstd + v->floor;
}

static void normalise_forward(const view *v, double *y, double *scale) {
    const statistics s = row_statistics(v);
    for (size_t i = 0; i < v->args->cols; i++) {
        const double gamma = gamma_at(v, i), beta = beta_at(v, i);
        y[i] = gamma * normed(v, s, i) + beta;
        scale[i] = fabs(gamma) * normed_scale(v, s, i) + fabs(beta) + v->floor;
    }
}

// With g = gamma * dy and N the scale of n: dx = rstd * (g - m(g) - n m(g n)), dgamma = sum dy n, dbeta = sum dy;
// rmsnorm has no m(g). Each term of dx is charged the sum of the absolute values behind it: |g|, m(|g|), and for the
// product n m(g n) one factor's scale times the other's value, N |m(g n)| + |n| m(|g| N). A term of dgamma is charged
// |dy| N, one of dbeta |dy|.
// Where x^2 nears 1e38, the gradient of the mean square, about g n / x^2, has only the bits of a denormal, and whoever
// stores it before multiplying by x - mean loses the rest: FLT_MIN |x - mean| is epsilon's worth of that, and nothing
// elsewhere. Beyond, where the mean square is no f32, nobody can go that way.
static void normalise_backward(const view *v, double *dx, double *scale, norm_reference_sums *sums) {
    const size_t cols = v->args->cols;
    const double count = (double)cols;
    const statistics s = row_statistics(v);
    if (dx) {
        double g_mean = 0, g_mean_abs = 0, gn_mean = 0, gn_scale = 0;
        for (size_t i = 0; i < cols; i++) {
            const double g = gamma_at(v, i) * dy_at(v, i), g_scale = fabs(g) + v->floor;
            g_mean += g / count;
            g_mean_abs += g_scale / count;
            gn_mean += g * normed(v, s, i) / count;
            gn_scale += g_scale * normed_scale(v, s, i) / count;
        }
        if (v->op == NORM_RMSNORM)
            g_mean = g_mean_abs = 0;
        const double lost = s.rstd * s.rstd * (double)FLT_MAX >= 1 ? (double)FLT_MIN : 0;
        for (size_t i = 0; i < cols; i++) {
            const double g = gamma_at(v, i) * dy_at(v, i), n = normed(v, s, i);
            dx[i] = s.rstd * (g - g_mean - n * gn_mean);
            const double terms =
                fabs(g) + v->floor + g_mean_abs + normed_scale(v, s, i) * fabs(gn_mean) + fabs(n) * gn_scale;
            scale[i] = s.rstd * terms + lost * fabs(x_at(v, i) - s.mean) + v->floor;
        }
    }
    for (size_t i = 0; sums && i < cols; i++) {
        const double dy = dy_at(v, i);
        if (v->params & NORM_GAMMA) {
            sums->dgamma[i] += dy * normed(v, s, i);
            sums->dgamma_scale[i] += fabs(dy) * normed_scale(v, s, i) + v->floor;
        }
        if (v->params & NORM_BETA) {
            sums->dbeta[i] += dy;
            sums->dbeta_scale[i] += fabs(dy) + v->floor;
        }
    }
}

// The squashing ops: t = f(z), z = alpha * x + shift (shift = 0 where there is none), y = gamma * t + beta.
//
// What is known of f at one z: the value and the derivative, each with its scale.
// The scale of t is |t| + Z f'(z), Z = |alpha x| + |shift|: the rounding of f and, through its slope, that of z. The
// scale of f' is whatever rounding its usual formula cannot avoid:
//   dyt        1 - t^2 from a rounded t carries the error of t^2, so its scale is 1, the larger of its terms, however
//              small it is itself. (exp(-2|z|) would give it to full relative accuracy, but neither frameworks nor a
//              saved t can.)
//   derf       2 / sqrt(pi) exp(-z^2) = f': f' for exp and the product, f' z^2 for the rounding of z^2, f' 2 |z| Z for
//              that of z
//   hardtanh   1 or 0, exactly; but within half an epsilon of the dtype of |z| = 1, where the rounding of z alone
//              decides, either is right: an error of 1 counts as one epsilon there
//   sigmoid    t (1 - t) from a rounded t: the scale of t, for the error of t counts at most once
//   isru       f' = (1 + z^2)^(-3/2), and 3 |z| Z / (1 + z^2) of it for the rounding of z
typedef struct {
    double value, slope, value_scale, slope_scale;
} squashed;

static double squash_z(const view *v, size_t i) {
    const double shift = v->params & NORM_SHIFT ? (double)v->args->shift : 0;
    return (double)v->args->alpha * x_at(v, i) + shift;
}

static squashed squash(const view *v, size_t i) {
    const double z = squash_z(v, i), epsilon = dtype_epsilon(v->dtype);
    const double size =
        fabs((double)v->args->alpha * x_at(v, i)) + (v->params & NORM_SHIFT ? fabs((double)v->args->shift) : 0);
    const double flushed = floor_of(NORM_F32); // exp's result, f32 in every dtype, below the smallest normal number
    squashed f = {0};
    switch (v->op) {
    case NORM_DERF:
        f.value = erf(z);
        f.slope = M_2_SQRTPI * exp(-z * z);
        f.slope_scale = (isinf(z) ? 0 : f.slope * (1 + z * z + 2 * fabs(z) * size)) + flushed;
        break;
    case NORM_HARDTANH:
        f.value = isnan(z) ? z : fmin(1, fmax(-1, z));
        f.slope = isnan(z) ? z : fabs(z) < 1 ? 1 : 0;
        f.slope_scale = fabs(fabs(z) - 1) <= epsilon / 2 ? 1 / epsilon : f.slope;
        break;
    case NORM_SIGMOID:
        f.value = z < 0 ? exp(z) / (1 + exp(z)) : 1 / (1 + exp(-z));
        f.slope = z < 0 ? f.value / (1 + exp(z)) : f.value * (exp(-z) / (1 + exp(-z)));
        f.slope_scale = f.value + (isinf(z) ? 0 : size * f.slope) + flushed;
        f.value_scale = flushed;
        break;
    case NORM_ISRU:
        f.value = isinf(z) ? copysign(1, z) : z / sqrt(1 + z * z);
        f.slope = 1 / ((1 + z * z) * sqrt(1 + z * z));
        f.slope_scale = isinf(z) ? 0 : f.slope * (1 + 3 * fabs(z) * size / (1 + z * z));
        break;
    default:
        f.value = tanh(z);
        f.slope = (1 - f.value) * (1 + f.value);
        f.slope_scale = 1;
        break;
    }
    f.value_scale += fabs(f.value) + (isinf(z) ? 0 : size * f.slope) + v->floor;
    return f;
}

static void squash_forward(const view *v, double *y, double *scale) {
    for (size_t i = 0; i < v->args->cols; i++) {
        const double gamma = gamma_at(v, i), beta = beta_at(v, i);
        const squashed f = squash(v, i);
        y[i] = gamma * f.value + beta;
        scale[i] = fabs(gamma) * f.value_scale + fabs(beta) + v->floor;
    }
}

// With u = gamma * dy * f'(z): dx = alpha u, dalpha = sum u x, dshift = sum u, dgamma = sum dy t, dbeta = sum dy.
static void squash_backward(const view *v, double *dx, double *scale, norm_reference_sums *sums) {
    const double alpha = (double)v->args->alpha;
    for (size_t i = 0; i < v->args->cols; i++) {
        const squashed f = squash(v, i);
        const double x = x_at(v, i), dy = dy_at(v, i), g = gamma_at(v, i) * dy;
        const double u = g * f.slope, u_scale = fabs(g) * f.slope_scale + v->floor;
        if (dx) {
            dx[i] = alpha * u;
            scale[i] = fabs(alpha) * u_scale + v->floor;
        }
        if (!sums)
            continue;
        sums->dalpha += u * x;
        sums->dalpha_scale += isinf(x) ? 0 : u_scale * fabs(x) + v->floor;
        sums->dshift += u;
        sums->dshift_scale += u_scale + v->floor;
        if (v->params & NORM_GAMMA) {
            sums->dgamma[i] += dy * f.value;
            sums->dgamma_scale[i] += fabs(dy) * f.value_scale + v->floor;
        }
        if (v->params & NORM_BETA) {
            sums->dbeta[i] += dy;
            sums->dbeta_scale[i] += fabs(dy) + v->floor;
        }
    }
}

void norm_reference_forward(norm_op op, unsigned params, norm_dtype dtype, const norm_args *args, size_t row, double *y,
                            double *scale) {
    const view v = {op, params, dtype, args, row, floor_of(dtype)};
    if (op == NORM_LAYERNORM || op == NORM_RMSNORM)
        normalise_forward(&v, y, scale);
    else if (params & NORM_ALPHA) // what has an alpha squashes
        squash_forward(&v, y, scale);
    else
        for (size_t i = 0; i < args->cols; i++)
            scale[i] = fabs(y[i] = x_at(&v, i)) + v.floor;
}

void norm_reference_backward(norm_op op, unsigned params, norm_dtype dtype, const norm_args *args, size_t row,
                             double *dx, double *scale, norm_reference_sums *sums) {
    const view v = {op, params, dtype, args, row, floor_of(dtype)};
    if (op == NORM_LAYERNORM || op == NORM_RMSNORM)
        normalise_backward(&v, dx, scale, sums);
    else if (params & NORM_ALPHA)
        squash_backward(&v, dx, scale, sums);
    else
        for (size_t i = 0; dx && i < args->cols; i++)
            scale[i] = fabs(dx[i] = dy_at(&v, i)) + v.floor;
}

// Form add_fused: sum = x + branch, one addition, whose rounding is proportional to its result: the scale is |sum|. The
// gradient of both terms is that of sum: what came through the norm, and dsum from elsewhere. An error of either stays
// what it was when they are added, so the scale is the sum of theirs.
void norm_reference_sum(norm_dtype dtype, const norm_args *args, size_t row, double *sum, double *scale) {
    for (size_t i = 0; i < args->cols; i++) {
        sum[i] = dtype_get(dtype, args->x, row * args->x_stride + i) +
                 dtype_get(dtype, args->branch, row * args->branch_stride + i);
        scale[i] = fabs(sum[i]) + floor_of(dtype);
    }
}

void norm_reference_add_dsum(norm_dtype dtype, const norm_args *args, size_t row, double *dx, double *scale) {
    for (size_t i = 0; i < args->cols; i++) {
        const double dsum = dtype_get(dtype, args->dsum, row * args->dsum_stride + i);
        dx[i] += dsum;
        scale[i] += fabs(dsum);
    }
}

const char *norm_output_name(norm_output output) {
    static const char *const names[NORM_OUTPUTS] = {"y", "sum", "dx", "dgamma", "dbeta", "dalpha", "dshift"};
    return names[output];
}
