// SPDX-License-Identifier: MIT
// summary.c: see summary.h. Writes kernels.csv.
#include "summary.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "measure/operations.h"
#include "measure/run.h"
#include "peers/peers.h"

static int in_order(const void *left, const void *right) {
    const observation *const a = left, *const b = right;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    if (a->launch != b->launch)
        return a->launch < b->launch ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

bool summary_make(summary *s, const plan *p, const observations *all) {
    *s = (summary){.plan = p};
    s->sorted = malloc((all->count + 1) * sizeof *s->sorted);
    s->first = calloc(p->count + 1, sizeof *s->first);
    s->points = malloc(2 * (all->count + 1) * sizeof *s->points);
    s->medians = malloc((all->count + 1) * sizeof *s->medians);
    if (s->sorted == NULL || s->first == NULL || s->points == NULL || s->medians == NULL) {
        summary_free(s);
        return false;
    }
    if (all->count > 0) {
        memcpy(s->sorted, all->items, all->count * sizeof *s->sorted);
        qsort(s->sorted, all->count, sizeof *s->sorted, in_order);
    }
    for (size_t index = 0, i = 0; index <= p->count; index++) {
        while (i < all->count && s->sorted[i].cell < index)
            i++;
        s->first[index] = i;
    }
    return true;
}

void summary_free(summary *s) {
    free(s->sorted);
    free(s->first);
    free(s->points);
    free(s->medians);
    *s = (summary){0};
}

// What there is to know of a sample; from COUNTED on, a counter.
typedef enum { TIME, LOG_TIME, CLOCK, CLOCKED_CYCLES, PEAK, PAGE_FAULTS, COUNTED } quantity;

static double value_of(const observation *o, const cell *c, quantity what) {
    const sample *const s = &o->sample;
    switch (what) {
    case TIME:
        return s->ns;
    case LOG_TIME:
        return log(s->ns);
    case CLOCK:
        return s->clock_ghz;
    case CLOCKED_CYCLES:
        return s->ns * s->clock_ghz * (double)c->threads;
    case PEAK:
        return 1e-9 * o->peak_flops;
    case PAGE_FAULTS:
        return s->page_faults;
    default:
        return s->counted.value[what - COUNTED];
    }
}

// A cell's samples as a series at `points`.
static series series_of(const summary *s, size_t index, quantity what, series_point *points) {
    const size_t begin = s->first[index], count = s->first[index + 1] - begin;
    for (size_t i = 0; i < count; i++) {
        const observation *const o = &s->sorted[begin + i];
        points[i] = (series_point){o->launch, o->index, value_of(o, &s->plan->items[index].cell, what)};
    }
    return (series){points, count};
}

static const stats_interval none = {NAN, NAN, NAN, 0, 0};

// The median over launches of what every sample of the cell must have, or none: rows are compared, and one that leaves
// out samples is of other moments than the rest.
static stats_interval median_of(const summary *s, size_t index, quantity what) {
    const series all = series_of(s, index, what, s->points);
    for (size_t i = 0; i < all.count; i++)
        if (isnan(all.points[i].value))
            return none;
    return series_median(all);
}

stats_interval summary_time(const summary *s, size_t index) { return median_of(s, index, TIME); }

stats_interval summary_counted(const summary *s, size_t index, counter which) {
    return median_of(s, index, (quantity)((int)COUNTED + (int)which));
}

stats_interval summary_cycles(const summary *s, size_t index, const char **source) {
    const stats_interval counted = summary_counted(s, index, COUNTER_CYCLES);
    *source = "counters";
    if (!isnan(counted.median))
        return counted;
    const stats_interval clocked = median_of(s, index, CLOCKED_CYCLES);
    *source = isnan(clocked.median) ? "" : "clock";
    return clocked;
}

stats_interval summary_ratio(const summary *s, size_t a, size_t b) {
    const series of_a = series_of(s, a, LOG_TIME, s->points);
    const series of_b = series_of(s, b, LOG_TIME, s->points + of_a.count);
    stats_interval result = series_difference(of_a, of_b, SERIES_CONFIDENCE);
    result.median = exp(result.median);
    result.lo = exp(result.lo);
    result.hi = exp(result.hi);
    return result;
}

size_t summary_partner(const plan *p, size_t index, norm_op op) {
    const norm_impl *const own = p->items[index].cell.impl;
    size_t begin, end, theirs = SIZE_MAX;
    plan_group(p, p->items[index].group, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const norm_impl *const impl = p->items[i].cell.impl;
        if (impl->op != op || impl->form != own->form)
            continue;
        if (impl->level == cell_level(own) && norm_is_default(impl))
            return i;
        if (impl->level == NORM_LEVEL_LIBRARY && own->level == impl->level)
            theirs = i;
    }
    return theirs;
}

size_t summary_rmsnorm(const plan *p, size_t index) { return summary_partner(p, index, NORM_RMSNORM); }

size_t summary_identity(const summary *s, size_t index) {
    const norm_form form = plan_ceiling_form(s->plan->items[index].cell.impl->form);
    size_t begin, end, fastest = SIZE_MAX;
    double best = INFINITY;
    plan_group(s->plan, s->plan->items[index].group, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const norm_impl *const impl = s->plan->items[i].cell.impl;
        const double ns = impl->op == NORM_IDENTITY && impl->form == form ? summary_time(s, i).median : NAN;
        if (ns < best) {
            best = ns;
            fastest = i;
        }
    }
    return fastest;
}

// "ok", or why a row should not be trusted to within SUMMARY_STABLE.
static const char *judge(const planned *item, const char *library_impl, size_t launches, const stats_interval *ratio,
                         double spread, double preempted, char *reason, size_t size) {
    if (item->wrong || launches == 0) {
        snprintf(reason, size, "%s", item->reason[0] != '\0' ? item->reason : "not measured before the run ended");
        return item->wrong ? "wrong" : item->reason[0] != '\0' ? "skipped" : "missing";
    }
    if (peers_is_reference(library_impl)) {
        snprintf(reason, size, "the library runs its reference code here (%s), which is no peer", library_impl);
        return "reference";
    }
    if (isnan(ratio->lo)) {
        snprintf(reason, size, "%zu launches are too few for a 95 %% interval", launches);
        return "unstable";
    }
    if (interval_half_width(ratio) <= SUMMARY_STABLE) {
        reason[0] = '\0';
        return "ok";
    }
    snprintf(reason, size,
             "paired ratio known to within %.1f %% only; launches differ by %.0f %%; %.0f %% of samples preempted",
             100 * interval_half_width(ratio), spread, preempted);
    return "unstable";
}

// A median per element of so many, or as it is (1).
static void write_median(csv_writer *w, stats_interval i, double elements) {
    csv_real(w, i.median / elements, interval_digits(&i));
}

static void write_cost(const summary *s, csv_writer *w, size_t index, double elements) {
    const cell *const c = &s->plan->items[index].cell;
    const char *source;
    write_median(w, median_of(s, index, CLOCK), 1);
    write_median(w, summary_cycles(s, index, &source), elements);
    csv_text(w, source);
    write_median(w, summary_counted(s, index, COUNTER_INSTRUCTIONS), elements);
    write_median(w, summary_counted(s, index, COUNTER_CACHE_MISSES), elements);
    csv_real(w, operations_per_element(c->impl, c->pass), 6);
    write_median(w, median_of(s, index, PEAK), 1);
    csv_real(w, median_of(s, index, PAGE_FAULTS).median, 4);
}

static const char *write_row(const summary *s, csv_writer *w, size_t index, const char *run_id, const char *git_commit,
                             const char *machine_id) {
    const planned *const item = &s->plan->items[index];
    const cell *const c = &item->cell;
    const double elements = (double)c->rows * (double)c->cols;
    const unsigned bytes = norm_bytes_per_element(c->impl, c->pass);
    const size_t samples = s->first[index + 1] - s->first[index];
    const size_t rmsnorm = summary_rmsnorm(s->plan, index), identity = summary_identity(s, index);
    char library_impl[PEERS_NAME_SIZE];
    double fastest = NAN, preempted = 0;
    for (size_t i = s->first[index]; i < s->first[index + 1]; i++) {
        fastest = fmin(fastest, s->sorted[i].sample.ns);
        preempted += s->sorted[i].sample.preempted;
    }
    peers_library_impl(c->impl, c->pass, c->rows, c->cols, c->threads, library_impl);
    const bool is_compared = rmsnorm != SIZE_MAX && !peers_is_reference(library_impl);
    const stats_interval ratio = is_compared ? summary_ratio(s, index, rmsnorm) : none;
    const stats_interval floor_ratio = identity == SIZE_MAX ? none : summary_ratio(s, identity, index);
    // rmsnorm's ratio to itself says nothing, so it is judged by its ratio to identity.
    const stats_interval *const judged = index == rmsnorm ? &floor_ratio : &ratio;
    const size_t launches = series_launch_medians(series_of(s, index, TIME, s->points), s->medians);
    const stats_interval time = stats_median_interval(s->medians, launches, SERIES_CONFIDENCE);
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < launches; i++) {
        least = fmin(least, s->medians[i]);
        most = fmax(most, s->medians[i]);
    }
    const double spread = launches > 0 ? 100 * (most - least) / time.median : NAN;
    const double rate = bytes * elements / time.median;
    // Bytes per second of this row over those of identity: the ratio of times, weighed by what each moves.
    const double moved = identity == SIZE_MAX
                             ? NAN
                             : (double)bytes / norm_bytes_per_element(s->plan->items[identity].cell.impl, c->pass);
    preempted = samples > 0 ? 100 * preempted / (double)samples : NAN;
    char reason[256];
    const char *const status = judge(item, library_impl, launches, judged, spread, preempted, reason, sizeof reason);

    csv_int(w, SCHEMA_VERSION);
    csv_text(w, run_id);
    csv_text(w, git_commit);
    csv_text(w, machine_id);
    cell_write(w, c);
    csv_size(w, launches);
    csv_size(w, samples);
    csv_size(w, item->calls > 0 ? item->calls : 1);
    csv_real(w, fastest, interval_digits(&time));
    interval_write(w, &time);
    csv_real(w, time.median / elements, interval_digits(&time));
    csv_size(w, bytes);
    csv_real(w, rate, interval_digits(&time));
    csv_real(w, moved * floor_ratio.median, interval_digits(&floor_ratio));
    interval_write(w, &ratio);
    csv_real(w, item->max_error, 4);
    csv_text(w, status);
    csv_text(w, reason);
    csv_real(w, spread, 3);
    csv_real(w, preempted, 3);
    write_cost(s, w, index, elements);
    csv_text(w, library_impl);
    csv_end(w);
    return status;
}

int summary_write(const summary *s, const char *path, const char *run_id, const char *git_commit,
                  const char *machine_id, size_t *rows, size_t *missing) {
    static const char *const before[] = {"schema_version", "run_id", "git_commit", "machine_id"};
    static const char *const after[] = {
        "launches",
        "samples",
        "calls_per_sample",
        "time_ns_min",
        "time_ns_median",
        "time_ns_lo95",
        "time_ns_hi95",
        "ns_per_element",
        "bytes_per_element",
        "gbytes_per_s",
        "ceiling_fraction",
        "ratio_to_rmsnorm",
        "ratio_lo95",
        "ratio_hi95",
        "max_error",
        "status",
        "reason",
        "spread_pct",
        "preempted_pct",
        "clock_ghz",
        "cycles_per_element",
        "cycles_source",
        "instructions_per_element",
        "cache_misses_per_element",
        "operations_per_element",
        "peak_gflops",
        "page_faults",
        "library_impl",
    };
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        csv_text(&w, before[i]);
    cell_write_header(&w);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        csv_text(&w, after[i]);
    csv_end(&w);
    *rows = s->plan->count;
    *missing = 0;
    for (size_t index = 0; index < s->plan->count; index++)
        *missing += strcmp(write_row(s, &w, index, run_id, git_commit, machine_id), "missing") == 0;
    return csv_close(&w);
}
