// SPDX-License-Identifier: MIT
// `normbench validation`: how often the gate was right where the truth is known.
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "commands.h"
#include "format_option.h"
#include "plan/cli.h"
#include "report/rows_file.h"
#include "report/schema.h"
#include "report/validation.h"

enum { FORMAT, CSV, ROWS, OPTIONS };
static const cli_option options[OPTIONS] = {
    [FORMAT] = {"format", "NAME", "of what goes to stdout: text (as it is unless given), markdown, csv or json"},
    [CSV] = {"csv", "FILE", "write validation.csv there as well; `-` writes it to stdout, in place of the words"},
    [ROWS] = {"rows", "FILE", "write each gate's rows there, validation_rows.csv, from which their changes are drawn"},
};
static const cli_command command = {
    .name = "validation",
    .operand = "DIR...",
    .about =
        "Says how often `normbench ab` was right where the truth is known: of equal sides how often it called a row "
        "slower or faster and how often its intervals held no change, of rows with extra work how often it found them, "
        "of disturbed runs whether it called anything slower; each share with its exact 95 % interval, and whether "
        "the project's goal is reached. DIR is what `make validate-aa`, validate-power or validate-disturbed has made; "
        "several are counted together.",
    .options = options,
    .option_count = OPTIONS,
    .examples = {"validation results/*/validate-aa-*", "validation --csv - results/*/validate-*"},
};

static int deliver(files_writer *write, const void *what, const char *path) {
    const int error = files_deliver(path, write, what);
    if (error != 0)
        cli_complain(&command, "cannot write %.300s: %s", path, files_reason(error));
    return error == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int tell(const validation *v, schema_format format, char *const given[OPTIONS]) {
    rows_file file = {.table = &validation_table,
                      .rows = v->findings,
                      .count = v->finding_count,
                      .size = sizeof *v->findings,
                      .format = SCHEMA_CSV,
                      .print = validation_print,
                      .what = v};
    int status = given[ROWS] == NULL ? EXIT_DONE : deliver(validation_write_rows, v, given[ROWS]);
    if (status == EXIT_DONE && given[CSV] != NULL)
        status = deliver(rows_file_write, &file, given[CSV]);
    file.format = format;
    if (status == EXIT_DONE && (given[CSV] == NULL || strcmp(given[CSV], "-") != 0))
        status = deliver(rows_file_write, &file, "-");
    return status;
}

int cmd_validation(int argc, char **argv) {
    char *given[OPTIONS] = {NULL}, message[TABLES_MESSAGE];
    schema_format format;
    size_t folders;
    const int end = cli_take(&command, argc, argv, given, &folders);
    if (end >= 0)
        return end;
    if (!format_option(&command, given[FORMAT], &format))
        return EXIT_USAGE;
    if (folders == 0) {
        cli_complain(&command, "which gates? give the folder that `make validate-aa` has made");
        return EXIT_USAGE;
    }
    validation v = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < folders; i++)
        ok = validation_read(&v, argv[i], message);
    int status = EXIT_USAGE;
    if (!ok)
        cli_complain(&command, "%s", message);
    else if (validation_judge(&v))
        status = tell(&v, format, given);
    else
        cli_complain(&command, "out of memory");
    validation_free(&v);
    return status;
}
