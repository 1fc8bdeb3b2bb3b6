// SPDX-License-Identifier: MIT
// tuning.h: what is done otherwise from CPU to CPU: the one place of such choices. Results do not depend on them.
#ifndef NORM_TUNING_H
#define NORM_TUNING_H

#include <stdbool.h>
#include <stddef.h>

// overlap_*: the longest row of a norm, in bytes, that is summed while another one is written, 0 for none: in form
// fused with vectors of 512 bits (wide) or 256 (narrow), in add_fused, and of bf16 streams.
typedef struct norm_tuning {
    const char *cpu;
    bool refetches; // what is fetched ahead is asked for more than once, for fetches are dropped
    size_t overlap_wide, overlap_narrow, overlap_added_wide, overlap_added_narrow, overlap_streamed_bf16;
} norm_tuning;

// Of this CPU.
const norm_tuning *tuning_here(void);

#endif
