// SPDX-License-Identifier: MIT
// framework_sleef.c: dyt in form framework with SLEEF's tanh, which is PyTorch's where that does not call MKL; see
// sleef_tanh.h.
#include "ops/framework_level.h"
//
#include "sleef_tanh.h"
// Its lists have SLEEF's tanh if the vocabulary has.
#include "ops/framework.h"

#define IMPLS(T, D) DYT_IMPLS(D, sleef, D##_BYTES), DYT_NOAFFINE_IMPL(D, sleef, D##_BYTES),
static const norm_impl impls[] = {NORM_EACH_DTYPE(IMPLS)};
NORM_TABLE(framework_sleef, impls);
