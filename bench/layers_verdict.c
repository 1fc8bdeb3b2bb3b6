// SPDX-License-Identifier: MIT
// layers_verdict.c: what a run of layers says at its end, in words and numbers; see layers_summary.h.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static stats_interval percent(stats_interval share) {
    return (stats_interval){100 * share.median, 100 * share.lo, 100 * share.hi, share.coverage, share.n};
}

// One arm of dyt beside the model's own norm.
static void print_arm(FILE *out, const layers_summary *s, size_t arm) {
    const layers_arm *const a = &s->plan->arms[arm];
    const size_t native = layers_plan_partner(s->plan, arm, a->key.model->native);
    char text[160];
    layers_delta delta;
    if (!measured(s, native) || !measured(s, arm) || !layers_summary_delta(s, arm, &delta))
        return;
    layers_key_describe(&a->key, text, sizeof text);
    const stats_interval share = percent(layers_summary_median(s, native, QUANTITY_NORM_SHARE));
    fprintf(out, "%s, %s: %s takes", text, norm_form_name(a->slot.form), norm_op_name(a->key.model->native));
    print_percent(out, " ", &share, "%.3g");
    fprintf(out, " of the time;\n    dyt instead changes it by");
    print_percent(out, " ", &delta.in_place, "%+.2g");
    fputs(" in place", out);
    print_percent(out, ", ", &delta.total, "%+.2g");
    fprintf(out, " by the whole%s\n", delta.rest_equivalent == 0 ? "; interaction: the rest differs as well" : "");
}

// The time of one more call at every site of the layer: the median of the slopes between all pairs of arms that differ
// in their repeats alone (Theil and Sen), beside what the clock says in place.
static void print_dose(FILE *out, const layers_summary *s, size_t arm) {
    const layers_arm *const one = &s->plan->arms[arm];
    size_t begin, end, count = 0;
    layers_plan_group(s->plan, one->group, &begin, &end);
    double *const slopes = malloc((end - begin) * (end - begin) * sizeof *slopes);
    for (size_t i = begin; slopes != NULL && i < end; i++)
        for (size_t k = begin; k < i; k++) {
            const norm_slot *const a = &s->plan->arms[i].slot, *const b = &s->plan->arms[k].slot;
            if (a->op != one->slot.op || b->op != one->slot.op || strcmp(a->variant, one->slot.variant) != 0 ||
                strcmp(b->variant, one->slot.variant) != 0 || a->form != one->slot.form || b->form != one->slot.form ||
                strcmp(a->level, one->slot.level) != 0 || strcmp(b->level, one->slot.level) != 0 ||
                a->repeats == b->repeats || !measured(s, i) || !measured(s, k))
                continue;
            slopes[count++] = layers_summary_difference(s, i, k, QUANTITY_TIME, SERIES_CONFIDENCE).median /
                              ((double)a->repeats - (double)b->repeats);
        }
    if (count >= 3) {
        char text[160];
        const stats_interval norm = layers_summary_median(s, arm, QUANTITY_NORM);
        const double slope = stats_median(slopes, count);
        layers_key_describe(&one->key, text, sizeof text);
        fprintf(out, "%s, %s: %s in place takes %.4g ns [%.4g, %.4g]; by dose and response %.4g ns, %.2f of that\n",
                text, norm_form_name(one->slot.form), norm_op_name(one->slot.op), norm.median, norm.lo, norm.hi, slope,
                slope / norm.median);
    }
    free(slopes);
}

static bool has_doses(const layers_plan *p) {
    for (size_t i = 0; i < p->count; i++)
        if (p->arms[i].slot.repeats != 1)
            return true;
    return false;
}

// The slowest products of the run, once.
static void warn_of_slow_products(FILE *out, const layers_summary *s) {
    double least = INFINITY;
    size_t where = 0;
    for (size_t arm = 0; arm < s->plan->count; arm++) {
        const layers_key *const k = &s->plan->arms[arm].key;
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
    layers_key_describe(&s->plan->arms[where].key, text, sizeof text);
    fprintf(out,
            "warning: the products of %s (%s) run at %.2f of the FMA peak of this run: a slow library makes every norm "
            "look cheaper than it is\n",
            text, s->plan->arms[where].matmul, least);
}

void layers_summary_print(FILE *out, const layers_summary *s) {
    const bool doses = has_doses(s->plan);
    fputs("\nWhat the norms of a layer take, and what DyT in their place changes\n\n", out);
    for (size_t arm = 0; arm < s->plan->count; arm++) {
        const norm_slot *const slot = &s->plan->arms[arm].slot;
        if (slot->op == NORM_DYT && slot->repeats == 1 && layers_plan_partner(s->plan, arm, NORM_DYT) == arm)
            print_arm(out, s, arm);
    }
    for (size_t arm = 0; doses && arm < s->plan->count; arm++)
        if (s->plan->arms[arm].slot.repeats == 1 && s->plan->arms[arm].slot.op != NORM_IDENTITY && measured(s, arm))
            print_dose(out, s, arm);
    warn_of_slow_products(out, s);
}
