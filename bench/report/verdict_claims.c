// SPDX-License-Identifier: MIT
// verdict_claims.c: what a run says of each published claim: a row, and a paragraph with its reason.
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "measure/run.h"
#include "plan/cell.h"
#include "schema.h"
#include "verdicts.h"

static const char *text_of(const question *q, const char *column) { return row_text(q->row, column); }

// " %" behind a number in the claim's unit, nothing behind a ratio.
static const char *unit_of(const question *q) { return strcmp(text_of(q, "unit"), "1") == 0 ? "" : text_of(q, "unit"); }
static const char *space(const char *unit) { return *unit == '\0' ? "" : " "; }

// The row's tokens, of a kernel its rows.
static const char *tokens_of(const verdict_row *r) {
    return row_text(r->f->subject, strcmp(text_of(r->q, "table"), "kernels") == 0 ? "rows" : "tokens");
}

// ---- Columns

static const char *confidence_word(size_t index) {
    static const char *const words[] = {"high", "medium", "low", NULL};
    return words[index < 3 ? index : 3];
}
const column_type column_confidence = {.word = confidence_word};
COLUMN_WORDS(unit, "%", "1")
COLUMN_WORDS(judged, "layers", "kernels")
COLUMN_WORDS(claim_part, "layer", "model")
COLUMN_WORDS(quantity, "norm_change", "total_change", "norm_share", "time_ratio")
static const column_type column_outcome = {.word = verdict_at};

typedef verdict_row claims_row;
#define ROW verdict_row
#define CLAIM(X)                                                                                                       \
    X(REQUIRED, id, name, NULL, value_asked(r, "id"), "Name of the claim.")                                            \
    X(REQUIRED, claim, text, NULL, value_asked(r, "claim"), "What is claimed, in our words.")                          \
    X(REQUIRED, source, text, NULL, value_asked(r, "source"), "Where.")                                                \
    X(REQUIRED, confidence, confidence, NULL, value_asked(r, "confidence"),                                            \
      "high: read in a primary source or in committed data; medium: derived from it, or read in one good secondary "   \
      "source; low: thin.")                                                                                            \
    X(OPTIONAL, published, real, "{unit}", value_asked(r, "published"),                                                \
      "Published value, in the unit of column unit; empty if there is none.")                                          \
    X(OPTIONAL, published_lo, real, "{unit}", value_asked(r, "published_lo"),                                          \
      "Least value that the rounding of the published figures allows.")                                                \
    X(OPTIONAL, published_hi, real, "{unit}", value_asked(r, "published_hi"), "Largest value that it allows.")         \
    X(REQUIRED, unit, unit, NULL, value_asked(r, "unit"), "% or 1, a ratio.")
#define ASKING(X)                                                                                                      \
    X(REQUIRED, table, judged, NULL, value_asked(r, "table"), "The table of a run that judges it.")                    \
    X(REQUIRED, quantity, quantity, NULL, value_asked(r, "quantity"),                                                  \
      "norm_change: change of the time of all norms, timed in place. total_change: change of the time of the part: "   \
      "by the norms in place where the rest was shown to be the same, else by the totals. norm_share: share of the "   \
      "part's time. time_ratio: time over time.")                                                                      \
    VERDICT_WHICH_COLUMNS(X)                                                                                           \
    X(OPTIONAL, part, claim_part, NULL, value_asked(r, "part"),                                                        \
      "layer; model: the ends and as many layers as column layers says; empty for kernels.")                           \
    X(OPTIONAL, layers, ordinal, "{layer}", value_asked(r, "layers"), "Layers of the model.")                          \
    X(OPTIONAL, tokens, ordinal, "{token}", value_asked(r, "tokens"),                                                  \
      "Tokens, for kernels rows, in the source: a run with fewer is called scaled.")
#define ANSWER(X)                                                                                                      \
    X(REQUIRED, verdict, outcome, NULL, value_text(verdict_name(r->f->verdict)), "What the interval allows to say.")   \
    X(OPTIONAL, method, text, NULL, value_text(r->f->method),                                                          \
      "How the value was made: in place, by the norms timed in place; totals, by whole layers or models, paired or "   \
      "not; for kernels, paired or by times.")                                                                         \
    X(OPTIONAL, dtype, dtype, NULL, value_found(r, "dtype"), "Storage type of the row that the claim was judged by.")  \
    X(OPTIONAL, threads, ordinal, "{thread}", value_found(r, "threads"), "Threads of that row.")                       \
    X(OPTIONAL, tokens, ordinal, "{token}", value_text(tokens_of(r)), "Its tokens, for kernels its rows.")             \
    X(OPTIONAL, published_tokens, ordinal, "{token}", value_asked(r, "tokens"), "Those of the source.")                \
    X(OPTIONAL, scaled, flag, NULL, value_if(row_is(r->f->subject), value_size(r->f->scaled)),                         \
      "1 if it has fewer tokens than the source, else 0.")                                                             \
    X(REQUIRED, why, text, NULL, value_text(r->why), "The verdict's reason, in one sentence or two.")
#define MARGIN(X)                                                                                                      \
    X(OPTIONAL, margin, amount, "{unit}", value_asked(r, "margin"),                                                    \
      "So near to the claim's only bound nothing matters: an interval that reaches across the bound, but lies within " \
      "this of it, shows no difference that matters. It is what the claim's own table resolves, or 0.05 % of a "       \
      "layer.")
#define TOGETHER(X)                                                                                                    \
    X(OPTIONAL, p_value, fraction, "1", value_real(r->f->p_value, 3),                                                  \
      "Probability of an interval so far on that side of the bound if the verdict is wrong: of a normal distribution " \
      "with this interval; 1e-09 is that or less. Empty where nothing is told.")                                       \
    X(OPTIONAL, p_together, fraction, "1", value_real(r->f->p_together, 3),                                            \
      "The same, adjusted for the number of verdicts of the run (Holm).")                                              \
    X(OPTIONAL, verdict_together, outcome, NULL, value_text(verdict_name(r->f->verdict_together)),                     \
      "What can still be said if one wrong verdict among all is to be as rare as one is in column verdict.")
COLUMN_OWN_LIST(claim_columns, CLAIM)
COLUMN_OWN_LIST(here_columns, VERDICT_HERE_COLUMNS)
COLUMN_OWN_LIST(holds_columns, VERDICT_HOLDS_COLUMNS)
COLUMN_OWN_LIST(margin_columns, MARGIN)
COLUMN_OWN_LIST(answer_columns, ANSWER)
COLUMN_OWN_LIST(peer_columns, VERDICT_PEER_COLUMNS)
COLUMN_OWN_LIST(together_columns, TOGETHER)
#undef ROW
#define ROW claims_row // which has columns of the same names
COLUMN_OWN_LIST(asking_columns, ASKING)
COLUMN_TABLE(claims, "published/claims.csv",
             "The published claims about speed that a run can judge, and the rule by which it does.",
             COLUMN_PART(claim_columns), COLUMN_PART(asking_columns), COLUMN_PART(holds_columns),
             COLUMN_PART(margin_columns))
COLUMN_TABLE(verdicts, "*/*/paper/verdicts.csv", "What a run says of each claim, in the order of claims.csv.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(claim_columns), COLUMN_PART(here_columns),
             COLUMN_PART(holds_columns), COLUMN_PART(answer_columns), COLUMN_PART(peer_columns),
             COLUMN_PART(together_columns), COLUMN_PART(margin_columns))

// ---- Words

// A selector without the names of its columns: "dyt eager".
static void arm_name(const filter *f, char *name, size_t size) {
    size_t used = 0;
    name[0] = '\0';
    for (size_t i = 0; i < f->count && used < size; i++)
        used += (size_t)snprintf(name + used, size - used, "%s%s", i > 0 ? " " : "", f->words[i].values);
}

// What the claim allows, as it is spelt in the table: "in -1 to 1", "at or above 1"; bare: "-1 to 1", "at least 1".
static void region(const question *q, bool bare, char *text, size_t size) {
    const char *const lo = text_of(q, "holds_lo"), *const hi = text_of(q, "holds_hi");
    if (*lo != '\0' && *hi != '\0')
        snprintf(text, size, "%s%s to %s", bare ? "" : "in ", lo, hi);
    else if (*lo != '\0')
        snprintf(text, size, "%s%s", bare ? "at least " : "at or above ", lo);
    else
        snprintf(text, size, "%s%s", bare ? "at most " : "at or below ", hi);
}

static void here(const question *q, const finding *f, const char *unit, char text[INTERVAL_TEXT]) {
    interval_text(text, &f->value, unit, judge_decimals(&f->value, &q->holds));
}

static void measured(const question *q, const finding *f, char *text, size_t size) {
    char taken[128], baseline[128], value[INTERVAL_TEXT];
    const char *const part = text_of(q, "part");
    arm_name(&q->subject, taken, sizeof taken);
    arm_name(&q->baseline, baseline, sizeof baseline);
    here(q, f, q->what == ASKED_TIME_RATIO ? "" : "%", value);
    if (q->what == ASKED_NORM_SHARE)
        snprintf(text, size, "With %s the norms take %s of the time of the %s", taken, value, part);
    else if (q->what == ASKED_TIME_RATIO)
        snprintf(text, size, "The time of %s over that of %s is %s", taken, baseline, value);
    else
        snprintf(text, size, "With %s instead of %s the time of the %s changes by %s", taken, baseline,
                 q->what == ASKED_NORM_CHANGE ? "norms" : part, value);
}

// The reason, from the numbers.
static void prepare(verdict_row *r) {
    const question *const q = r->q;
    const finding *const f = r->f;
    char value[512], bounds[160], matters[96] = "";
    if (f->runs == 0) {
        snprintf(r->why, sizeof r->why, "Nothing to judge by: %s.", f->why);
        return;
    }
    measured(q, f, value, sizeof value);
    if (!interval_known(&f->value)) {
        snprintf(r->why, sizeof r->why, "%s, without an interval: it takes at least six launches.", value);
        return;
    }
    static const char *const lies[VERDICTS] = {"lies wholly ", "lies wholly outside what the claim allows, ",
                                               "reaches across the edge of what the claim allows, ",
                                               "reaches across the edge of what the claim allows, "};
    region(q, f->verdict != VERDICT_HOLDS, bounds, sizeof bounds);
    if (f->verdict == VERDICT_NO_DIFFERENCE)
        snprintf(matters, sizeof matters, ", by less than the %s%s%s that matter", text_of(q, "margin"),
                 space(unit_of(q)), unit_of(q));
    snprintf(r->why, sizeof r->why, "%s, which %s%s%s%s%s.%s%s", value, lies[f->verdict], bounds, space(unit_of(q)),
             unit_of(q), matters, f->unstable ? " The row is marked unstable." : "",
             strncmp(f->method, "totals", 6) == 0
                 ? " From the totals: the rest of the layer was not shown to be the same in both arms."
                 : "");
}

// PyTorch's own below ours, or why there is none.
static void print_peer(FILE *out, const question *q, const peer_ratio *p) {
    char value[INTERVAL_TEXT], version[64];
    if (p->why != NULL)
        fprintf(out, "  in PyTorch   none: %s\n", p->why);
    if (isnan(p->value.median))
        return;
    interval_text(value, &p->value, unit_of(q), judge_decimals(&p->value, &q->holds));
    fprintf(out, "  in PyTorch   %s, version %s, %s, the norms alone, %s rows%s, by peers.csv\n", value,
            peer_ratio_version(p, version, sizeof version), peer_ratio_how(p), row_text(p->row, "rows"),
            peer_ratio_heap(p));
}

static void print(FILE *out, const verdict_row *r) {
    const question *const q = r->q;
    const finding *const f = r->f;
    const char *const unit = unit_of(q), *const published = text_of(q, "published"),
                      *const tokens = text_of(q, "tokens");
    char name[32] = "", value[INTERVAL_TEXT];
    for (size_t i = 0; verdict_name(f->verdict)[i] != '\0'; i++)
        name[i] = (char)toupper((unsigned char)verdict_name(f->verdict)[i]);
    fprintf(out, "%-14s %s\n  source       %s\n  published    %s%s%s", name, text_of(q, "claim"), text_of(q, "source"),
            *published == '\0' ? "no value" : published, *published == '\0' ? "" : space(unit),
            *published == '\0' ? "" : unit);
    if (*text_of(q, "published_lo") != '\0')
        fprintf(out, " (%s to %s by rounding)", text_of(q, "published_lo"), text_of(q, "published_hi"));
    if (f->runs == 0) {
        fputs("\n  here         not measured\n", out);
    } else {
        here(q, f, unit, value);
        fprintf(out, "\n  here         %s, %s, %s %s, %s threads", value, row_text(f->subject, "dtype"), tokens_of(r),
                strcmp(text_of(q, "table"), "kernels") == 0 ? "rows" : "tokens", row_text(f->subject, "threads"));
        if (f->scaled)
            fprintf(out, "; SCALED: %s of %s", tokens_of(r), *tokens == '\0' ? "more" : tokens);
        fputc('\n', out);
        print_peer(out, q, &f->peer);
    }
    fprintf(out, "  because      %s\n\n", r->why);
}

static void end(FILE *out, const verdicts *v, const size_t count[VERDICTS]) {
    bool scaled = false;
    size_t together[VERDICTS] = {0};
    for (size_t i = 0; i < v->found.count; i++) {
        scaled = scaled || v->found.items[i].scaled;
        together[v->found.items[i].verdict_together]++;
    }
    if (scaled)
        fputs("SCALED: lines so marked were measured with fewer tokens or rows than published.\n", out);
    fprintf(
        out,
        "Each verdict alone may be wrong once in forty. Taken together, so that any wrong one is as rare (Holm), %zu "
        "hold, %zu do not, %zu are of a difference that does not matter, %zu cannot be told.\n",
        together[VERDICT_HOLDS], together[VERDICT_DOES_NOT_HOLD], together[VERDICT_NO_DIFFERENCE],
        together[VERDICT_CANNOT_TELL]);
    fprintf(out,
            "%zu of %zu claims hold here, %zu do not, %zu are of a difference that does not matter, %zu cannot be "
            "told.\n",
            count[VERDICT_HOLDS], v->asked.count, count[VERDICT_DOES_NOT_HOLD], count[VERDICT_NO_DIFFERENCE],
            count[VERDICT_CANNOT_TELL]);
}

const verdict_list verdict_claims = {
    .table = &verdicts_table, .prepare = prepare, .says_missing = true, .together = true, .print = print, .end = end};
