// SPDX-License-Identifier: MIT
// `normbench report`: runs as one page for people.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "commands.h"
#include "plan/cli.h"
#include "report/html_page.h"

enum { OUT, OPTIONS };
static const cli_option options[OPTIONS] = {
    [OUT] = {"out", "FILE",
             "write it there; `-`, stdout. Unless given, report.html in the folder of the run; of several\nruns it has "
             "to be given"},
};
static const cli_command command = {
    .name = "report",
    .operand = "DIR...",
    .about =
        "Makes one HTML page of the CSV files and meta.json of runs of kernels, layers, ab, validations or make paper: "
        "whether DyT pays here, where most and how sure that is, by the judge of the summary; figures whose marks lead "
        "to their rows; and every row, to be sorted and filtered. It loads nothing from elsewhere. Runs of several "
        "machines are shown side by side, as ratios alone.",
    .options = options,
    .option_count = OPTIONS,
    .words = 1,
    .which = "which run? give its folder, such as results/MACHINE/RUN",
    .examples = {"report --out report.html results/intel-*/*T0717*",
                 "report --out site.html results/amd-*/*-paper results/intel-*/*T0717*"},
};

// The exit code.
static int write_page(const page *p, const char *folder, const char *out) {
    char path[PATH_MAX];
    if (out == NULL && snprintf(path, sizeof path, "%s/report.html", folder) >= (int)sizeof path)
        return cli_refuse(&command, "%.300s: the path is too long", folder);
    const char *const target = out != NULL ? out : path;
    const int error = out != NULL ? files_deliver(target, page_write, p) : files_replace(target, page_write, p);
    if (!cli_wrote(&command, error, target))
        return EXIT_FAILED;
    if (strcmp(target, "-") != 0)
        printf("Report:  %s\n", target);
    return EXIT_DONE;
}

int cmd_report(int argc, char **argv) {
    char *given[OPTIONS] = {NULL}, message[TABLES_MESSAGE];
    size_t folders;
    page p;
    const int end = cli_take(&command, argc, argv, given, &folders);
    if (end >= 0)
        return end;
    if (folders > 1 && given[OUT] == NULL)
        return cli_refuse(&command, "a page of several runs lies in the folder of none: say where with --out FILE");
    if (given[OUT] != NULL && !cli_wrote(&command, files_deliverable(given[OUT]), given[OUT]))
        return EXIT_FAILED;
    if (!page_read(&p, argv, folders, message))
        return cli_refuse(&command, "%s", message);
    const int status = write_page(&p, argv[0], given[OUT]);
    page_free(&p);
    return status;
}
