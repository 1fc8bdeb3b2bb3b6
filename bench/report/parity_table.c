// SPDX-License-Identifier: MIT
// parity_table.c: the columns of parity_runs.csv and parity.csv, which scripts/parity.py writes.
#include "measure/run.h"
#include "plan/cell.h"
#include "schema.h"

COLUMN_WORDS(task, "digits", "text")
COLUMN_WORDS(role, "selection", "test")

#define WHAT_WAS_TRAINED                                                                                               \
    {"task", &column_task, NULL, "What was learned: digits, images; text, characters.", true, NULL},                   \
        {"norm", &column_name, NULL, "The op in the place of every norm; identity: none.", true, NULL},                \
        {"alpha0", &column_amount, "1", "What alpha begins with, of ops that have one.", false, NULL},                 \
        {"rate", &column_amount, "1", "The highest rate of learning.", true, NULL}, {                                  \
        "role", &column_role, NULL,                                                                                    \
            "selection: seeds by which a rate is chosen; test: seeds that show what it reaches.", true, NULL           \
    }
#define TARGET                                                                                                         \
    { "target_loss", &column_amount, "1", "The loss on validation data that is to be reached.", true, NULL }

static const table_column model_columns[] = {
    WHAT_WAS_TRAINED,
    {"seed", &column_count, NULL, "Of the first weights and of the order of the data.", true, NULL},
    {"steps", &column_ordinal, NULL, "Steps of training.", true, NULL},
    {"val_loss", &column_amount, "1", "Loss on validation data after the last step. Empty: infinite.", false, NULL},
    {"test_loss", &column_amount, "1", "Loss on test data after the last step. Empty: infinite.", false, NULL},
    {"test_accuracy", &column_fraction, "1", "Share of right answers on test data.", true, NULL},
    TARGET,
    {"target_steps", &column_ordinal, NULL, "Steps after which target_loss was first reached, to 20. Empty: never.",
     false, NULL},
    {"target_seconds", &column_amount, "s", "Processor time of these steps on one thread.", false, NULL},
    {"seconds", &column_amount, "s", "Processor time of all steps on one thread.", true, NULL},
    {"diverged", &column_flag, NULL, "1 where a loss was no finite number, which ended it.", true, NULL},
};
COLUMN_TABLE(parity_runs, "parity/parity_runs.csv", "One row per model that `make parity` trained.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(model_columns))

#define INTERVAL(name, column, unit, meaning)                                                                          \
    {name, &column, unit, meaning, false, NULL},                                                                       \
        {name "_lo95", &column, unit, "Lower end of its 95 % interval; empty below six seeds.", false, NULL}, {        \
        name "_hi95", &column, unit, "Upper end of the same interval.", false, NULL                                    \
    }

static const table_column seeds_columns[] = {
    WHAT_WAS_TRAINED,
    {"chosen", &column_flag, NULL, "1 where this rate has the least val_loss of the seeds of role selection.", true,
     NULL},
    {"seeds", &column_ordinal, NULL, "Models, which differ in their seeds alone.", true, NULL},
    {"steps", &column_ordinal, NULL, "Steps of training.", true, NULL},
    TARGET,
    {"reached", &column_count, NULL, "Models that reached it.", true, NULL},
    {"diverged", &column_count, NULL, "Models that a loss ended which was no finite number.", true, NULL},
    INTERVAL("val_loss", column_amount, "1", "Loss on validation data after the last step: median over seeds."),
    INTERVAL("test_loss", column_amount, "1", "Loss on test data after the last step: median over seeds of role test."),
    INTERVAL("test_accuracy", column_fraction, "1", "Share of right answers on test data, likewise."),
    INTERVAL("loss_change", column_real, "1",
             "test_loss less that of layernorm by the same seed: median over seeds of role test."),
    {"target_steps", &column_amount, "{step}",
     "Steps to target_loss: median over seeds. Empty: half of them never reach it.", false, NULL},
    {"target_seconds", &column_amount, "s", "Processor time of these steps on one thread: median over seeds.", false,
     NULL},
    {"seconds", &column_amount, "s", "Processor time of all steps on one thread: median over seeds.", true, NULL},
};
COLUMN_TABLE(parity, "parity/parity.csv",
             "One row per norm, first alpha and rate: small models that `make parity` trained, summed up over seeds.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(seeds_columns))
