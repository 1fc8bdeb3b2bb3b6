// SPDX-License-Identifier: MIT
// patience.h: how long another process is waited for, in time during which this one was awake: whoever stopped them
// both, or put the machine to sleep, has not been waited for.
#ifndef PATIENCE_H
#define PATIENCE_H

#include <stdbool.h>

// To be looked at several times a second.
enum { PATIENCE_LOOK_MS = 200 };

typedef struct {
    double left_s, looked_s;
} patience;

patience patience_of(double seconds);
// Whether it is at its end.
bool patience_lost(patience *p);

#endif
