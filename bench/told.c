// SPDX-License-Identifier: MIT
// told.c: the parent's side of a worker: its orders, and what its lines mean; see worker.h.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

typedef struct {
    const worker_job *job;
    const worker_listener *to;
} ears;

// Hands one line on. false: stop.
static bool hear(void *context, char *line) {
    const ears *const e = context;
    const worker_listener *const to = e->to;
    size_t index, group;
    observation o = {.launch = e->job->launch};
    sample *const s = &o.sample;
    int preempted, ok, rest = 0;
    double value;
    if (sscanf(line, "sample %zu %zu %zu %zu %lf %d %lf %lf%n", &o.cell, &o.index, &o.order, &o.calls, &s->ns,
               &preempted, &s->clock_ghz, &o.peak_flops, &rest) == 8) {
        char *at = line + rest;
        for (counter which = 0; which < COUNTERS; which++)
            s->counted.value[which] = strtod(at, &at);
        s->preempted = preempted != 0;
        return to->observed == NULL || to->observed(to->context, &o);
    }
    if (sscanf(line, "verified %zu %lf %d %n", &index, &value, &ok, &rest) == 3 && to->verified != NULL)
        to->verified(to->context, index, value, ok != 0, line + rest);
    else if (sscanf(line, "calibrated %zu %zu %lf", &index, &o.calls, &value) == 3 && to->calibrated != NULL)
        to->calibrated(to->context, index, o.calls, value);
    else if (sscanf(line, "group %zu %n", &group, &rest) == 1 && to->group != NULL)
        to->group(to->context, group, line + rest);
    else if (sscanf(line, "skipped %zu %n", &group, &rest) == 1 && to->skipped != NULL)
        to->skipped(to->context, group, line + rest);
    return true;
}

launch_end launch_ordered(const launch_order *order, void *context, bool (*take)(void *context, char *line),
                          const volatile sig_atomic_t *stop, char *how, size_t size) {
    char seed[32], launch[32], *orders = NULL;
    size_t length = 0;
    FILE *const text = open_memstream(&orders, &length);
    if (text == NULL) {
        snprintf(how, size, "no memory to start a launch: %s", strerror(errno));
        return LAUNCH_DIED;
    }
    for (size_t group = 0; order->had != NULL && group < order->groups; group++)
        if (order->had[group].next > 0)
            fprintf(text, "had %zu %zu %zu\n", group, order->had[group].complete, order->had[group].next);
    if (fclose(text) != 0) {
        snprintf(how, size, "no memory to start a launch: %s", strerror(errno));
        free(orders);
        return LAUNCH_DIED;
    }
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)order->seed);
    snprintf(launch, sizeof launch, "%zu", order->launch);
    const launch_job job = {
        {order->command, "--worker", order->mode, order->plan_path, seed, launch}, orders, context, take};
    const launch_end end = launch_run(&job, stop, how, size);
    free(orders);
    return end;
}

launch_end worker_launch(const worker_job *job, const plan *p, const worker_listener *listener,
                         const volatile sig_atomic_t *stop, char *how, size_t size) {
    ears e = {job, listener};
    const launch_order order = {
        "kernels", job->mode == WORKER_PILOT ? "pilot" : "measure", job->plan_path, job->seed, job->launch, job->had,
        p->groups};
    return launch_ordered(&order, &e, hear, stop, how, size);
}
