// SPDX-License-Identifier: MIT
// ab_waivers.h: rows that may be slower until a date: a CSV with the columns row, until and reason.
#ifndef AB_WAIVERS_H
#define AB_WAIVERS_H

#include "ab_judge.h"

typedef struct {
    char row[CELL_NAME_SIZE]; // a cell_name; `*` in it stands for any letters
    char until[16];           // the last day, YYYY-MM-DD
    bool over;
} ab_waiver;
typedef struct {
    ab_waiver *items;
    size_t count;
} ab_waivers;

// today: YYYY-MM-DD. What is past its date waives nothing, and is said on stderr. false with a reason.
bool ab_waivers_read(ab_waivers *w, const char *path, const char *today, char *why, size_t size);
const char *ab_waivers_today(char text[16]); // in UTC
void ab_waivers_free(ab_waivers *w);
// Marks the rows that are waived, and the groups that are slower by them.
void ab_waivers_apply(const ab_waivers *w, ab_judgement *j);

#endif
