// SPDX-License-Identifier: MIT
// ab.c: see ab.h.
#include "ab.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ab_link.h"
#include "ab_same_code.h"
#include "ab_source.h"
#include "base/refuse.h"
#include "base/stats.h"
#include "kernels.h"
#include "run.h"

// ---- In the parent

bool ab_begin(char *why, size_t size) {
    char path[PATH_MAX];
    bool ok = ab_link_begin(why, size) && ab_link(AB_LINK_OF_PLAN, 0, AB_LINK_MAP, why, size);
    for (ab_side side = 0; ok && side < AB_SIDES; side++) {
        ab_launch_path(side, AB_LINK_OF_PLAN, path);
        ok = ab_side_open(side, path, why, size);
    }
    if (ok)
        ab_same_code_begin();
    return ok;
}

// The last launch is over when the next is made ready.
bool ab_prepare(const run *r, size_t launch, char *why, size_t size) {
    if (launch > 0)
        ab_link_drop(launch - 1);
    const unsigned how = ab_settings_here()->layers[0] != '\0' ? AB_LINK_ALIKE : 0;
    if (!ab_link(launch, r->experiment.seed, how, why, size))
        return false;
    const int code = run_replace(r, AB_SIDES_FILE, ab_sides_write, NULL);
    return code == 0 || refuse(why, size, "cannot write " AB_SIDES_FILE ": %s", files_reason(code));
}

void ab_clear(const run *r) {
    char path[PATH_MAX];
    ab_same_code_end();
    ab_link_end();
    run_path(r, AB_SIDES_FILE, path);
    if (r->temporary)
        (void)unlink(path);
}

// ---- In the process of a launch

// Which is loaded first, and so lies where, is left to chance.
static bool open_launch(size_t launch, char *why, size_t size) {
    char path[PATH_MAX];
    stats_rng rng;
    stats_rng_seed(&rng, (uint64_t)getpid(), launch);
    const bool turned = stats_rng_below(&rng, 2) != 0;
    bool ok = true;
    for (unsigned i = 0; ok && i < AB_SIDES; i++) {
        const ab_side side = (ab_side)(turned ? AB_SIDES - 1 - i : i);
        ab_launch_path(side, launch, path);
        ok = ab_side_open(side, path, why, size);
    }
    return ok;
}

bool ab_join(const char *folder, const size_t *launch, char *why, size_t size) {
    if (!ab_sides_read(folder, why, size))
        return false;
    return launch != NULL ? open_launch(*launch, why, size) : ab_sources_unchanged(why, size) && ab_begin(why, size);
}

// ---- A group

typedef struct {
    const schedule *schedule;
    size_t begin;
    void *kernels; // what kernels_work has opened
    double spin_ns;
    size_t spins[]; // of each of its items, from begin on
} group;

static const ab_item *item_of(const group *g, size_t item) { return schedule_name(g->schedule, item); }

static size_t bytes_of(const group_of_items *g) { return kernels_work.bytes(g); }
static void team_of(const schedule *s, size_t item, size_t *threads, placement *place) {
    kernels_work.team(s, item, threads, place);
}

static void *open_group(const group_of_items *g, char *why, size_t size) {
    group *own = calloc(1, sizeof *own + (g->end - g->begin) * sizeof *own->spins);
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

// What is identical is not even verified: the other side is, where it is measured.
static bool verify(void *opened, size_t item, double *max_error, char *why, size_t size) {
    const group *const g = opened;
    *max_error = (double)NAN;
    return item_of(g, item)->which.role == AB_IDENTICAL || kernels_work.verify(g->kernels, item, max_error, why, size);
}

static bool calibrate(void *opened, size_t item, size_t *calls, double *ns, char *note, size_t size) {
    const group *const g = opened;
    *calls = 0;
    return item_of(g, item)->which.role == AB_IDENTICAL ||
           kernels_work.calibrate(g->kernels, item, calls, ns, note, size);
}

static void begin(void *opened) {
    group *const g = opened;
    kernels_work.begin(g->kernels);
    g->spin_ns = sampler_spin_ns();
}

// The middle of some samples, for one may be disturbed.
static bool slot_ns(const group *g, size_t item, size_t calls, size_t spin, double *ns) {
    double values[AB_INJECT_SAMPLES];
    for (size_t i = 0; i < AB_INJECT_SAMPLES; i++) {
        sample s;
        if (!kernels_sample_slots(g->kernels, item, calls, spin, &s))
            return false;
        values[i] = s.value[SAMPLE_SLOT];
    }
    *ns = stats_median(values, AB_INJECT_SAMPLES);
    return true;
}

// How much work is to be added follows from what a call takes here and now; and as a core begins the next call before
// the last addition is done, from what so many additions were seen to add.
static bool find_spin(group *g, size_t item, size_t calls, double pct) {
    double without, with, additions;
    if (!slot_ns(g, item, calls, 0, &without))
        return false;
    additions = 0.01 * pct * without / g->spin_ns;
    for (int i = 0; i < AB_INJECT_STEPS; i++) {
        if (!slot_ns(g, item, calls, 0, &without) || !slot_ns(g, item, calls, (size_t)(additions + 0.5), &with))
            return false;
        const double factor = 0.01 * pct / fmax(with / without - 1, 1e-9);
        additions *= fmin(fmax(factor, 0.7), 1.4); // a disturbed sample is soon forgotten
    }
    g->spins[item - g->begin] = (size_t)(additions + 0.5);
    return true;
}

static bool warm_up(void *opened, size_t item, size_t calls) {
    group *const g = opened;
    const double pct = item_of(g, item)->which.inject_pct;
    return kernels_work.warm_up(g->kernels, item, calls) && (!(pct > 0) || find_spin(g, item, calls, pct));
}

static bool take_sample(void *opened, size_t item, size_t calls, sample *s) {
    const group *const g = opened;
    return kernels_sample_slots(g->kernels, item, calls, g->spins[item - g->begin], s);
}

static void close_group(void *opened) {
    group *const g = opened;
    kernels_work.close(g->kernels);
    free(g);
}

const group_work ab_work = {.bytes = bytes_of,
                            .team = team_of,
                            .open = open_group,
                            .verify = verify,
                            .calibrate = calibrate,
                            .begin = begin,
                            .warm_up = warm_up,
                            .sample = take_sample,
                            .close = close_group};
