// SPDX-License-Identifier: MIT
// `normbench judge`: what the tables of a run say of questions that were put down before it was measured.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "commands.h"
#include "plan/cli.h"
#include "report/efficiency.h"
#include "report/natives.h"
#include "report/verdicts.h"

enum { OPTION_BY, OPTION_CSV, OPTIONS };
static const cli_option options[OPTIONS] = {
    [OPTION_BY] = {"by", "FILE",
                   "questions of this table instead of the program's own, which are those of\nresults/published"},
    [OPTION_CSV] = {"csv", "FILE", "write the verdicts there as a table, `-` for stdout"},
};
#define LINE(ID, name, table, most, meaning) #name ", " meaning "; "
static const cli_command command = {
    .name = "judge",
    .operand = "WHAT DIR...",
    .about =
        "Judges runs by their tables: a question holds if the whole interval of what it asks lies within its "
        "bounds, does not if all of it lies outside, and else nobody can tell. WHAT is one of " VERDICT_TABLE_LIST(
            LINE) "efficiency, the paper's efficiency table with a run's values beside the published ones; "
                  "natives, DyT in place of each model's own norm in a run of layers. Where `make peers RUN=DIR` has "
                  "left a peers.csv in DIR, PyTorch's own ratio, with its interval and the version, stands below "
                  "what is asked of the same norms, or the reason why there is none, and in columns peer* of the "
                  "table.",
    .examples = {"judge claims results/*ce2e0aef/*-paper", "judge questions --csv - results/intel-*/*T071718Z-*"},
    .options = options,
    .option_count = OPTIONS,
};
#undef LINE

#define NAME(ID, name, ...) #name,
static const char *const names[] = {VERDICT_TABLE_LIST(NAME) "efficiency", "natives"};
enum { EFFICIENCY = VERDICT_TABLES, NATIVES, JUDGED };
#undef NAME
#define MOST(ID, name, table, most, ...) most,
static const size_t most_runs[] = {VERDICT_TABLE_LIST(MOST) 1, 1};
#undef MOST

typedef struct {
    size_t of; // a verdict_table, or EFFICIENCY
    const char *by, *csv, *folders[VERDICT_MOST_RUNS];
    size_t count;
} order;

// The words that stand without a dash: what to judge by, then folders.
static bool take_word(order *o, size_t word, const char *value) {
    if (word == 0)
        return cli_choose(&command, "", value, "list of verdicts", names, JUDGED, &o->of);
    struct stat info;
    if (o->count == most_runs[o->of])
        return cli_complain(&command, "%s are judged of %zu folder%s at most; judge \"%.200s\" on its own",
                            names[o->of], most_runs[o->of], most_runs[o->of] == 1 ? "" : "s", value);
    if (stat(value, &info) != 0 || !S_ISDIR(info.st_mode))
        return cli_complain(&command, "there is no folder %.300s: give that of a run, such as results/MACHINE/RUN",
                            value);
    o->folders[o->count++] = value;
    return true;
}

// An exit code; -1: go on.
static int parse(order *o, int argc, char **argv) {
    char *given[OPTIONS] = {NULL};
    size_t words;
    const int end = cli_take(&command, argc, argv, given, &words);
    if (end >= 0)
        return end;
    o->by = given[OPTION_BY];
    o->csv = given[OPTION_CSV];
    for (size_t i = 0; i < words; i++)
        if (!take_word(o, i, argv[i]))
            return EXIT_USAGE;
    if (o->count > 0)
        return -1;
    return cli_refuse(&command, "%s",
                      words == 0 ? "by what? give claims, goals, questions, efficiency or natives, and a folder"
                                 : "of which run? give its folder, such as results/MACHINE/RUN");
}

// Writes a table where one was asked for, and says where words go: to stderr with CSV on stdout. NULL after a message.
static FILE *deliver(const order *o, files_writer *write, const void *what) {
    if (o->csv == NULL)
        return stdout;
    if (!cli_wrote(&command, files_deliver(o->csv, write, what), o->csv))
        return NULL;
    return strcmp(o->csv, "-") == 0 ? stderr : stdout;
}

static int tell_verdicts(const order *o, const run_tables *runs) {
    char message[TABLES_MESSAGE];
    verdicts v;
    if (!verdicts_make(&v, (verdict_table)o->of, o->by, runs, o->count, message))
        return cli_refuse(&command, "%s", message);
    FILE *const words = deliver(o, verdicts_write, &v);
    if (words != NULL && !verdicts_print(&v, words))
        fprintf(words, "nothing that is asked was measured in %s\n", o->folders[0]);
    verdicts_free(&v);
    return words != NULL ? EXIT_DONE : EXIT_FAILED;
}

static int tell_efficiency(const order *o, const run_tables *run) {
    char message[TABLES_MESSAGE];
    efficiency e;
    if (!efficiency_make(&e, o->by, run, message))
        return cli_refuse(&command, "%s", message);
    FILE *const words = deliver(o, efficiency_write, &e);
    if (words != NULL)
        efficiency_print(&e, words);
    efficiency_free(&e);
    return words != NULL ? EXIT_DONE : EXIT_FAILED;
}

static int tell_natives(const order *o, const run_tables *run) {
    FILE *const words = deliver(o, natives_write, run);
    if (words != NULL)
        natives_print(run, words);
    return words != NULL ? EXIT_DONE : EXIT_FAILED;
}

int cmd_judge(int argc, char **argv) {
    char message[TABLES_MESSAGE];
    order o = {0};
    run_tables runs[VERDICT_MOST_RUNS];
    size_t read = 0;
    int status = parse(&o, argc, argv);
    if (status >= 0)
        return status;
    while (read < o.count && run_tables_read(&runs[read], o.folders[read], message))
        read++;
    if (read < o.count) {
        cli_complain(&command, "%s", message);
        status = EXIT_USAGE;
    } else {
        status = o.of == EFFICIENCY ? tell_efficiency(&o, runs)
                 : o.of == NATIVES  ? tell_natives(&o, runs)
                                    : tell_verdicts(&o, runs);
    }
    while (read > 0)
        run_tables_free(&runs[--read]);
    return status;
}
