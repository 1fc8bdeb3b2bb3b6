// SPDX-License-Identifier: MIT
// live.h: what the samples so far say of the rows of a run that is still being measured (--live). Nothing here draws:
// who owns the terminal (progress.h) is handed what is to be said, between groups, while no sample is timed.
#ifndef LIVE_H
#define LIVE_H

#include "base/progress.h"
#include "base/series.h"
#include "subject.h"

// A row has settled when half its 95 % interval is no more than this part of its ratio.
#define LIVE_SETTLED 0.02

typedef struct {
    size_t partner; // the item that its ratio is over; SIZE_MAX: it has none
    bool settled;
    series_point *points; // what a ratio is made of, in the order of samples
    size_t count;
} live_row;

typedef struct {
    const subject *subject;
    live_row *rows; // one for each item of the plan
    size_t rated, settled;
} live;

// Of a subject with a partner and a log_reading. false: no memory.
bool live_begin(live *l, const subject *s);
void live_free(live *l);
// false: no memory.
bool live_add(live *l, const observation *o);
// An item whose samples do not count. It may have some again.
void live_drop(live *l, size_t item);

// Time over that of the partner, so far. No interval below six launches; no median before both have a whole round.
stats_interval live_ratio(const live *l, size_t item);
// After a visit of a group: says, once, each of its rows that has settled.
void live_settle(live *l, size_t group, progress *p);
// What runs now: the row of the group whose ratio is known least, then the group; the group alone where nothing is
// known. Returns text.
enum { LIVE_TEXT = 160 };
const char *live_text(const live *l, size_t group, char text[LIVE_TEXT]);
// At the end: how many rows have settled, out of those that have a partner.
void live_end(const live *l, progress *p);

#endif
