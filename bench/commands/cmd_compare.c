// SPDX-License-Identifier: MIT
// `normbench compare`: a run against earlier runs of the same machine.
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "commands.h"
#include "report/compare.h"
#include "tell_rows.h"

enum { FORMAT, OUT, OPTIONS };
static const cli_option options[OPTIONS] = {
    [FORMAT] = {"format", "NAME", "text (as it is unless given), csv, json or markdown"},
    [OUT] = {"out", "FILE", "write it there; `-`, stdout, unless given"},
};
static const cli_command command = {
    .name = "compare",
    .operand = "OLD... NEW",
    .about =
        "Holds the run in the last folder against baseline runs of the same machine and build flags, row by row: each "
        "time over that of copies (op identity) of the same run. A verdict takes 10 baseline runs on 3 days, none "
        "older than 30 days; with fewer, ratios are shown. A row is suspect at most, for other days are other "
        "machines: the command that settles it stands below. Ends with 0: nothing is suspect; 4: not comparable, with "
        "what differs; 5: something is suspect, or nothing can be told; 6: rows of the baseline are missing.",
    .options = options,
    .option_count = OPTIONS,
    .words = 2,
    .which = "give the folders of baseline runs and, last, that of the new one",
    .examples = {"compare results/amd-*/20* results/intel-*/*T0717*", "compare --format markdown results/amd-*/20*"},
};

// Whether every run says what machine it is of, and the new one is the newest.
static bool can_be_held(const told_runs *given, const char *newest) {
    const results *const runs = given->all;
    const size_t count = given->count;
    for (size_t i = 0; i < count; i++)
        if (runs[i].meta == NULL)
            return cli_complain(&command,
                                "%s has no meta.json, so nobody knows what machine it is of: give a whole run",
                                runs[i].folder);
    if (strcmp(runs[count - 1].folder, newest) == 0)
        return true;
    return cli_complain(&command, "%s is newer than %s: the new run comes last", runs[count - 1].folder, newest);
}

// Takes over the runs. The exit code.
static int tell(const told_runs *runs, const char *out) {
    comparison c;
    if (!compare_make(&c, runs->all, runs->count)) {
        cli_complain(&command, "out of memory");
        return EXIT_FAILED;
    }
    const rows_file file = {.table = &compare_table,
                            .rows = c.rows,
                            .count = c.row_count,
                            .size = sizeof *c.rows,
                            .format = runs->format,
                            .print = compare_print,
                            .what = &c};
    const bool wrote = c.other != NULL || cli_wrote(&command, files_deliver(out, rows_file_write, &file), out);
    const int status = wrote ? compare_status(&c) : EXIT_FAILED;
    compare_warn(stderr, &c);
    compare_free(&c);
    return status;
}

int cmd_compare(int argc, char **argv) {
    char *given[OPTIONS] = {NULL};
    told_runs runs;
    const int end = runs_take(&command, argc, argv, given, FORMAT, &runs);
    if (end >= 0)
        return end;
    if (can_be_held(&runs, argv[runs.count - 1]))
        return tell(&runs, given[OUT] != NULL ? given[OUT] : "-");
    results_free_all(runs.all, runs.count);
    return EXIT_USAGE;
}
