// SPDX-License-Identifier: MIT
// answers.c: see answers.h.
#include "answers.h"

#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "bound.h"
#include "plan/layers_plan.h"

const char *answer_bounds(const finding *f, char text[ANSWER_BOUNDS]) {
    const table_row rows[] = {f->subject, f->baseline};
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < 2 && f->asked->what == ASKED_TIME_RATIO; i++) {
        const double part = row_real(rows[i], "bound_fraction");
        if (isnan(part) || used >= ANSWER_BOUNDS)
            continue;
        used += (size_t)snprintf(text + used, ANSWER_BOUNDS - used, "%s%.20s %.2f of %.20s%s", used > 0 ? ", " : "",
                                 row_text(rows[i], "op"), part, row_text(rows[i], "bound"),
                                 part < BOUND_LIMIT ? " (not at its limit)" : "");
    }
    return text;
}

void layers_answer_place(table_row row, char *text, size_t size) {
    layers_arm a;
    text[0] = '\0';
    if (layers_arm_read(row.table, row.at, &a))
        layers_key_describe(&a.key, text, size);
}

// The same with the form, and the norm: its variant where it is not the one that the op's name stands for.
static void print_arm(FILE *out, table_row row, const char *between) {
    char place[160];
    const bool is_default = filter_default(row) > 0;
    layers_answer_place(row, place, sizeof place);
    fprintf(out, "%s, %s%s%s%s%s", place, row_text(row, "form"), between, row_text(row, "op"), is_default ? "" : " ",
            is_default ? "" : row_text(row, "variant"));
}

static void print_interval(FILE *out, stats_interval i, const char *unit) {
    char text[INTERVAL_TEXT];
    fputs(interval_text(text, &i, unit, interval_decimals(&i)), out);
}

static void print_share(FILE *out, const verdict_row *r) {
    static const char *const places[] = {"near", "far"};
    const table_row row = r->f->subject;
    print_arm(out, row, ": ");
    fputs(" takes ", out);
    print_interval(out, r->f->value, "%");
    fputs(" of the time", out);
    for (size_t i = 0; i < 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s_norm_share", places[i]);
        const stats_interval there = row_interval(row, name, "");
        if (isnan(there.median))
            continue;
        fputs(i == 0 ? " (" : "; ", out);
        print_interval(out, stats_scaled(there, 100), "%");
        snprintf(name, sizeof name, "%s_line_ns", places[i]);
        fprintf(out, " where a line passes between the cores in %s ns, ", row_text(row, name));
        snprintf(name, sizeof name, "%s_launches", places[i]);
        const char *const launches = row_text(row, name);
        fprintf(out, "%s launch%s%s", launches, strcmp(launches, "1") == 0 ? "" : "es", i == 0 ? "" : ")");
    }
    fputc('\n', out);
}

// By the norms in place; where the rest of the layer was not shown to be the same, what counts is the whole.
static void print_change(FILE *out, const verdict_row *r) {
    static const char *const words[] = {"DyT wins", "DyT loses", "no difference shown"};
    const table_row row = r->f->subject;
    const bool interacts = strcmp(row_text(row, "rest_equivalent"), "0") == 0;
    print_arm(out, row, ": ");
    fputs(" changes it by ", out);
    const bool is_whole = strcmp(r->f->method, "in place") != 0;
    const stats_interval in_place = is_whole ? row_interval(row, "norm_delta", "_pct") : r->f->value;
    if (!isnan(in_place.median)) {
        print_interval(out, in_place, "%");
        fputs(is_whole ? " in place, " : " in place", out);
    }
    if (is_whole) {
        print_interval(out, r->f->value, "%");
        fputs(" by the whole", out);
    }
    fprintf(out, ": %s%s\n", interval_known(&r->f->value) ? words[r->f->verdict] : "too few launches to tell",
            interacts ? "; interaction: the rest differs as well" : "");
}

static void print_call(FILE *out, const verdict_row *r) {
    const table_row row = r->f->subject;
    const char *const calls = row_text(row, "repeats");
    const bool first = strcmp(calls, "0") == 0;
    print_arm(out, row, ", ");
    fprintf(out, ": %s takes %s ns by the clock in place, and by whole layers with %s and %s of them ",
            first ? "the first call at each site" : "one call more at each site", row_text(row, "call_ns"),
            first ? calls : "1", first ? "1" : calls);
    print_interval(out, r->f->value, "");
    fputs(" times that\n", out);
}

// Whether a model's parts, put together, take what the whole does.
static void print_composition(FILE *out, const verdict_row *r) {
    const judge_bounds *const b = &r->q->holds;
    const stats_interval *const ratio = &r->f->value;
    const char *const depth = row_text(r->f->subject, "depth");
    char text[INTERVAL_TEXT];
    print_arm(out, r->f->subject, ", ");
    fprintf(out, ": ends and %s layers, measured apart, take %s of the whole: ", depth,
            interval_text(text, ratio, "", judge_decimals(ratio, b)));
    if (!interval_known(ratio))
        fputs("too few launches to tell\n", out);
    else if (r->f->verdict == VERDICT_HOLDS)
        fputs("they agree with a real stack of distinct weights, within the interval\n", out);
    else if (r->f->verdict == VERDICT_DOES_NOT_HOLD)
        fprintf(out, "they differ from a real stack of distinct weights, by %+.*f %%\n",
                interval_value_decimals(100 * (ratio->median - 1), 2), 100 * (ratio->median - 1));
    else
        fprintf(out, "cannot tell, for that reaches beyond %s to %s\n", row_text(r->q->row, "holds_lo"),
                row_text(r->q->row, "holds_hi"));
}

// The layers whose timing costs most, once.
static void print_timing(FILE *out, const verdict_row *r) {
    const finding *const f = r->f;
    const int decimals = interval_value_decimals(f->value.median, 2);
    char place[160];
    layers_answer_place(f->subject, place, sizeof place);
    if (f->failing > 0)
        fprintf(out,
                "warning: timing each step takes more than %s %% of the time in %zu of %zu rows, most, %.*f %%, of %s: "
                "more tokens or a larger batch make it less (timing_cost_pct)\n",
                row_text(r->q->row, "holds_hi"), f->failing, f->rows, decimals, f->value.median, place);
    else
        fprintf(out, "Timing each step takes at most %.*f %% of the time (%s).\n", decimals, f->value.median, place);
}

// The slowest products of the run, once.
static void print_products(FILE *out, const verdict_row *r) {
    const finding *const f = r->f;
    char place[160];
    layers_answer_place(f->subject, place, sizeof place);
    if (f->failing > 0)
        fprintf(
            out,
            "warning: the products of %s (%s) run at %.2f of what this CPU's units for them reached in this run: "
            "a slow library makes every norm look cheaper than it is; sh scripts/setup.sh --onednn gets a newer one\n",
            place, row_text(f->subject, "matmul"), f->value.median);
    else
        fprintf(out, "Products run at %.2f of what this CPU's units for them reached in this run, or faster (%s).\n",
                f->value.median, place);
}

#define TRUST "How far these times can be trusted"
static const struct {
    const char *heading;
    void (*print)(FILE *out, const verdict_row *r);
} answers[ASKED] = {
    [ASKED_NORM_SHARE] = {"What the own norm of a model takes", print_share},
    [ASKED_TOTAL_CHANGE] = {"What DyT in its place changes", print_change},
    [ASKED_CALL] = {"Whether whole layers take what the clock around each norm says", print_call},
    [ASKED_COMPOSITION] = {"Whether a model takes what its parts take", print_composition},
    [ASKED_TIMING_COST] = {TRUST, print_timing},
    [ASKED_PEAK_FRACTION] = {TRUST, print_products},
};

const char *layers_answer_heading(asked what) { return answers[what].heading; }

void layers_answer_print(FILE *out, const verdict_row *r) {
    if (answers[r->q->what].print != NULL)
        answers[r->q->what].print(out, r);
}
