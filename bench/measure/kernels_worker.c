// SPDX-License-Identifier: MIT
// kernels_worker.c: the child's side of a launch; see kernels_worker.h.
#include "kernels_worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/exit_code.h"
#include "base/stats.h"
#include "buffers.h"
#include "child.h"
#include "machine/memory.h"
#include "machine/peak.h"
#include "sampler.h"
#include "verify_cell.h"

// A kind of team that a launch has had, and what its FMA units can do.
typedef struct {
    placement place;
    size_t threads;
    double flops;
} team_peak;

typedef struct {
    child_orders orders;
    plan plan;
    topology *topology;
    rounds_had *had;
    size_t order;
    bool counts;      // hardware counters are to be had
    counters team;    // of the group that is being measured
    team_peak *peaks; // of the teams so far, at most one per group
    size_t peak_count;
    double peak_flops; // of the group that is being measured
} worker;

static void pilot_cell(const planned *item, size_t index, const buffers *b) {
    char why[200] = "";
    double max_error, ns;
    const bool ok = prove_cell(&item->cell, b, &max_error, why, sizeof why);
    printf("verified %zu %.9g %d %s\n", index, max_error, ok, why);
    const size_t calls = ok ? sampler_calibrate(&item->cell, b, &ns) : 0;
    if (calls > 0)
        printf("calibrated %zu %zu %.9g\n", index, calls, ns);
}

// ABBA: the cells of a family (same form and level, whose ratios are reported) in a random order and then in its mirror
// image, so that a drift of the machine, as long as it is linear meanwhile, weighs on every pair of them alike; the
// families in a random order. Rejected: one ABBA over the whole group, which keeps the two samples of a pair seconds
// apart where a group has slow members.
static bool visit_family(worker *w, stats_rng *rng, size_t round, size_t begin, size_t end, const buffers *b) {
    const size_t count = end - begin;
    size_t *const order = malloc(count * sizeof *order);
    if (order == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = begin + i;
    stats_shuffle(rng, order, count);
    bool ok = true;
    for (size_t i = 0; ok && !child_interrupted() && i < 2 * count; i++) {
        const size_t index = order[i < count ? i : 2 * count - 1 - i];
        const planned *const item = &w->plan.items[index];
        sample s;
        if (!plan_times(item))
            continue;
        ok = sampler_sample(&item->cell, b, item->calls, &w->team, &s);
        if (!ok)
            break;
        printf("sample %zu %zu %zu %zu %.9g %d %.6g %.6g", index, 2 * round + (i >= count), w->order++, item->calls,
               s.ns, s.preempted, s.clock_ghz, w->peak_flops);
        for (counter which = 0; which < COUNTERS; which++)
            printf(" %.9g", s.counted.value[which]);
        printf(" %.9g", s.page_faults);
        putchar('\n');
    }
    free(order);
    return ok;
}

static bool round_of(worker *w, size_t group, size_t round, size_t begin, size_t end, const buffers *b) {
    size_t families[(size_t)NORM_FORMS * (size_t)NORM_ALL_LEVELS], count = 0;
    stats_rng rng;
    stats_rng_seed(&rng, w->orders.seed, ((uint64_t)w->orders.launch << 40) + ((uint64_t)group << 16) + round + 1);
    for (size_t i = begin; i < end; i = plan_family_end(&w->plan, i))
        families[count++] = i;
    stats_shuffle(&rng, families, count);
    bool ok = true;
    for (size_t i = 0; ok && !child_interrupted() && i < count; i++)
        ok = visit_family(w, &rng, round, families[i], plan_family_end(&w->plan, families[i]), b);
    return ok;
}

static bool measure_group(worker *w, size_t group, size_t begin, size_t end, const buffers *b) {
    const rounds_had had = w->had[group];
    double ns;
    for (size_t i = begin; i < end && !child_interrupted(); i++)
        if (plan_times(&w->plan.items[i]) && !sampler_warm_up(&w->plan.items[i].cell, b, w->plan.items[i].calls, &ns))
            return false;
    for (size_t i = had.complete; i < w->plan.items[begin].rounds && !child_interrupted(); i++)
        if (!round_of(w, group, had.next + i - had.complete, begin, end, b))
            return false;
    return true;
}

// The team is bound. Once in a launch for each kind of team: 10 ms.
static double peak_of(worker *w, const cell *c) {
    for (size_t i = 0; i < w->peak_count; i++)
        if (w->peaks[i].place == c->place && w->peaks[i].threads == c->threads)
            return w->peaks[i].flops;
    const double flops = peak_flops((int)c->threads, NORM_F32);
    w->peaks[w->peak_count++] = (team_peak){c->place, c->threads, flops};
    return flops;
}

// What the whole launch is without needs no word: it stands in meta.json.
static void open_counters(worker *w, size_t threads) {
    if (w->counts && !counters_open(&w->team, threads, counters_perf))
        fprintf(stderr, "normbench: no hardware counters for a team of %zu: out of memory or file descriptors\n",
                threads);
}

// Of a group, whichever of its cells were found wrong.
static bool anything_to_time(const plan *p, size_t begin, size_t end) {
    bool any = false;
    for (size_t i = begin; i < end; i++)
        any |= plan_times(&p->items[i]);
    return any;
}

static bool visit(void *context, size_t group) {
    worker *const w = context;
    size_t begin, end;
    plan_group(&w->plan, group, &begin, &end);
    const cell *const c = &w->plan.items[begin].cell;
    const size_t cold = 2 * topology_llc_total_bytes(w->topology), count = end - begin;
    char why[200] = "";
    if (w->orders.mode == WORKER_PILOT && w->had[group].next > 0)
        return true;
    if (w->orders.mode == WORKER_MEASURE &&
        (!anything_to_time(&w->plan, begin, end) || w->had[group].complete >= w->plan.items[begin].rounds))
        return true;
    cell *const cells = malloc(count * sizeof *cells);
    if (cells == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        cells[i] = w->plan.items[begin + i].cell;
    const size_t bytes = buffers_bytes(cells, count, cold);
    buffers b = {0};
    bool ok = true;
    if (memory_fits(bytes, why, sizeof why) && child_bind(w->topology, c->place, c->threads, group, why, sizeof why)) {
        if (!buffers_make(&b, cells, count, cold, w->orders.seed))
            snprintf(why, sizeof why, "out of memory");
        else if (w->orders.mode == WORKER_MEASURE) {
            w->peak_flops = peak_of(w, c);
            open_counters(w, c->threads);
            ok = measure_group(w, group, begin, end, &b);
            counters_close(&w->team);
        } else
            for (size_t i = begin; i < end && !child_interrupted(); i++)
                pilot_cell(&w->plan.items[i], i, &b);
    }
    if (why[0] != '\0')
        printf("skipped %zu %s\n", group, why);
    buffers_free(&b);
    free(cells);
    return ok;
}

int worker_main(int argc, char **argv) {
    worker w = {0};
    char message[256];
    int status = EXIT_FAILED;
    if (!child_begin(argc, argv, &w.orders))
        return EXIT_USAGE;
    if (plan_read(&w.plan, w.orders.plan_path, message, sizeof message) != 0 ||
        (w.topology = topology_open(NULL, message)) == NULL) {
        fprintf(stderr, "normbench: %s\n", message);
        goto cleanup;
    }
    w.had = calloc(w.plan.groups + 1, sizeof *w.had);
    w.peaks = calloc(w.plan.groups + 1, sizeof *w.peaks);
    if (w.had == NULL || w.peaks == NULL)
        goto cleanup;
    for (counter which = 0; which < COUNTERS; which++)
        w.counts |= counter_works(which, counters_perf, message, sizeof message);
    child_read_had(w.had, w.plan.groups);
    // The order goes on beyond every place that the rounds so far may have taken.
    for (size_t group = 0; group < w.plan.groups; group++) {
        size_t begin, end;
        plan_group(&w.plan, group, &begin, &end);
        w.order += 2 * w.had[group].next * (end - begin);
    }
    status = child_visit(&w.orders, w.plan.groups, visit, &w);
cleanup:
    free(w.had);
    free(w.peaks);
    topology_close(w.topology);
    plan_free(&w.plan);
    return status;
}
