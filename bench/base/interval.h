// SPDX-License-Identifier: MIT
// interval.h: how an interval is written: no digit that it does not support.
#ifndef INTERVAL_H
#define INTERVAL_H

#include <math.h>
#include <stdbool.h>

#include "stats.h"

// The wider side, over the median's magnitude. NaN without an interval.
double interval_half_width(const stats_interval *i);
// Decimals that show so many digits of a value without an exponent, for "%.*f".
int interval_value_decimals(double value, int digits);
// Digits that the interval supports: to a tenth of its half width, 3 to 6 of them.
int interval_digits(const stats_interval *i);

// In words and tables for people: decimals whose last is worth no more than half the interval's width, four at most.
int interval_decimals(const stats_interval *i);
// "1.38 % [1.2, 1.5]", with so many decimals; unit "": none. Returns text.
enum { INTERVAL_TEXT = 128 };
const char *interval_text(char text[INTERVAL_TEXT], const stats_interval *i, const char *unit, int decimals);
// One number of it; no minus before a zero.
const char *interval_number(char text[INTERVAL_TEXT], double value, int decimals);

// A ratio as a change, "+7.1 %"; "-" of a NaN. Returns text.
const char *interval_change(char text[INTERVAL_TEXT], double ratio, int decimals);

// Arithmetic that takes each operand at its worst end: wider than needed where they are independent, never too narrow.
// What lacks an interval, or a value, has a result that lacks it.
#define INTERVAL_NONE ((stats_interval){.median = (double)NAN, .lo = (double)NAN, .hi = (double)NAN})
stats_interval interval_of(double median, double lo, double hi);
bool interval_known(const stats_interval *i);
// a + factor * b
stats_interval interval_sum(stats_interval a, double factor, stats_interval b);
// scale * (above / below - offset); none where below is not above zero.
stats_interval interval_quotient(stats_interval above, stats_interval below, double scale, double offset);

#endif
