// SPDX-License-Identifier: MIT
// proportion.h: what so many hits in so many trials say of a probability.
#ifndef PROPORTION_H
#define PROPORTION_H

#include <stddef.h>

#include "stats.h"

// The share of hits, as median, and the exact interval of Clopper and Pearson (1934), which covers with at least
// `confidence`. NaN without a trial.
stats_interval proportion_interval(size_t hits, size_t trials, double confidence);

#endif
