// SPDX-License-Identifier: MIT
// matmul.h: matrix products through oneDNN, prepared once and run many times on the calling thread's OpenMP team.
#ifndef MATMUL_H
#define MATMUL_H

#include "matrix.h"

enum { MATMUL_ERROR_SIZE = 256 };

// C (m, n) = op(A) (m, k) op(B) (k, n) [+ bias (n)] [+ C]. Linear layers keep their weights as frameworks do, (out,
// in): forward is transpose_b, the gradient of the input none, that of the weights transpose_a.
typedef struct {
    size_t m, k, n;
    norm_dtype dtype;              // of A, B and bias, and of C unless f32_result
    bool transpose_a, transpose_b; // A is stored (k, m), B is stored (n, k); both densely
    bool bias;
    bool accumulate; // C += instead of C =
    bool f32_result; // C is f32 whatever the dtype: gradients of parameters
    bool pack_b;     // B is given once, to matmul_pack, and kept as the library likes it best: inference
} matmul_spec;

typedef struct matmul matmul;

// NULL with a message. A dtype in which the installed library has no product on this CPU is computed in f32 through
// converted copies, which matmul_describe says; nothing is refused for that.
matmul *matmul_make(const matmul_spec *spec, char error[MATMUL_ERROR_SIZE]);
void matmul_free(matmul *m);
// Bytes that it holds alone: packed weights, and what the library takes for itself. Converted copies stand in the
// process's scratch, see scratch.h: at most 80 MiB and 4 n bytes, whatever the shape.
size_t matmul_bytes(const matmul *m);
// The library's name for what it runs ("brg:avx2", "gemm:jit"), and "via f32" where copies are converted.
const char *matmul_describe(const matmul *m);

// Takes B into the packed layout; needed before matmul_run if pack_b. false: the library failed.
bool matmul_pack(matmul *m, const void *b);
// a, b and c are dense. b: ignored if packed. bias: ignored without spec.bias. false: the library failed.
bool matmul_run(matmul *m, const void *a, const void *b, const void *bias, void *c);

// "oneDNN 2.6.3"
const char *matmul_library(void);

#endif
