// SPDX-License-Identifier: MIT
// layers_table.c: layers.csv; see layers_summary.h.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layers_summary.h"
#include "schema.h"

// A row: what it is made from, and what several columns share. What could not be compared is none.
typedef struct {
    const run *run;
    const planned *item;
    const layers_arm *arm;
    const norm_impl *impl; // of the slot
    size_t samples;
    double fastest, preempted_pct, timing_pct, line_ns, page_faults, call_ns;
    double intensity, cost; // I and c of law.h
    stats_interval time, norm, share, by_identity, matmul_share, matmul_flops, matmul_fraction, said, composition,
        one_sweep, call;
    layers_delta delta;
    bool placed;
    layers_placed places[CORES_PLACES];
    const char *status;
    char reason[256];
} layers_row;

COLUMN_WORDS(status, "ok", "unstable", "wrong", "skipped", "missing")
static const column_type column_percent = {COLUMN_NUMBER, 0, 100, NULL, NULL};
static const column_type column_library = {.pattern = "[A-Za-z0-9][A-Za-z0-9_:.+/, -]{0,127}"};

#define ROW layers_row
#define COUNTS(X)                                                                                                      \
    X(OPTIONAL, launches, count, "{launch}", value_size(r->time.n), "Fresh processes that measured this row.")         \
    X(OPTIONAL, samples, count, "{sample}", value_size(r->samples), "Samples over all launches.")                      \
    X(OPTIONAL, calls_per_sample, ordinal, "{call}", value_size(r->item->calls > 0 ? r->item->calls : 1),              \
      "Calls that were timed together as one sample.")
#define VALUES(X)                                                                                                      \
    X(OPTIONAL, time_ns_min, amount, "ns", value_known_to(r->fastest, r->time),                                        \
      "Time of one layer: the smallest sample of all.")                                                                \
    COLUMN_INTERVAL(X, time_ns_median, time_ns, amount, "ns", r->time,                                                 \
                    "Time of one layer. The median over launches of each launch's median.")                            \
    COLUMN_INTERVAL(X, norm_time_ns_median, norm_time_ns, amount, "ns", r->norm,                                       \
                    "Time of all norms of the layer, timed in place; in form add_fused with the residual adds that "   \
                    "are joined to them. The median over launches of each launch's median.")                           \
    COLUMN_INTERVAL(X, norm_share, norm_share, fraction, "1", r->share,                                                \
                    "Share of the time that the norms take, timed in place: the median over launches.")                \
    COLUMN_INTERVAL(X, norm_by_identity_ns_median, norm_by_identity_ns, real, "ns", r->by_identity,                    \
                    "Time of the layer less that of the layer with identity in the slot, from paired samples: the "    \
                    "paper's way. The median over launches of each launch's median.")                                  \
    X(OPTIONAL, matmul_time_share, fraction, "1", value_median(r->matmul_share),                                       \
      "Share of the time that matrix products take, attention's aside.")                                               \
    X(OPTIONAL, matmul_gflops, amount, "Gflop/s", value_known_to(1e-9 * r->matmul_flops.median, r->matmul_flops),      \
      "Rate at which they ran.")                                                                                       \
    X(OPTIONAL, matmul_peak_fraction, amount, "1", value_median(r->matmul_fraction),                                   \
      "That rate over the peak of the same run (peak_gflops of layer_samples.csv).")                                   \
    COLUMN_INTERVAL(X, delta_to_native_pct, delta_to_native, real, "%", r->said,                                       \
                    "Change of the layer's time against the model's own norm in the same form, from paired samples; "  \
                    "below 0 is faster. 0 or empty in the row of the model's own norm.")                               \
    X(OPTIONAL, rest_equivalent, flag, NULL,                                                                           \
      value_if(r->delta.rest_equivalent >= 0, value_size(r->delta.rest_equivalent > 0)),                               \
      "1 if the rest of the layer took the same time as beside the model's own norm, within 0.25 %; 0 if that was "    \
      "not shown: an interaction; empty in the row of the model's own norm.")                                          \
    X(REQUIRED, status, status, NULL, value_text(r->status),                                                           \
      "ok; unstable: measured, but too noisy to rely on; wrong: failed the check or, of a plug-in, ended or hung its " \
      "process, so not timed; skipped: this CPU "                                                                      \
      "cannot run it; missing: planned but not measured.")                                                             \
    X(OPTIONAL, reason, text, NULL, value_text(r->reason), "Why status is not ok; empty if it is.")
#define PLACED(X, place, ID, launches_meaning)                                                                         \
    X(OPTIONAL, place##_launches, count, NULL, value_if(r->placed, value_size(r->places[CORES_##ID].share.n)),         \
      launches_meaning)                                                                                                \
    X(OPTIONAL, place##_line_ns, amount, "ns", value_real(r->places[CORES_##ID].line_ns.median, 3),                    \
      "line_ns of these samples.")                                                                                     \
    COLUMN_INTERVAL(X, place##_norm_share, place##_norm_share, fraction, "1", r->places[CORES_##ID].share,             \
                    "norm_share of these samples.")
#define LATER(X)                                                                                                       \
    COLUMN_INTERVAL(X, norm_delta_pct, norm_delta, real, "%", r->delta.in_place,                                       \
                    "What the norms add to the time of those of the model's own norm, in the same form and level, "    \
                    "timed in place and paired, in percent of the layer with that norm; empty in its own row.")        \
    X(OPTIONAL, rest_pct, real, "%", value_median(r->delta.rest),                                                      \
      "By how much the rest of the layer, all but its norms, differs from that beside the model's own norm, paired.")  \
    X(OPTIONAL, rest_lo90, real, "%", value_lower(r->delta.rest),                                                      \
      "Lower end of the 90 % interval of rest_pct: both ends within 0.25 make the rest equivalent by two one-sided "   \
      "tests at 5 %.")                                                                                                 \
    X(OPTIONAL, rest_hi90, real, "%", value_upper(r->delta.rest), "Upper end of the same interval.")                   \
    X(OPTIONAL, max_error, amount, "1", value_real(r->item->max_error, 4),                                             \
      "Largest scaled error of the norm against the double-precision reference, on the rows and columns of this "      \
      "layer.")                                                                                                        \
    X(OPTIONAL, matmul, library, NULL, value_text(r->item->note),                                                      \
      "What the library ran for the products; via f32: in f32 through converted copies, for want of a product in the " \
      "dtype.")                                                                                                        \
    X(OPTIONAL, preempted_pct, percent, "%", value_real(r->preempted_pct, 3),                                          \
      "Share of the samples during which the kernel preempted a thread.")                                              \
    X(OPTIONAL, timing_cost_pct, amount, "%", value_real(r->timing_pct, 3),                                            \
      "What timing each step in place takes of the row's time, at most: readings times the cost of one, measured in "  \
      "the same launch by timing steps that do nothing. Above 0.1 the printed verdict warns.")                         \
    COLUMN_INTERVAL(X, composition_ratio, composition, real, "1", r->composition,                                      \
                    "Part model: the time of the ends and depth times that of one layer, measured apart in the same "  \
                    "launches, over the time of the whole. Empty elsewhere, or where a part was not measured.")        \
    COLUMN_INTERVAL(X, norm_change_pct, norm_change, real, "%", r->delta.norms,                                        \
                    "How the time of the norm steps, in place, differs from that of the model's own norm in the same " \
                    "form and level, from paired samples. Empty for that norm itself and for identity.")               \
    X(OPTIONAL, line_ns, amount, "ns", value_real(r->line_ns, 3),                                                      \
      "What a cache line takes from the core of the first thread to that of the last, one way, measured before each "  \
      "round: the median over launches. Empty with one thread, or with threads that share a core.")                    \
    PLACED(                                                                                                            \
        X, near, NEAR,                                                                                                 \
        "Where the launches' line times fall in two classes, a factor of two or more apart: how many launches have "   \
        "samples of the lower, with the cores near. Empty where they do not: the cores stayed where they were.")       \
    PLACED(X, far, FAR, "How many launches have samples of the upper class, with the cores far apart.")                \
    COLUMN_INTERVAL(X, one_sweep_ratio, one_sweep, amount, "1", r->one_sweep,                                          \
                    "Form add_fused: the time of norms and residual adds over that of the same op in form fused, "     \
                    "whose adds are steps of their own, from paired samples. Empty elsewhere.")                        \
    X(OPTIONAL, page_faults, amount, "{page}", value_real(r->page_faults, 4),                                          \
      "Pages that the kernel gave anew in one call of the layer, of all threads: median over launches. Form "          \
      "framework alone has them, for the results of its norms.")
COLUMN_OWN_LIST(counts, COUNTS)
COLUMN_OWN_LIST(values, VALUES)
#define CALLS(X)                                                                                                       \
    X(OPTIONAL, call_ns, real, "ns", value_known_to(r->call_ns, r->call),                                              \
      "In a dose-response check: what a norm call at every site takes by the clock around it, between these repeats "  \
      "and one. Empty in rows of one call a site.")                                                                    \
    COLUMN_INTERVAL(X, call_ratio, call, real, "1", r->call,                                                           \
                    "What such a call takes by whole layers over call_ns, from paired samples: 1 where the times in "  \
                    "place are right and the rest of the layer stays as it was.")
COLUMN_OWN_LIST(later, LATER)
#define LAWS(X)                                                                                                        \
    X(OPTIONAL, flop_per_normed, amount, "FLOP", value_real(r->intensity, 4),                                          \
      "Operations of the products, attention and convolutions included, per element that the model's own norms take "  \
      "going forward: counted from the steps.")                                                                        \
    X(OPTIONAL, normed_flop, amount, "FLOP", value_known_to(r->cost, r->norm),                                         \
      "What a normed element costs, in operations that the products would do meanwhile: norm_time_ns_median per such " \
      "element times matmul_gflops.")                                                                                  \
    X(OPTIONAL, norm_share_bound, fraction, "1",                                                                       \
      value_known_to(0.01 * layers_share_pct(r->intensity, r->cost), r->norm),                                         \
      "The most that norm_share can be with these: 1 / (1 + flop_per_normed / normed_flop), as if there were nothing " \
      "else in the layer.")
COLUMN_OWN_LIST(laws, LAWS)
COLUMN_OWN_LIST(calls, CALLS)

static const void *run_of(const void *row) { return ((const layers_row *)row)->run; }
static const void *arm_of(const void *row) { return ((const layers_row *)row)->arm; }
static const void *impl_of(const void *row) { return ((const layers_row *)row)->impl; }
COLUMN_TABLE(layers, "*/*/layers.csv",
             "One row per norm, form, model, phase and part: what a layer takes with that norm in its slots.",
             {run_columns, RUN_COLUMNS, run_of}, {layers_arm_columns, LAYERS_ARM_MODEL, arm_of}, COLUMN_PART(counts),
             {layers_arm_columns + LAYERS_ARM_MODEL, LAYERS_ARM_PART - LAYERS_ARM_MODEL, arm_of}, COLUMN_PART(values),
             {layers_arm_columns + LAYERS_ARM_PART, LAYERS_ARM_COLUMNS - LAYERS_ARM_PART, arm_of}, COLUMN_PART(later),
             {cell_impl_columns, CELL_IMPL_COLUMNS, impl_of}, COLUMN_PART(calls), COLUMN_PART(laws),
             {cell_impl_later_columns, CELL_IMPL_LATER_COLUMNS, impl_of})

// "ok", or why a row should not be trusted.
static const char *judge(layers_row *r) {
    const size_t size = sizeof r->reason;
    if (r->item->wrong || r->share.n == 0) {
        snprintf(r->reason, size, "%s",
                 r->item->reason[0] != '\0' ? r->item->reason : "not measured before the run ended");
        return r->item->wrong ? "wrong" : r->item->reason[0] != '\0' ? "skipped" : "missing";
    }
    if (isnan(r->share.lo)) {
        snprintf(r->reason, size, "%zu launches are too few for a 95 %% interval", r->share.n);
        return "unstable";
    }
    if (!(r->share.median > 0 && interval_half_width(&r->share) > SHARE_STABLE))
        return "ok";
    const int used =
        snprintf(r->reason, size, "norm share known to within %.0f %% of itself only; %.0f %% of samples preempted",
                 100 * interval_half_width(&r->share), r->preempted_pct);
    if (r->placed)
        snprintf(r->reason + used, size - (size_t)used, "; cores near each other in %zu launches, far apart in %zu",
                 r->places[CORES_NEAR].share.n, r->places[CORES_FAR].share.n);
    return "unstable";
}

static layers_row make_row(const layers_summary *s, size_t arm, const run *run_of_all) {
    const size_t samples = sample_index_count(&s->samples, arm);
    const size_t identity = layers_plan_partner(s->plan, arm, NORM_IDENTITY);
    layers_row r = {.run = run_of_all,
                    .arm = layers_arm_at(s->plan, arm),
                    .item = &s->plan->schedule.items[arm],
                    .impl = layers_arm_impl(layers_arm_at(s->plan, arm)),
                    .samples = samples,
                    .fastest = sample_index_fastest(&s->samples, arm),
                    .preempted_pct = sample_index_preempted_pct(&s->samples, arm),
                    .timing_pct = 100 * layers_summary_median(s, arm, READING_TIMING).median,
                    .line_ns = layers_summary_median(s, arm, READING_LINE).median,
                    .page_faults = layers_summary_median(s, arm, READING_PAGE_FAULTS).median,
                    .time = layers_summary_median(s, arm, READING_TIME),
                    .norm = layers_summary_median(s, arm, READING_NORM),
                    .share = layers_summary_median(s, arm, READING_NORM_SHARE),
                    .by_identity = INTERVAL_NONE,
                    .matmul_share = layers_summary_median(s, arm, READING_MATMUL_SHARE),
                    .matmul_flops = layers_summary_median(s, arm, READING_MATMUL_FLOPS),
                    .matmul_fraction = layers_summary_median(s, arm, READING_PEAK_FRACTION),
                    .said = INTERVAL_NONE,
                    .composition = INTERVAL_NONE,
                    .one_sweep = INTERVAL_NONE,
                    .call_ns = NAN,
                    .call = INTERVAL_NONE,
                    .places = {{INTERVAL_NONE, INTERVAL_NONE}, {INTERVAL_NONE, INTERVAL_NONE}}};
    if (identity != arm && layers_summary_has(s, identity))
        r.by_identity = sample_index_difference(&s->samples, arm, identity, READING_TIME, SERIES_CONFIDENCE);
    if (!layers_summary_delta(s, arm, &r.delta))
        r.delta = (layers_delta){INTERVAL_NONE, INTERVAL_NONE, INTERVAL_NONE, -1, INTERVAL_NONE};
    else // in place where the rest is shown to be the same; else the whole, with its wider interval
        r.said = r.delta.rest_equivalent == 1 ? r.delta.in_place : r.delta.total;
    layer_work work;
    r.intensity = r.cost = (double)NAN;
    if (layers_key_work(&r.arm->key, &work)) {
        r.intensity = work.flops / work.normed;
        r.cost = layers_norm_cost(r.norm.median, work.normed, 1e-9 * r.matmul_flops.median);
    }
    (void)layers_summary_composition(s, arm, &r.composition);
    (void)layers_summary_one_sweep(s, arm, &r.one_sweep);
    (void)layers_summary_call(s, arm, &r.call_ns, &r.call);
    r.placed = samples > 0 && layers_summary_placed(s, arm, r.places);
    r.status = judge(&r);
    return r;
}

int layers_summary_write(const layers_summary *s, const char *path, const run *r, size_t *missing) {
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    columns_write_header(&w, &layers_table);
    *missing = 0;
    for (size_t arm = 0; arm < s->plan->schedule.count; arm++) {
        const layers_row row = make_row(s, arm, r);
        (void)columns_write_row(&w, &layers_table, &row); // told by csv_close
        *missing += strcmp(row.status, "missing") == 0;
    }
    return csv_close(&w);
}
