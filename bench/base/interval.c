// SPDX-License-Identifier: MIT
// interval.c: see interval.h.
#include "interval.h"

#include <stdio.h>
#include <string.h>

double interval_half_width(const stats_interval *i) {
    return fmax(i->hi - i->median, i->median - i->lo) / fabs(i->median);
}

int interval_value_decimals(double value, int digits) {
    enum { MOST = 12 };
    if (!isfinite(value) || fpclassify(value) == FP_ZERO)
        return 0;
    const double decimals = digits - 1 - floor(log10(fabs(value)));
    return decimals < 0 ? 0 : decimals > (double)MOST ? MOST : (int)decimals;
}

int interval_digits(const stats_interval *i) {
    const double width = isnan(i->lo) ? 0.1 : interval_half_width(i);
    const int supported = width > 0 ? 1 + (int)ceil(-log10(width)) : 6;
    return supported < 3 ? 3 : supported > 6 ? 6 : supported;
}

int interval_decimals(const stats_interval *i) {
    double width = interval_known(i) ? (i->hi - i->lo) / 2 : fabs(i->median) / 50;
    int decimals = 0;
    for (; decimals < 4 && width < 1; decimals++)
        width *= 10;
    return decimals;
}

const char *interval_number(char text[INTERVAL_TEXT], double value, int decimals) {
    snprintf(text, INTERVAL_TEXT, "%.*f", decimals, value);
    return text[0] == '-' && text[1 + strspn(text + 1, "0.")] == '\0' ? text + 1 : text;
}

const char *interval_text(char text[INTERVAL_TEXT], const stats_interval *i, const char *unit, int decimals) {
    char median[INTERVAL_TEXT], lo[INTERVAL_TEXT], hi[INTERVAL_TEXT];
    const char *const space = *unit == '\0' ? "" : " ", *const value = interval_number(median, i->median, decimals);
    if (interval_known(i))
        snprintf(text, INTERVAL_TEXT, "%.30s%s%.8s [%.30s, %.30s]", value, space, unit,
                 interval_number(lo, i->lo, decimals), interval_number(hi, i->hi, decimals));
    else
        snprintf(text, INTERVAL_TEXT, "%.30s%s%.8s [no interval]", value, space, unit);
    return text;
}

const char *interval_change(char text[INTERVAL_TEXT], double ratio, int decimals) {
    char buffer[INTERVAL_TEXT];
    const char *const number = interval_number(buffer, 100 * (ratio - 1), decimals);
    const bool grows = ratio > 1 && number[strspn(number, "0.")] != '\0';
    snprintf(text, INTERVAL_TEXT, "%s%.60s %%", grows ? "+" : "", number);
    return isnan(ratio) ? strcpy(text, "-") : text;
}

stats_interval interval_of(double median, double lo, double hi) {
    return (stats_interval){.median = median, .lo = lo, .hi = hi};
}

bool interval_known(const stats_interval *i) { return !isnan(i->lo) && !isnan(i->hi); }

stats_interval interval_sum(stats_interval a, double factor, stats_interval b) {
    const double of_lo = factor < 0 ? b.hi : b.lo, of_hi = factor < 0 ? b.lo : b.hi;
    return interval_of(a.median + factor * b.median, a.lo + factor * of_lo, a.hi + factor * of_hi);
}

stats_interval interval_quotient(stats_interval above, stats_interval below, double scale, double offset) {
    stats_interval q = INTERVAL_NONE;
    if (!(below.median > 0))
        return q;
    q.median = scale * (above.median / below.median - offset);
    if (!interval_known(&above) || !(below.lo > 0) || isnan(below.hi))
        return q;
    q.lo = scale * (above.lo / (above.lo < 0 ? below.lo : below.hi) - offset);
    q.hi = scale * (above.hi / (above.hi < 0 ? below.hi : below.lo) - offset);
    return q;
}
