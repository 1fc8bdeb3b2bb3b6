// SPDX-License-Identifier: MIT
// peak_bf16.h: the units that multiply bf16 as such, several times as fast as FMAs multiply f32.
#ifndef PEAK_BF16_H
#define PEAK_BF16_H

#include <stddef.h>

#include "peak_loop.h"

// The loop of the fastest of them that this CPU and its operating system have: tiles (AMX), else a dot product
// (AVX512_BF16), else NULL.
const peak_loop *peak_bf16_loop(void);

#endif
