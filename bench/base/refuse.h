// SPDX-License-Identifier: MIT
// refuse.h: to say why something cannot be, and to return that it cannot, in one expression.
#ifndef REFUSE_H
#define REFUSE_H

#include <stdbool.h>
#include <stddef.h>

// Writes the reason. Always false.
__attribute__((format(printf, 3, 4))) bool refuse(char *why, size_t size, const char *format, ...);
// The same of whatever has a `why` of `size` bytes.
#define REFUSE(to, ...) refuse((to)->why, (to)->size, __VA_ARGS__)

#endif
