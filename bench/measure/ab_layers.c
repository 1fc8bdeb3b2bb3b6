// SPDX-License-Identifier: MIT
// ab_layers.c: see ab.h.
#include "ab.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stats.h"
#include "layers.h"
#include "sampler.h"

// ---- Kernels with work behind them, for --inject

enum { LINE = 64, PAGE = 4096 };
typedef struct {
    _Alignas(4 * LINE) norm_impl impl; // stands first: what is called knows itself by it
    const norm_impl *real;
} slowed;
// Each within one page.
static struct {
    _Alignas(PAGE) slowed kernels[256];
    size_t count;
} slow;
// Of the item that is being sampled, in one cache line.
static struct {
    _Alignas(LINE) volatile double ns; // after each call
    double done_ns;                    // so far, by the clock
    size_t calls;                      // behind which that was
} work;

const sample_quantity ab_layers_quantities[AB_LAYERS_END - SAMPLE_OWN] = {LAYERS_QUANTITIES(SAMPLE_ROW)
                                                                              AB_LAYERS_QUANTITIES(SAMPLE_ROW)};
_Static_assert(AB_LAYERS_END <= (int)SAMPLE_MOST, "a sample has no room for so many quantities");

// As long as it is to take, by the clock. The other side of such a row is called in the same way, for no time: between
// other steps the detour alone took 2 to 9 % of a norm's 8 us. What it reads it has read before its clock begins: found
// in no cache, it was waited for behind the clock of the other side, and beside the additions of this one.
enum { ADDITIONS = 8 };
static norm_error run_slowed(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads) {
    const norm_error error = norm_run(((const slowed *)impl)->real, pass, args, threads);
    const double ns = work.ns, begin = sampler_now_ns(), end = begin + ns;
    double now;
    do {
        (void)sampler_spin(ADDITIONS);
        now = sampler_now_ns();
    } while (now < end);
    work.done_ns += now - begin;
    work.calls++;
    return error;
}

static const norm_impl *find_slowed(const void *source, const char *op, const char *variant, const char *form,
                                    const char *level, const char *dtype) {
    const norm_impl *const real = ab_side_find(source, op, variant, form, level, dtype);
    size_t i = 0;
    while (i < slow.count && slow.kernels[i].real != real)
        i++;
    if (real == NULL || i == sizeof slow.kernels / sizeof *slow.kernels)
        return NULL;
    if (i == slow.count) {
        slow.kernels[slow.count++] = (slowed){*real, real};
        slow.kernels[i].impl.run = run_slowed;
    }
    return &slow.kernels[i].impl;
}

// ---- A group

typedef struct {
    layers_plan plan; // with names of its own, whose slots have slowed kernels where work is injected
    size_t begin;
    void *layers;      // what layers_work has opened
    double added_ns[]; // to each call of each of its items, from begin on
} group;

static const ab_layers_item *item_of(const group *g, size_t item) { return schedule_name(&g->plan.schedule, item); }

static size_t bytes_of(const group_of_items *g) { return layers_work.bytes(g); }
static void team_of(const schedule *s, size_t item, size_t *threads, placement *place) {
    layers_work.team(s, item, threads, place);
}

static void free_group(group *g) {
    free(g->plan.schedule.names);
    free(g);
}

static group *make_group(const group_of_items *g) {
    group *own = calloc(1, sizeof *own + (g->end - g->begin) * sizeof *own->added_ns);
    if (own == NULL)
        return NULL;
    ab_layers_item *const items = calloc(g->schedule->count, sizeof *items);
    own->plan = *(const layers_plan *)g->schedule;
    own->plan.schedule.names = items;
    own->begin = g->begin;
    if (items == NULL) {
        free(own);
        return NULL;
    }
    memcpy(items, g->schedule->names, g->schedule->count * sizeof *items);
    for (size_t i = g->begin; i < g->end; i += AB_SIDES)
        if (items[i + AB_CANDIDATE].which.inject_pct > 0)
            items[i + AB_BASE].arm.slot.find = items[i + AB_CANDIDATE].arm.slot.find = find_slowed;
    return own;
}

static void *open_group(const group_of_items *g, char *why, size_t size) {
    group *const own = make_group(g);
    if (own == NULL) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    group_of_items slots = *g;
    slots.schedule = &own->plan.schedule;
    own->layers = layers_work.open(&slots, why, size);
    if (own->layers != NULL)
        return own;
    free_group(own);
    return NULL;
}

// What is identical is not even verified: the other side is, where it is measured.
static bool verify(void *opened, size_t item, double *max_error, char *why, size_t size) {
    const group *const g = opened;
    *max_error = (double)NAN;
    return item_of(g, item)->which.role == AB_IDENTICAL || layers_work.verify(g->layers, item, max_error, why, size);
}

// What the products run is no note of a row: its note says when it was confirmed.
static bool calibrate(void *opened, size_t item, size_t *calls, double *ns, char *note, size_t size) {
    const group *const g = opened;
    char products[64];
    (void)note, (void)size;
    *calls = 0;
    return item_of(g, item)->which.role == AB_IDENTICAL ||
           layers_work.calibrate(g->layers, item, calls, ns, products, sizeof products);
}

static void begin(void *opened) { layers_work.begin(((const group *)opened)->layers); }

static void begin_round(void *opened) { layers_work.begin_round(((const group *)opened)->layers); }

static bool take_sample(void *opened, size_t item, size_t calls, sample *s) {
    const group *const g = opened;
    work.ns = g->added_ns[item - g->begin];
    work.done_ns = 0;
    work.calls = 0;
    if (!layers_work.sample(g->layers, item, calls, s))
        return false;
    s->value[AB_LAYERS_ADDED] = work.calls > 0 ? work.done_ns / (double)layers_runs(calls) : (double)NAN;
    return true;
}

// How much work is to be added follows from what the norms take here and now.
static bool find_added(group *g, size_t item, size_t calls, double pct) {
    enum { SAMPLES = 31 };
    double ns[SAMPLES];
    size_t norms = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        sample s;
        if (!take_sample(g, item, calls, &s))
            return false;
        ns[i] = layers_norms_ns(g->layers, item, &s, &norms);
    }
    if (norms > 0)
        g->added_ns[item - g->begin] = 0.01 * pct * stats_median(ns, SAMPLES) / (double)norms;
    return true;
}

static bool warm_up(void *opened, size_t item, size_t calls) {
    group *const g = opened;
    const double pct = item_of(g, item)->which.inject_pct;
    g->added_ns[item - g->begin] = work.ns = 0;
    return layers_work.warm_up(g->layers, item, calls) && (!(pct > 0) || find_added(g, item, calls, pct));
}

static void close_group(void *opened) {
    group *const g = opened;
    layers_work.close(g->layers);
    free_group(g);
}

const group_work ab_layers_work = {.bytes = bytes_of,
                                   .team = team_of,
                                   .open = open_group,
                                   .verify = verify,
                                   .calibrate = calibrate,
                                   .begin = begin,
                                   .warm_up = warm_up,
                                   .begin_round = begin_round,
                                   .sample = take_sample,
                                   .close = close_group};
