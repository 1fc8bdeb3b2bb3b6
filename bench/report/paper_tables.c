// SPDX-License-Identifier: MIT
// paper_tables.c: the columns of the paper's figures as it published them, of others' that people wrote down beside
// them (results/published/), and of a run's beside the paper's.
#include "measure/run.h"
#include "plan/layers_plan.h"
#include "schema.h"

COLUMN_WORDS(version, "v1", "v2")
COLUMN_WORDS(published, "norms", "model")
COLUMN_WORDS(compared, "norms_in_place", "norms_by_identity", "layer", "model")
COLUMN_WORDS(paper_form, "eager", "fused", "framework")
COLUMN_WORDS(paper_op, "rmsnorm", "dyt", "identity")
COLUMN_WORDS(paper_norm, "rmsnorm", "dyt")
COLUMN_WORDS(paper_phase, "prefill", "train")
static const column_type column_table_name = {.pattern = "[a-z0-9 ]{1,32}"};

static const table_column efficiency_columns[] = {
    {"version", &column_version, NULL, "Version of the paper: v1 (13 March 2025) or v2 (17 June 2025).", true, NULL},
    {"table", &column_text, NULL, "Its table.", true, NULL},
    {"form", &column_paper_form, NULL,
     "eager: ideal op by op; framework: op by op as PyTorch runs it on a CPU; fused: with the norm layers compiled.",
     true, NULL},
    {"op", &column_paper_norm, NULL, "The norm.", true, NULL},
    {"phase", &column_paper_phase, NULL, "prefill: inference, with the loss of all tokens; train.", true, NULL},
    {"quantity", &column_published, NULL,
     "norms: all norms of the model, as the model less the model with identity in their place, called layer in the "
     "paper; model.",
     true, NULL},
    {"time_s", &column_amount, "s", "Published time of all passes.", true, NULL},
    {"time_s_lo", &column_amount, "s", "Least value that rounds to it.", true, NULL},
    {"time_s_hi", &column_amount, "s", "Largest value that rounds to it.", true, NULL},
    {"passes", &column_ordinal, "{pass}", "Passes that the time is of.", true, NULL},
    {"model", &column_text, NULL, "The model.", true, NULL},
    {"layers", &column_ordinal, "{layer}", "Its layers.", true, NULL},
    {"norms", &column_ordinal, "{norm}", "Its norms.", true, NULL},
    {"batch", &column_ordinal, "{sequence}", "Sequences.", true, NULL},
    {"tokens", &column_ordinal, "{token}", "Tokens of each.", true, NULL},
    {"dtype", &column_text, NULL, "Storage type.", true, NULL},
    {"hardware", &column_text, NULL, "What it was timed on.", true, NULL},
};
COLUMN_TABLE(efficiency, "published/efficiency.csv", "The paper's efficiency tables as published: LLaMA 7B on an H100.",
             COLUMN_PART(efficiency_columns))

static const table_column others_columns[] = {
    {"source", &column_text, NULL, "Where the figure was published.", true, NULL},
    {"date", &column_text, NULL, "When, as far as it is known.", false, NULL},
    {"hardware", &column_text, NULL, "What it was timed on.", true, NULL},
    {"implementation", &column_text, NULL, "Whose code.", true, NULL},
    {"op", &column_op, NULL, "The operation.", true, NULL},
    {"variant", &column_text, NULL, "nobeta: DyT without beta; else std.", true, NULL},
    {"form", &column_paper_form, NULL, "fused: one kernel; eager: op by op.", true, NULL},
    {"pass", &column_pass, NULL, "forward or backward.", true, NULL},
    {"dtype", &column_dtype, NULL, "Storage type.", true, NULL},
    {"rows", &column_ordinal, "{row}", "Rows of the tensor.", true, NULL},
    {"cols", &column_ordinal, "{column}", "Columns of the tensor.", true, NULL},
    {"threads", &column_ordinal, "{thread}", "Threads, on a CPU, where known.", false, NULL},
    {"time_ms", &column_amount, "ms", "Time of one call.", true, NULL},
    {"confidence", &column_confidence, NULL,
     "high: read in a primary source or in committed data; medium: derived from it, or read in one good secondary "
     "source; low: thin.",
     true, NULL},
};
COLUMN_TABLE(others, "published/others.csv", "Times of norm kernels that others published.",
             COLUMN_PART(others_columns))

static const table_column comparison_columns[] = {
    {"dtype", &column_dtype, NULL, "Storage type here; published times are of bf16.", true, NULL},
    {"phase", &column_paper_phase, NULL, "prefill: inference; train.", true, NULL},
    {"form", &column_paper_form, NULL, "eager, framework or fused; empty for identity.", false, NULL},
    {"op", &column_paper_op, NULL, "The norm; identity: none.", true, NULL},
    {"quantity", &column_compared, NULL,
     "norms_in_place and norms_by_identity: all norms of the model, timed in place and by difference; layer: one "
     "layer; model: the ends and all layers.",
     true, NULL},
    {"time_s", &column_real, "s", "Time of one pass here; empty if it was not measured.", false, NULL},
    {"time_s_lo95", &column_real, "s", "Lower end of its 95 % interval.", false, NULL},
    {"time_s_hi95", &column_real, "s", "Upper end of its 95 % interval.", false, NULL},
    {"change_pct", &column_real, "%", "dyt: change against rmsnorm in the same form; below 0 is faster.", false, NULL},
    {"change_lo95", &column_real, "%", "Lower end of its 95 % interval.", false, NULL},
    {"change_hi95", &column_real, "%", "Upper end of its 95 % interval.", false, NULL},
    {"method", &column_text, NULL, "How the change was made: in place, or by totals.", false, NULL},
    {"published_version", &column_name, NULL, "Version of the paper that the published values are of.", false, NULL},
    {"published_table", &column_table_name, NULL, "Its table.", false, NULL},
    {"published_s", &column_amount, "s", "Published time of one pass.", false, NULL},
    {"published_s_lo", &column_amount, "s", "Least value that rounds to it.", false, NULL},
    {"published_s_hi", &column_amount, "s", "Largest value that rounds to it.", false, NULL},
    {"published_change_pct", &column_real, "%", "Published change.", false, NULL},
    {"published_change_lo", &column_real, "%", "Least value that rounding allows.", false, NULL},
    {"published_change_hi", &column_real, "%", "Largest value that rounding allows.", false, NULL},
    {"layers", &column_ordinal, "{layer}", "Layers of the model.", false, NULL},
    {"tokens", &column_ordinal, "{token}", "Tokens here.", false, NULL},
    {"published_tokens", &column_ordinal, "{token}", "Tokens in the paper.", false, NULL},
    {"scaled", &column_flag, NULL, "1 if there are fewer tokens here, else 0.", false, NULL},
    {"threads", &column_ordinal, "{thread}",
     "Threads in the team. A single row below norm_whole_cols of norm.h runs on one of them.", false, NULL},
    {"reason", &column_text, NULL, "Why time_s is empty; empty if it is not.", false, NULL},
    {"variant", &column_name, NULL,
     "The algorithm of that arm: of dyt the default, and of bf16, fused, one with a tanh of bf16's accuracy (lp) as "
     "well.",
     false, NULL},
};
COLUMN_TABLE(
    comparison, "*/*/paper/comparison.csv",
    "The paper's efficiency table, this run's values beside the published ones; paper/efficiency.md shows the same.",
    {run_columns, RUN_VERSION, NULL}, COLUMN_PART(comparison_columns))
