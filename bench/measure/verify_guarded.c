// SPDX-License-Identifier: MIT
// verify_guarded.c: see verify_guarded.h.
#include "verify_guarded.h"

#include <stdio.h>

#include "trial.h"

// What a guard is there for shows in so many elements, but in a row for each thread at least.
enum { MOST_ELEMENTS = 1 << 18, GAP = 5, SEED = 1 };

static size_t rows_of(const cell *c) {
    const size_t fit = MOST_ELEMENTS / c->cols, least = c->threads > fit ? c->threads : fit;
    return c->rows < least ? c->rows : least > 0 ? least : 1;
}

bool verify_guarded(const cell *c, verify_result *result, char *why, size_t size) {
    trial t = {.kind = INPUT_ACTIVATIONS,
               .rows = rows_of(c),
               .cols = c->cols,
               .place = GUARD_FREE,
               .threads = (int)c->threads,
               .ends_forward = c->pass == NORM_FORWARD,
               .seed = SEED};
    trial_buffers buffers = {0};
    char text[TRIAL_TEXT] = "";
    bool ok = trial_run(c->impl, &t, &buffers, result, text);
    if (ok) {
        t.gap = GAP;
        t.place = GUARD_END;
        ok = trial_run(c->impl, &t, &buffers, result, text);
    }
    if (!ok)
        snprintf(why, size, "in guarded buffers%s: %s", t.gap > 0 ? ", rows with gaps" : "", text);
    trial_close(&buffers);
    return ok;
}
