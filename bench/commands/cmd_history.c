// SPDX-License-Identifier: MIT
// `normbench history`: many runs, and where times changed.
#include <stdio.h>

#include "commands.h"
#include "report/history.h"
#include "tell_rows.h"

enum { FORMAT, CSV, OPTIONS };
static const cli_option options[OPTIONS] = {
    [FORMAT] = {"format", "NAME",
                "of what goes to stdout: text (the changes alone; as it is unless given), markdown,\n"
                "csv or json"},
    [CSV] = {"csv", "FILE", "write history.csv there as well; `-` writes it to stdout, in place of the list"},
};
static const cli_command command = {
    .name = "history",
    .operand = "DIR...",
    .about =
        "Follows times over many runs, in the order of their times, and says at which run a group of rows (op, form, "
        "level, dtype, pass and cache) became slower or faster, with the commits between which that was. Times are "
        "taken over those of copies (op identity) of the same run. A change takes 13 runs, five of them before and "
        "five "
        "after it, and 2 %; shuffles of the runs show one where there is none once in a thousand groups. A slow drift "
        "is told as "
        "such. Runs of other machines or build flags are a history of their own. With history.csv in a folder, `make "
        "plots RUN=FOLDER` draws it.",
    .options = options,
    .option_count = OPTIONS,
    .words = 1,
    .which = "which runs? give their folders, such as results/MACHINE/*",
    .examples = {"history results/*/20*", "history --csv history.csv results/intel-*/20*"},
};

// Takes over the runs. The exit code.
static int tell(const told_runs *runs, const char *csv) {
    history h;
    if (!history_make(&h, runs->all, runs->count)) {
        cli_complain(&command, "out of memory");
        return EXIT_FAILED;
    }
    const rows_file file = {.table = &history_table,
                            .rows = h.points,
                            .count = h.point_count,
                            .size = sizeof *h.points,
                            .format = runs->format,
                            .print = history_print,
                            .what = &h};
    const int status = tell_rows(&command, &file, csv);
    history_free(&h);
    return status;
}

int cmd_history(int argc, char **argv) {
    char *given[OPTIONS] = {NULL};
    told_runs runs;
    const int end = runs_take(&command, argc, argv, given, FORMAT, &runs);
    return end >= 0 ? end : tell(&runs, given[CSV]);
}
