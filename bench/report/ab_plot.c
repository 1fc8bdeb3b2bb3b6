// SPDX-License-Identifier: MIT
// ab_plot.c: intervals as a plot of letters, which a terminal shows as well as a comment on a pull request.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ab_report.h"
#include "ab_table.h"

// Columns on either side of zero.
enum { SIDE = 24, WIDTH = 2 * SIDE + 1, MOST_ROWS = 12 };

static int place(double pct, double scale) {
    const double at = (double)SIDE * (1 + pct / scale);
    return at < 0 ? 0 : at > WIDTH - 1 ? WIDTH - 1 : (int)(at + 0.5);
}

// Zero and the thresholds stand behind the interval.
static void draw(FILE *out, const ab_row *r, double threshold_pct, double scale) {
    const stats_interval i = ab_change_pct(&r->finding);
    char line[WIDTH + 1];
    memset(line, ' ', WIDTH);
    line[WIDTH] = '\0';
    line[place(0, scale)] = '|';
    line[place(threshold_pct, scale)] = line[place(-threshold_pct, scale)] = ':';
    if (isfinite(i.lo) && isfinite(i.hi)) {
        const int lo = place(i.lo, scale), hi = place(i.hi, scale);
        memset(line + lo, '-', (size_t)(hi - lo + 1));
        line[lo] = '[';
        line[hi] = ']';
    }
    line[place(i.median, scale)] = 'o';
    fprintf(out, "%s  %s\n", line, r->name);
}

// The smallest of 1, 2, 5 times a power of ten that holds all of them.
static double scale_of(const ab_row **rows, size_t count, double threshold_pct) {
    static const double steps[] = {1, 2, 5};
    double most = 2 * threshold_pct;
    for (size_t i = 0; i < count; i++) {
        const stats_interval c = ab_change_pct(&rows[i]->finding);
        most = fmax(most, fmax(fabs(c.median), fmax(-c.lo, c.hi)));
    }
    for (double power = 0.01; power < 1e4; power *= 10)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (steps[i] * power >= most)
                return steps[i] * power;
    return most;
}

void ab_plot(const ab_judgement *j, FILE *out) {
    size_t count, shown = 0;
    const ab_row **const rows = ab_rows_by_interest(j, &count);
    const ab_row *drawn[MOST_ROWS];
    for (size_t i = 0; rows != NULL && i < count && shown < MOST_ROWS; i++)
        if (isfinite(rows[i]->finding.change.median))
            drawn[shown++] = rows[i];
    if (shown > 0) {
        char left[32], right[32];
        const double scale = scale_of(drawn, shown, j->threshold.row_pct);
        snprintf(left, sizeof left, "-%g %%", scale);
        snprintf(right, sizeof right, "%g %% slower", scale);
        fprintf(out, "%-*s0%*s\n", SIDE, left, SIDE, right);
        for (size_t i = 0; i < shown; i++)
            draw(out, drawn[i], j->threshold.row_pct, scale);
    }
    free(rows);
}
