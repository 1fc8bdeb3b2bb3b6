// SPDX-License-Identifier: MIT
// `normbench reproduce`: what has to be run for a claim, or for a run to be had again; and whether it came out so.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/parse.h"
#include "commands.h"
#include "report/needs.h"
#include "report/patterns.h"
#include "report/rerun.h"
#include "tell_rows.h"

enum { BUDGET, TOKENS, FORMAT, OUT, OPTIONS };
static const cli_option options[OPTIONS] = {
    [BUDGET] = {"budget", "TIME",
                "measure no longer than about this, as in 40s or 5m; of a run in parts, all together"},
    [TOKENS] = {"tokens", "N", "of a claim about a language model: of its sequence; default 512, the source has 4096"},
    [FORMAT] = {"format", "NAME", "of OLD and NEW: text (as it is unless given), csv, json or markdown"},
    [OUT] = {"out", "FILE", "of OLD and NEW: write it there; `-`, stdout, unless given"},
};
static const cli_command command = {
    .name = "reproduce",
    .operand = "CLAIM|OLD [NEW]",
    .about =
        "With CLAIM, an id of `normbench list claims`, or OLD, the folder of a run, alone: prints what has to be run "
        "for it, a line for each part: its folder within NEW, then a command of normbench. With NEW, the folder where "
        "that was run: says what becomes of the claim there; or holds NEW against OLD, pattern by pattern: the claims, "
        "the side of 1 on which each ratio lies, the order of the ops, the sizes at which ratios cross 1; never times. "
        "AGREES and DIFFERS are told where the whole intervals of both tell it, and opposites must lie further apart "
        "than a tolerance: 2 % of a ratio on the same machine and build, 5 % on another with the same strongest SIMD "
        "level, else 10 %. `make claim` and `make reproduce` run it and hold it. Ends with 0: of what both tell 95 % "
        "agree, and no claim differs; 1: not so; 5: nothing, or less than half of what OLD tells, can be told, or "
        "not the claim; 6: NEW is unfinished.",
    .options = options,
    .option_count = OPTIONS,
    .words = 1,
    .which = "what? give a claim of `normbench list claims`, or the folder of a run, such as results/MACHINE/RUN",
    .examples = {"reproduce vector_tanh_turns_it", "reproduce results/intel-*/*T071718Z-* results/intel-*/*T071718Z-*"},
};

typedef struct {
    char *what, *now; // now NULL: say what to run
    needs_sizes sizes;
    double seconds; // 0: no budget was given
    schema_format format;
    const char *out;
} order;

static bool is_folder(const char *what) {
    struct stat info;
    return strchr(what, '/') != NULL || (stat(what, &info) == 0 && S_ISDIR(info.st_mode));
}

// ---- A claim

static int tell_claim(const order *o) {
    char message[TABLES_MESSAGE];
    claim_needs n;
    run_tables run;
    verdict said = VERDICT_CANNOT_TELL;
    if (!claim_needs_make(&n, o->what, &o->sizes, message))
        return cli_refuse(&command, "%s", message);
    int status = EXIT_DONE;
    if (o->now == NULL) {
        printf(". %s\n", n.items[0].command);
    } else if (!run_tables_read(&run, o->now, message)) {
        status = cli_refuse(&command, "%s", message);
    } else {
        if (!claim_verdict_print(stdout, &n.items[0], &run, &said))
            status = EXIT_FAILED;
        else if (said == VERDICT_CANNOT_TELL)
            status = EXIT_INCONCLUSIVE;
        run_tables_free(&run);
    }
    claim_needs_free(&n);
    return status;
}

// ---- A run

static int tell_commands(const order *o) {
    char message[TABLES_MESSAGE];
    rerun r;
    if (!rerun_read(&r, o->what, o->seconds, message))
        return cli_refuse(&command, "%s", message);
    for (size_t i = 0; i < r.count; i++)
        printf("%s %s\n", r.items[i].folder, r.items[i].command);
    rerun_free(&r);
    return EXIT_DONE;
}

static int hold(const order *o, const results *old, const results *now) {
    char message[TABLES_MESSAGE];
    reproduction r;
    if (!reproduction_make(&r, old, now, message))
        return cli_refuse(&command, "%s", message);
    const rows_file file = {.table = &patterns_table,
                            .rows = r.items,
                            .count = r.count,
                            .size = sizeof *r.items,
                            .format = o->format,
                            .print = reproduction_print,
                            .what = &r};
    const bool wrote = cli_wrote(&command, files_deliver(o->out, rows_file_write, &file), o->out);
    const int status = wrote ? reproduction_status(&r) : EXIT_FAILED;
    reproduction_free(&r);
    return status;
}

// Read one by one, for NEW need not be newer than OLD, and may be OLD.
static int tell_run(const order *o) {
    if (o->now == NULL)
        return tell_commands(o);
    results *const old = runs_open(&command, &o->what, 1), *const now =
                                                               old != NULL ? runs_open(&command, &o->now, 1) : NULL;
    const int status = now != NULL ? hold(o, old, now) : EXIT_USAGE;
    if (old != NULL)
        results_free_all(old, 1);
    if (now != NULL)
        results_free_all(now, 1);
    return status;
}

// false after a message.
static bool take_options(order *o, char *const *given) {
    o->sizes = (needs_sizes){.tokens = NEEDS_TOKENS, .budget = given[BUDGET]};
    o->out = given[OUT] != NULL ? given[OUT] : "-";
    if (given[BUDGET] != NULL && !parse_duration(given[BUDGET], &o->seconds))
        return cli_complain(&command, "--budget %s: expected a time such as 40s or 5m", given[BUDGET]);
    if (given[TOKENS] != NULL &&
        (!parse_size(given[TOKENS], &o->sizes.tokens) || o->sizes.tokens < 1 || o->sizes.tokens > 1u << 24))
        return cli_complain(&command, "--tokens %s: expected a number from 1 to %u", given[TOKENS], 1u << 24);
    return format_option(&command, given[FORMAT], &o->format);
}

int cmd_reproduce(int argc, char **argv) {
    char *given[OPTIONS] = {NULL};
    order o = {0};
    size_t words;
    const int end = cli_take(&command, argc, argv, given, &words);
    if (end >= 0)
        return end;
    if (words > 2)
        return cli_refuse(&command, "unexpected argument \"%.200s\": one run is held against one other", argv[2]);
    if (!take_options(&o, given))
        return EXIT_USAGE;
    o.what = argv[0];
    o.now = words > 1 ? argv[1] : NULL;
    return is_folder(o.what) ? tell_run(&o) : tell_claim(&o);
}
