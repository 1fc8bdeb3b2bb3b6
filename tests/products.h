// SPDX-License-Identifier: MIT
// products.h: a test of what is computed with oneDNN's products is skipped where that library is refused.
#ifndef PRODUCTS_H
#define PRODUCTS_H

#include <stdio.h>
#include <stdlib.h>

#include "math/onednn.h"

static inline void skip_without_products(void) {
    if (onednn_refusal() == NULL)
        return;
    printf("SKIPPED: products need %s\n", onednn_refusal());
    exit(77);
}

#endif
