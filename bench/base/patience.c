// SPDX-License-Identifier: MIT
// patience.c: see patience.h.
#include "patience.h"

#include <math.h>
#include <time.h>

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

patience patience_of(double seconds) { return (patience){seconds, now_s()}; }

bool patience_lost(patience *p) {
    const double now = now_s();
    p->left_s -= fmin(now - p->looked_s, 2e-3 * (double)PATIENCE_LOOK_MS);
    p->looked_s = now;
    return p->left_s <= 0;
}
