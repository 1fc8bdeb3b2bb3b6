// SPDX-License-Identifier: MIT
// ab_link.h: links a side's objects anew for each launch, in another order and with gaps between them, so that where
// code lies in memory is another in each: what layout does to a time then shows as scatter, not as a difference. Layout
// alone has moved the same machine code by 11.6 % (reported for php-judy, 2026).
#ifndef AB_LINK_H
#define AB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/ab_sides.h"

// Makes a folder for the links of this run and unpacks each archive in it. Sides without an archive are left as they
// are. false with a reason.
bool ab_link_begin(char *why, size_t size);
// How: MAP says which object went where, a file beside the link with `.map` at its end. ALIKE: objects of one name
// stand at the same place on both sides, another in each launch, so that layouts differ by what the sides differ in
// alone.
enum { AB_LINK_MAP = 1, AB_LINK_ALIKE = 2 };
// Links what launch number `launch` loads.
bool ab_link(size_t launch, uint64_t seed, unsigned how, char *why, size_t size);
// What stands for the launch in whose link the plan is made.
enum { AB_LINK_OF_PLAN = 1000000 };
// Removes the links of one launch; the folder and all.
void ab_link_drop(size_t launch);
void ab_link_end(void);

// The objects of a side by name, in the order of their names; NULL behind the last.
const char *ab_link_object(ab_side side, size_t index);
// Where one of them is.
void ab_link_object_path(ab_side side, const char *object, char path[PATH_MAX]);

#endif
