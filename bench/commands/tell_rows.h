// SPDX-License-Identifier: MIT
// tell_rows.h: how commands that read runs open them, and tell what they found, row by row, in one of several formats.
#ifndef TELL_ROWS_H
#define TELL_ROWS_H

#include <stdbool.h>

#include "plan/cli.h"
#include "report/results.h"
#include "report/schema.h"

// The format of a name; text of none. false after a message with those that there are.
bool format_option(const cli_command *command, const char *name, schema_format *format);

// results_read_all. NULL after a message.
results *runs_open(const cli_command *command, char *const *folders, size_t count);

// The words of a command that tells of runs: its options, that of the format among them, and its runs. An exit code, or
// negative: they are taken, and the runs are the caller's to free.
typedef struct {
    results *all; // in the order of their times
    size_t count;
    schema_format format;
} told_runs;
int runs_take(const cli_command *command, int argc, char **argv, char **given, size_t format, told_runs *runs);

// Writes rows as CSV to a file, if one is named, and in their own format to stdout, unless that is the file. An exit
// code.
int tell_rows(const cli_command *command, const rows_file *rows, const char *csv);

#endif
