// SPDX-License-Identifier: MIT
// verify_guarded.h: kernels of others between guards, before they see a buffer of ours: whoever writes past the end of
// one, or into an input, would spoil the results of others.
#ifndef VERIFY_GUARDED_H
#define VERIFY_GUARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "plan/cell.h"
#include "verify.h"

// Runs the cell's pass at its width and on its team, on rows that follow one another and on rows with gaps, whose last
// ends at a page that must not be touched. false with a reason, unless that page ends the process: result->ok says
// whether values are wrong or buffers misused.
bool verify_guarded(const cell *c, verify_result *result, char *why, size_t size);

#endif
