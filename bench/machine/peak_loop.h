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

#endif
