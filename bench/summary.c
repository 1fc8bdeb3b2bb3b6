// SPDX-License-Identifier: MIT
// summary.c: see summary.h. Writes kernels.csv.
#include "summary.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIDENCE 0.95

bool observations_add(observations *all, const observation *o) {
    if (all->count == all->room) {
        const size_t room = all->room == 0 ? 4096 : 2 * all->room;
        observation *const items = realloc(all->items, room * sizeof *items);
        if (items == NULL)
            return false;
        all->items = items;
        all->room = room;
    }
    all->items[all->count++] = *o;
    return true;
}

void observations_free(observations *all) {
    free(all->items);
    *all = (observations){0};
}

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
    s->scratch = malloc(2 * (all->count + 1) * sizeof *s->scratch);
    if (s->sorted == NULL || s->first == NULL || s->scratch == NULL) {
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
    free(s->scratch);
    *s = (summary){0};
}

// The end of the launch that begins at sorted[i].
static size_t launch_end(const summary *s, size_t index, size_t i) {
    const size_t launch = s->sorted[i].launch;
    while (i < s->first[index + 1] && s->sorted[i].launch == launch)
        i++;
    return i;
}

// The end of the round that begins at sorted[i], at most `end`.
static size_t round_end(const summary *s, size_t i, size_t end) {
    const size_t round = s->sorted[i].index / 2;
    while (i < end && s->sorted[i].index / 2 == round)
        i++;
    return i;
}

// The medians of a cell's launches, into the front of scratch.
static size_t launch_medians(const summary *s, size_t index) {
    double *const medians = s->scratch, *const values = s->scratch + (s->first[s->plan->count] + 1);
    size_t launches = 0;
    for (size_t i = s->first[index], end; i < s->first[index + 1]; i = end) {
        end = launch_end(s, index, i);
        for (size_t k = i; k < end; k++)
            values[k - i] = s->sorted[k].ns;
        medians[launches++] = stats_median(values, end - i);
    }
    return launches;
}

stats_interval summary_time(const summary *s, size_t index) {
    return stats_median_interval(s->scratch, launch_medians(s, index), CONFIDENCE);
}

stats_interval summary_ratio(const summary *s, size_t a, size_t b) {
    double *const logs = s->scratch, *const rounds = s->scratch + (s->first[s->plan->count] + 1);
    size_t launches = 0;
    for (size_t i = s->first[a], j = s->first[b]; i < s->first[a + 1] && j < s->first[b + 1];) {
        const observation *const x = &s->sorted[i], *const y = &s->sorted[j];
        if (x->launch != y->launch) {
            if (x->launch < y->launch)
                i = launch_end(s, a, i);
            else
                j = launch_end(s, b, j);
            continue;
        }
        const size_t i_end = launch_end(s, a, i), j_end = launch_end(s, b, j);
        size_t count = 0;
        while (i < i_end && j < j_end) {
            const size_t round = s->sorted[i].index / 2, other = s->sorted[j].index / 2;
            const size_t i_next = round_end(s, i, i_end), j_next = round_end(s, j, j_end);
            // A round is samples 2k and 2k + 1; one that was cut off has no pair and is left to the medians of times.
            if (round == other && i_next - i == 2 && j_next - j == 2)
                rounds[count++] = 0.5 * (log(s->sorted[i].ns) + log(s->sorted[i + 1].ns) - log(s->sorted[j].ns) -
                                         log(s->sorted[j + 1].ns));
            i = round <= other ? i_next : i;
            j = other <= round ? j_next : j;
        }
        if (count > 0)
            logs[launches++] = stats_median(rounds, count);
        i = i_end;
        j = j_end;
    }
    stats_interval result = stats_median_interval(logs, launches, CONFIDENCE);
    result.median = exp(result.median);
    result.lo = exp(result.lo);
    result.hi = exp(result.hi);
    return result;
}

size_t summary_partner(const plan *p, size_t index, norm_op op, const char *variant, norm_form form, norm_level level) {
    size_t begin, end;
    plan_group(p, p->items[index].group, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const norm_impl *const impl = p->items[i].cell.impl;
        if (impl->op == op && impl->form == form && impl->level == level && strcmp(impl->variant, variant) == 0)
            return i;
    }
    return SIZE_MAX;
}

size_t summary_rmsnorm(const plan *p, size_t index) {
    const norm_impl *const impl = p->items[index].cell.impl;
    return summary_partner(p, index, NORM_RMSNORM, norm_default_variant(NORM_RMSNORM), impl->form, impl->level);
}

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

static double half_width(const stats_interval *i) { return fmax(i->hi - i->median, i->median - i->lo) / i->median; }

// "ok", or why a row should not be trusted to within SUMMARY_STABLE.
static const char *judge(const planned *item, size_t launches, const stats_interval *ratio, double spread,
                         double preempted, char *reason, size_t size) {
    if (item->wrong || launches == 0) {
        snprintf(reason, size, "%s", item->reason[0] != '\0' ? item->reason : "not measured before the run ended");
        return item->wrong ? "wrong" : item->reason[0] != '\0' ? "skipped" : "missing";
    }
    if (isnan(ratio->lo)) {
        snprintf(reason, size, "%zu launches are too few for a 95 %% interval", launches);
        return "unstable";
    }
    if (half_width(ratio) <= SUMMARY_STABLE) {
        reason[0] = '\0';
        return "ok";
    }
    snprintf(reason, size,
             "paired ratio known to within %.1f %% only; launches differ by %.0f %%; %.0f %% of samples preempted",
             100 * half_width(ratio), spread, preempted);
    return "unstable";
}

// Digits that an interval supports: to a tenth of its half width, 3 to 6 of them.
static int digits(const stats_interval *i) {
    const double width = isnan(i->lo) ? 0.1 : half_width(i);
    const int supported = width > 0 ? 1 + (int)ceil(-log10(width)) : 6;
    return supported < 3 ? 3 : supported > 6 ? 6 : supported;
}

static void write_interval(csv_writer *w, const stats_interval *i) {
    csv_real(w, i->median, digits(i));
    csv_real(w, i->lo, digits(i));
    csv_real(w, i->hi, digits(i));
}

static const char *write_row(const summary *s, csv_writer *w, size_t index, const char *run_id, const char *git_commit,
                             const char *machine_id) {
    const planned *const item = &s->plan->items[index];
    const cell *const c = &item->cell;
    const double elements = (double)c->rows * (double)c->cols;
    const unsigned bytes = norm_bytes_per_element(c->impl, c->pass);
    const size_t samples = s->first[index + 1] - s->first[index];
    const size_t rmsnorm = summary_rmsnorm(s->plan, index), identity = summary_identity(s, index);
    double fastest = NAN, preempted = 0;
    for (size_t i = s->first[index]; i < s->first[index + 1]; i++) {
        fastest = fmin(fastest, s->sorted[i].ns);
        preempted += s->sorted[i].preempted;
    }
    const stats_interval none = {NAN, NAN, NAN, 0, 0};
    const stats_interval ratio = rmsnorm == SIZE_MAX ? none : summary_ratio(s, index, rmsnorm);
    const stats_interval floor_ratio = identity == SIZE_MAX ? none : summary_ratio(s, identity, index);
    // rmsnorm's ratio to itself says nothing, so it is judged by its ratio to identity.
    const stats_interval *const judged = index == rmsnorm ? &floor_ratio : &ratio;
    const size_t launches = launch_medians(s, index);
    const stats_interval time = stats_median_interval(s->scratch, launches, CONFIDENCE);
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < launches; i++) {
        least = fmin(least, s->scratch[i]);
        most = fmax(most, s->scratch[i]);
    }
    const double spread = launches > 0 ? 100 * (most - least) / time.median : NAN;
    const double rate = bytes * elements / time.median;
    // Bytes per second of this row over those of identity: the ratio of times, weighed by what each moves.
    const double moved = identity == SIZE_MAX
                             ? NAN
                             : (double)bytes / norm_bytes_per_element(s->plan->items[identity].cell.impl, c->pass);
    preempted = samples > 0 ? 100 * preempted / (double)samples : NAN;
    char reason[256];
    const char *const status = judge(item, launches, judged, spread, preempted, reason, sizeof reason);

    csv_int(w, SCHEMA_VERSION);
    csv_text(w, run_id);
    csv_text(w, git_commit);
    csv_text(w, machine_id);
    cell_write(w, c);
    csv_size(w, launches);
    csv_size(w, samples);
    csv_size(w, item->calls > 0 ? item->calls : 1);
    csv_real(w, fastest, digits(&time));
    write_interval(w, &time);
    csv_real(w, time.median / elements, digits(&time));
    csv_size(w, bytes);
    csv_real(w, rate, digits(&time));
    csv_real(w, moved * floor_ratio.median, digits(&floor_ratio));
    write_interval(w, &ratio);
    csv_real(w, item->max_error, 4);
    csv_text(w, status);
    csv_text(w, reason);
    csv_real(w, spread, 3);
    csv_real(w, preempted, 3);
    csv_end(w);
    return status;
}

int summary_write(const summary *s, const char *path, const char *run_id, const char *git_commit,
                  const char *machine_id, size_t *rows, size_t *missing) {
    static const char *const before[] = {"schema_version", "run_id", "git_commit", "machine_id"};
    static const char *const after[] = {
        "launches",         "samples",          "calls_per_sample", "time_ns_min",       "time_ns_median",
        "time_ns_lo95",     "time_ns_hi95",     "ns_per_element",   "bytes_per_element", "gbytes_per_s",
        "ceiling_fraction", "ratio_to_rmsnorm", "ratio_lo95",       "ratio_hi95",        "max_error",
        "status",           "reason",           "spread_pct",       "preempted_pct"};
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
