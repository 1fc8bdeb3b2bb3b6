// SPDX-License-Identifier: MIT
// refuse.c: see refuse.h.
#include "refuse.h"

#include <stdarg.h>
#include <stdio.h>

bool refuse(char *why, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, size, format, arguments);
    va_end(arguments);
    return false;
}
