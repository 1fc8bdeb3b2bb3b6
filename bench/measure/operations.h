// SPDX-License-Identifier: MIT
// operations.h: how much arithmetic a kernel does.
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "norm.h"

// Of an element: floating-point operations, of which a multiply-add is two, so that a level has the same number with an
// FMA as without; and instructions that compute, and those of them that multiply, divide or take a root, of a multiply-
// add one where the level has an FMA. Lookups in a table are instructions and no operations.
typedef struct {
    double operations, instructions, multiplies;
} operation_counts;

// Of this pass, as the implementation's source does them at its level: what a row, a column or a block of rows costs
// besides its elements is left out, and so is what moves, compares, selects, converts or works on bits.
//
// Counted, not estimated: the same sources are compiled once more with a vocabulary that counts, and run. NaN for what
// is not written in the vocabulary alone: libm's tanh, another library's kernel.
operation_counts operations_per_element(const norm_impl *impl, norm_pass pass);

#endif
