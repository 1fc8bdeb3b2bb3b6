// SPDX-License-Identifier: MIT
// dtype.h: what an element of each dtype is, one row each: the only place that knows. norm.h has the enum; vectors of
// them are made in simd/.
#ifndef NORM_DTYPE_H
#define NORM_DTYPE_H

#include <math.h>
#include <string.h>

#include "norm.h"

// X(ID, name, storage, bits, largest, smallest): the type that holds one, the bits of its significand that are stored,
// the largest finite value and the smallest that is no denormal. Each has a widen_<name> and a narrow_<name> below.
#define NORM_DTYPE_LIST(X)                                                                                             \
    X(F32, f32, float, 23, 0x1.fffffep127, 0x1p-126)                                                                   \
    X(BF16, bf16, uint16_t, 7, 0x1.fep127, 0x1p-126)                                                                   \
    X(F16, f16, uint16_t, 10, 65504.0, 0x1p-14)

#define DTYPE_INLINE static inline __attribute__((always_inline))

DTYPE_INLINE float widen_f32(float a) { return a; }
DTYPE_INLINE float narrow_f32(double value) { return (float)value; }

DTYPE_INLINE float widen_bf16(uint16_t a) {
    const uint32_t bits = (uint32_t)a << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
// To nearest, ties to even, once: where rounding to f32 landed on a tie that value is not on, it steps off to value's
// side. A payload that lives in the lower half of a NaN alone must not become an infinity.
DTYPE_INLINE uint16_t narrow_bf16(double value) {
    const float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    if ((bits & 0xffff) == 0x8000 && (double)single != value)
        bits += fabs(value) > fabs((double)single) ? 1 : UINT32_MAX;
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// A multiplication by a power of two makes numbers of denormals; infinities and NaNs get f32's largest exponent.
DTYPE_INLINE float widen_f16(uint16_t a) {
    const uint32_t magnitude = (uint32_t)(a & 0x7fff) << 13, sign = (uint32_t)(a & 0x8000) << 16;
    float value;
    uint32_t bits;
    memcpy(&value, &magnitude, sizeof value);
    value *= 0x1p112f;
    memcpy(&bits, &value, sizeof bits);
    bits = sign | (magnitude < 0x7c00u << 13 ? bits : magnitude | 0x7f800000u);
    memcpy(&value, &bits, sizeof value);
    return value;
}
// To nearest, ties to even, once: a sum with what is so large that its last place is the result's. `exponent` is that
// of the result's binade, of all denormals the lowest.
DTYPE_INLINE uint16_t narrow_f16(double value) {
    enum { LOWEST = -14, HIGHEST = 15, BITS = 10, BIAS = 1023, DOUBLE_BITS = 52 };
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    const int own = (int)(bits >> DOUBLE_BITS & 0x7ff) - BIAS, exponent = own < LOWEST ? LOWEST : own;
    if (isnan(value))
        return (uint16_t)(sign | 0x7e00 | (bits >> (DOUBLE_BITS - BITS) & 0x3ff));
    if (exponent > HIGHEST)
        return sign | 0x7c00;
    const uint64_t large_bits = (uint64_t)(exponent + DOUBLE_BITS - BITS + BIAS) << DOUBLE_BITS;
    const uint64_t unit_bits = (uint64_t)(BITS - exponent + BIAS) << DOUBLE_BITS;
    double large, units; // units: in a double, those of the last place
    memcpy(&large, &large_bits, sizeof large);
    memcpy(&units, &unit_bits, sizeof units);
    units *= (fabs(value) + large) - large;
    return (uint16_t)(sign | (((exponent - LOWEST) << BITS) + (int)units));
}

// Constants where the dtype is one.
#define DTYPE_BYTES(ID, name, storage, ...) NORM_##ID##_BYTES = sizeof(storage),
enum { NORM_DTYPE_LIST(DTYPE_BYTES) NORM_DTYPE_ROWS = NORM_DTYPES };
#undef DTYPE_BYTES
// The other numbers of a row, constants too where the dtype is one: its bytes; `epsilon`, from 1 to the next number,
// twice the relative error of rounding; and the least magnitude that rounds to infinity, half a unit in the last place
// beyond the largest finite one; and the smallest that is no denormal.
#define DTYPE_NUMBERS(ID, name, storage, bits, largest, smallest)                                                      \
    [NORM_##ID] = {sizeof(storage), 1.0 / (1 << (bits)),                                                               \
                   (largest) / (2.0 - 1.0 / (1 << (bits))) * (2.0 - 0.5 / (1 << (bits))), smallest},
static const struct {
    size_t size;
    double epsilon, overflow, smallest;
} dtype_numbers[NORM_DTYPES] = {NORM_DTYPE_LIST(DTYPE_NUMBERS)};
#undef DTYPE_NUMBERS

// Of what is no dtype, nothing.
DTYPE_INLINE size_t dtype_size(norm_dtype dtype) { return dtype < NORM_DTYPES ? dtype_numbers[dtype].size : 0; }
DTYPE_INLINE double dtype_epsilon(norm_dtype dtype) { return dtype_numbers[dtype].epsilon; }
DTYPE_INLINE double dtype_smallest(norm_dtype dtype) { return dtype_numbers[dtype].smallest; }
DTYPE_INLINE double dtype_overflow(norm_dtype dtype) { return dtype_numbers[dtype].overflow; }

// The case of the dtype at hand, of those that X makes of the list.
#define DTYPE_SWITCH(dtype, X)                                                                                         \
    switch (dtype) {                                                                                                   \
        NORM_DTYPE_LIST(X)                                                                                             \
    case NORM_DTYPES:                                                                                                  \
        break;                                                                                                         \
    }

// Element i. What is set is rounded once.
static inline double dtype_get(norm_dtype dtype, const void *data, size_t i) {
#define DTYPE_GET(ID, name, storage, ...)                                                                              \
    case NORM_##ID:                                                                                                    \
        return (double)widen_##name(((const storage *)data)[i]);
    DTYPE_SWITCH(dtype, DTYPE_GET)
#undef DTYPE_GET
    return 0.0;
}
static inline void dtype_set(norm_dtype dtype, void *data, size_t i, double value) {
#define DTYPE_SET(ID, name, storage, ...)                                                                              \
    case NORM_##ID:                                                                                                    \
        ((storage *)data)[i] = narrow_##name(value);                                                                   \
        break;
    DTYPE_SWITCH(dtype, DTYPE_SET)
#undef DTYPE_SET
}

#endif
