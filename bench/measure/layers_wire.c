// SPDX-License-Identifier: MIT
// layers_wire.c: the parent's side of a layers worker: its orders, and what its lines mean; see layers_worker.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers_worker.h"

typedef struct {
    const layers_job *job;
    const layers_listener *to;
} ears;

// "sample ARM INDEX ORDER CALLS NS PEAK CLOCK LINE PREEMPTED COUNT STEP..."
static bool hear_sample(const ears *e, const char *line) {
    layers_observation o = {.launch = e->job->launch};
    int preempted, used = 0;
    if (sscanf(line, "sample %zu %zu %zu %zu %lf %lf %lf %lf %d %zu%n", &o.arm, &o.index, &o.order, &o.calls, &o.ns,
               &o.peak_flops, &o.clock_ns, &o.line_ns, &preempted, &o.step_count, &used) != 10)
        return false;
    if (e->to->observed == NULL)
        return true;
    o.preempted = preempted != 0;
    o.steps = malloc((o.step_count + 1) * sizeof *o.steps);
    if (o.steps == NULL)
        return false;
    const char *at = line + used;
    for (size_t i = 0; i < o.step_count; i++) {
        char *end;
        o.steps[i] = strtod(at, &end);
        if (end == at)
            o.step_count = i;
        at = end;
    }
    o.page_faults = strtod(at, NULL);
    // cppcheck-suppress memleak ; observed takes the steps over
    return e->to->observed(e->to->context, &o);
}

static bool hear_step(const ears *e, const char *line) {
    layers_step s = {0};
    int kind, pass, rest = 0;
    if (sscanf(line, "step %zu %zu %d %d %lf %n", &s.arm, &s.index, &kind, &pass, &s.step.flops, &rest) != 5 ||
        rest == 0)
        return false;
    s.step.kind = (step_kind)kind;
    s.step.pass = (norm_pass)pass;
    snprintf(s.step.name, sizeof s.step.name, "%s", line + rest);
    return e->to->step == NULL || e->to->step(e->to->context, &s);
}

// Hands one line on. false: stop.
static bool hear(void *context, char *line) {
    const ears *const e = context;
    const layers_listener *const to = e->to;
    size_t index, calls;
    int ok, rest = 0;
    double value;
    if (strncmp(line, "sample ", 7) == 0)
        return hear_sample(e, line);
    if (strncmp(line, "step ", 5) == 0)
        return hear_step(e, line);
    if (sscanf(line, "verified %zu %lf %d %n", &index, &value, &ok, &rest) == 3 && to->verified != NULL)
        to->verified(to->context, index, value, ok != 0, line + rest);
    else if (sscanf(line, "calibrated %zu %zu %lf %n", &index, &calls, &value, &rest) == 3 && to->calibrated != NULL)
        to->calibrated(to->context, index, calls, value, line + rest);
    else if (sscanf(line, "prepared %zu %lf", &index, &value) == 2 && to->prepared != NULL)
        to->prepared(to->context, index, value);
    else if (sscanf(line, "group %zu %n", &index, &rest) == 1 && to->group != NULL)
        to->group(to->context, index, line + rest);
    else if (sscanf(line, "skipped %zu %n", &index, &rest) == 1 && to->skipped != NULL)
        to->skipped(to->context, index, line + rest);
    return true;
}

launch_end layers_launch(const layers_job *job, const layers_plan *p, const layers_listener *listener,
                         const volatile sig_atomic_t *stop, char *how, size_t size) {
    ears e = {job, listener};
    const launch_order order = {
        "layers", job->mode == WORKER_PILOT ? "pilot" : "measure", job->plan_path, job->seed, job->launch, job->had,
        p->groups};
    return launch_ordered(&order, &e, hear, stop, how, size);
}
