// SPDX-License-Identifier: MIT
// ab_source.h: from what somebody names as a side to what can be loaded.
#ifndef AB_SOURCE_H
#define AB_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "plan/ab_sides.h"

// A shared library; an archive of objects, FILE.a; or git:REF, which is built where it is not yet, by this program's
// compiler with the flags of that revision, in a folder of its own, and kept by commit and compiler. false with a
// reason.
bool ab_source_take(ab_side side, const char *given, char *why, size_t size);
// Whether the files of both are still those that were taken.
bool ab_sources_unchanged(char *why, size_t size);

#endif
