// SPDX-License-Identifier: MIT
// operations.h: how much arithmetic a kernel does.
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "norm.h"

// Floating-point operations per element of this pass, as the implementation's source does them at its level: what a
// row, a column or a block of rows costs besides its elements is left out. A multiply-add is two; counting_simd.h says
// what else counts.
//
// Counted, not estimated: the same sources are compiled once more with a vocabulary that counts, and run. NaN for what
// is not written in the vocabulary alone: libm's tanh, another library's kernel.
double operations_per_element(const norm_impl *impl, norm_pass pass);

#endif
