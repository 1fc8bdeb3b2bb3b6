// SPDX-License-Identifier: MIT
// table.h: what one levelled object exports, between kernel.h, which makes it, and registry.c, which joins them.
#ifndef TABLE_H
#define TABLE_H

#include "norm.h"

typedef struct {
    const norm_impl *impls;
    size_t count;
} norm_table;

#endif
