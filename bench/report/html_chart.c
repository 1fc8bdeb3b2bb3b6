// SPDX-License-Identifier: MIT
// html_chart.c: see html_chart.h.
#include "html_chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "base/list.h"
#include "html.h"

enum { LANE = 20 }; // pixels that a mark has for itself

// ---- What it is of

chart_row *chart_row_of(chart *c, const char *key) {
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->rows[i].key, key) == 0)
            return &c->rows[i];
    chart_row *const rows = list_more(c->rows, c->count, sizeof *rows);
    if (rows == NULL) {
        c->failed = true;
        return NULL;
    }
    c->rows = rows;
    chart_row *const row = &rows[c->count++];
    *row = (chart_row){.band_lo = (double)NAN, .band_hi = (double)NAN};
    html_add(row->key, sizeof row->key, "%s", key);
    return row;
}

chart_mark *chart_add(chart *c, chart_row *row) {
    chart_mark *const marks = row == NULL ? NULL : list_more(row->marks, row->count, sizeof *marks);
    if (marks == NULL) {
        c->failed = true;
        return NULL;
    }
    row->marks = marks;
    marks[row->count] = (chart_mark){0};
    return &marks[row->count++];
}

void chart_free(chart *c) {
    for (size_t i = 0; i < c->count; i++)
        free(c->rows[i].marks);
    free(c->rows);
    c->rows = NULL;
    c->count = 0;
}

// ---- The axis

static double on_axis(const chart_axis *a, double value) { return a->logarithmic ? log(value) : value; }

double chart_place(const chart_axis *a, double value) {
    const double lo = on_axis(a, a->lo), hi = on_axis(a, a->hi);
    const double share = hi > lo ? (on_axis(a, value) - lo) / (hi - lo) : 0.5;
    return 2 + 96 * fmin(fmax(share, 0), 1);
}

static double round_step(double least) {
    const double power = pow(10, floor(log10(least))), part = least / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

size_t chart_ticks(const chart_axis *a, double ticks[CHART_TICKS]) {
    static const double parts[] = {1, 2, 5};
    size_t count = 0;
    if (!(a->hi > a->lo))
        return 0;
    if (!a->logarithmic || a->hi < 8 * a->lo) {
        const double step = round_step((a->hi - a->lo) / 5);
        for (double k = ceil(a->lo / step); k * step <= a->hi && count < CHART_TICKS; k++)
            ticks[count++] = k * step;
        return count;
    }
    const size_t each = a->hi > 300 * a->lo ? 3 : 1; // of 1, 2 and 5
    for (double power = pow(10, floor(log10(a->lo))); power <= a->hi; power *= 10)
        for (size_t i = 0; i < 3; i += each)
            if (power * parts[i] >= a->lo && power * parts[i] <= a->hi && count < CHART_TICKS)
                ticks[count++] = power * parts[i];
    return count;
}

static void take_value(chart_axis *a, double value) {
    if (isfinite(value) && (value > 0 || !a->logarithmic)) {
        a->lo = fmin(a->lo, value);
        a->hi = fmax(a->hi, value);
    }
}

// All that is shown, and the reference. A band alone widens nothing.
static chart_axis axis_of(const chart *c) {
    chart_axis a = {INFINITY, -INFINITY, c->logarithmic};
    take_value(&a, c->reference);
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->rows[i].count; k++) {
            const stats_interval *const v = &c->rows[i].marks[k].value;
            take_value(&a, v->median);
            take_value(&a, v->lo);
            take_value(&a, v->hi);
        }
    return a;
}

// ---- Markup

static void write_axis(FILE *out, const chart *c, const chart_axis *a) {
    double ticks[CHART_TICKS];
    const size_t count = chart_ticks(a, ticks);
    const int lines = c->below != NULL ? 2 : 1;
    fprintf(out, "<svg class=axis height=%d aria-hidden=true>", 16 * lines);
    if (c->below != NULL) {
        const double at = isnan(c->reference) ? 50 : chart_place(a, c->reference);
        if (at > 15) {
            fprintf(out, "<text class=end x='%.2f%%' y=12 dx=-8 text-anchor=end>\u2190 ", at);
            html_text(out, c->below);
            fputs("</text>", out);
        }
        if (at < 85) {
            fprintf(out, "<text class=end x='%.2f%%' y=12 dx=8>", at);
            html_text(out, c->above);
            fputs(" \u2192</text>", out);
        }
    }
    for (size_t i = 0; i < count; i++)
        fprintf(out, "<text x='%.2f%%' y=%d text-anchor=middle>%g</text>", chart_place(a, ticks[i]), 16 * lines - 4,
                fabs(ticks[i]) < 1e-12 ? 0 : ticks[i]);
    fputs("</svg>", out);
}

static void write_line(FILE *out, const char *look, double at) {
    fprintf(out, "<line class=%s x1='%.2f%%' x2='%.2f%%' y1=0 y2='100%%' />", look, at, at);
}

static void write_ground(FILE *out, const chart *c, const chart_axis *a, const chart_row *row) {
    double ticks[CHART_TICKS];
    const size_t count = chart_ticks(a, ticks);
    if (!isnan(row->band_lo) || !isnan(row->band_hi)) {
        const double from = isnan(row->band_lo) ? 0 : chart_place(a, row->band_lo);
        const double to = isnan(row->band_hi) ? 100 : chart_place(a, row->band_hi);
        fprintf(out, "<rect class=band x='%.2f%%' width='%.2f%%' y=1 height='100%%' />", from, to - from);
    }
    for (size_t i = 0; i < count; i++)
        write_line(out, "grid", chart_place(a, ticks[i]));
    if (!isnan(c->reference))
        write_line(out, "reference", chart_place(a, c->reference));
}

static const char *const look_names[] = {"plain", "win", "lose", "open", "peer"};

// What is said of a mark wherever it is pointed at.
static void say_mark(FILE *out, const chart *c, const chart_row *row, const chart_mark *m) {
    char value[HTML_VALUE];
    html_say(out, "%s%s%s: %s%s%s%s%s", row->label, *row->note == '\0' ? "" : ", ", row->note,
             html_value(value, &m->value, c->unit, c->reference), *m->says == '\0' ? "" : ", ", m->says,
             c->series_count > 1 ? ", " : "", c->series_count > 1 ? c->series[m->series].name : "");
}

static void write_mark(FILE *out, const chart *c, const chart_axis *a, const chart_row *row, size_t lane) {
    const chart_mark *const m = &row->marks[lane];
    const double at = chart_place(a, m->value.median), y = (double)(LANE * lane + LANE / 2);
    const bool known = interval_known(&m->value), leads = *m->row != '\0';
    const double lo = known ? chart_place(a, m->value.lo) : at, hi = known ? chart_place(a, m->value.hi) : at;
    fprintf(out, "<%s class='mark %s' style='--c:%s'", leads ? "a" : "g", look_names[m->look],
            c->series[m->series].colour);
    if (leads)
        fprintf(out, " href='#%s'", m->row);
    fputs("><title>", out);
    say_mark(out, c, row, m);
    fprintf(out, "</title><rect class=hit x='%.2f%%' width='%.2f%%' y=%.0f height=%d />", fmax(lo - 1.5, 0),
            fmin(hi - lo + 3, 100), y - LANE / 2, LANE);
    if (known)
        fprintf(out,
                "<line x1='%.2f%%' x2='%.2f%%' y1=%.0f y2=%.0f /><line x1='%.2f%%' x2='%.2f%%' y1=%.0f y2=%.0f />"
                "<line x1='%.2f%%' x2='%.2f%%' y1=%.0f y2=%.0f />",
                lo, hi, y, y, lo, lo, y - 4, y + 4, hi, hi, y - 4, y + 4);
    fprintf(out, "<circle cx='%.2f%%' cy=%.0f r=%s%s />", at, y, m->look == CHART_PEER ? "3" : "4.5",
            known ? "" : " class=alone");
    fprintf(out, "</%s>", leads ? "a" : "g");
}

static void write_values(FILE *out, const chart *c, const chart_row *row) {
    for (size_t i = 0; i < row->count; i++) {
        const chart_mark *const m = &row->marks[i];
        char value[HTML_VALUE];
        fprintf(out, "<div class='value %s' style='--c:%s'>", look_names[m->look], c->series[m->series].colour);
        if (c->series_count > 1)
            fputs("<i class=key></i>", out);
        html_text(out, html_value(value, &m->value, c->unit, c->reference));
        if (*m->says != '\0') {
            fputs(" <span>", out);
            html_text(out, m->says);
            fputs("</span>", out);
        }
        fputs("</div>", out);
    }
}

static size_t count_of(const chart *c, chart_look look) {
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->rows[i].count; k++)
            count += c->rows[i].marks[k].look == look;
    return count;
}

static bool has_series(const chart *c, size_t series) {
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->rows[i].count; k++)
            if (c->rows[i].marks[k].series == series)
                return true;
    return false;
}

static void write_legend(FILE *out, const chart *c) {
    fputs("<p class=legend>", out);
    for (size_t i = 0; i < 3; i++) // of several series the colour is theirs, and a word has the verdict
        if (c->looks[i] != NULL) {
            fprintf(out, "<span class='value %s'>%s", look_names[CHART_WIN + i],
                    c->series_count > 1 && i < 2 ? "" : "<i class=key></i> ");
            html_say(out, "%s: %zu", c->looks[i], count_of(c, CHART_WIN + (chart_look)i));
            fputs("</span> ", out);
        }
    for (size_t i = 0; c->series_count > 1 && i < c->series_count; i++) {
        if (!has_series(c, i))
            continue;
        fprintf(out, "<span class='value plain' style='--c:%s'><i class=key></i> ", c->series[i].colour);
        html_text(out, c->series[i].name);
        fputs("</span> ", out);
    }
    fputs("<span class=how>Dot: the median. Bar: its 95 % interval.</span></p>\n", out);
}

static void write_row(FILE *out, const chart *c, const chart_axis *a, const chart_row *row) {
    fputs("<tr><th scope=row>", out);
    html_text(out, row->label);
    if (*row->note != '\0') {
        fputs(" <small>", out);
        html_text(out, row->note);
        fputs("</small>", out);
    }
    fprintf(out, "<td class=strip><svg height=%zu role=group aria-label='", LANE * row->count);
    html_text(out, row->label);
    fputs("'>", out);
    write_ground(out, c, a, row);
    for (size_t k = 0; k < row->count; k++)
        write_mark(out, c, a, row, k);
    fprintf(out, "</svg><td class='values%s'>", row->count == 1 ? " one" : "");
    write_values(out, c, row);
    fputc('\n', out);
}

void chart_write(FILE *out, const chart *c) {
    const chart_axis a = axis_of(c);
    const bool is_ratio = strcmp(c->unit, "1") == 0;
    if (c->count == 0)
        return;
    fprintf(out, "<figure class='chart%s' id='%s'><figcaption><h3>", c->series_count > 1 ? " many" : "", c->id);
    html_text(out, c->title);
    fputs("</h3><p>", out);
    html_text(out, c->says);
    fputs("</p>", out);
    write_legend(out, c);
    fputs("</figcaption><table class=plot><thead><tr><th><td>", out);
    write_axis(out, c, &a);
    fprintf(out, "<th class=values>%s [95 %% interval]</thead><tbody>\n", is_ratio ? "ratio" : c->unit);
    for (size_t i = 0; i < c->count; i++)
        write_row(out, c, &a, &c->rows[i]);
    fputs("</table></figure>\n", out);
}
