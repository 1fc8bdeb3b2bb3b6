// SPDX-License-Identifier: MIT
// ab_seen.h: what else was at work while `normbench ab` measured, as far as it can be seen: told beside the verdicts,
// none of which it changes. What would change them, a disturbance that the sides do not share, sentinels and controls
// show (ab_judge.h).
#ifndef AB_SEEN_H
#define AB_SEEN_H

#include "ab_judge.h"

// Other programs took the CPU in so large a share of the samples; the process stood still for so long within one; the
// hypervisor took so large a share of the CPU time: less is usual on a machine that is shared.
#define AB_SEEN_PREEMPTED_PCT 5
#define AB_SEEN_STOPPED_NS 1e8
#define AB_SEEN_STEAL_PCT 1

// Sets j's sentences. moved: groups whose threads were found moved; steal_pct: NaN if nobody tells. false: no memory.
bool ab_seen_look(ab_judgement *j, const observations *all, size_t moved, double steal_pct);

#endif
