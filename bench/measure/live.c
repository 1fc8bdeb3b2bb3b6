// SPDX-License-Identifier: MIT
// live.c: see live.h.
#include "live.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "base/list.h"

bool live_begin(live *l, const subject *s) {
    *l = (live){.subject = s, .rows = calloc(s->schedule->count + 1, sizeof *l->rows)};
    for (size_t i = 0; l->rows != NULL && i < s->schedule->count; i++) {
        const size_t partner = s->partner(i);
        l->rows[i].partner = partner == i ? SIZE_MAX : partner;
        l->rated += l->rows[i].partner != SIZE_MAX;
    }
    return l->rows != NULL;
}

void live_free(live *l) {
    for (size_t i = 0; l->rows != NULL && i < l->subject->schedule->count; i++)
        free(l->rows[i].points);
    free(l->rows);
    *l = (live){0};
}

bool live_add(live *l, const observation *o) {
    live_row *const r = &l->rows[o->item];
    series_point *const points = list_more(r->points, r->count, sizeof *points);
    if (points == NULL)
        return false;
    r->points = points;
    points[r->count++] = (series_point){o->launch, o->index, l->subject->log_reading(o)};
    return true;
}

void live_drop(live *l, size_t item) { l->rows[item].count = 0; }

stats_interval live_ratio(const live *l, size_t item) {
    const live_row *const r = &l->rows[item];
    if (r->partner == SIZE_MAX)
        return INTERVAL_NONE;
    const live_row *const over = &l->rows[r->partner];
    stats_interval i =
        series_difference((series){r->points, r->count}, (series){over->points, over->count}, SERIES_CONFIDENCE);
    i.median = exp(i.median);
    i.lo = exp(i.lo);
    i.hi = exp(i.hi);
    return i;
}

// "dyt/u2 1.38 [1.2, 1.5]", or "dyt/u2 1.38 (3 launches)": the first word of an item's description, and its ratio.
static void write_ratio(const live *l, size_t item, const stats_interval *i, char text[LIVE_TEXT]) {
    const schedule *const s = l->subject->schedule;
    char name[160], ratio[INTERVAL_TEXT];
    s->kind->describe(schedule_name(s, item), name, sizeof name);
    size_t word = 0;
    while (name[word] != '\0' && name[word] != ' ')
        word++;
    if (interval_known(i))
        snprintf(text, LIVE_TEXT, "%.*s %s", (int)word, name, interval_text(ratio, i, "", interval_decimals(i)));
    else
        snprintf(text, LIVE_TEXT, "%.*s %s (%zu launch%s)", (int)word, name, interval_number(ratio, i->median, 2), i->n,
                 i->n == 1 ? "" : "es");
}

void live_settle(live *l, size_t group, progress *p) {
    const schedule *const s = l->subject->schedule;
    size_t begin, end;
    schedule_group(s, group, &begin, &end);
    for (size_t item = begin; item < end; item++) {
        live_row *const r = &l->rows[item];
        const stats_interval i = r->settled ? INTERVAL_NONE : live_ratio(l, item);
        char ratio[LIVE_TEXT], name[160];
        if (!interval_known(&i) || interval_half_width(&i) > LIVE_SETTLED)
            continue;
        r->settled = true;
        l->settled++;
        write_ratio(l, item, &i, ratio);
        s->kind->describe(schedule_name(s, item), name, sizeof name);
        const char *const rest = strchr(name, ' ');
        progress_line(p, "%s%s", ratio, rest == NULL ? "" : rest);
    }
}

// Above any width of an interval: that of a ratio which has none yet.
static double unknown_by(const stats_interval *i) {
    return isnan(i->median) ? -1 : interval_known(i) ? interval_half_width(i) : (double)INFINITY;
}

const char *live_text(const live *l, size_t group, char text[LIVE_TEXT]) {
    const schedule *const s = l->subject->schedule;
    stats_interval widest = INTERVAL_NONE;
    size_t begin, end, which = SIZE_MAX;
    char name[160], ratio[LIVE_TEXT];
    schedule_group(s, group, &begin, &end);
    for (size_t item = begin; item < end; item++) {
        const stats_interval i = live_ratio(l, item);
        if (unknown_by(&i) > unknown_by(&widest)) {
            widest = i;
            which = item;
        }
    }
    s->kind->describe_group(schedule_name(s, begin), name, sizeof name);
    if (which == SIZE_MAX) {
        snprintf(text, LIVE_TEXT, "%s", name);
        return text;
    }
    write_ratio(l, which, &widest, ratio);
    snprintf(text, LIVE_TEXT, "%.60s  %.90s", ratio, name);
    return text;
}

void live_end(const live *l, progress *p) {
    progress_line(p, "%zu of %zu ratios settled to within %g %%; the table has them all", l->settled, l->rated,
                  100 * LIVE_SETTLED);
}
