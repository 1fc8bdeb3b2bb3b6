// SPDX-License-Identifier: MIT
// verify_cell.h: holds an implementation against the reference on the shape, threads and buffers that are about to be
// timed.
#ifndef VERIFY_CELL_H
#define VERIFY_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "buffers.h"

// Runs the cell once on the first set of its group's buffers. *max_error: the largest scaled error. false with a
// reason: the result is wrong or there is none, so nothing must be timed.
bool verify_cell(const cell *c, const buffers *b, double *max_error, char *why, size_t size);

#endif
