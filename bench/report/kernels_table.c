// SPDX-License-Identifier: MIT
// kernels_table.c: kernels.csv; see summary.h.
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/operations.h"
#include "peers/peers.h"
#include "plan/tune_plan.h"
#include "schema.h"
#include "summary.h"

// A row: what it is made from, and what several columns share.
typedef struct {
    const run *run;
    const planned *item;
    const cell *cell;
    size_t samples;
    double elements, bytes; // of the tensor; of memory, per element
    double fastest, spread_pct, preempted_pct, page_faults;
    operation_counts counts; // of an element
    bound_terms terms;
    row_bound bound;
    stats_interval time, ratio, to_layernorm, ceiling_fraction, clock, cycles, instructions, cache_misses, peak;
    const char *cycles_source, *status;
    char library_impl[PEERS_NAME_SIZE], reason[256];
} kernels_row;

COLUMN_WORDS(status, "ok", "unstable", "reference", "wrong", "skipped", "missing")
COLUMN_WORDS(source, "counters", "clock")

// So much per element of the tensor.
static column_value per_element(const kernels_row *r, stats_interval i) {
    return value_known_to(i.median / r->elements, i);
}

#define ROW kernels_row
#define COLUMNS(X)                                                                                                     \
    X(OPTIONAL, launches, count, "{launch}", value_size(r->time.n), "Fresh processes that measured this row.")         \
    X(OPTIONAL, samples, count, "{sample}", value_size(r->samples), "Samples over all launches.")                      \
    X(OPTIONAL, calls_per_sample, ordinal, "{call}", value_size(r->item->calls > 0 ? r->item->calls : 1),              \
      "Calls that were timed together as one sample: the same for all rows of one group, form and level, but for "     \
      "those whose sample would last over 25 ms.")                                                                     \
    X(OPTIONAL, time_ns_min, amount, "ns", value_known_to(r->fastest, r->time),                                        \
      "Time of one call: the smallest sample of all.")                                                                 \
    COLUMN_INTERVAL(X, time_ns_median, time_ns, amount, "ns", r->time,                                                 \
                    "Time of one call: the median over launches of each launch's median.")                             \
    X(OPTIONAL, ns_per_element, amount, "ns/{element}", per_element(r, r->time),                                       \
      "time_ns_median over rows times cols.")                                                                          \
    X(OPTIONAL, bytes_per_element, amount, "By/{element}", value_size((size_t)r->bytes),                               \
      "Memory traffic that the form cannot avoid; for eager and framework, the sum over their operations.")            \
    X(OPTIONAL, gbytes_per_s, amount, "GBy/s", value_known_to(r->bytes * r->elements / r->time.median, r->time),       \
      "bytes_per_element over ns_per_element.")                                                                        \
    X(OPTIONAL, ceiling_fraction, amount, "1", value_median(r->ceiling_fraction),                                      \
      "gbytes_per_s over that of the fastest identity measured in the same interleaved group: of the same form for "   \
      "rows of add_fused and framework, else fused.")                                                                  \
    COLUMN_INTERVAL(X, ratio_to_rmsnorm, ratio, amount, "1", r->ratio,                                                 \
                    "Time over that of rmsnorm with the same pass, form, level, dtype, shape, threads, placement and " \
                    "cache, from paired samples; below 1 is faster. At level library, over our rmsnorm at the best "   \
                    "level; where the run has none, over the same library's rmsnorm.")                                 \
    X(OPTIONAL, max_error, amount, "1", value_real(r->item->max_error, 4),                                             \
      "Largest error against the double-precision reference on this shape, in units of the dtype's epsilon times the " \
      "magnitude that an ideal implementation's rounding is proportional to.")                                         \
    X(REQUIRED, status, status, NULL, value_text(r->status),                                                           \
      "ok; unstable: measured, but too noisy to rely on; reference: measured, but of another library's reference "     \
      "code, which is no peer, so not compared; wrong: failed the check or, of a plug-in, ended or hung its process, " \
      "so not timed; skipped: this CPU cannot run "                                                                    \
      "it; missing: planned but not measured.")                                                                        \
    X(OPTIONAL, reason, text, NULL, value_text(r->reason), "Why status is not ok; empty if it is.")                    \
    X(OPTIONAL, spread_pct, amount, "%", value_real(r->spread_pct, 3),                                                 \
      "Spread of the launch medians: largest less smallest, relative to their median.")                                \
    X(OPTIONAL, preempted_pct, amount, "%", value_real(r->preempted_pct, 3),                                           \
      "Share of the samples during which the kernel preempted a thread.")                                              \
    X(OPTIONAL, clock_ghz, amount, "GHz", value_median(r->clock),                                                      \
      "Clock of the first thread's core while the samples were taken, by a chain of dependent multiplications right "  \
      "before and after each, the larger of both: median over launches of each launch's median; empty where not "      \
      "x86-64.")                                                                                                       \
    X(OPTIONAL, cycles_per_element, amount, "{cycle}/{element}", per_element(r, r->cycles),                            \
      "Core cycles of all threads of the team together, waiting ones included, over rows times cols; cycles_source "   \
      "says how they were had.")                                                                                       \
    X(OPTIONAL, cycles_source, source, NULL, value_text(r->cycles_source),                                             \
      "counters: counted by hardware, user mode alone; clock: time_ns times clock_ghz of each sample, times threads; " \
      "empty if there is neither.")                                                                                    \
    X(OPTIONAL, instructions_per_element, amount, "{instruction}/{element}", per_element(r, r->instructions),          \
      "Instructions that the team's threads retired, in user mode, over rows times cols; empty where the hardware "    \
      "counters are not to be had: meta.json says why.")                                                               \
    X(OPTIONAL, cache_misses_per_element, amount, "{miss}/{element}", per_element(r, r->cache_misses),                 \
      "Misses of the last-level cache, as the kernel's event cache-misses counts them on this CPU, likewise.")         \
    X(OPTIONAL, operations_per_element, amount, "{operation}/{element}", value_real(r->counts.operations, 6),          \
      "Floating-point operations of the kernel's source at this level: additions, subtractions, multiplications, "     \
      "divisions, roots, minima and maxima; a multiply-add is two. Counted by running the same source with counting "  \
      "vectors; empty for what calls another library.")                                                                \
    X(OPTIONAL, peak_gflops, amount, "GFLOP/s", value_median(r->peak),                                                 \
      "Rate of the FMA units of the same team, measured when a launch first came to it: median over launches.")        \
    X(OPTIONAL, page_faults, amount, "{page}", value_real(r->page_faults, 4),                                          \
      "Pages that the kernel gave anew in one call, of all threads: median over launches. Form framework alone has "   \
      "them, whose results are new tensors.")                                                                          \
    X(OPTIONAL, library_impl, text, NULL, value_text(r->library_impl),                                                 \
      "The implementation that oneDNN chose for this call, in its own words, as jit:avx512_core; empty where the row " \
      "is none of oneDNN's.")
COLUMN_OWN_LIST(own_columns, COLUMNS)

static const char *schedule_word(const cell *c) {
    static char text[NORM_SCHEDULE_TEXT]; // until the field is written
    return norm_schedule_text(norm_schedule_of(c->impl, c->pass, c->rows, c->cols, (int)c->threads), text);
}

#define SCHEDULED(X)                                                                                                   \
    X(OPTIONAL, schedule, schedule, NULL, value_text(schedule_word(r->cell)),                                          \
      "How the kernel went over rows and columns, as tune.csv of the run says; default: as untuned.")
COLUMN_OWN_LIST(scheduled_columns, SCHEDULED)

static const char *bound_word(size_t i) { return bound_name((bound_kind)i); }
static const column_type column_bound = {.word = bound_word};
#define BOUND_COLUMNS(X)                                                                                               \
    X(OPTIONAL, bound, bound, NULL, value_if(r->bound.kind < BOUNDS, value_text(bound_name(r->bound.kind))),           \
      "What takes most of the least time that this row could take. l1, l2, l3, memory: what the fastest identity of "  \
      "the same group and stores takes to move as much where the tensors lie (an l3 to 16 times l2). ports: the "      \
      "instructions that compute, at the rate of this machine's units. latency: of a single row, the sum, root and "   \
      "division that wait for each other. Empty without a basis: no identity, operations that cannot be counted, or "  \
      "a form op by op. docs/method.md has the formula.")                                                              \
    X(OPTIONAL, bound_fraction, amount, "1", value_real(r->bound.fraction, 3),                                         \
      "That least time over time_ns_median; below 0.85 the kernel is not at its limit.")
COLUMN_OWN_LIST(bound_columns, BOUND_COLUMNS)

#define COMPARED(X)                                                                                                    \
    COLUMN_INTERVAL(X, ratio_to_layernorm, ratio_to_layernorm, amount, "1", r->to_layernorm,                           \
                    "Time over that of layernorm, likewise.")
COLUMN_OWN_LIST(compared_columns, COMPARED)

static const void *run_of(const void *row) { return ((const kernels_row *)row)->run; }
static const void *cell_of(const void *row) { return ((const kernels_row *)row)->cell; }
static const void *impl_of(const void *row) { return ((const kernels_row *)row)->cell->impl; }
COLUMN_TABLE(
    kernels, "*/*/kernels.csv",
    "One row per implementation, shape, thread count, placement and cache state: what was measured, in summary.",
    {run_columns, RUN_COLUMNS, run_of}, {cell_columns, CELL_COLUMNS, cell_of}, COLUMN_PART(own_columns),
    {cell_impl_columns, CELL_IMPL_COLUMNS, impl_of}, COLUMN_PART(compared_columns),
    {cell_later_columns, CELL_LATER_COLUMNS, cell_of}, COLUMN_PART(scheduled_columns), COLUMN_PART(bound_columns),
    {cell_impl_later_columns, CELL_IMPL_LATER_COLUMNS, impl_of})

// "ok", or why a row should not be trusted to within SUMMARY_STABLE. judged: the ratio that it is known by.
static const char *judge(kernels_row *r, const stats_interval *judged) {
    const planned *const item = r->item;
    if (item->wrong || r->time.n == 0) {
        snprintf(r->reason, sizeof r->reason, "%s",
                 item->reason[0] != '\0' ? item->reason : "not measured before the run ended");
        return item->wrong ? "wrong" : item->reason[0] != '\0' ? "skipped" : "missing";
    }
    if (peers_is_reference(r->library_impl)) {
        snprintf(r->reason, sizeof r->reason, "the library runs its reference code here (%s), which is no peer",
                 r->library_impl);
        return "reference";
    }
    if (isnan(judged->lo)) {
        snprintf(r->reason, sizeof r->reason, "%zu launches are too few for a 95 %% interval", r->time.n);
        return "unstable";
    }
    if (interval_half_width(judged) <= SUMMARY_STABLE)
        return "ok";
    snprintf(r->reason, sizeof r->reason,
             "paired ratio known to within %.1f %% only; launches differ by %.0f %%; %.0f %% of samples preempted",
             100 * interval_half_width(judged), r->spread_pct, r->preempted_pct);
    return "unstable";
}

static kernels_row make_row(const summary *s, size_t index, const run *run_of_all) {
    const planned *const item = &s->plan->schedule.items[index];
    const cell *const c = &plan_cells(s->plan)[index];
    const size_t layernorm = summary_partner(s->plan, index, NORM_LAYERNORM);
    const size_t rmsnorm = summary_partner(s->plan, index, NORM_RMSNORM), identity = summary_identity(s, index);
    kernels_row r = {.run = run_of_all,
                     .item = item,
                     .cell = c,
                     .samples = sample_index_count(&s->samples, index),
                     .elements = (double)c->rows * (double)c->cols,
                     .bytes = norm_bytes_per_element(c->impl, c->pass),
                     .fastest = sample_index_fastest(&s->samples, index),
                     .preempted_pct = sample_index_preempted_pct(&s->samples, index),
                     .spread_pct = summary_spread_pct(s, index),
                     .page_faults = summary_median(s, index, KERNELS_PAGE_FAULTS).median,
                     .time = summary_median(s, index, KERNELS_TIME),
                     .ratio = INTERVAL_NONE,
                     .to_layernorm = INTERVAL_NONE,
                     .ceiling_fraction = INTERVAL_NONE,
                     .clock = summary_median(s, index, KERNELS_CLOCK),
                     .instructions = summary_median(s, index, KERNELS_COUNTED + (int)COUNTER_INSTRUCTIONS),
                     .cache_misses = summary_median(s, index, KERNELS_COUNTED + (int)COUNTER_CACHE_MISSES),
                     .peak = summary_median(s, index, KERNELS_PEAK)};
    r.cycles = summary_cycles(s, index, &r.cycles_source);
    peers_library_impl(c->impl, c->pass, c->rows, c->cols, c->threads, r.library_impl);
    if (rmsnorm != SIZE_MAX && !peers_is_reference(r.library_impl))
        r.ratio = summary_ratio(s, index, rmsnorm);
    if (layernorm != SIZE_MAX && !peers_is_reference(r.library_impl))
        r.to_layernorm = summary_ratio(s, index, layernorm);
    const stats_interval floor_ratio = identity == SIZE_MAX ? INTERVAL_NONE : summary_ratio(s, identity, index);
    r.terms = (bound_terms){.time_ns = r.time.median,
                            .copy_ratio = floor_ratio.median,
                            .copy = identity == SIZE_MAX ? NULL : plan_cells(s->plan)[identity].impl,
                            .peak_gflops = r.peak.median};
    // Bytes per second of this row over those of identity: the ratio of times, weighed by what each moves.
    if (identity != SIZE_MAX)
        r.ceiling_fraction =
            stats_scaled(floor_ratio, r.bytes / norm_bytes_per_element(plan_cells(s->plan)[identity].impl, c->pass));
    // rmsnorm's ratio to itself says nothing, so it is judged by its ratio to identity.
    r.status = judge(&r, index == rmsnorm ? &floor_ratio : &r.ratio);
    return r;
}

// How much arithmetic each row does, counted by running it, once for all shapes; and what that makes its bound.
static void count_operations(const bound_machine *machine, kernels_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const cell *const c = rows[i].cell;
        size_t same = 0;
        while (rows[same].cell->impl != c->impl || rows[same].cell->pass != c->pass)
            same++;
        rows[i].counts = same < i ? rows[same].counts : operations_per_element(c->impl, c->pass);
        rows[i].terms.instructions = rows[i].counts.instructions;
        rows[i].terms.multiplies = rows[i].counts.multiplies;
        rows[i].bound = bound_of(machine, c, &rows[i].terms);
    }
}

int summary_write(const summary *s, const char *path, const run *r, size_t *missing) {
    const size_t count = s->plan->schedule.count;
    kernels_row *const all = malloc((count + 1) * sizeof *all);
    if (all == NULL)
        return ENOMEM;
    *missing = 0;
    for (size_t i = 0; i < count; i++) {
        all[i] = make_row(s, i, r);
        *missing += strcmp(all[i].status, "missing") == 0;
    }
    count_operations(&s->machine, all, count);
    const rows_file file = {
        .table = &kernels_table, .rows = all, .count = count, .size = sizeof *all, .format = SCHEMA_CSV};
    const int error = rows_file_write(&file, path);
    free(all);
    return error;
}
