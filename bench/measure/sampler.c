// SPDX-License-Identifier: MIT
// sampler.c: see sampler.h.
#include "sampler.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "machine/core_clock.h"

const sample_quantity sampler_quantities[SAMPLER_END - SAMPLE_OWN] = {SAMPLER_QUANTITIES(SAMPLE_ROW)};
_Static_assert(SAMPLER_END <= (int)SAMPLE_MOST, "a sample has no room for so many quantities");
// Counters are among them in their own order.
_Static_assert(SAMPLE_CYCLES + (int)COUNTERS == SAMPLE_PAGE_FAULTS, "every counter is a quantity of a sample");

double sampler_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct rusage usage_now(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage : (struct rusage){0};
}

// Counts nothing: for samples that are taken to find out how many calls a sample needs.
static const counters uncounted;

// Sums over the timed calls of a sample.
typedef struct {
    double ns, page_faults;
    counter_values counted;
    bool refused;
} timed;

// Whole calls, and one of the rows that are left.
static bool do_more(const cell *c, const norm_args *set, size_t calls, double more_pct) {
    size_t rows = (size_t)floor(0.01 * more_pct * (double)calls * (double)c->rows + 0.5);
    bool ok = true;
    while (ok && rows > 0) {
        norm_args part = *set;
        part.rows = rows < c->rows ? rows : c->rows;
        ok = norm_run(c->impl, c->pass, &part, (int)c->threads) == NORM_OK;
        rows -= part.rows;
    }
    return ok;
}

// `calls` calls of which only the ends are timed.
static void time_calls(const cell *c, const norm_args *sets, size_t set_count, size_t calls, double more_pct,
                       const counters *team, timed *sum) {
    const counter_values counts_before = counters_now(team);
    const long faults_before = usage_now().ru_minflt;
    const double start = sampler_now_ns();
    const bool makes = c->impl->form == NORM_FRAMEWORK;
    for (size_t i = 0, set = 0; i < calls; i++) {
        if (makes) {
            void *result;
            sum->refused |= cell_run(c, c->pass, &sets[set], &result) != NORM_OK;
            free(result);
        } else {
            sum->refused |= norm_run(c->impl, c->pass, &sets[set], (int)c->threads) != NORM_OK;
        }
        if (++set == set_count)
            set = 0;
    }
    if (more_pct > 0)
        sum->refused |= !do_more(c, &sets[0], calls, more_pct);
    sum->ns += sampler_now_ns() - start;
    const counter_values counts_after = counters_now(team), counted = counter_change(&counts_before, &counts_after);
    sum->page_faults += (double)(usage_now().ru_minflt - faults_before);
    for (counter which = 0; which < COUNTERS; which++)
        sum->counted.value[which] += counted.value[which];
}

bool sampler_sample(const cell *c, const buffers *b, size_t calls, const counters *team, sample *out) {
    return sampler_sample_more(c, b, calls, 0, team, out);
}

bool sampler_sample_more(const cell *c, const buffers *b, size_t calls, double more_pct, const counters *team,
                         sample *out) {
    const norm_args *const sets = buffers_sets(b, c->impl, c->pass), *const before =
                                                                         buffers_before_backward(b, c->impl);
    // A backward that frees what its forward kept, so that each has one before it.
    const bool in_turn = c->pass == NORM_BACKWARD && c->impl->form == NORM_FRAMEWORK;
    timed sum = {.refused = c->pass == NORM_BACKWARD && norm_run(c->impl, NORM_FORWARD, before, (int)c->threads)};
    if (sum.refused)
        return false;
    if (c->cache == CACHE_WARM && calls > 1 && !in_turn)
        time_calls(c, sets, 1, 1, 0, &uncounted, &sum);
    sum = (timed){.refused = sum.refused};
    const double clock_before = core_clock_ghz(sampler_now_ns);
    const long preempted_before = usage_now().ru_nivcsw;
    for (size_t i = 0; in_turn && i < calls; i++) {
        sum.refused |= norm_run(c->impl, NORM_FORWARD, &before[i % b->set_count], (int)c->threads) != NORM_OK;
        time_calls(c, &sets[i % b->set_count], 1, 1, 0, team, &sum);
    }
    if (!in_turn)
        time_calls(c, sets, b->set_count, calls, more_pct, team, &sum);
    const bool preempted = usage_now().ru_nivcsw != preempted_before;
    // fmax is the other if one is NaN.
    *out = (sample){.value = {[SAMPLE_TIME] = sum.ns / (double)calls,
                              [SAMPLE_PREEMPTED] = preempted,
                              [SAMPLE_CLOCK] = fmax(clock_before, core_clock_ghz(sampler_now_ns)),
                              [SAMPLE_PEAK] = NAN,
                              [SAMPLE_PAGE_FAULTS] = sum.page_faults / (double)calls}};
    for (counter which = 0; which < COUNTERS; which++)
        out->value[SAMPLE_CYCLES + which] = sum.counted.value[which] / (double)calls;
    return !sum.refused;
}

bool sampler_warm_up(const cell *c, const buffers *b, size_t calls) {
    const double begin = sampler_now_ns();
    double previous, now = INFINITY;
    sample s;
    do {
        previous = now;
        if (!sampler_sample(c, b, calls, &uncounted, &s))
            return false;
        now = s.value[SAMPLE_TIME];
    } while (!(fabs(now - previous) < 0.02 * now) && sampler_now_ns() - begin < 20e6);
    return true;
}

size_t sampler_calibrate(const cell *c, const buffers *b, double *ns) {
    size_t calls = 1;
    sample s;
    for (;;) {
        if (!sampler_sample(c, b, calls, &uncounted, &s))
            return 0;
        *ns = s.value[SAMPLE_TIME];
        const double total = *ns * (double)calls, needed = ceil(SAMPLER_MIN_NS / *ns);
        if (total >= 0.5 * SAMPLER_MIN_NS)
            return (size_t)needed;
        calls = total > 0 && needed <= 8 * (double)calls ? (size_t)needed : calls * 8;
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
