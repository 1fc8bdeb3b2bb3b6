// SPDX-License-Identifier: MIT
// `normbench predict`: what norms can take of a layer, timed or not.
#include <stdio.h>

#include "base/parse.h"
#include "commands.h"
#include "report/law.h"
#include "tell_rows.h"

enum { FLOP, NORMED, FORMAT, CSV, OPTIONS };
static const cli_option options[OPTIONS] = {
    [FLOP] = {"flop-per-token", "F",
              "operations of a layer's products for one token: 2 x its weights, and attention's"},
    [NORMED] = {"normed-per-token", "E", "elements that the layer's norms take for one token: 2 x hidden size, mostly"},
    [FORMAT] = {"format", "NAME", "of what goes to stdout: text (as it is unless given), markdown, csv or json"},
    [CSV] = {"csv", "FILE",
             "write law.csv, or with F and E predictions.csv, there as well; `-` writes it to\n"
             "stdout, in place of the text"},
};
static const cli_command command = {
    .name = "predict",
    .operand = "DIR...",
    .about =
        "Says what norms can take of a layer, by one number: I, the operations of its products for each element that "
        "is "
        "normed. With c, what a normed element costs in operations of products on this machine, the norms' share is at "
        "most 1 / (1 + I / c), and DyT changes the layer by that share times its change of the norms. Without F and E: "
        "for each layer that the runs have timed the share that the other models of the run foretell, beside the "
        "measured one. With F and E: the share in a layer that nobody timed. With law.csv in a folder, `make plots "
        "RUN=FOLDER` draws it, and `make map` does both for all results.",
    .options = options,
    .option_count = OPTIONS,
    .words = 1,
    .which = "by which runs? give folders with layers.csv, such as results/MACHINE/*-paper",
    .examples = {"predict results/*/*-paper", "predict --flop-per-token 30e6 --normed-per-token 1536 results/*/20*"},
};

// false after a message.
static bool number_of(const char *given, const char *option, double *value) {
    *value = 0;
    if (given == NULL || (parse_real(given, value) && *value >= 1 && *value <= 1e18))
        return true;
    return cli_complain(&command, "--%s %s: give a number of at least 1, such as 30e6", option, given);
}

static int tell(const results *runs, size_t count, double flop, double normed, schema_format format, const char *csv) {
    law l;
    if (!law_make(&l, runs, count, flop, normed)) {
        cli_complain(&command, "out of memory");
        return EXIT_FAILED;
    }
    const bool asked = normed > 0;
    const rows_file file = {.table = asked ? &predictions_table : &law_table,
                            .rows = asked ? (const void *)l.groups : l.rows,
                            .count = asked ? l.group_count : l.count,
                            .size = asked ? sizeof *l.groups : sizeof *l.rows,
                            .format = format,
                            .print = law_print,
                            .what = &l};
    const int status = tell_rows(&command, &file, csv);
    law_free(&l);
    return status;
}

int cmd_predict(int argc, char **argv) {
    char *given[OPTIONS] = {NULL};
    schema_format format;
    size_t folders;
    double flop, normed;
    const int end = cli_take(&command, argc, argv, given, &folders);
    if (end >= 0)
        return end;
    if (!format_option(&command, given[FORMAT], &format) || !number_of(given[FLOP], "flop-per-token", &flop) ||
        !number_of(given[NORMED], "normed-per-token", &normed))
        return EXIT_USAGE;
    if ((flop > 0) != (normed > 0)) {
        cli_complain(&command, "--flop-per-token and --normed-per-token go together: give both, or neither");
        return EXIT_USAGE;
    }
    results *const runs = runs_open(&command, argv, folders);
    if (runs == NULL)
        return EXIT_USAGE;
    const int status = tell(runs, folders, flop, normed, format, given[CSV]);
    results_free_all(runs, folders);
    return status;
}
