// SPDX-License-Identifier: MIT
// tell_rows.c: see tell_rows.h.
#include "tell_rows.h"

#include <string.h>

#include "base/exit_code.h"
#include "base/files.h"
#include "base/names.h"

bool format_option(const cli_command *command, const char *name, schema_format *format) {
    const char *names[SCHEMA_FORMATS];
    char text[512];
    for (schema_format f = 0; f < SCHEMA_FORMATS; f++)
        names[f] = schema_format_name(f);
    const size_t at = name == NULL ? SCHEMA_TEXT : names_find(name, names, SCHEMA_FORMATS);
    *format = (schema_format)at;
    if (at == SCHEMA_FORMATS) {
        names_explain(text, sizeof text, name, "format", names, SCHEMA_FORMATS);
        cli_complain(command, "%s", text);
    }
    return at < SCHEMA_FORMATS;
}

results *runs_open(const cli_command *command, char *const *folders, size_t count) {
    char message[TABLES_MESSAGE];
    results *const runs = results_read_all(folders, count, message);
    if (runs == NULL)
        cli_complain(command, "%s", message);
    return runs;
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
