// SPDX-License-Identifier: MIT
// side_by_side.h: implementations that compute the same, one after the other, held against one reference.
#ifndef SIDE_BY_SIDE_H
#define SIDE_BY_SIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "measure/verify.h"

// One call of an implementation of `reference`'s subject. is_first: the reference is not yet known, so that inputs may
// be drawn; those of the same subject that follow get the same.
typedef void side_by_side_check(const norm_impl *impl, bool is_first, verify_reference *reference[NORM_PASSES],
                                const void *context);

// Checks all that suit, at one shape, and returns how many.
size_t side_by_side(bool (*suits)(const norm_impl *), size_t rows, size_t cols, side_by_side_check *check,
                    const void *context);

#endif
