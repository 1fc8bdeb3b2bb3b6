// SPDX-License-Identifier: MIT
// tell_rows.c: see tell_rows.h.
#include "tell_rows.h"

#include <string.h>

#include "base/exit_code.h"
#include "base/files.h"

bool format_option(const cli_command *command, const char *name, schema_format *format) {
    size_t at = SCHEMA_TEXT;
    const bool known =
        name == NULL || cli_choose(command, "", name, "format", schema_format_names, SCHEMA_FORMATS, &at);
    *format = (schema_format)at;
    return known;
}

results *runs_open(const cli_command *command, char *const *folders, size_t count) {
    char message[TABLES_MESSAGE];
    results *const runs = results_read_all(folders, count, message);
    if (runs == NULL)
        cli_complain(command, "%s", message);
    return runs;
}

int runs_take(const cli_command *command, int argc, char **argv, char **given, size_t format, told_runs *runs) {
    const int end = cli_take(command, argc, argv, given, &runs->count);
    if (end >= 0)
        return end;
    runs->all = format_option(command, given[format], &runs->format) ? runs_open(command, argv, runs->count) : NULL;
    return runs->all != NULL ? end : EXIT_USAGE;
}

static bool deliver(const cli_command *command, const rows_file *rows, const char *path) {
    return cli_wrote(command, files_deliver(path, rows_file_write, rows), path);
}

int tell_rows(const cli_command *command, const rows_file *rows, const char *csv) {
    rows_file table = *rows;
    table.format = SCHEMA_CSV;
    return (csv == NULL || deliver(command, &table, csv)) &&
                   ((csv != NULL && strcmp(csv, "-") == 0) || deliver(command, rows, "-"))
               ? EXIT_DONE
               : EXIT_FAILED;
}
