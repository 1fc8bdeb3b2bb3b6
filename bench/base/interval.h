// SPDX-License-Identifier: MIT
// interval.h: how an interval is written: no digit that it does not support.
#ifndef INTERVAL_H
#define INTERVAL_H

#include "csv.h"
#include "stats.h"

// The wider side, over the median's magnitude. NaN without an interval.
double interval_half_width(const stats_interval *i);
// Digits that the interval supports: to a tenth of its half width, 3 to 6 of them.
int interval_digits(const stats_interval *i);
// Median, lower and upper end, as three fields.
void interval_write(csv_writer *w, const stats_interval *i);

#endif
