// SPDX-License-Identifier: MIT
// framework_mkl.c: dyt in form framework with MKL's tanh, in f32 alone: what PyTorch's wheels for x86-64 run. Each
// slice hands its rows over whole.
#define SIMD_MKL 1
#include "ops/framework.h"

static const norm_impl impls[] = {DYT_IMPLS(NORM_F32, mkl, NORM_F32_BYTES),
                                  DYT_NOAFFINE_IMPL(NORM_F32, mkl, NORM_F32_BYTES)};
NORM_TABLE(framework_mkl, impls);
