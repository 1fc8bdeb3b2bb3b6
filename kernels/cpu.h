// SPDX-License-Identifier: MIT
// cpu.h: what run.c asks about this CPU beyond its levels.
#ifndef CPU_H
#define CPU_H

#include <stdbool.h>

#include "norm.h"

// Whether software fetches are dropped when many are on their way, so that a line is to be asked for more than once.
bool cpu_drops_fetches(void);
// Where a row is summed best while another one is written.
norm_overlap cpu_overlap(void);

#endif
