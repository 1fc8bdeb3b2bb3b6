// SPDX-License-Identifier: MIT
// layers_worker.c: the child's side of a launch of layers; see layers_worker.h.
#include "layers_worker.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/exit_code.h"
#include "base/stats.h"
#include "child.h"
#include "machine/line_time.h"
#include "machine/memory.h"
#include "machine/peak.h"
#include "sampler.h"
#include "verify_cell.h"

typedef struct {
    child_orders orders;
    layers_plan plan;
    topology *topology;
    rounds_had *had;
    size_t order;
} worker;

// One arm of a group's layer, in turn.
typedef struct {
    layer *layer;
    double *ns; // of its steps: of one call, and their sums over a sample
    double *sums;
    double peak, clock_ns, line_ns; // as layers_observation has them
} stage;

static bool run_once(const stage *s) { return layer_run(s->layer, s->ns); }

// One timed sample of `calls` calls: means over them. The layer's own clock makes the total: its steps follow one
// another without a gap.
static bool take_sample(const stage *s, size_t calls, double *total) {
    const size_t steps = layer_steps(s->layer);
    for (size_t k = 0; k < steps; k++)
        s->sums[k] = 0;
    const double begin = sampler_now_ns();
    for (size_t i = 0; i < calls; i++) {
        if (!run_once(s))
            return false;
        for (size_t k = 0; k < steps; k++)
            s->sums[k] += s->ns[k];
    }
    *total = (sampler_now_ns() - begin) / (double)calls;
    for (size_t k = 0; k < steps; k++)
        s->sums[k] /= (double)calls;
    return true;
}

// The norm of an arm on the shape that the layer calls it with, forward and, in training, backward.
static bool prove_arm(const layers_arm *a, uint64_t seed, double *max_error, char *why, size_t size) {
    const norm_slot *const slot = &a->slot;
    const norm_impl *const impl = norm_find(norm_op_name(slot->op), slot->variant, norm_form_name(slot->form),
                                            slot->level, norm_dtype_name(a->key.dtype));
    const size_t cols =
        a->key.model->kind == MODEL_CONVNEXT ? a->key.model->stages[a->key.stage].width : a->key.model->dim;
    const norm_pass last = a->key.phase == PHASE_TRAIN ? NORM_BACKWARD : NORM_FORWARD;
    bool ok = true;
    *max_error = 0;
    for (norm_pass pass = NORM_FORWARD; ok && pass <= last; pass++) {
        const cell c = {impl, pass, a->key.batch * a->key.tokens, cols, a->key.threads, a->key.place, CACHE_WARM};
        buffers b;
        double error;
        if (impl == NULL || !memory_fits(buffers_bytes(&c, 1, 0), why, size) || !buffers_make(&b, &c, 1, 0, seed)) {
            snprintf(why, size, "no memory to verify the norm");
            return false;
        }
        ok = prove_cell(&c, &b, &error, why, size);
        *max_error = fmax(*max_error, error);
        buffers_free(&b);
    }
    return ok;
}

static bool pilot_arm(const worker *w, const stage *s, size_t index) {
    char why[200] = "";
    double max_error, ns;
    const bool ok = prove_arm(&w->plan.arms[index], w->orders.seed, &max_error, why, sizeof why);
    printf("verified %zu %.9g %d %s\n", index, max_error, ok, why);
    if (!ok)
        return true;
    for (size_t k = 0; k < layer_steps(s->layer); k++) {
        const layer_step *const step = layer_step_at(s->layer, k);
        printf("step %zu %zu %d %d %.17g %s\n", index, k, (int)step->kind, (int)step->pass, step->flops, step->name);
    }
    // The first call pays for pages and for the library's own preparations.
    if (!take_sample(s, 1, &ns) || !take_sample(s, 1, &ns))
        return false;
    const size_t calls = ns >= SAMPLER_MIN_NS ? 1 : (size_t)ceil(SAMPLER_MIN_NS / ns);
    printf("calibrated %zu %zu %.9g %s\n", index, calls, ns, layer_matmul(s->layer));
    return true;
}

static struct rusage usage_now(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage : (struct rusage){0};
}

// The median of several runs: one that was interrupted counts once.
static double clock_of_a_step(void) {
    enum { RUNS = 31 };
    double ns[RUNS];
    for (size_t i = 0; i < RUNS; i++)
        ns[i] = layer_clock_ns();
    return stats_median(ns, RUNS);
}

// ABBA over the arms of the group, as in kernels_worker.c.
static bool round_of(worker *w, stage *s, size_t group, size_t round, size_t begin, size_t end) {
    const size_t count = end - begin;
    size_t *const order = malloc(count * sizeof *order);
    stats_rng rng;
    if (order == NULL)
        return false;
    s->line_ns = line_time_ns((int)w->plan.arms[begin].key.threads, sampler_now_ns);
    stats_rng_seed(&rng, w->orders.seed, ((uint64_t)w->orders.launch << 40) + ((uint64_t)group << 16) + round + 1);
    for (size_t i = 0; i < count; i++)
        order[i] = begin + i;
    stats_shuffle(&rng, order, count);
    bool ok = true;
    for (size_t i = 0; ok && !child_interrupted() && i < 2 * count; i++) {
        const size_t index = order[i < count ? i : 2 * count - 1 - i];
        const layers_arm *const a = &w->plan.arms[index];
        double total;
        if (!layers_plan_times(a))
            continue;
        layer_select(s->layer, index - begin);
        // The arm before left other things in the caches: where a sample is many calls, they are not to be part of it.
        const bool settled = a->calls == 1 || run_once(s);
        const struct rusage before = usage_now();
        ok = settled && take_sample(s, a->calls, &total);
        if (!ok)
            break;
        const struct rusage after = usage_now();
        const double clock_ns = s->clock_ns * (double)layer_readings(s->layer) / (double)layer_steps(s->layer);
        printf("sample %zu %zu %zu %zu %.9g %.9g %.4g %.4g %d %zu", index, 2 * round + (i >= count), w->order++,
               a->calls, total, s->peak, clock_ns, s->line_ns, after.ru_nivcsw != before.ru_nivcsw,
               layer_steps(s->layer));
        for (size_t k = 0; k < layer_steps(s->layer); k++)
            printf(" %.6g", s->sums[k]);
        printf(" %.6g", (double)(after.ru_minflt - before.ru_minflt) / (double)a->calls);
        putchar('\n');
    }
    free(order);
    return ok;
}

static bool measure_group(worker *w, stage *s, size_t group, size_t begin, size_t end) {
    const rounds_had had = w->had[group];
    double ns;
    s->peak = peak_flops((int)w->plan.arms[begin].key.threads, w->plan.arms[begin].key.dtype);
    s->clock_ns = clock_of_a_step();
    for (size_t i = begin; i < end && !child_interrupted(); i++) {
        layer_select(s->layer, i - begin);
        if (layers_plan_times(&w->plan.arms[i]) && !take_sample(s, w->plan.arms[i].calls, &ns))
            return false;
    }
    for (size_t i = had.complete; i < w->plan.arms[begin].rounds && !child_interrupted(); i++)
        if (!round_of(w, s, group, had.next + i - had.complete, begin, end))
            return false;
    return true;
}

static bool pilot_group(const worker *w, const stage *s, size_t begin, size_t end) {
    for (size_t i = begin; i < end && !child_interrupted(); i++) {
        layer_select(s->layer, i - begin);
        if (!pilot_arm(w, s, i))
            return false;
    }
    return true;
}

// Room for the steps of whichever arm has most.
static bool make_room(stage *s, size_t arms) {
    size_t most = 0;
    for (size_t i = 0; i < arms; i++) {
        layer_select(s->layer, i);
        most = layer_steps(s->layer) > most ? layer_steps(s->layer) : most;
    }
    s->ns = calloc(most + 1, sizeof *s->ns);
    s->sums = calloc(most + 1, sizeof *s->sums);
    return s->ns != NULL && s->sums != NULL;
}

// Of a group, whichever of its arms were found wrong.
static bool anything_to_time(const layers_plan *p, size_t begin, size_t end) {
    bool any = false;
    for (size_t i = begin; i < end; i++)
        any |= layers_plan_times(&p->arms[i]);
    return any;
}

static bool visit(void *context, size_t group) {
    worker *const w = context;
    size_t begin, end;
    layers_plan_group(&w->plan, group, &begin, &end);
    const layers_key *const k = &w->plan.arms[begin].key;
    const bool measuring = w->orders.mode == WORKER_MEASURE;
    char why[LAYER_ERROR_SIZE] = "";
    stage s = {0};
    if (!measuring && w->had[group].next > 0)
        return true;
    if (measuring && (!anything_to_time(&w->plan, begin, end) || w->orders.launch >= w->plan.arms[begin].launches ||
                      w->had[group].complete >= w->plan.arms[begin].rounds))
        return true;
    norm_slot *const slots = malloc((end - begin) * sizeof *slots);
    if (slots == NULL)
        return false;
    const layer_config config = layers_plan_config(&w->plan, group, slots, w->orders.seed);
    bool ok = true;
    if (memory_fits(layer_bytes(&config), why, sizeof why) &&
        child_bind(w->topology, k->place, k->threads, group, why, sizeof why)) {
        const double start = sampler_now_ns();
        omp_set_num_threads((int)k->threads); // of the library's own parallel regions
        s.layer = layer_make(&config, why);
        if (s.layer != NULL && !measuring)
            printf("prepared %zu %.9g\n", group, 1e-9 * (sampler_now_ns() - start));
        if (s.layer != NULL)
            ok = make_room(&s, end - begin) &&
                 (measuring ? measure_group(w, &s, group, begin, end) : pilot_group(w, &s, begin, end));
    }
    if (why[0] != '\0')
        printf("skipped %zu %s\n", group, why);
    layer_free(s.layer);
    free(s.ns);
    free(s.sums);
    free(slots);
    return ok;
}

int layers_worker_main(int argc, char **argv) {
    worker w = {0};
    char message[256];
    int status = EXIT_FAILED;
    if (!child_begin(argc, argv, &w.orders))
        return EXIT_USAGE;
    if (layers_plan_read(&w.plan, w.orders.plan_path, NULL, message, sizeof message) != 0 ||
        (w.topology = topology_open(NULL, message)) == NULL) {
        fprintf(stderr, "normbench: %s\n", message);
        goto cleanup;
    }
    w.had = calloc(w.plan.groups + 1, sizeof *w.had);
    if (w.had == NULL)
        goto cleanup;
    child_read_had(w.had, w.plan.groups);
    // The order goes on beyond every place that the rounds so far may have taken.
    for (size_t i = 0; i < w.plan.count; i++)
        w.order += 2 * w.had[w.plan.arms[i].group].next;
    status = child_visit(&w.orders, w.plan.groups, visit, &w);
cleanup:
    free(w.had);
    topology_close(w.topology);
    layers_plan_free(&w.plan);
    return status;
}
