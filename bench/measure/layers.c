// SPDX-License-Identifier: MIT
// layers.c: see layers.h.
#include "layers.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/refuse.h"
#include "base/stats.h"
#include "buffers.h"
#include "machine/line_time.h"
#include "machine/memory.h"
#include "machine/peak.h"
#include "plan/kernel_library.h"
#include "plan/layers_plan.h"
#include "sampler.h"
#include "verify_cell.h"
#include "wire.h"

const sample_quantity layers_quantities[LAYERS_END - SAMPLE_OWN] = {LAYERS_QUANTITIES(SAMPLE_ROW)};
_Static_assert(LAYERS_END <= (int)SAMPLE_MOST, "a sample has no room for so many quantities");

typedef struct {
    const layers_plan *plan;
    size_t begin; // of the group's arms
    uint64_t seed;
    layer *layer;
    double *ns; // of the steps: of one call, and their sums over a sample
    double *sums;
    double peak_gflops, clock_ns, line_ns; // as LAYERS_QUANTITIES has them; clock_ns of a step with one reading
} group;

static const layers_plan *plan_of(const schedule *s) { return (const layers_plan *)s; }

// slots: room for the group's arms, which the config borrows.
static layer_config config_of(const group_of_items *g, norm_slot *slots) {
    return layers_plan_config(plan_of(g->schedule), g->schedule->items[g->begin].group, slots, g->seed);
}

static size_t bytes_of(const group_of_items *g) {
    norm_slot *const slots = malloc((g->end - g->begin) * sizeof *slots);
    if (slots == NULL)
        return SIZE_MAX;
    const layer_config config = config_of(g, slots);
    const size_t bytes = layer_bytes(&config);
    free(slots);
    return bytes;
}

static bool is_foreign(const schedule *s, size_t arm) {
    return kernel_library_of(layers_arm_impl(layers_arm_at(plan_of(s), arm))) != NULL;
}

static void team_of(const schedule *s, size_t arm, size_t *threads, placement *place) {
    const layers_key *const k = &layers_arm_at(plan_of(s), arm)->key;
    *threads = k->threads;
    *place = k->place;
}

// Room for the steps of whichever arm has most.
static bool make_room(group *g, size_t arms) {
    size_t most = 0;
    for (size_t i = 0; i < arms; i++) {
        layer_select(g->layer, i);
        most = layer_steps(g->layer) > most ? layer_steps(g->layer) : most;
    }
    g->ns = calloc(most + 1, sizeof *g->ns);
    g->sums = calloc(most + 1, sizeof *g->sums);
    return g->ns != NULL && g->sums != NULL;
}

static void close_group(void *opened) {
    group *const g = opened;
    layer_free(g->layer);
    free(g->ns);
    free(g->sums);
    free(g);
}

static void *open_group(const group_of_items *g, char *why, size_t size) {
    char error[LAYER_ERROR_SIZE] = "out of memory";
    const size_t count = g->end - g->begin;
    norm_slot *const slots = malloc(count * sizeof *slots);
    group *own = calloc(1, sizeof *own);
    if (own != NULL && slots != NULL) {
        const layer_config config = config_of(g, slots);
        omp_set_num_threads(config.threads); // of the library's own parallel regions
        *own = (group){.plan = plan_of(g->schedule), .begin = g->begin, .seed = g->seed};
        own->layer = layer_make(&config, error);
    }
    if (own != NULL && (own->layer == NULL || !make_room(own, count))) {
        close_group(own);
        own = NULL;
    }
    if (own == NULL)
        snprintf(why, size, "%s", error);
    free(slots);
    return own;
}

static void choose(const group *g, size_t arm) { layer_select(g->layer, arm - g->begin); }

// `calls` calls: means over them of the whole and, in sums, of the steps. The layer's own clock makes the total: its
// steps follow one another without a gap.
static bool run_calls(const group *g, size_t calls, double *total) {
    const size_t steps = layer_steps(g->layer);
    for (size_t k = 0; k < steps; k++)
        g->sums[k] = 0;
    const double begin = sampler_now_ns();
    for (size_t i = 0; i < calls; i++) {
        if (!layer_run(g->layer, g->ns))
            return false;
        for (size_t k = 0; k < steps; k++)
            g->sums[k] += g->ns[k];
    }
    *total = (sampler_now_ns() - begin) / (double)calls;
    for (size_t k = 0; k < steps; k++)
        g->sums[k] /= (double)calls;
    return true;
}

// ---- Pilot

// The norm of an arm on the shape that the layer calls it with, forward and, in training, backward.
static bool verify(void *opened, size_t arm, double *max_error, char *why, size_t size) {
    const group *const g = opened;
    const layers_arm *const a = layers_arm_at(g->plan, arm);
    const layers_key *const k = &a->key;
    const norm_impl *const impl = layers_arm_impl(a);
    const size_t cols = layers_width(k);
    const norm_pass last = k->phase == PHASE_TRAIN ? NORM_BACKWARD : NORM_FORWARD;
    bool ok = true;
    *max_error = 0;
    for (norm_pass pass = NORM_FORWARD; ok && pass <= last; pass++) {
        const cell c = {impl, pass, layers_rows(k), cols, k->threads, k->place, CACHE_WARM, 0};
        buffers b;
        double error;
        if (impl == NULL || !memory_fits(buffers_bytes(&c, 1, 0), why, size) || !buffers_make(&b, &c, 1, 0, g->seed))
            return refuse(why, size, "no memory to verify the norm");
        ok = verify_cell(&c, &b, &error, why, size);
        *max_error = fmax(*max_error, error);
        buffers_free(&b);
    }
    return ok;
}

// What a call takes, of several the least: one alone may be what took the CPU away, and budgets are shared out by it.
// The first pays for pages and for the library's own preparations.
static bool pilot_calls(const group *g, double *ns) {
    enum { CALLS = 3 };
    double first, one;
    bool ok = run_calls(g, 1, &first);
    *ns = INFINITY;
    for (int i = 0; ok && i < CALLS; i++) {
        ok = run_calls(g, 1, &one);
        *ns = fmin(*ns, one);
    }
    return ok;
}

static bool calibrate(void *opened, size_t arm, size_t *calls, double *ns, char *note, size_t size) {
    const group *const g = opened;
    choose(g, arm);
    if (!pilot_calls(g, ns))
        return false;
    const norm_impl *const impl = layers_arm_impl(layers_arm_at(g->plan, arm));
    const bool allocates = impl != NULL && impl->form == NORM_FRAMEWORK;
    if (allocates && !layer_run_pages(g->layer, g->sums))
        return false;
    for (size_t k = 0; k < layer_steps(g->layer); k++) {
        const layers_step step = {arm, k, *layer_step_at(g->layer, k), allocates ? g->sums[k] : (double)NAN};
        char text[LAYERS_STEP_TEXT];
        layers_step_text(&step, text);
        wire_tell(WIRE_MORE, arm, 0, 0, text);
    }
    *calls = *ns >= SAMPLER_MIN_NS ? 1 : (size_t)ceil(SAMPLER_MIN_NS / *ns);
    snprintf(note, size, "%s", layer_matmul(g->layer));
    return true;
}

// ---- Samples

// The median of several runs: one that was interrupted counts once.
static double clock_of_a_step(void) {
    enum { RUNS = 31 };
    double ns[RUNS];
    for (size_t i = 0; i < RUNS; i++)
        ns[i] = layer_clock_ns();
    return stats_median(ns, RUNS);
}

static void begin(void *opened) {
    group *const g = opened;
    const layers_key *const k = &layers_arm_at(g->plan, g->begin)->key;
    g->peak_gflops = 1e-9 * peak_flops((int)k->threads, k->dtype);
    g->clock_ns = clock_of_a_step();
}

static bool warm_up(void *opened, size_t arm, size_t calls) {
    const group *const g = opened;
    double ns;
    choose(g, arm);
    return run_calls(g, calls, &ns);
}

static void begin_round(void *opened) {
    group *const g = opened;
    g->line_ns = line_time_ns((int)layers_arm_at(g->plan, g->begin)->key.threads, sampler_now_ns);
}

static struct rusage usage_now(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage : (struct rusage){0};
}

// The arm before left other things in the caches: where a sample is many calls, they are not to be part of it.
size_t layers_runs(size_t calls) { return calls == 1 ? calls : calls + 1; }

static bool take_sample(void *opened, size_t arm, size_t calls, sample *s) {
    const group *const g = opened;
    double total;
    choose(g, arm);
    const bool settled = layers_runs(calls) == calls || layer_run(g->layer, g->ns);
    const struct rusage before = usage_now();
    if (!settled || !run_calls(g, calls, &total))
        return false;
    const struct rusage after = usage_now();
    const size_t steps = layer_steps(g->layer);
    *s = (sample){.value = {[SAMPLE_TIME] = total,
                            [SAMPLE_PREEMPTED] = after.ru_nivcsw != before.ru_nivcsw,
                            [LAYERS_PEAK] = g->peak_gflops,
                            [LAYERS_CLOCK] = g->clock_ns * (double)layer_readings(g->layer) / (double)steps,
                            [LAYERS_LINE] = g->line_ns,
                            [LAYERS_PAGE_FAULTS] = (double)(after.ru_minflt - before.ru_minflt) / (double)calls},
                  .list = g->sums,
                  .list_length = steps};
    return true;
}

double layers_norms_ns(const void *opened, size_t arm, const sample *s, size_t *calls) {
    const group *const g = opened;
    double ns = 0;
    choose(g, arm);
    *calls = 0;
    for (size_t k = 0; k < s->list_length; k++)
        if (layer_step_at(g->layer, k)->kind == STEP_NORM) {
            ns += s->list[k];
            ++*calls;
        }
    return ns;
}

const group_work layers_work = {.bytes = bytes_of,
                                .is_foreign = is_foreign,
                                .team = team_of,
                                .open = open_group,
                                .verify = verify,
                                .calibrate = calibrate,
                                .begin = begin,
                                .warm_up = warm_up,
                                .begin_round = begin_round,
                                .sample = take_sample,
                                .close = close_group};
