// SPDX-License-Identifier: MIT
// peak_loop.h: what one levelled object of peak_loop.c exports, between it and peak.c.
#ifndef PEAK_LOOP_H
#define PEAK_LOOP_H

#include <stdbool.h>
#include <stddef.h>

// Goes `count` times through what it is of; returns what depends on all of it, so that none is left out.
typedef float peak_run(size_t count, float factor, float addend);

typedef struct {
    peak_run *run; // independent chains of x = x * factor + addend
    double flops;  // of one time through
} peak_loop;

// Of one level: the same; multiplications alone; as many additions between them; and what a row of a norm waits for,
// each part for the one before: the sum of a vector, the root, the division, the vector of what results.
typedef struct {
    peak_loop fma;
    peak_run *multiply, *any, *chain;
    double lanes; // that one time through any of the first three computes
    bool fuses;   // its multiply-add is one instruction
} peak_level;

// The units that multiply bf16 as such, several times as fast as FMAs multiply f32.
// The loop of the fastest of them that this CPU and its operating system have: tiles (AMX), else a dot product
// (AVX512_BF16), else NULL.
const peak_loop *peak_bf16_loop(void);

#endif
