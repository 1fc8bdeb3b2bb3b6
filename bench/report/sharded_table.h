// SPDX-License-Identifier: MIT
// sharded_table.h: what is told of norms on several ranks.
#ifndef SHARDED_TABLE_H
#define SHARDED_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "schema.h"
#include "sharded/sharded.h"

typedef struct {
    const sharded_row *rows;
    size_t count;
} sharded_rows;
void sharded_print(FILE *out, const void *what, bool markdown);

#endif
