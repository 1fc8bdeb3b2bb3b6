// SPDX-License-Identifier: MIT
// scan_rows.h: what one levelled object of scan_rows.c exports, for scan.c, which goes through sequences and channels.
#ifndef SCAN_ROWS_H
#define SCAN_ROWS_H

#include "scan.h"

// Tokens of which the backward pass keeps all states at a time, so that they stay in a core's caches; channels that are
// one thread's.
enum { SCAN_CHUNK = 16, SCAN_SPAN = 128 };

// A chunk's tokens of a span's channels; rows are `*_stride` elements apart.
typedef struct {
    size_t tokens, channels;
    const void *x, *step, *dy;
    void *y, *dx, *dstep;
    size_t x_stride, step_stride, dy_stride, y_stride, dx_stride, dstep_stride;
    const float *in, *out; // (tokens, SCAN_STATES)
    size_t in_stride, out_stride;
    const float *rates, *skip; // (SCAN_STATES, channels), negative; (channels)
    size_t rates_stride;
    float *states;  // (SCAN_STATES, SCAN_SPAN): before the chunk, and of scan behind it
    float *carried; // likewise: of scan_backward, what reaches the states behind the chunk from later, and those before
    float *drates;  // (SCAN_STATES + 1, SCAN_SPAN): added to; the last row is skip's
    float *dinout;  // (tokens, 2 * SCAN_STATES): the span's gradients of in, and of out
    float *work;    // SCAN_WORK numbers
} scan_chunk;

// The widest vectors of any level have this many lanes.
enum { SCAN_LANES = 64, SCAN_WORK = 4 * SCAN_CHUNK * SCAN_STATES * SCAN_LANES };

typedef struct {
    void (*scan)(const scan_chunk *k);
    void (*scan_backward)(const scan_chunk *k);
} scan_rows;

#endif
