// SPDX-License-Identifier: MIT
// sampler.c: see sampler.h.
#include "sampler.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/stats.h"
#include "machine/core_clock.h"

const sample_quantity sampler_quantities[SAMPLER_END - SAMPLE_OWN] = {SAMPLER_QUANTITIES(SAMPLE_ROW)};
const sample_quantity sampler_slot_quantities[SAMPLER_SLOT_END - SAMPLE_OWN] = {
    SAMPLER_QUANTITIES(SAMPLE_ROW) SAMPLER_SLOT_QUANTITIES(SAMPLE_ROW)};
_Static_assert(SAMPLER_SLOT_END <= (int)SAMPLE_MOST, "a sample has no room for so many quantities");
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

// A sample that is timed in slots.
enum { MOST_SLOTS = 100 };
typedef struct {
    double ns[MOST_SLOTS]; // of one call
    size_t count, spin;
} slots;

// No compiler may know its result, or that it has none.
double sampler_spin(size_t additions) {
    volatile double seed = 1;
    double sum = seed;
    for (size_t i = 0; i < additions; i++) {
        sum += 1;
        __asm__ volatile("" : : "r"(&sum) : "memory");
    }
    return sum;
}

double sampler_spin_ns(void) {
    enum { ROUNDS = 51, ADDITIONS = 2000 };
    double ns[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++) {
        const double start = sampler_now_ns();
        (void)sampler_spin(ADDITIONS);
        ns[i] = (sampler_now_ns() - start) / (double)ADDITIONS;
    }
    return stats_median(ns, ROUNDS);
}

static bool run_call(const cell *c, const norm_args *set) {
    if (c->impl->form != NORM_FRAMEWORK)
        return norm_run(c->impl, c->pass, set, (int)c->threads) == NORM_OK;
    void *result;
    const bool ok = cell_run(c, c->pass, set, &result) == NORM_OK;
    free(result);
    return ok;
}

// `calls` calls of which only the ends are timed; split: also the ends of each slot.
static void time_calls(const cell *c, const norm_args *sets, size_t set_count, size_t calls, const counters *team,
                       slots *split, timed *sum) {
    const size_t each = split == NULL ? calls : (calls + MOST_SLOTS - 1) / MOST_SLOTS;
    const counter_values counts_before = counters_now(team);
    const long faults_before = usage_now().ru_minflt;
    const double start = sampler_now_ns();
    double slot_start = start;
    for (size_t i = 0, set = 0; i < calls; i++) {
        sum->refused |= !run_call(c, &sets[set]);
        if (split != NULL && split->spin > 0)
            (void)sampler_spin(split->spin);
        if (++set == set_count)
            set = 0;
        if (split != NULL && (i + 1) % each == 0) {
            const double now = sampler_now_ns();
            split->ns[split->count++] = (now - slot_start) / (double)each;
            slot_start = now;
        }
    }
    sum->ns += sampler_now_ns() - start;
    const counter_values counts_after = counters_now(team), counted = counter_change(&counts_before, &counts_after);
    sum->page_faults += (double)(usage_now().ru_minflt - faults_before);
    for (counter which = 0; which < COUNTERS; which++)
        sum->counted.value[which] += counted.value[which];
}

static bool take(const cell *c, const buffers *b, size_t calls, const counters *team, slots *split, sample *out) {
    const norm_args *const sets = buffers_sets(b, c->impl, c->pass), *const before =
                                                                         buffers_before_backward(b, c->impl);
    // A backward that frees what its forward kept, so that each has one before it.
    const bool in_turn = c->pass == NORM_BACKWARD && c->impl->form == NORM_FRAMEWORK;
    timed sum = {.refused = c->pass == NORM_BACKWARD && norm_run(c->impl, NORM_FORWARD, before, (int)c->threads)};
    if (sum.refused)
        return false;
    if (c->cache == CACHE_WARM && calls > 1 && !in_turn)
        time_calls(c, sets, 1, 1, &uncounted, NULL, &sum);
    sum = (timed){.refused = sum.refused};
    const double clock_before = core_clock_ghz(sampler_now_ns);
    const long preempted_before = usage_now().ru_nivcsw;
    for (size_t i = 0; in_turn && i < calls; i++) {
        sum.refused |= norm_run(c->impl, NORM_FORWARD, &before[i % b->set_count], (int)c->threads) != NORM_OK;
        time_calls(c, &sets[i % b->set_count], 1, 1, team, NULL, &sum);
    }
    if (!in_turn)
        time_calls(c, sets, b->set_count, calls, team, split, &sum);
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

bool sampler_sample(const cell *c, const buffers *b, size_t calls, const counters *team, sample *out) {
    return take(c, b, calls, team, NULL, out);
}

bool sampler_sample_slots(const cell *c, const buffers *b, size_t calls, size_t spin, const counters *team,
                          sample *out) {
    slots split = {.spin = spin};
    const bool ok = take(c, b, calls, team, &split, out);
    out->value[SAMPLE_SLOT] = split.count > 0 ? stats_median(split.ns, split.count) : out->value[SAMPLE_TIME];
    return ok;
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

// What a call takes, of two samples the less: one alone may be what took the CPU away, and no kernel.
static bool call_ns(const cell *c, const buffers *b, size_t calls, double *ns) {
    sample first, second;
    if (!sampler_sample(c, b, calls, &uncounted, &first) || !sampler_sample(c, b, calls, &uncounted, &second))
        return false;
    *ns = fmin(first.value[SAMPLE_TIME], second.value[SAMPLE_TIME]);
    return true;
}

size_t sampler_calibrate(const cell *c, const buffers *b, double *ns) {
    size_t calls = 1;
    for (;;) {
        if (!call_ns(c, b, calls, ns))
            return 0;
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
