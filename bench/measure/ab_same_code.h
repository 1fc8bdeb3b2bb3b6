// SPDX-License-Identifier: MIT
// ab_same_code.h: whether a kernel's machine code, with all that it calls and reads of its library, is the same on both
// sides.
#ifndef AB_SAME_CODE_H
#define AB_SAME_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "norm.h"

// By the objects that ab_link(AB_LINK_OF_PLAN, ..., true) has linked, whose links are open. An object is compared as a
// whole, with its data, the names that it refers to and the compiler's mark, so that what is called the same cannot
// differ; what differs may still be the same kernel beside another one. Where it cannot be told, nothing is the same.
// Objects without a kernel, as what deals out the rows, count for every kernel.
void ab_same_code_begin(void);
bool ab_same_code(const norm_impl *base, const norm_impl *candidate);
void ab_same_code_end(void);

#endif
