// SPDX-License-Identifier: MIT
// wire.c: the parent's side of a worker: its orders, and what its lines mean; see kernels_worker.h.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels_worker.h"

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
        s->page_faults = strtod(at, &at);
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

static launch_end launch_once(const launch_order *order, const rounds_had *had, void *context,
                              bool (*take)(void *context, char *line), const volatile sig_atomic_t *stop, char *how,
                              size_t size) {
    char seed[32], launch[32], *orders = NULL;
    size_t length = 0;
    FILE *const text = open_memstream(&orders, &length);
    if (text == NULL) {
        snprintf(how, size, "no memory to start a launch: %s", strerror(errno));
        return LAUNCH_DIED;
    }
    for (size_t group = 0; had != NULL && group < order->groups; group++)
        if (had[group].next > 0)
            fprintf(text, "had %zu %zu %zu\n", group, had[group].complete, had[group].next);
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

// What a pilot has come to, by its lines, on their way to whoever takes them.
typedef struct {
    void *context;
    bool (*take)(void *context, char *line);
    rounds_had *done;     // next is 1 of a group that was begun or left out
    size_t groups, group; // the last one begun, groups if none
} pilot_log;

static bool note_group(void *context, char *line) {
    pilot_log *const log = context;
    size_t group;
    const bool begun = sscanf(line, "group %zu", &group) == 1, skipped = sscanf(line, "skipped %zu", &group) == 1;
    if ((begun || skipped) && group < log->groups) {
        log->done[group].next = 1;
        log->group = begun ? group : log->groups;
    }
    return log->take(log->context, line);
}

// A group at which the kernel kills the pilot for want of memory is left out, and the others have theirs.
static launch_end pilot_ordered(const launch_order *order, void *context, bool (*take)(void *context, char *line),
                                const volatile sig_atomic_t *stop, char *how, size_t size) {
    pilot_log log = {context, take, calloc(order->groups + 1, sizeof *log.done), order->groups, order->groups};
    launch_end end = LAUNCH_DIED;
    snprintf(how, size, "no memory to start a launch");
    while (log.done != NULL) {
        char line[256];
        log.group = log.groups;
        end = launch_once(order, log.done, &log, note_group, stop, how, size);
        if (end != LAUNCH_STARVED || log.group == log.groups)
            break;
        snprintf(line, sizeof line, "skipped %zu %s", log.group, how);
        if (!take(context, line))
            break;
    }
    free(log.done);
    return end;
}

launch_end launch_ordered(const launch_order *order, void *context, bool (*take)(void *context, char *line),
                          const volatile sig_atomic_t *stop, char *how, size_t size) {
    return strcmp(order->mode, "pilot") == 0 ? pilot_ordered(order, context, take, stop, how, size)
                                             : launch_once(order, order->had, context, take, stop, how, size);
}

launch_end worker_launch(const worker_job *job, const plan *p, const worker_listener *listener,
                         const volatile sig_atomic_t *stop, char *how, size_t size) {
    ears e = {job, listener};
    const launch_order order = {
        "kernels", job->mode == WORKER_PILOT ? "pilot" : "measure", job->plan_path, job->seed, job->launch, job->had,
        p->groups};
    return launch_ordered(&order, &e, hear, stop, how, size);
}
