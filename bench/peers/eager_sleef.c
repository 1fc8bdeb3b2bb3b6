// SPDX-License-Identifier: MIT
// eager_sleef.c: dyt in form eager with SLEEF's tanh; see sleef_tanh.h.
#include "sleef_tanh.h"
// Its lists have SLEEF's tanh if the vocabulary has.
#include "ops/eager.h"

#define IMPLS(T, D) DYT_IMPLS(D, sleef, D##_BYTES), DYT_NOAFFINE_IMPL(D, sleef, D##_BYTES),
static const norm_impl impls[] = {NORM_EACH_DTYPE(IMPLS)};
NORM_TABLE(eager_sleef, impls);
