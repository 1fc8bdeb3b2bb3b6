// SPDX-License-Identifier: MIT
// `normbench export`: results as another tool's file.
#include <stdio.h>

#include "base/files.h"
#include "commands.h"
#include "report/exports.h"
#include "tell_rows.h"

enum { TO, OUT, OPTIONS };
#define LINE(id, name, most, help) name ", " help "; "
static const cli_option options[OPTIONS] = {
    [TO] = {"to", "FORMAT", "one of the formats above"},
    [OUT] = {"out", "FILE", "write it there; `-`, stdout, unless given"},
};
static const cli_command command = {
    .name = "export",
    .operand = "DIR...",
    .about = "Writes what a run measured as the file of another tool. Names are those of the row, "
             "op/variant/pass/form/level/dtype/ROWSxCOLS/threads/placement/cache, so that they are the same in every "
             "run; no number has more digits than its interval supports. Formats: " EXPORT_LIST(
                 LINE) "those that are of one run take one DIR.",
    .options = options,
    .option_count = OPTIONS,
    .needed = 1u << TO,
    .words = 1,
    .which = "which run? give its folder, such as results/MACHINE/RUN",
    .examples = {"export --to benchstat --out run.txt results/intel-*/*T0717*",
                 "export --to bencher results/amd-*-ce2e0aef/*-paper"},
};
#undef LINE

static const export_format *find_format(const char *name) {
    const char *names[32];
    size_t count = 0, at;
    for (; export_at(count) != NULL; count++)
        names[count] = export_at(count)->name;
    return cli_choose(&command, "--to: ", name, "format", names, count, &at) ? export_at(at) : NULL;
}

// The exit code.
static int write_runs(const export_format *format, const char *out, const results *runs, size_t count) {
    char warning[EXPORT_TEXT] = "", why[EXPORT_TEXT] = "";
    const export_set set = {.runs = runs, .count = count, .warning = warning, .error = why};
    const int error = files_deliver(out, format->write, &set);
    if (error == -1)
        cli_complain(&command, "%s", why);
    else if (error != 0)
        (void)cli_wrote(&command, error, out);
    else if (*warning != '\0')
        cli_complain(&command, "%s", warning);
    return error == 0 ? EXIT_DONE : error == -1 ? EXIT_USAGE : EXIT_FAILED;
}

int cmd_export(int argc, char **argv) {
    char *given[OPTIONS] = {NULL};
    size_t folders;
    const int end = cli_take(&command, argc, argv, given, &folders);
    if (end >= 0)
        return end;
    const export_format *const format = find_format(given[TO]);
    if (format == NULL)
        return EXIT_USAGE;
    if (folders > format->most_runs)
        return cli_refuse(&command, "a file of this format is of one run: give one folder at a time");
    results *const runs = runs_open(&command, argv, folders);
    if (runs == NULL)
        return EXIT_USAGE;
    const int status = write_runs(format, given[OUT] != NULL ? given[OUT] : "-", runs, folders);
    results_free_all(runs, folders);
    return status;
}
