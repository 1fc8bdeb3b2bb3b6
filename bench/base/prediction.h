// SPDX-License-Identifier: MIT
// prediction.h: how far one more value may lie from those that were there before.
#ifndef PREDICTION_H
#define PREDICTION_H

#include <stddef.h>

// The factor f for which one more value of a normal distribution lies above the median of `count` others by more than f
// times their deviation (paired_deviation) with probability alpha. By drawing such values, from a seed of its own, to a
// few percent: Student's t is of another deviation, and with it four to seven times as many lie there. NaN below three.
double prediction_factor(size_t count, double alpha);

#endif
