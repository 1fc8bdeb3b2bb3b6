// SPDX-License-Identifier: MIT
// `normbench history`: many runs, and where times changed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "commands.h"
#include "format_option.h"
#include "plan/cli.h"
#include "report/history.h"
#include "report/rows_file.h"

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
    .examples = {"history results/*/20*", "history --csv history.csv results/intel-*/20*"},
};

static int deliver(const rows_file *file, const char *path) {
    return cli_wrote(&command, files_deliver(path, rows_file_write, file), path) ? EXIT_DONE : EXIT_FAILED;
}

// Takes over the runs. The exit code.
static int tell(results *runs, size_t count, schema_format format, const char *csv) {
    history h;
    if (!history_make(&h, runs, count)) {
        cli_complain(&command, "out of memory");
        return EXIT_FAILED;
    }
    rows_file file = {.table = &history_table,
                      .rows = h.points,
                      .count = h.point_count,
                      .size = sizeof *h.points,
                      .format = SCHEMA_CSV,
                      .print = history_print,
                      .what = &h};
    int status = csv == NULL ? EXIT_DONE : deliver(&file, csv);
    file.format = format;
    if (status == EXIT_DONE && (csv == NULL || strcmp(csv, "-") != 0))
        status = deliver(&file, "-");
    history_free(&h);
    return status;
}

int cmd_history(int argc, char **argv) {
    char *given[OPTIONS] = {NULL}, message[TABLES_MESSAGE];
    schema_format format;
    size_t folders;
    const int end = cli_take(&command, argc, argv, given, &folders);
    if (end >= 0)
        return end;
    if (!format_option(&command, given[FORMAT], &format))
        return EXIT_USAGE;
    if (folders == 0) {
        cli_complain(&command, "which runs? give their folders, such as results/MACHINE/*");
        return EXIT_USAGE;
    }
    results *const runs = calloc(folders, sizeof *runs);
    int status = EXIT_USAGE;
    if (runs == NULL || !results_read_all(runs, argv, folders, message))
        cli_complain(&command, "%s", runs == NULL ? "out of memory" : message);
    else
        status = tell(runs, folders, format, given[CSV]);
    free(runs);
    return status;
}
