// SPDX-License-Identifier: MIT
// sampler.c: see sampler.h.
#include "sampler.h"

#include <math.h>
#include <sys/resource.h>
#include <time.h>

#include "core_clock.h"

double sampler_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

// Involuntary context switches of all threads so far.
static long preemptions(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nivcsw : 0;
}

// Counts nothing: for samples that are taken to find out how many calls a sample needs.
static const counters uncounted;

bool sampler_sample(const cell *c, const buffers *b, size_t calls, const counters *team, sample *out) {
    const int threads = (int)c->threads;
    const norm_args *const sets = buffers_sets(b, c->impl, c->pass);
    const size_t set_count = b->set_count;
    if (c->pass == NORM_BACKWARD && norm_run(c->impl, NORM_FORWARD, b->sets, threads) != NORM_OK)
        return false;
    if (c->cache == CACHE_WARM && calls > 1 && norm_run(c->impl, c->pass, &sets[0], threads) != NORM_OK)
        return false;
    bool refused = false;
    const double clock_before = core_clock_ghz(sampler_now_ns);
    const counter_values counts_before = counters_now(team);
    const long before = preemptions();
    const double start = sampler_now_ns();
    for (size_t i = 0, set = 0; i < calls; i++) {
        refused |= norm_run(c->impl, c->pass, &sets[set], threads) != NORM_OK;
        if (++set == set_count)
            set = 0;
    }
    const double end = sampler_now_ns();
    const bool preempted = preemptions() != before;
    const counter_values counts_after = counters_now(team);
    // fmax is the other if one is NaN.
    *out = (sample){(end - start) / (double)calls, preempted, fmax(clock_before, core_clock_ghz(sampler_now_ns)),
                    counter_change(&counts_before, &counts_after)};
    for (counter which = 0; which < COUNTERS; which++)
        out->counted.value[which] /= (double)calls;
    return !refused;
}

bool sampler_warm_up(const cell *c, const buffers *b, size_t calls, double *ns) {
    const double begin = sampler_now_ns();
    double previous;
    sample s = {.ns = INFINITY};
    do {
        previous = s.ns;
        if (!sampler_sample(c, b, calls, &uncounted, &s))
            return false;
    } while (!(fabs(s.ns - previous) < 0.02 * s.ns) && sampler_now_ns() - begin < 20e6);
    *ns = s.ns;
    return true;
}

size_t sampler_calibrate(const cell *c, const buffers *b, double *ns) {
    size_t calls = 1;
    sample s;
    for (;;) {
        if (!sampler_sample(c, b, calls, &uncounted, &s))
            return 0;
        const double total = s.ns * (double)calls;
        *ns = s.ns;
        if (total >= 0.5 * SAMPLER_MIN_NS)
            return (size_t)ceil(SAMPLER_MIN_NS / s.ns);
        calls =
            total > 0 && SAMPLER_MIN_NS / s.ns < 8 * (double)calls ? (size_t)ceil(SAMPLER_MIN_NS / s.ns) : calls * 8;
    }
}

void sampler_clock(double *overhead_ns, double *step_ns) {
    enum { READS = 1000 };
    const double start = sampler_now_ns();
    double last = start, smallest = INFINITY;
    for (int i = 0; i < READS; i++) {
        const double now = sampler_now_ns();
        if (now > last && now - last < smallest)
            smallest = now - last;
        last = now;
    }
    *overhead_ns = (last - start) / (double)READS;
    *step_ns = isfinite(smallest) ? smallest : 0;
}
