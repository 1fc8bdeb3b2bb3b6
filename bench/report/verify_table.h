// SPDX-License-Identifier: MIT
// verify_table.h: the rows of verify.csv.
#ifndef VERIFY_TABLE_H
#define VERIFY_TABLE_H

#include "measure/verify.h"
#include "plan/cell.h"

// An output of an implementation. checked: else this CPU cannot run it, and the rest is nothing.
typedef struct {
    cell cell; // its implementation and pass
    norm_output output;
    bool checked;
    verify_worst worst;
    size_t rows, cols, seed; // of the case with the worst
} verify_row;

static inline bool verify_row_is_ok(const verify_row *r) { return r->worst.max_error <= r->worst.bound; }

#endif
