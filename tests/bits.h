// SPDX-License-Identifier: MIT
// bits.h: floats as the bit patterns that they are.
#ifndef BITS_H
#define BITS_H

#include <stdint.h>
#include <string.h>

static inline float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// To nearest, ties to even. A NaN is kept: its bits could carry over into the sign.
static inline float round_to_bf16(float value) {
    const uint32_t bits = to_bits(value), rounded = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    return from_bits((bits & 0x7fffffffu) > 0x7f800000u ? bits : rounded);
}

#endif
