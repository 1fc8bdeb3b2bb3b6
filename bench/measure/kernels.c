// SPDX-License-Identifier: MIT
// kernels.c: see kernels.h.
#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/peak.h"
#include "plan/kernel_library.h"
#include "plan/plan.h"
#include "verify_cell.h"

typedef struct {
    const schedule *schedule;
    size_t threads;
    placement place;
    buffers buffers;
    counters team;
    double peak_gflops;
} group;

static size_t cold_bytes(const group_of_items *g) { return 2 * topology_llc_total_bytes(g->topology); }

// Of a group, one behind the other. NULL: no memory.
static cell *cells_of(const group_of_items *g) {
    cell *const cells = malloc((g->end - g->begin) * sizeof *cells);
    for (size_t i = g->begin; cells != NULL && i < g->end; i++)
        cells[i - g->begin] = *plan_cell(g->schedule, i);
    return cells;
}

static size_t bytes_of(const group_of_items *g) {
    cell *const cells = cells_of(g);
    const size_t bytes = cells == NULL ? SIZE_MAX : buffers_bytes(cells, g->end - g->begin, cold_bytes(g));
    free(cells);
    return bytes;
}

static void team_of(const schedule *s, size_t item, size_t *threads, placement *place) {
    *threads = plan_cell(s, item)->threads;
    *place = plan_cell(s, item)->place;
}

static bool is_foreign(const schedule *s, size_t item) { return kernel_library_of(plan_cell(s, item)->impl) != NULL; }

static void *open_group(const group_of_items *g, char *why, size_t size) {
    group *own = calloc(1, sizeof *own);
    cell *const cells = cells_of(g);
    if (own == NULL || cells == NULL ||
        !buffers_make(&own->buffers, cells, g->end - g->begin, cold_bytes(g), g->seed)) {
        snprintf(why, size, "out of memory");
        free(own);
        own = NULL;
    } else {
        own->schedule = g->schedule;
        own->threads = cells->threads;
        own->place = cells->place;
    }
    free(cells);
    return own;
}

static bool verify(void *opened, size_t item, double *max_error, char *why, size_t size) {
    const group *const g = opened;
    return verify_cell(plan_cell(g->schedule, item), &g->buffers, max_error, why, size);
}

static bool calibrate(void *opened, size_t item, size_t *calls, double *ns, char *note, size_t size) {
    const group *const g = opened;
    (void)note, (void)size;
    *calls = sampler_calibrate(plan_cell(g->schedule, item), &g->buffers, ns);
    return true;
}

// Once in a process for each kind of team: 10 ms.
static double peak_of(size_t threads, placement place) {
    enum { MOST = 64 };
    static struct {
        size_t threads;
        placement place;
        double gflops;
    } known[MOST];
    size_t i = 0;
    while (i < MOST - 1 && known[i].threads != 0 && (known[i].threads != threads || known[i].place != place))
        i++;
    if (known[i].threads != threads || known[i].place != place) {
        known[i].threads = threads;
        known[i].place = place;
        known[i].gflops = 1e-9 * peak_flops((int)threads, NORM_F32);
    }
    return known[i].gflops;
}

// What the whole launch is without needs no word: it stands in meta.json.
static void open_counters(group *g) {
    char reason[COUNTERS_REASON_SIZE];
    bool any = false;
    for (counter which = 0; which < COUNTERS; which++)
        any |= counter_works(which, counters_perf, reason, sizeof reason);
    if (any && !counters_open(&g->team, g->threads, counters_perf))
        fprintf(stderr, "normbench: no hardware counters for a team of %zu: out of memory or file descriptors\n",
                g->threads);
}

static void begin(void *opened) {
    group *const g = opened;
    g->peak_gflops = peak_of(g->threads, g->place);
    open_counters(g);
}

static bool warm_up(void *opened, size_t item, size_t calls) {
    const group *const g = opened;
    return sampler_warm_up(plan_cell(g->schedule, item), &g->buffers, calls);
}

static bool take_sample(void *opened, size_t item, size_t calls, sample *s) {
    const group *const g = opened;
    const bool ok = sampler_sample(plan_cell(g->schedule, item), &g->buffers, calls, &g->team, s);
    s->value[SAMPLE_PEAK] = g->peak_gflops;
    return ok;
}

void kernels_schedule(void *opened, const norm_schedule *how) { buffers_schedule(&((group *)opened)->buffers, how); }

// FNV-1a by words of eight bytes; a row of an odd number of them ends with what its last word has left.
static uint64_t add_bytes(uint64_t sum, const void *data, size_t bytes) {
    for (size_t i = 0; i < bytes; i += sizeof sum) {
        uint64_t word = 0;
        memcpy(&word, (const char *)data + i, bytes - i < sizeof word ? bytes - i : sizeof word);
        sum = (sum ^ word) * 1099511628211u;
        sum ^= sum >> 32; // or the upper bits of a word would never reach the lower ones of the sum
    }
    return sum;
}

bool kernels_result(void *opened, size_t item, uint64_t *sum) {
    const group *const g = opened;
    const cell *const c = plan_cell(g->schedule, item);
    const norm_args *const args = &buffers_sets(&g->buffers, c->impl, c->pass)[0];
    const size_t bytes = c->rows * c->cols * norm_dtype_bytes(c->impl->dtype);
    *sum = 14695981039346656037u;
    if (norm_run(c->impl, NORM_FORWARD, buffers_before_backward(&g->buffers, c->impl), (int)c->threads) != NORM_OK)
        return false;
    if (c->pass == NORM_FORWARD) {
        *sum = add_bytes(*sum, args->y, bytes);
        return true;
    }
    if (norm_run(c->impl, NORM_BACKWARD, args, (int)c->threads) != NORM_OK)
        return false;
    *sum = add_bytes(*sum, args->dx, bytes);
    if (c->impl->params & NORM_GAMMA)
        *sum = add_bytes(*sum, args->dgamma, c->cols * sizeof *args->dgamma);
    if (c->impl->params & NORM_BETA)
        *sum = add_bytes(*sum, args->dbeta, c->cols * sizeof *args->dbeta);
    return true;
}

bool kernels_sample_slots(void *opened, size_t item, size_t calls, size_t spin, sample *s) {
    const group *const g = opened;
    const bool ok = sampler_sample_slots(plan_cell(g->schedule, item), &g->buffers, calls, spin, &g->team, s);
    s->value[SAMPLE_PEAK] = g->peak_gflops;
    return ok;
}

static void close_group(void *opened) {
    group *const g = opened;
    counters_close(&g->team);
    buffers_free(&g->buffers);
    free(g);
}

const group_work kernels_work = {.bytes = bytes_of,
                                 .is_foreign = is_foreign,
                                 .team = team_of,
                                 .open = open_group,
                                 .verify = verify,
                                 .calibrate = calibrate,
                                 .begin = begin,
                                 .warm_up = warm_up,
                                 .sample = take_sample,
                                 .close = close_group};
