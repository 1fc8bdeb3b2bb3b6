// SPDX-License-Identifier: MIT
// mkl_tanh.h: the tanh of Intel's MKL, which PyTorch's wheels for x86-64 call in f32: PyTorch's own in its process,
// elsewhere that of libmkl_rt, if the machine has it.
#ifndef MKL_TANH_H
#define MKL_TANH_H

#include <stdbool.h>
#include <stddef.h>

#define MKL_LIBRARY "libmkl_rt.so of Intel's MKL"
bool mkl_tanh_open(void);
// Makes dyt in form framework with it known to norm.h, where it is the default in f32 if it is here; to be called once,
// before anything of it.
void mkl_register(void);
// y[i] = tanh(x[i]), of at most 1 ulp, denormals kept: as at::vml calls it. Only once mkl_tanh_open() was true.
void mkl_tanhf(size_t count, const float *x, float *y);

#endif
