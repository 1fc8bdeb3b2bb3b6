// SPDX-License-Identifier: MIT
// npy.h: a matrix or a vector as a NumPy .npy file, format 1.0 (numpy.lib.format): what every framework can read.
#ifndef NPY_H
#define NPY_H

#include "math/matrix.h"

// Writes (rows, cols) elements in C order as little-endian f32, whatever the stride; bf16 is widened, which is exact.
// vector: the shape is (cols,), and there is one row. 0 or errno; a file that could not be finished is left behind.
int npy_write(const char *path, const matrix *m, bool vector);

#endif
