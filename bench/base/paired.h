// SPDX-License-Identifier: MIT
// paired.h: what paired differences, one of each launch, say of two sides that were measured in turn. In each launch
// the order of the sides is drawn by lot, so that between equal sides every difference is as likely as its negative:
// the signed-rank test (Wilcoxon, 1945) is then exact, whatever the distribution.
#ifndef PAIRED_H
#define PAIRED_H

#include <stddef.h>

#include "stats.h"

// More differences than these nobody has, and the exact distribution is counted for.
enum { PAIRED_MOST = 256 };

// The estimate of Hodges and Lehmann (1963): the median of the means of all pairs, each difference with itself among
// them; and its interval, whose coverage is at least `confidence`. No interval (NaN) where count is too small for one.
stats_interval paired_interval(const double *differences, size_t count, double confidence);

// The probability of differences as large as these, or larger, if their centre is at most `bound`: one-sided, exact,
// ties by their mean rank; one that equals the bound speaks for neither side and counts against. 1 of none.
double paired_above(const double *differences, size_t count, double bound);
// The same of differences as small as these, if their centre is at least `bound`.
double paired_below(const double *differences, size_t count, double bound);

// The smallest p-value that so many differences can have: 2^-count.
double paired_least(size_t count);

// The standard deviation, by the median of the distances to the median: one outlier does not move it.
double paired_deviation(const double *differences, size_t count);

// The centre that a test against `bound` at level alpha would find in 95 of 100 runs of so many launches, if the
// differences scatter normally by `deviation`: by drawing such runs, from a seed of its own. INFINITY where nothing
// that so few launches can say is significant.
double paired_detectable(double deviation, size_t count, double bound, double alpha);

// p-values adjusted for their number, in place. Holm (1979): each true null hypothesis is rejected with the level's
// probability, all together. Benjamini and Hochberg (1995): of those rejected, the level's share is wrong.
void paired_holm(double *p, size_t count);
void paired_benjamini_hochberg(double *p, size_t count);

// How far one more value may lie from those that were there before.
// The factor f for which one more value of a normal distribution lies above the median of `count` others by more than f
// times their deviation (paired_deviation) with probability alpha. By drawing such values, from a seed of its own, to a
// few percent: Student's t is of another deviation, and with it four to seven times as many lie there. NaN below three.
double prediction_factor(size_t count, double alpha);

#endif
