// SPDX-License-Identifier: MIT
// triangle.h: the sums over triangles of a tensor of pairs, and the transposition between the two layouts of such a
// tensor: channels side by side in a row for each pair, or a matrix of pairs for each channel.
#ifndef TRIANGLE_H
#define TRIANGLE_H

#include "matrix.h"

// a, b, out: a row for each channel, in it `batch` matrices of tokens x tokens, dense. For each channel, out = a b^T,
// or where `incoming` a^T b: Jumper et al. 2021, algorithms 11 and 12.
typedef struct {
    size_t batch, tokens;
    bool incoming;
} triangle_shape;

// Bytes of scratch that a team needs, 0 in f32.
size_t triangle_bytes(const triangle_shape *s, norm_dtype dtype);
// On the calling thread's OpenMP team, each product by one thread. false: the library failed.
bool triangle_forward(const triangle_shape *s, matrix a, matrix b, matrix out, float *scratch);
bool triangle_backward(const triangle_shape *s, matrix a, matrix b, matrix dout, matrix da, matrix db, float *scratch);

// out (cols, rows) = x (rows, cols), of one dtype.
void transpose(int threads, matrix out, matrix x);

#endif
