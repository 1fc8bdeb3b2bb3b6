// SPDX-License-Identifier: MIT
// peak_loop.h: what one levelled object of peak_loop.c exports, between it and peak.c.
#ifndef PEAK_LOOP_H
#define PEAK_LOOP_H

#include <stddef.h>

typedef struct {
    // Runs `count` times through independent chains of x = x * factor + addend; returns their sum, so that none is
    // idle.
    float (*run)(size_t count, float factor, float addend);
    double flops; // of one time through
} peak_loop;

// The units that multiply bf16 as such, several times as fast as FMAs multiply f32.
// The loop of the fastest of them that this CPU and its operating system have: tiles (AMX), else a dot product
// (AVX512_BF16), else NULL.
const peak_loop *peak_bf16_loop(void);

#endif
