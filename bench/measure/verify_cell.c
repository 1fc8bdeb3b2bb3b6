// SPDX-License-Identifier: MIT
// verify_cell.c: see verify_cell.h.
#include "verify_cell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/kernel_library.h"
#include "trial.h"
#include "verify.h"

// Rows of y and dx that are held against the reference; parameter gradients always cover all rows. `normbench verify`
// and the tests compare everything; here it is the shape, threads and buffers that are new.
enum { VERIFIED_ROWS = 64 };

// Fills what the cell will write with NaN: nothing that another cell left may pass for its result.
static void poison(const cell *c, const norm_args *args) {
    const size_t bytes = c->rows * c->cols * norm_dtype_bytes(c->impl->dtype);
    memset(c->pass == NORM_FORWARD ? args->y : args->dx, 0xff, bytes);
    if (c->impl->form == NORM_ADD_FUSED)
        memset(args->sum, 0xff, bytes);
    memset(args->dgamma, 0xff, c->cols * sizeof(float));
    memset(args->dbeta, 0xff, c->cols * sizeof(float));
    memset(args->dalpha, 0xff, sizeof(float));
    memset(args->dshift, 0xff, sizeof(float));
}

bool verify_cell(const cell *c, const buffers *b, double *max_error, char *why, size_t size) {
    const norm_args *const args = buffers_sets(b, c->impl, c->pass);
    verify_result result = {.ok = true};
    if (kernel_library_of(c->impl) != NULL && !verify_guarded(c, &result, why, size)) {
        *max_error = result.ok ? (double)INFINITY : verify_largest(&result);
        return false;
    }
    poison(c, args);
    norm_error error = NORM_OK;
    norm_args got = *args;
    void *made = NULL;
    if (c->pass == NORM_BACKWARD)
        error = norm_run(c->impl, NORM_FORWARD, buffers_before_backward(b, c->impl), (int)c->threads);
    if (error == NORM_OK)
        error = cell_run(c, c->pass, args, &made);
    if (made != NULL) {
        *(c->pass == NORM_FORWARD ? &got.y : &got.dx) = made;
        got.y_stride = got.dx_stride = c->cols;
    }
    const bool compared =
        error == NORM_OK && verify_outputs(c->impl, c->pass, &got, VERIFIED_ROWS, (int)c->threads, &result);
    free(made);
    if (error != NORM_OK)
        snprintf(why, size, "%s", norm_error_text(error));
    else if (!compared)
        snprintf(why, size, "no memory to verify it");
    else if (!result.ok)
        verify_explain(&result, why, size);
    *max_error = verify_largest(&result);
    return compared && result.ok;
}

// ---- Between guards

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
    trial_buffers guarded = {0};
    char text[TRIAL_TEXT] = "";
    bool ok = trial_run(c->impl, &t, &guarded, result, text);
    if (ok) {
        t.gap = GAP;
        t.place = GUARD_END;
        ok = trial_run(c->impl, &t, &guarded, result, text);
    }
    if (!ok)
        snprintf(why, size, "in guarded buffers%s: %s", t.gap > 0 ? ", rows with gaps" : "", text);
    trial_close(&guarded);
    return ok;
}
