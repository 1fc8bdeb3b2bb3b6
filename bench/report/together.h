// SPDX-License-Identifier: MIT
// together.h: many findings of one run, taken together. Each interval of 95 % misses the truth once in twenty, so that
// of forty verdicts two are wrong where each alone has that right to be.
#ifndef TOGETHER_H
#define TOGETHER_H

#include "judge.h"

// Sets every finding's p_value, p_together and verdict_together: what can still be said if one wrong verdict among all
// of them is to be as rare as one was for each (Holm, 1979). The p-value is the interval's: its ends are taken for
// those of a normal distribution, 1.96 deviations from the middle, as tables hold no more of it.
void judge_together(findings *all);

// The level of one side of an interval of 95 %.
#define TOGETHER_LEVEL 0.025

#endif
