// SPDX-License-Identifier: MIT
// layers_verdict.c: what a run of layers says at its end, in words and numbers; see layers_summary.h.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "layers_summary.h"

static bool measured(const layers_summary *s, size_t arm) {
    return arm != SIZE_MAX && s->first[arm] < s->first[arm + 1];
}

static void print_percent(FILE *out, const char *before, const stats_interval *i, const char *format) {
    fputs(before, out);
    fprintf(out, format, i->median);
    fputs(" %", out);
    if (isnan(i->lo))
        return;
    fputs(" [", out);
    fprintf(out, format, i->lo);
    fputs(", ", out);
    fprintf(out, format, i->hi);
    fputs("]", out);
}

// What the norms of an arm take of its layer, to the end of the sentence.
static void print_share(FILE *out, const layers_summary *s, size_t arm) {
    const layers_arm *const a = &layers_arms(s->plan)[arm];
    char text[160];
    layers_key_describe(&a->key, text, sizeof text);
    const stats_interval share = stats_scaled(layers_summary_median(s, arm, QUANTITY_NORM_SHARE), 100);
    fprintf(out, "%s, %s: %s takes", text, norm_form_name(a->slot.form), norm_op_name(a->slot.op));
    print_percent(out, " ", &share, "%.3g");
    fputs(" of the time", out);
    layers_placed places[CORES_PLACES];
    if (!layers_summary_placed(s, arm, places))
        return;
    for (cores_place place = 0; place < CORES_PLACES; place++) {
        const stats_interval there = stats_scaled(places[place].share, 100);
        print_percent(out, place == CORES_NEAR ? " (" : "; ", &there, "%.3g");
        fprintf(out, " where a line passes between the cores in %.3g ns, %zu launches", places[place].line_ns.median,
                there.n);
    }
    fputs(")", out);
}

// One arm of dyt beside the model's own norm.
static void print_arm(FILE *out, const layers_summary *s, size_t arm) {
    const size_t native = layers_plan_partner(s->plan, arm, layers_arms(s->plan)[arm].key.model->native);
    layers_delta delta;
    if (!measured(s, native) || !measured(s, arm) || !layers_summary_delta(s, arm, &delta))
        return;
    print_share(out, s, native);
    fputs(";\n    dyt instead changes it by", out);
    print_percent(out, " ", &delta.in_place, "%+.2g");
    fputs(" in place", out);
    print_percent(out, ", ", &delta.total, "%+.2g");
    fprintf(out, " by the whole%s\n", delta.rest_equivalent == 0 ? "; interaction: the rest differs as well" : "");
}

// Whether two arms of a group differ in their repeats at most.
static bool same_but_dose(const norm_slot *a, const norm_slot *b) {
    return a->op == b->op && a->form == b->form && strcmp(a->variant, b->variant) == 0 &&
           strcmp(a->level, b->level) == 0;
}

// What a call at every site takes, between two doses: by the clock around each, and by whole layers, as a part of that.
typedef struct {
    double clock_ns, whole_ns;
    stats_interval part;
} dose_response;

static dose_response response(const layers_summary *s, size_t low, size_t high) {
    const double calls = (double)(layers_arms(s->plan)[high].slot.repeats - layers_arms(s->plan)[low].slot.repeats);
    const double clock = layers_summary_difference(s, high, low, QUANTITY_NORM, SERIES_CONFIDENCE).median / calls;
    const stats_interval whole =
        stats_scaled(layers_summary_difference(s, high, low, QUANTITY_TIME, SERIES_CONFIDENCE), 1 / calls);
    return (dose_response){clock, whole.median, stats_scaled(whole, 1 / clock)};
}

// From one call a site to the most of them: a slope, for a call that repeats another finds its input in a cache, which
// the first need not. Doses in between hardly sharpen it: of 0, 1, 2 and 4 least squares take 0.96 of the error of 0
// and 4 alone; a median of all slopes lets the noisiest, of neighbours, count as much. From none to one the rest of the
// layer may change as well, for what follows then reads another tensor: in one run of ConvNeXt's first stage (Zen 5)
// GELU took 220 us without a norm and 274 with one call or four, and the layer's difference was 1.5 times the norm.
static void print_dose(FILE *out, const layers_summary *s, size_t one) {
    const layers_arm *const a = &layers_arms(s->plan)[one];
    size_t begin, end, none = one, most = one;
    schedule_group(&s->plan->schedule, s->plan->schedule.items[one].group, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const norm_slot *const slot = &layers_arms(s->plan)[i].slot;
        if (!same_but_dose(slot, &a->slot) || !measured(s, i))
            continue;
        none = slot->repeats == 0 ? i : none;
        most = slot->repeats > layers_arms(s->plan)[most].slot.repeats ? i : most;
    }
    if (none == one && most == one)
        return;
    char text[160];
    layers_key_describe(&a->key, text, sizeof text);
    fprintf(out, "%s, %s, %s", text, norm_form_name(a->slot.form), norm_op_name(a->slot.op));
    if (most != one) {
        const dose_response more = response(s, one, most);
        fprintf(out,
                ": one more at each site takes %.4g ns by the clock in place, %.4g ns by whole layers with 1 and %u of "
                "them: %.2f [%.2f, %.2f] of it",
                more.clock_ns, more.whole_ns, layers_arms(s->plan)[most].slot.repeats, more.part.median, more.part.lo,
                more.part.hi);
    }
    if (none != one) {
        const dose_response first = response(s, none, one);
        fprintf(out,
                "%s the first takes %.4g ns by the clock, %.4g ns by whole layers with 0 and 1 of them: %.2f [%.2f, "
                "%.2f] of it",
                most != one ? ";" : ":", first.clock_ns, first.whole_ns, first.part.median, first.part.lo,
                first.part.hi);
    }
    fputc('\n', out);
}

static bool has_doses(const layers_plan *p) {
    for (size_t i = 0; i < p->schedule.count; i++)
        if (layers_arms(p)[i].slot.repeats != 1)
            return true;
    return false;
}

// The slowest products of the run, once.
static void warn_of_slow_products(FILE *out, const layers_summary *s) {
    double least = INFINITY;
    size_t where = 0;
    for (size_t arm = 0; arm < s->plan->schedule.count; arm++) {
        const layers_key *const k = &layers_arms(s->plan)[arm].key;
        // One row at a time is limited by memory, not by the library.
        if (k->batch * k->tokens < 64 || !measured(s, arm))
            continue;
        const double fraction = layers_summary_median(s, arm, QUANTITY_PEAK_FRACTION).median;
        if (fraction < least) {
            least = fraction;
            where = arm;
        }
    }
    if (!(least < WANTED_PEAK_FRACTION))
        return;
    char text[160];
    layers_key_describe(&layers_arms(s->plan)[where].key, text, sizeof text);
    fprintf(out,
            "warning: the products of %s (%s) run at %.2f of what this CPU's units for them reached in this run: a "
            "slow library makes every norm look cheaper than it is\n",
            text, s->plan->schedule.items[where].note, least);
}

// The layers whose timing costs most, once.
static void warn_of_timing(FILE *out, const layers_summary *s) {
    double most = 0;
    size_t where = 0, above = 0;
    for (size_t arm = 0; arm < s->plan->schedule.count; arm++) {
        const double cost = measured(s, arm) ? 100 * layers_summary_median(s, arm, QUANTITY_TIMING).median : 0;
        above += cost > TIMING_LIMIT_PCT;
        where = cost > most ? arm : where;
        most = fmax(most, cost);
    }
    char text[160];
    layers_key_describe(&layers_arms(s->plan)[where].key, text, sizeof text);
    if (above > 0)
        fprintf(out,
                "warning: timing each step takes more than %g %% of the time in %zu of %zu rows, most, %.*f %%, of %s: "
                "more tokens or a larger batch make it less (timing_cost_pct)\n",
                TIMING_LIMIT_PCT, above, s->plan->schedule.count, interval_value_decimals(most, 2), most, text);
    else if (most > 0)
        fprintf(out, "Timing each step takes at most %.*f %% of the time (%s).\n", interval_value_decimals(most, 2),
                most, text);
}

// Whether a model's parts, put together, take what the whole does.
static void print_composition(FILE *out, const layers_summary *s, size_t arm) {
    const layers_arm *const a = &layers_arms(s->plan)[arm];
    stats_interval ratio;
    char text[160];
    if (!layers_summary_composition(s, arm, &ratio))
        return;
    layers_key_describe(&a->key, text, sizeof text);
    fprintf(out, "%s, %s, depth %zu: ends and %zu layers, measured apart, take %.3f [%.3f, %.3f] of the whole: ", text,
            norm_op_name(a->slot.op), a->key.depth, a->key.depth, ratio.median, ratio.lo, ratio.hi);
    const double excess = 100 * (ratio.median - 1);
    if (isnan(ratio.lo))
        fputs("too few launches to tell\n", out);
    else if (ratio.lo > 1 || ratio.hi < 1)
        fprintf(out, "they differ from a real stack of distinct weights, by %+.*f %%\n",
                interval_value_decimals(excess, 2), excess);
    else if (ratio.hi - 1 > COMPOSITION_WIDTH || 1 - ratio.lo > COMPOSITION_WIDTH)
        fprintf(out, "cannot tell, for that is wider than %g %%\n", 100 * COMPOSITION_WIDTH);
    else
        fputs("they agree with a real stack of distinct weights, within the interval\n", out);
}

void layers_summary_print(FILE *out, const layers_summary *s) {
    const bool doses = has_doses(s->plan);
    fputs("\nWhat the norms of a layer take, and what DyT in their place changes\n\n", out);
    for (size_t arm = 0; arm < s->plan->schedule.count; arm++) {
        const layers_arm *const a = &layers_arms(s->plan)[arm];
        if (a->slot.repeats != 1 || layers_plan_partner(s->plan, arm, a->slot.op) != arm || !measured(s, arm))
            continue;
        if (a->slot.op == NORM_DYT) {
            print_arm(out, s, arm);
        } else if (a->slot.op == a->key.model->native && layers_plan_partner(s->plan, arm, NORM_DYT) == SIZE_MAX) {
            print_share(out, s, arm);
            fputs("\n", out);
        }
    }
    for (size_t arm = 0; doses && arm < s->plan->schedule.count; arm++)
        if (layers_arms(s->plan)[arm].slot.repeats == 1 && layers_arms(s->plan)[arm].slot.op != NORM_IDENTITY &&
            measured(s, arm))
            print_dose(out, s, arm);
    for (size_t arm = 0; arm < s->plan->schedule.count; arm++)
        print_composition(out, s, arm);
    warn_of_timing(out, s);
    warn_of_slow_products(out, s);
}
