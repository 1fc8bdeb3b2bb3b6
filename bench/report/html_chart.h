// SPDX-License-Identifier: MIT
// html_chart.h: the one kind of figure of the page: a table whose rows have a name, a strip with marks, and their
// values in words. A mark is a value with its interval, and leads to its row of a CSV file. Strips are measured in
// percent of their width, so that they fit any screen, and their words are text.
#ifndef HTML_CHART_H
#define HTML_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/stats.h"

// What a mark looks like. PLAIN: in the colour of its series alone.
typedef enum { CHART_PLAIN, CHART_WIN, CHART_LOSE, CHART_OPEN, CHART_PEER } chart_look;

typedef struct {
    stats_interval value;
    chart_look look;
    size_t series;
    char row[24];   // id of the row in the page's tables; "": none
    char says[192]; // behind the value, in words
} chart_mark;

typedef struct {
    char key[256], label[160], note[256];
    double band_lo, band_hi; // what is allowed; NaN: open; both: no band
    chart_mark *marks;
    size_t count;
} chart_row;

typedef struct {
    const char *name;
    char colour[8];
} chart_series;

typedef struct {
    const char *id, *title, *unit; // unit: "%", "ns", or "1" of ratios
    const char *below, *above;     // what it means to lie left and right of `reference`
    const char *looks[3];          // what CHART_WIN, LOSE and OPEN mean; NULL: they do not occur
    char says[1024];               // what it shows, in sentences
    bool logarithmic;
    double reference; // NaN: none
    chart_series *series;
    size_t series_count; // more than one: told in words, too
    chart_row *rows;
    size_t count;
    bool failed; // for want of memory
} chart;

// The row of this key, which is made if there is none; NULL: no memory.
chart_row *chart_row_of(chart *c, const char *key);
// A new mark on it, zeroed; NULL: no memory.
chart_mark *chart_add(chart *c, chart_row *row);
// Nothing if it has no mark.
void chart_write(FILE *out, const chart *c);
void chart_free(chart *c);

// Where on an axis a value lies, in percent; and at most CHART_TICKS round numbers in it.
typedef struct {
    double lo, hi;
    bool logarithmic;
} chart_axis;
enum { CHART_TICKS = 8 };
double chart_place(const chart_axis *a, double value);
size_t chart_ticks(const chart_axis *a, double ticks[CHART_TICKS]);

#endif
