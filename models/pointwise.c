// SPDX-License-Identifier: MIT
// Plain loops for what the products need of pointwise.h; the levelled unit takes this file's place.
#include "pointwise.h"

#include <math.h>
#include <string.h>

#define AT(m, type, row) ((type *)(m).data + (row) * (m).stride)

static float widen(uint16_t h) {
    const uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint16_t narrow(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return (uint16_t)(f != f ? (bits >> 16) | 0x40 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static void copy_row(matrix out, matrix a, size_t row) {
    if (out.dtype == a.dtype)
        memcpy((char *)out.data + row * out.stride * norm_dtype_bytes(a.dtype),
               (const char *)a.data + row * a.stride * norm_dtype_bytes(a.dtype), a.cols * norm_dtype_bytes(a.dtype));
    else if (out.dtype == NORM_F32)
        for (size_t i = 0; i < a.cols; i++)
            AT(out, float, row)[i] = widen(AT(a, uint16_t, row)[i]);
    else
        for (size_t i = 0; i < a.cols; i++)
            AT(out, uint16_t, row)[i] = narrow(AT(a, float, row)[i]);
}

void pointwise_copy(int threads, matrix out, matrix a) {
    if (threads == 1) {
        for (size_t row = 0; row < a.rows; row++)
            copy_row(out, a, row);
        return;
    }
#pragma omp parallel for num_threads(threads)
    for (size_t row = 0; row < a.rows; row++)
        copy_row(out, a, row);
}

void pointwise_softmax(int threads, matrix scores, float scale, bool causal, size_t first) {
    (void)threads;
    for (size_t row = 0; row < scores.rows; row++) {
        float *const s = AT(scores, float, row), most = -INFINITY, sum = 0;
        const size_t length = causal && first + row + 1 < scores.cols ? first + row + 1 : scores.cols;
        for (size_t i = 0; i < length; i++)
            most = fmaxf(most, scale * s[i]);
        for (size_t i = 0; i < length; i++)
            sum += s[i] = expf(scale * s[i] - most);
        for (size_t i = 0; i < length; i++)
            s[i] /= sum;
        memset(s + length, 0, (scores.cols - length) * sizeof *s);
    }
}
