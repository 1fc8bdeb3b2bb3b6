// SPDX-License-Identifier: MIT
// paper_tables.c: the columns of the paper's figures as it published them, and of others' that people wrote down beside
// them (results/published/).
#include "measure/run.h"
#include "plan/layers_plan.h"
#include "schema.h"

COLUMN_WORDS(version, "v1", "v2")
COLUMN_WORDS(published, "norms", "model")
COLUMN_WORDS(paper_form, "eager", "fused", "framework")
COLUMN_WORDS(paper_norm, "rmsnorm", "dyt")
COLUMN_WORDS(paper_phase, "prefill", "train")

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
