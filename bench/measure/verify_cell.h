// SPDX-License-Identifier: MIT
// verify_cell.h: holds an implementation against the reference on the shape, threads and buffers that are about to be
// timed.
#ifndef VERIFY_CELL_H
#define VERIFY_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "buffers.h"
#include "plan/cell.h"
#include "verify.h"

// Runs the cell once on the first set of its group's buffers. *max_error: the largest scaled error. false with a
// reason: the result is wrong or there is none, so nothing must be timed.
bool verify_cell(const cell *c, const buffers *b, double *max_error, char *why, size_t size);

// Kernels of others between guards, before they see a buffer of ours: whoever writes past the end of
// one, or into an input, would spoil the results of others.
// Runs the cell's pass at its width and on its team, on rows that follow one another and on rows with gaps, whose last
// ends at a page that must not be touched. false with a reason, unless that page ends the process: result->ok says
// whether values are wrong or buffers misused.
bool verify_guarded(const cell *c, verify_result *result, char *why, size_t size);

#endif
