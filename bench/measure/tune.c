// SPDX-License-Identifier: MIT
// tune.c: see tune.h.
#include "tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels.h"
#include "plan/tune_plan.h"

typedef struct {
    const schedule *schedule;
    void *kernels;   // what kernels_work has opened
    size_t begin;    // the default's item
    bool known;      // what it results in
    uint64_t result; // a sum over that
    size_t calls;    // of a sample of it, and what one takes
    double ns;
} group;

static size_t bytes_of(const group_of_items *g) { return kernels_work.bytes(g); }
static void team_of(const schedule *s, size_t item, size_t *threads, placement *place) {
    kernels_work.team(s, item, threads, place);
}

static void *open_group(const group_of_items *g, char *why, size_t size) {
    group *const own = calloc(1, sizeof *own);
    if (own == NULL) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    own->schedule = g->schedule;
    own->begin = g->begin;
    own->kernels = kernels_work.open(g, why, size);
    if (own->kernels == NULL) {
        free(own);
        return NULL;
    }
    return own;
}

static void go_by(const group *g, size_t item) {
    kernels_schedule(g->kernels, tune_item_schedule(schedule_name(g->schedule, item)));
}

// A schedule that changes a bit is none. That the default is right is shown by whatever is measured next.
static bool verify(void *opened, size_t item, double *max_error, char *why, size_t size) {
    group *const g = opened;
    uint64_t result;
    *max_error = (double)NAN;
    if (!g->known) {
        go_by(g, g->begin);
        g->known = kernels_result(g->kernels, g->begin, &g->result);
    }
    go_by(g, item);
    if (g->known && kernels_result(g->kernels, item, &result) && result == g->result)
        return true;
    snprintf(why, size, "its result is not, bit for bit, that of the default schedule");
    return false;
}

// All samples of a group have as many calls as the default's: schedules differ by a fraction.
static bool calibrate(void *opened, size_t item, size_t *calls, double *ns, char *note, size_t size) {
    group *const g = opened;
    if (g->calls == 0) {
        go_by(g, g->begin);
        if (!kernels_work.calibrate(g->kernels, g->begin, &g->calls, &g->ns, note, size))
            return false;
    }
    (void)item;
    *calls = g->calls;
    *ns = g->ns;
    return true;
}

static void begin(void *opened) { kernels_work.begin(((const group *)opened)->kernels); }

// The process's first group warms the core up. Of a later one the default alone is run, once, which warms its buffers:
// it uses the instructions of all the others.
static bool warm_up(void *opened, size_t item, size_t calls) {
    static bool warm;
    const group *const g = opened;
    sample unused;
    if (item != g->begin)
        return true;
    go_by(g, item);
    if (warm)
        return kernels_work.sample(g->kernels, item, calls, &unused);
    warm = true;
    return kernels_work.warm_up(g->kernels, item, calls);
}

static bool take_sample(void *opened, size_t item, size_t calls, sample *s) {
    go_by(opened, item);
    return kernels_work.sample(((const group *)opened)->kernels, item, calls, s);
}

static void close_group(void *opened) {
    group *const g = opened;
    kernels_work.close(g->kernels);
    free(g);
}

const group_work tune_work = {.bytes = bytes_of,
                              .team = team_of,
                              .open = open_group,
                              .verify = verify,
                              .calibrate = calibrate,
                              .begin = begin,
                              .warm_up = warm_up,
                              .sample = take_sample,
                              .close = close_group};
