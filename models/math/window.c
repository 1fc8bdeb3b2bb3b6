// SPDX-License-Identifier: MIT
// window.c: see window.h. Heads are dealt out, so that the gradient of one is summed by one thread.
#include "window.h"

#include <string.h>

// The row of the table for keys (sy, 0) of a query at (ty, tx); that for (sy, sx) is sx before.
static size_t table_row(size_t window, size_t ty, size_t tx, size_t sy) {
    return (ty + window - 1 - sy) * (2 * window - 1) + tx + window - 1;
}

void window_bias(int threads, matrix bias, matrix table, size_t window) {
    const size_t heads = table.cols, tokens = window * window, bytes = norm_dtype_bytes(bias.dtype);
#pragma omp parallel for num_threads(threads) default(none) firstprivate(bias, table, window, heads, tokens, bytes)
    for (size_t h = 0; h < heads; h++)
        for (size_t t = 0; t < tokens; t++)
            for (size_t sy = 0; sy < window; sy++) {
                const char *const from =
                    (const char *)table.data + (table_row(window, t / window, t % window, sy) * heads + h) * bytes;
                char *const to = (char *)bias.data + ((h * tokens + t) * tokens + sy * window) * bytes;
                for (size_t sx = 0; sx < window; sx++)
                    memcpy(to + sx * bytes, from - sx * heads * bytes, bytes);
            }
}

void window_bias_backward(int threads, matrix dtable, matrix dbias, size_t window) {
    const size_t heads = dtable.cols, tokens = window * window;
#pragma omp parallel for num_threads(threads) default(none) firstprivate(dtable, dbias, window, heads, tokens)
    for (size_t h = 0; h < heads; h++)
        for (size_t t = 0; t < tokens; t++)
            for (size_t sy = 0; sy < window; sy++) {
                float *const to = (float *)dtable.data + table_row(window, t / window, t % window, sy) * heads + h;
                const float *const from = (const float *)dbias.data + (h * tokens + t) * tokens + sy * window;
                for (size_t sx = 0; sx < window; sx++)
                    *(to - sx * heads) += from[sx];
            }
}
