// SPDX-License-Identifier: MIT
// `normbench validation`: how often the gate was right where the truth is known.
#include <stdio.h>

#include "base/files.h"
#include "commands.h"
#include "report/validation.h"
#include "tell_rows.h"

enum { FORMAT, CSV, ROWS, GATES, OPTIONS };
static const cli_option options[OPTIONS] = {
    [FORMAT] = {"format", "NAME", "of what goes to stdout: text (as it is unless given), markdown, csv or json"},
    [CSV] = {"csv", "FILE", "write validation.csv there as well; `-` writes it to stdout, in place of the words"},
    [ROWS] = {"rows", "FILE", "write each gate's rows there, validation_rows.csv, from which their changes are drawn"},
    [GATES] = {"gates", "FILE", "write the gates there, validation_gates.csv: how each ended, and after how long"},
};
static const cli_command command = {
    .name = "validation",
    .operand = "DIR...",
    .about =
        "Says how often `normbench ab` was right where the truth is known: of equal sides how often it called a row "
        "slower or faster and how often its intervals held no change, of rows with extra work how often it found them, "
        "of disturbed runs whether it called anything slower, of pull requests how it ended; each share with its exact "
        "95 % interval, and whether the project's goal is reached. DIR is what `make validate-aa` or one of its "
        "relatives has made; several are counted together.",
    .options = options,
    .option_count = OPTIONS,
    .words = 1,
    .which = "which gates? give the folder that `make validate-aa` has made",
    .examples = {"validation results/*/validate-aa-*", "validation --csv - results/*/validate-*"},
};

static int tell(const validation *v, schema_format format, char *const given[OPTIONS]) {
    const rows_file file = {.table = &validation_table,
                            .rows = v->findings,
                            .count = v->finding_count,
                            .size = sizeof *v->findings,
                            .format = format,
                            .print = validation_print,
                            .what = v};
    if (given[ROWS] != NULL && !cli_wrote(&command, files_deliver(given[ROWS], validation_write_rows, v), given[ROWS]))
        return EXIT_FAILED;
    if (given[GATES] != NULL &&
        !cli_wrote(&command, files_deliver(given[GATES], validation_write_gates, v), given[GATES]))
        return EXIT_FAILED;
    return tell_rows(&command, &file, given[CSV]);
}

int cmd_validation(int argc, char **argv) {
    char *given[OPTIONS] = {NULL}, message[TABLES_MESSAGE] = "out of memory";
    schema_format format;
    size_t folders;
    const int end = cli_take(&command, argc, argv, given, &folders);
    if (end >= 0)
        return end;
    if (!format_option(&command, given[FORMAT], &format))
        return EXIT_USAGE;
    validation v = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < folders; i++)
        ok = validation_read(&v, argv[i], message);
    int status = EXIT_USAGE;
    if (ok && validation_judge(&v))
        status = tell(&v, format, given);
    else
        cli_complain(&command, "%s", message);
    validation_free(&v);
    return status;
}
