// SPDX-License-Identifier: MIT
// ab_pairs.h: from the samples of `normbench ab` to paired differences.
#ifndef AB_PAIRS_H
#define AB_PAIRS_H

#include "ab_judge.h"

// Sets j's rows, with what was measured of each as j->compared says: times, preemptions, differences. false if memory
// ran out.
bool ab_pairs_make(ab_judgement *j, const schedule *s, const observations *all);
// The mean difference, launch by launch, of the rows that are in a group; of launches that all of them have.
void ab_pairs_mean(const ab_judgement *j, const ab_group *g, bool (*in)(const ab_group *, const ab_row *),
                   ab_differences *mean);

// Paired differences of another reading, one of each launch, before and after the confirmation began alike. values:
// room for PAIRED_MOST. Returns how many; 0 if memory ran out.
size_t ab_pairs_of(const sample_index *x, const ab_row *r, int log_reading, double values[PAIRED_MOST]);

#endif
