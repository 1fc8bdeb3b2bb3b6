// SPDX-License-Identifier: MIT
// interval.c: see interval.h.
#include "interval.h"

#include <math.h>

double interval_half_width(const stats_interval *i) {
    return fmax(i->hi - i->median, i->median - i->lo) / fabs(i->median);
}

int interval_digits(const stats_interval *i) {
    const double width = isnan(i->lo) ? 0.1 : interval_half_width(i);
    const int supported = width > 0 ? 1 + (int)ceil(-log10(width)) : 6;
    return supported < 3 ? 3 : supported > 6 ? 6 : supported;
}

void interval_write(csv_writer *w, const stats_interval *i) {
    csv_real(w, i->median, interval_digits(i));
    csv_real(w, i->lo, interval_digits(i));
    csv_real(w, i->hi, interval_digits(i));
}
