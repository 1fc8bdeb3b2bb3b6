// SPDX-License-Identifier: MIT
// The input distributions. Every row has a random stream of its own, so threads can fill any rows in any order.
#include "inputs.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "base/stats.h"

const char *input_name(input_kind kind) {
#define INPUT_NAME(ID, name, meaning) #name,
    static const char *const names[INPUTS] = {INPUT_LIST(INPUT_NAME)};
#undef INPUT_NAME
    return names[kind];
}

// Normal enough, and five times faster than a transform: the sum of eight 16-bit uniforms, mean removed, divided by the
// deviation sqrt(8 (2^32 - 1) / 12). Its tails end at 4.9 deviations; excess kurtosis -0.15.
static double quick_normal(stats_rng *rng) {
    const uint64_t a = stats_rng_next(rng), b = stats_rng_next(rng), lanes = 0x0000ffff0000ffff;
    const uint64_t pairs = (a & lanes) + (a >> 16 & lanes) + (b & lanes) + (b >> 16 & lanes);
    const double sum = (double)((pairs & 0xffffffff) + (pairs >> 32));
    return (sum - 4 * 65535.0) * 1.8688123650e-05;
}

static double random_sign(stats_rng *rng) { return stats_rng_next(rng) >> 63 ? -1 : 1; }

static void fill_normal(norm_dtype dtype, void *row, size_t cols, double mean, double deviation, stats_rng *rng) {
    for (size_t i = 0; i < cols; i++)
        dtype_set(dtype, row, i, mean + deviation * quick_normal(rng));
}

// The outlier channels of `activations`: one in each hundred columns, at a place that the seed alone decides.
static void fill_outliers(norm_dtype dtype, void *row, size_t cols, uint64_t seed, double deviation,
                          stats_rng *values) {
    const size_t channels = cols < 64 ? 0 : cols < 200 ? 1 : cols / 100;
    stats_rng places;
    stats_rng_seed(&places, seed, UINT64_MAX);
    for (size_t c = 0; c < channels; c++) {
        const size_t begin = c * cols / channels, end = (c + 1) * cols / channels;
        const size_t place = begin + (size_t)stats_rng_below(&places, end - begin);
        const double gain = 20 + 40 * stats_rng_uniform(&places);
        dtype_set(dtype, row, place, gain * deviation * quick_normal(values));
    }
}

static void fill_activations(norm_dtype dtype, void *row, size_t cols, uint64_t seed, stats_rng *rng) {
    const double deviation = 0.5 + 1.5 * stats_rng_uniform(rng);
    fill_normal(dtype, row, cols, 0, deviation, rng);
    fill_outliers(dtype, row, cols, seed, deviation, rng);
}

static void fill_massive(norm_dtype dtype, void *row, size_t cols, stats_rng *rng) {
    fill_normal(dtype, row, cols, 0, 0.5, rng);
    dtype_set(dtype, row, (size_t)stats_rng_below(rng, cols), 3000);
}

// The significands of `constant` and `symmetric` are short so that sums of them and of their squares are exact in f32
// in any order, to 4096 columns: constant x = k 2^e with k < 64; symmetric x, a multiple of 1/8 below 4. The bounds on
// sums assume rounding errors that are as often up as down, and long equal terms would round the same way each time.
static void fill_symmetric(norm_dtype dtype, void *row, size_t cols, stats_rng *rng) {
    const double mean = ((double)stats_rng_below(rng, 17) - 8) / 4;
    for (size_t i = 0; i + 1 < cols; i += 2) {
        const double offset = random_sign(rng) * (double)(1 + stats_rng_below(rng, 15)) / 8;
        dtype_set(dtype, row, i, mean + offset);
        dtype_set(dtype, row, i + 1, mean - offset);
    }
    if (cols % 2)
        dtype_set(dtype, row, cols - 1, mean);
}

static void fill_constant(norm_dtype dtype, void *row, size_t cols, stats_rng *rng) {
    const double value = random_sign(rng) * (double)(1 + stats_rng_below(rng, 63));
    const double shifted = ldexp(value, (int)stats_rng_below(rng, 16) - 8);
    for (size_t i = 0; i < cols; i++)
        dtype_set(dtype, row, i, shifted);
}

static void fill_row(input_kind kind, norm_dtype dtype, void *row, size_t cols, uint64_t seed, size_t index) {
    stats_rng rng;
    stats_rng_seed(&rng, seed, (uint64_t)index * INPUTS + (uint64_t)kind);
    switch (kind) {
    case INPUT_ACTIVATIONS:
        fill_activations(dtype, row, cols, seed, &rng);
        break;
    case INPUT_NORMAL:
        fill_normal(dtype, row, cols, 0, 1, &rng);
        break;
    case INPUT_SYMMETRIC:
        fill_symmetric(dtype, row, cols, &rng);
        break;
    case INPUT_OFFSET:
        fill_normal(dtype, row, cols, 1e4, 1, &rng);
        break;
    case INPUT_CONSTANT:
        fill_constant(dtype, row, cols, &rng);
        break;
    case INPUT_ZERO:
        for (size_t i = 0; i < cols; i++)
            dtype_set(dtype, row, i, 0 * random_sign(&rng));
        break;
    case INPUT_DENORMAL: {
        const uint64_t steps = (uint64_t)(1 / dtype_epsilon(dtype)) - 1;
        const double step = dtype_smallest(dtype) / (double)(steps + 1);
        for (size_t i = 0; i < cols; i++)
            dtype_set(dtype, row, i, random_sign(&rng) * step * (double)(1 + stats_rng_below(&rng, steps)));
        break;
    }
    case INPUT_LARGE: {
        const double largest = fmin(0.99e19 / sqrt((double)cols), 0.49 * dtype_overflow(dtype));
        for (size_t i = 0; i < cols; i++)
            dtype_set(dtype, row, i, random_sign(&rng) * largest * (0.5 + 0.5 * stats_rng_uniform(&rng)));
        break;
    }
    case INPUT_SWEEP: // one point in each of cols equal cells; on a grid, the same low bits in each would round the
                      // same way
        for (size_t i = 0; i < cols; i++)
            dtype_set(dtype, row, i, 40 * ((double)i + stats_rng_uniform(&rng)) / (double)cols - 20);
        break;
    case INPUT_EQUAL:
        for (size_t i = 0; i < cols; i++)
            dtype_set(dtype, row, i, i % 2 ? 0.7 : 0.1);
        break;
    case INPUT_MASSIVE:
        fill_massive(dtype, row, cols, &rng);
        break;
    case INPUT_TINY:
    case INPUT_HUGE: {
        const double decades = stats_rng_uniform(&rng);
        const double size = pow(10, kind == INPUT_TINY ? -34 + 12 * decades : 21 + 14 * decades);
        fill_normal(dtype, row, cols, 0, size, &rng);
        break;
    }
    case INPUTS:
        break;
    }
}

void inputs_fill(input_kind kind, norm_dtype dtype, void *data, size_t cols, size_t stride, size_t begin, size_t end,
                 uint64_t seed) {
    const size_t bytes = norm_dtype_bytes(dtype);
    for (size_t row = begin; row < end; row++)
        fill_row(kind, dtype, (char *)data + row * stride * bytes, cols, seed, row);
}

input_kind inputs_gradient(input_kind kind) {
    return kind == INPUT_SYMMETRIC || kind == INPUT_DENORMAL || kind == INPUT_ZERO || kind == INPUT_EQUAL
               ? kind
               : INPUT_NORMAL;
}

// Two constants may have a sum with a long significand, two large numbers one out of range.
input_kind inputs_branch(input_kind kind) {
    switch (kind) {
    case INPUT_CONSTANT:
        return INPUT_ZERO;
    case INPUT_OFFSET:
    case INPUT_LARGE:
    case INPUT_HUGE:
    case INPUT_MASSIVE:
    case INPUT_SWEEP:
        return INPUT_NORMAL;
    default:
        return kind;
    }
}

void inputs_scalars(input_kind kind, uint64_t seed, norm_args *args) {
    static const float alphas[] = {0.5f, 1.0f, -0.75f, 0.203125f, 3.0f};
    static const float shifts[] = {0.0f, 0.375f, -1.25f, 0.0625f};
    static const float epsilons[] = {1e-5f, 1e-6f, 1e-12f};
    args->alpha = alphas[seed % 5];
    args->shift = shifts[seed % 4];
    args->eps = kind == INPUT_TINY ? 0 : epsilons[seed % 3];
}

bool inputs_suit(input_kind kind, const norm_impl *impl) {
    // Beyond its range there are infinities and zeros, of which a norm makes NaNs.
    if (impl->dtype == NORM_F16 && (kind == INPUT_TINY || kind == INPUT_HUGE))
        return false;
    // Where no row deviates, a gradient is as large as eps allows: op by op, roundings decide what leaves f16's range.
    if (impl->dtype == NORM_F16 && impl->op_by_op && impl->op == NORM_LAYERNORM &&
        (kind == INPUT_CONSTANT || kind == INPUT_OFFSET))
        return false;
    // A framework's operations round, over- and underflow where the framework does.
    const bool anothers = impl->level == NORM_LEVEL_LIBRARY || impl->form == NORM_FRAMEWORK;
    return !anothers || (kind != INPUT_EQUAL && kind != INPUT_MASSIVE && kind != INPUT_TINY && kind != INPUT_HUGE);
}
