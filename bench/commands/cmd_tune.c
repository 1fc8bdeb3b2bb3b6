// SPDX-License-Identifier: MIT
// `normbench tune`: finds the fastest schedules of the kernels on this machine. A subject of the engine: tune_plan.h,
// tune.h and tune_table.h.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "measure/campaign.h"
#include "measure/sampler.h"
#include "measure/tune.h"
#include "measure/tuned.h"
#include "report/tune_choice.h"
#include "report/tune_compare.h"
#include "report/tune_table.h"

enum { OPTIONS = REQUEST_OPTIONS, LAUNCHES = REQUEST_MIN_LAUNCHES, BUDGET_S = 18 };
static const cli_option options[OPTIONS] = {REQUEST_RUN_ROWS("tune.csv", "6")};
static const cli_command command = {
    .name = "tune",
    .about =
        "Finds, for each class of calls, how kernels best go over rows and columns on this machine: times the "
        "schedules that may be faster in turns with the default, and keeps the fastest if fresh processes confirm it. "
        "Norms of a class choose together.\n"
        "Writes results/MACHINE/tune.csv, which kernels, layers and verify go by from then on (--no-tune: not) "
        "and programs load with norm_schedules_load. Takes the best level's default variants of layernorm, "
        "rmsnorm and dyt, forward, unless told otherwise, and 20 seconds. --compare FIRST.csv SECOND.csv says whether "
        "two "
        "tunings agree.",
    .options = options,
    .option_count = OPTIONS,
    .selectors = 1 << SELECT_OP | 1 << SELECT_PASS | 1 << SELECT_LEVEL | 1 << SELECT_DTYPE,
    .examples = {"tune", "tune --op dyt --budget 5s --csv dyt.csv"},
};

static tune_plan items = {.schedule.kind = &tune_plan_kind};

static bool make(preset which, const selection *s, const topology *t) {
    (void)which;
    return tune_plan_make(&items, s, t);
}

static void spend(schedule *s, bool of_preset, double budget_s, size_t *run_launches) {
    (void)of_preset;
    tune_plan_spend(s, budget_s, *run_launches);
}

static int write_table(const observations *all, const run *r, const char *path, size_t *missing) {
    const norm_caches caches = tune_caches_here();
    *missing = 0;
    return tune_table_write(&items, all, &caches, r, path);
}

static void print(const observations *all, FILE *out, const run *r) {
    (void)r;
    tune_table_print(&items, all, out);
}

static const size_t launches[PRESETS + 1] = {[PRESET_DEFAULT] = LAUNCHES, [PRESETS] = LAUNCHES};
static const double budgets[PRESETS + 1] = {[PRESET_DEFAULT] = BUDGET_S, [PRESETS] = BUDGET_S};

static const subject tune = {.command = &command,
                             .table = TUNED_FILE,
                             .samples = "tune_samples.csv",
                             .quantities = sampler_quantities,
                             .quantity_count = SAMPLER_END - SAMPLE_OWN,
                             .schedule = &items.schedule,
                             .launches = launches,
                             .budgets = budgets,
                             .guesses = true,
                             .nothing = ": form fused of this program's own levels is tuned, and no identity",
                             .choose = "fewer ops",
                             .make = make,
                             .spend = spend,
                             .work = &tune_work,
                             .go_on = tune_go_on,
                             .write = write_table,
                             .print = print};

// Whether what is typed says where the table goes, or needs no place.
static bool has_place(int argc, char **argv) {
    static const char *const places[] = {"--csv", "--out", "--resume", "--worker", "--help", "-h", "--dry-run"};
    for (int i = 1; i < argc; i++)
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            const size_t length = strlen(places[k]);
            if (strncmp(argv[i], places[k], length) == 0 && (argv[i][length] == '\0' || argv[i][length] == '='))
                return true;
        }
    return false;
}

// Without a place the table is the machine's.
static int tune_machine(int argc, char **argv) {
    char place[PATH_MAX], csv[] = "--csv", error[TOPOLOGY_ERROR_SIZE];
    char **const all = calloc((size_t)argc + 3, sizeof *all);
    topology *const t = topology_open(NULL, error);
    int status = EXIT_FAILED;
    if (all == NULL || t == NULL) {
        cli_complain(&command, "%s", t == NULL ? error : "out of memory");
    } else if (tuned_make_place(t, place, error, sizeof error)) {
        memcpy(all, argv, (size_t)argc * sizeof *all);
        all[argc] = csv;
        all[argc + 1] = place;
        status = campaign_main(&tune, argc + 2, all);
        if (status == EXIT_DONE)
            printf("Schedules: %s\n", place);
    } else {
        cli_complain(&command, "%s", error);
    }
    if (t != NULL)
        topology_close(t);
    free(all);
    return status;
}

// `--compare A B`, alone: it measures nothing.
static int compare(int argc, char **argv) {
    char message[TABLES_MESSAGE];
    const char *const paths[] = {argc == 4 ? argv[2] : NULL, argc == 4 ? argv[3] : NULL};
    if (argc == 4 && tune_compare(paths, stdout, message))
        return EXIT_DONE;
    cli_complain(&command, "%s",
                 argc == 4 ? message : "--compare takes two files that `normbench tune` wrote, and nothing else");
    return EXIT_USAGE;
}

int cmd_tune(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--compare") == 0)
        return compare(argc, argv);
    return has_place(argc, argv) ? campaign_main(&tune, argc, argv) : tune_machine(argc, argv);
}
