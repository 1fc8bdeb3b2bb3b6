// SPDX-License-Identifier: MIT
// claims_tables.c: the columns of what is claimed and aimed at, and of what a run says to it.
#include "measure/run.h"
#include "plan/layers_plan.h"
#include "schema.h"

static const char *confidence_word(size_t index) {
    static const char *const words[] = {"high", "medium", "low", NULL};
    return words[index < 3 ? index : 3];
}
const column_type column_confidence = {.word = confidence_word};
COLUMN_WORDS(claim_unit, "%", "1")
COLUMN_WORDS(judged_table, "layers", "kernels")
COLUMN_WORDS(claim_part, "layer", "model")
COLUMN_WORDS(claimed, "norm_change", "total_change", "norm_share", "time_ratio")
COLUMN_WORDS(outcome, "holds", "does not hold", "cannot tell")

// Of claims, verdicts repeat those before the table that judges, and those from where it holds on.
enum { CLAIM_TABLE = 8, CLAIM_HOLDS = 16, CLAIM_COLUMNS = 18 };
static const table_column claims_columns[CLAIM_COLUMNS] = {
    {"id", &column_name, NULL, "Name of the claim.", true, NULL},
    {"claim", &column_text, NULL, "What is claimed, in our words.", true, NULL},
    {"source", &column_text, NULL, "Where.", true, NULL},
    {"confidence", &column_confidence, NULL,
     "high: read in a primary source or in committed data; medium: derived from it, or read in one good secondary "
     "source; low: thin.",
     true, NULL},
    {"published", &column_real, "{unit}", "Published value, in the unit of column unit; empty if there is none.", false,
     NULL},
    {"published_lo", &column_real, "{unit}", "Least value that the rounding of the published figures allows.", false,
     NULL},
    {"published_hi", &column_real, "{unit}", "Largest value that it allows.", false, NULL},
    {"unit", &column_claim_unit, NULL, "% or 1, a ratio.", true, NULL},
    {"table", &column_judged_table, NULL, "The table of a run that judges it.", true, NULL},
    {"quantity", &column_claimed, NULL,
     "norm_change: change of the time of all norms, timed in place. total_change: change of the time of the part: by "
     "the norms in place where the rest was shown to be the same, else by the totals. norm_share: share of the part's "
     "time. time_ratio: time over time.",
     true, NULL},
    {"subject", &column_text, NULL,
     "The arm that the claim is about: words column=value, where a value may be several, a|b.", true, NULL},
    {"baseline", &column_text, NULL, "The arm that it is held against, in the same run and conditions.", false, NULL},
    {"where", &column_text, NULL, "What both have in common.", true, NULL},
    {"part", &column_claim_part, NULL,
     "layer; model: the ends and as many layers as column layers says; empty for kernels.", false, NULL},
    {"layers", &column_ordinal, "{layer}", "Layers of the model.", false, NULL},
    {"tokens", &column_ordinal, "{token}",
     "Tokens, for kernels rows, in the source: a run with fewer is called scaled.", false, NULL},
    {"holds_lo", &column_real, "{unit}",
     "The claim holds if the whole 95 % interval lies at or above this, where it is not empty,", false, NULL},
    {"holds_hi", &column_real, "{unit}",
     "and at or below this. It does not hold if the whole interval lies outside. Else nobody can tell.", false, NULL},
};
COLUMN_TABLE(claims, "published/claims.csv",
             "The published claims about speed that a run can judge, and the rule by which it does.",
             COLUMN_PART(claims_columns))

static const table_column found_columns[] = {
    {"here", &column_real, "{unit}", "The value in this run; empty if it was not measured.", false, NULL},
    {"here_lo", &column_real, "{unit}", "Lower end of its 95 % interval.", false, NULL},
    {"here_hi", &column_real, "{unit}", "Upper end of its 95 % interval.", false, NULL},
};
static const table_column verdict_columns[] = {
    {"verdict", &column_outcome, NULL, "What the interval allows to say.", true, NULL},
    {"method", &column_text, NULL,
     "How the value was made: in place, by the norms timed in place; totals, by whole layers or models, paired or not; "
     "for kernels, paired or by times.",
     false, NULL},
    {"dtype", &column_dtype, NULL, "Storage type of the row that the claim was judged by.", false, NULL},
    {"threads", &column_ordinal, "{thread}", "Threads of that row.", false, NULL},
    {"tokens", &column_ordinal, "{token}", "Its tokens, for kernels its rows.", false, NULL},
    {"published_tokens", &column_ordinal, "{token}", "Those of the source.", false, NULL},
    {"scaled", &column_flag, NULL, "1 if it has fewer tokens than the source, else 0.", false, NULL},
    {"why", &column_text, NULL, "The verdict's reason, in one sentence or two.", true, NULL},
};
COLUMN_TABLE(verdicts, "*/*/paper/verdicts.csv", "What a run says of each claim, in the order of claims.csv.",
             {run_columns, RUN_VERSION, NULL}, {claims_columns, CLAIM_TABLE, NULL}, COLUMN_PART(found_columns),
             {claims_columns + CLAIM_HOLDS, CLAIM_COLUMNS - CLAIM_HOLDS, NULL}, COLUMN_PART(verdict_columns))

static const table_column limits_columns[] = {
    {"op", &column_name, NULL, "The op that has a goal.", true, NULL},
    {"variant", &column_name, NULL, "Its variant; its twin `*_nt`, with other stores, stands in where it is faster.",
     true, NULL},
    {"dtype", &column_text, NULL, "Storage type of every matrix, gamma and beta.", true, NULL},
    {"pass", &column_text, NULL, "forward or backward.", true, NULL},
    {"rows", &column_count, "{row}", "Rows, tokens.", true, NULL},
    {"cols", &column_count, "{column}", "Columns, the normalized axis.", true, NULL},
    {"threads", &column_count, "{thread}",
     "Threads in the team. A single row below norm_whole_cols of norm.h runs on one of them.", true, NULL},
    {"measure", &column_text, NULL,
     "speed of identity, or of a library's op: bytes per second over those of it; time of an op: time over that of the "
     "op in its default variant. Of least times, each with whichever stores are faster. cycles an element: "
     "cycles_per_element, a median.",
     true, NULL},
    {"sense", &column_text, NULL, "at least or at most.", true, NULL},
    {"goal", &column_amount, "1", "The goal, from scripts/limits.csv.", true, NULL},
    {"reached", &column_amount, "1", "What was reached: the median over the runs.", false, NULL},
    {"reached_lo", &column_amount, "1", "The least of the runs.", false, NULL},
    {"reached_hi", &column_amount, "1", "The largest of the runs.", false, NULL},
    {"runs", &column_count, "{run}", "Runs that have both ops.", true, NULL},
    {"verdict", &column_text, NULL, "reached, by two thirds of the runs; not reached; no data.", true, NULL},
    {"level", &column_name, NULL, "The level that the goal is for; empty: the best that there is.", false, NULL},
};
COLUMN_TABLE(limits, "*/*/limits.csv", "What the kernels reach of the goals in scripts/limits.csv, by `make limits`.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(limits_columns))
