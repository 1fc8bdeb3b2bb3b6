// SPDX-License-Identifier: MIT
// `normbench kernels`: verifies and times the kernels in several launches, and reports. Brings to campaign.c what is
// its own: plan.h, kernels_worker.h, samples.h and summary.h.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "machine/memory.h"
#include "measure/buffers.h"
#include "measure/campaign.h"
#include "measure/samples.h"
#include "plan/cli.h"
#include "report/summary.h"
#include "report/verdicts.h"

static const cli_option options[REQUEST_OPTIONS] = {
    REQUEST_ROWS("kernels.csv", "9",
                 "quick (at most a minute), default (at most five) or full (an hour); selectors then narrow it.")};
static const cli_command command = {
    .name = "kernels",
    .about =
        "Verifies and times the kernels: every cell in several fresh processes, interleaved with the cells that it is\n"
        "compared with. Every group of cells also gets rmsnorm of the same form and level and identity at the best "
        "level.",
    .options = options,
    .option_count = REQUEST_OPTIONS,
    .selectors = CLI_KERNEL_SELECTORS,
    .examples = {"kernels --preset quick", "kernels --op dyt,rmsnorm --shape 4096x4096 --threads 1,cores --csv -"},
};

static int parse_request(int argc, char **argv, const topology *t, request *r, selection *s) {
    cli_args args = {&command, argc, argv, 1};
    char *value, error[SELECT_ERROR_SIZE];
    int option;
    bool selected = false;
    *r = (request){.preset = PRESETS};
    *s = (selection){0};
    while ((option = cli_next(&args, &value)) >= 0) {
        if (option < REQUEST_OPTIONS) {
            if (!request_take(r, &command, option, value))
                return EXIT_USAGE;
            continue;
        }
        if (!selection_set(s, (selector)(option - REQUEST_OPTIONS), value, t, error)) {
            cli_complain(&command, "%s", error);
            return EXIT_USAGE;
        }
        selected = true;
    }
    if (option != CLI_END)
        return option == CLI_HELP ? -1 : EXIT_USAGE;
    if (!request_complete(r, &command, selected))
        return EXIT_USAGE;
    if (r->launches == 0)
        r->launches = r->preset == PRESETS ? REQUEST_DEFAULT_LAUNCHES : preset_launches(r->preset);
    if (r->budget_s == 0 && r->preset != PRESETS)
        r->budget_s = preset_seconds(r->preset);
    return EXIT_DONE;
}

// Refuses what cannot run before anything is allocated: levels that this CPU lacks, shapes that memory cannot hold. Of
// a preset, which nobody made for this machine, the workers leave out what does not fit.
static int check_plan(const plan *p, const request *r, const selection *s, const topology *t) {
    for (unsigned level = 0; level < NORM_ALL_LEVELS; level++)
        if (s->level[level] && norm_level_missing((norm_level)level) != NULL) {
            bool only = !s->best_level;
            for (unsigned other = 0; other < NORM_ALL_LEVELS; other++)
                only &= !(s->level[other] && norm_level_missing((norm_level)other) == NULL);
            cli_complain(&command, "level %s: this CPU or its operating system lacks %s%s",
                         norm_level_name((norm_level)level), norm_level_missing((norm_level)level),
                         only ? "" : "; skipped");
            if (only)
                return EXIT_USAGE;
        }
    // What was named and is no level's fault: a library's dtype.
    const norm_impl *impl;
    for (size_t i = 0; s->given[SELECT_VARIANT] && (impl = norm_at(i)) != NULL; i++)
        if (impl->lacks != NULL && selection_has(s, impl) && (s->given[SELECT_DTYPE] || impl->dtype == NORM_F32))
            cli_complain(&command, "%s, variant %s: this machine lacks %s; skipped", norm_op_name(impl->op),
                         impl->variant, impl->lacks);
    if (p->count == 0) {
        cli_complain(
            &command,
            "the selection leaves nothing to measure; see normbench list implementations, or --dry-run of a wider one");
        return EXIT_USAGE;
    }
    const size_t cold = 2 * topology_llc_total_bytes(t);
    for (size_t i = 0; i < p->count && r->preset == PRESETS; i++) {
        const cell *const c = &p->items[i].cell;
        char text[160], why[200];
        if (!memory_fits(buffers_bytes(c, 1, cold), why, sizeof why)) {
            cell_describe(c, text, sizeof text);
            cli_complain(&command, "%s %s; choose a smaller --shape", text, why);
            return EXIT_USAGE;
        }
    }
    return EXIT_DONE;
}

// ---- What is its own in the course of a run

typedef struct {
    plan plan;
    observations all;
    course *course;     // while a launch runs
    const char *folder; // of the run, once its tables were written
} kernels;

static void say_group(kernels *k, size_t group, const char *phase) {
    size_t begin, end;
    char text[200];
    plan_group(&k->plan, group, &begin, &end);
    const cell *const first = &k->plan.items[begin].cell;
    snprintf(text, sizeof text, "%s %s %s %zux%zu, %zu thread%s, %s", phase, norm_dtype_name(first->impl->dtype),
             norm_pass_name(first->pass), first->rows, first->cols, first->threads, first->threads == 1 ? "" : "s",
             cache_name(first->cache));
    course_say(k->course, text);
}

static void on_pilot_group(void *context, size_t group, const char *bound) {
    (void)bound;
    say_group(context, group, "verify");
}

static void on_verified(void *context, size_t index, double max_error, bool ok, const char *reason) {
    kernels *const k = context;
    planned *const item = &k->plan.items[index];
    item->max_error = max_error;
    item->wrong = !ok;
    snprintf(item->reason, sizeof item->reason, "%s", reason);
    if (!ok) {
        char text[160];
        cell_describe(&item->cell, text, sizeof text);
        progress_line(&k->course->progress, "WRONG, not timed: %s: %s", text, reason);
    }
    course_advance(k->course, 1);
}

static void on_calibrated(void *context, size_t index, size_t calls, double ns) {
    kernels *const k = context;
    k->plan.items[index].calls = calls;
    k->plan.items[index].ns = ns;
}

static void on_skipped(void *context, size_t group, const char *reason) {
    kernels *const k = context;
    size_t begin, end;
    plan_group(&k->plan, group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        snprintf(k->plan.items[i].reason, sizeof k->plan.items[i].reason, "%s", reason);
    const cell *const first = &k->plan.items[begin].cell;
    progress_line(&k->course->progress, "skipped %zux%zu on %zu threads: %s", first->rows, first->cols, first->threads,
                  reason);
}

// Nothing of it is timed, however far its pilot came.
static void on_pilot_skipped(void *context, size_t group, const char *reason) {
    plan *const p = &((kernels *)context)->plan;
    size_t begin, end;
    plan_group(p, group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        p->items[i].calls = 0;
    on_skipped(context, group, reason);
}

static void on_left_out(void *context, size_t group, const char *reason) {
    kernels *const k = context;
    const budget_group cost = plan_cost(&k->plan, group);
    course_skip(k->course, budget_had_seconds(&cost, cost.rounds));
    on_skipped(context, group, reason);
}

static void on_group(void *context, size_t group, const char *bound) {
    kernels *const k = context;
    snprintf(k->course->bound, sizeof k->course->bound, "%s", bound);
    course_group(k->course, plan_cost(&k->plan, group).prepare_s);
    say_group(k, group, "time");
}

static bool on_observed(void *context, const observation *o) {
    kernels *const k = context;
    const planned *const item = &k->plan.items[o->cell];
    if (!observations_add(&k->all, o) || !samples_add(&k->course->run, &k->plan, o, k->course->bound))
        return false;
    course_advance(k->course, 1e-9 * item->ns * ((double)item->calls + 1));
    return true;
}

// A sample longer than this gets fewer calls: libm's tanhf is 150 times slower than the norm it is compared with, and
// would take the time of all the others. At that ratio no bias from unequal counts can be seen.
#define LONGEST_SAMPLE_NS 25e6

// The cells of a family are sampled with the same number of calls: what makes the fastest of them last long enough. A
// group that the pilot skipped keeps none, so that nothing is timed that was not verified.
static void agree_on_calls(void *context) {
    plan *const p = &((kernels *)context)->plan;
    for (size_t begin = 0, end; begin < p->count; begin = end) {
        size_t calls = 0;
        end = plan_family_end(p, begin);
        for (size_t i = begin; i < end; i++)
            calls = p->items[i].calls > calls ? p->items[i].calls : calls;
        for (size_t i = begin; i < end; i++) {
            const double longest = fmax(LONGEST_SAMPLE_NS / p->items[i].ns, 1);
            p->items[i].calls = (double)calls > longest ? (size_t)longest : calls;
        }
    }
}

static void count_rounds(const kernels *k, size_t launch, rounds_had *had, size_t *room) {
    // Samples of each cell in each round: a round is complete when every cell that is timed has both.
    memset(had, 0, k->plan.groups * sizeof *had);
    memset(room, 0, k->plan.count * sizeof *room);
    for (size_t i = 0; i < k->all.count; i++) {
        const observation *const o = &k->all.items[i];
        rounds_had *const h = &had[k->plan.items[o->cell].group];
        if (o->launch != launch)
            continue;
        room[o->cell]++;
        h->next = o->index / 2 + 1 > h->next ? o->index / 2 + 1 : h->next;
    }
    for (size_t i = 0; i < k->plan.groups; i++)
        had[i].complete = had[i].next;
    for (size_t i = 0; i < k->plan.count; i++)
        if (plan_times(&k->plan.items[i])) {
            rounds_had *const h = &had[k->plan.items[i].group];
            h->complete = room[i] / 2 < h->complete ? room[i] / 2 : h->complete;
        }
}

static launch_end pilot(void *context, course *c, const char *plan_path, char *how, size_t size) {
    kernels *const k = context;
    const worker_listener listener = {k, on_pilot_group, on_verified, on_calibrated, NULL, on_pilot_skipped};
    const worker_job job = {WORKER_PILOT, plan_path, c->run.experiment.seed, 0, NULL};
    k->course = c;
    return worker_launch(&job, &k->plan, &listener, c->stop, how, size);
}

static launch_end launch(void *context, course *c, const char *plan_path, size_t number, char *how, size_t size) {
    kernels *const k = context;
    rounds_had *const had = calloc(k->plan.groups + 1, sizeof *had);
    size_t *const room = calloc(k->plan.count + 1, sizeof *room);
    const worker_listener listener = {k, on_group, NULL, NULL, on_observed, on_left_out};
    launch_end end = LAUNCH_DIED;
    k->course = c;
    snprintf(how, size, "out of memory");
    if (had != NULL && room != NULL) {
        count_rounds(k, number, had, room);
        for (size_t group = 0; group < k->plan.groups; group++) {
            const budget_group cost = plan_cost(&k->plan, group);
            course_skip(c, budget_had_seconds(&cost, had[group].complete));
        }
        const worker_job job = {WORKER_MEASURE, plan_path, c->run.experiment.seed, number, had};
        end = worker_launch(&job, &k->plan, &listener, c->stop, how, size);
    }
    free(had);
    free(room);
    return end;
}

static bool write_plan(void *context, const run *r, char error[RUN_ERROR_SIZE]) {
    return samples_write_plan(r, &((kernels *)context)->plan, error);
}

static bool read_run(void *context, const run *r, char error[RUN_ERROR_SIZE]) {
    kernels *const k = context;
    return samples_read(r, &k->plan, &k->all, error);
}

static void rows_of(const void *context, csv_writer *w) { samples_rows(&((const kernels *)context)->plan, w); }

static void size_of(void *context, char *text, size_t size, double *units) {
    const plan *const p = &((kernels *)context)->plan;
    *units = (double)p->count;
    snprintf(text, size, "%zu cells in %zu groups", p->count, p->groups);
}

// Without a budget a launch may take this long; a plan too large for it gets one round of everything.
#define LAUNCH_SECONDS 5

static void spend(void *context, double budget_s, size_t *launches) {
    plan *const p = &((kernels *)context)->plan;
    plan_spend(p, budget_s > 0 ? budget_s / (double)*launches : LAUNCH_SECONDS);
    while (budget_s > 0 && *launches > REQUEST_MIN_LAUNCHES && (double)*launches * plan_launch_seconds(p) > budget_s) {
        --*launches;
        plan_spend(p, budget_s / (double)*launches);
    }
}

static double seconds_of(void *context, size_t launch) {
    (void)launch; // all are alike
    return plan_launch_seconds(&((kernels *)context)->plan);
}

static int write_table(void *context, const run *r, const char *path, course_counts *counts) {
    kernels *const k = context;
    summary s;
    *counts = (course_counts){0};
    k->folder = r->folder;
    if (!summary_make(&s, &k->plan, &k->all))
        return ENOMEM;
    const int error = summary_write(&s, path, r, &counts->rows, &counts->missing);
    summary_free(&s);
    for (size_t i = 0; i < k->plan.count; i++) {
        counts->wrong += k->plan.items[i].wrong;
        counts->skipped += k->plan.items[i].reason[0] != '\0' && !k->plan.items[i].wrong;
    }
    return error;
}

static void print(void *context, FILE *out, const topology *t) {
    const kernels *const k = context;
    char message[TABLES_MESSAGE];
    run_tables tables = {0};
    verdicts v = {0};
    (void)t;
    if (run_tables_read(&tables, k->folder, message) &&
        verdicts_make(&v, VERDICT_TABLE_QUESTIONS, NULL, &tables, 1, message))
        (void)verdicts_print(&v, out);
    else
        cli_complain(&command, "%s", message);
    verdicts_free(&v);
    run_tables_free(&tables);
}

static int dry_run(const course_kind *kind, const plan *p, const request *r) {
    size_t launches = r->launches;
    char text[160], duration[32];
    kind->spend(kind->context, r->budget_s, &launches);
    for (size_t i = 0; i < p->count; i++) {
        if (i == 0 || p->items[i].group != p->items[i - 1].group)
            printf("group %zu\n", p->items[i].group + 1);
        cell_describe(&p->items[i].cell, text, sizeof text);
        printf("  %s\n", text);
    }
    // The pilot runs every cell once, holds it against the reference and calibrates it: about as long as a launch.
    progress_duration((double)(launches + 1) * plan_launch_seconds(p), duration, sizeof duration);
    course_note_budget(r->budget_s, (double)launches * plan_launch_seconds(p), launches);
    printf("%zu cells in %zu groups, %zu launches: about %s, by rough rates; the pilot knows better\n", p->count,
           p->groups, launches, duration);
    return EXIT_DONE;
}

int cmd_kernels(int argc, char **argv) {
    request r;
    selection s;
    char error[TOPOLOGY_ERROR_SIZE];
    kernels k = {0};
    const course_kind kind = {.command = &command,
                              .table = "kernels.csv",
                              .run = &samples_run,
                              .context = &k,
                              .write_plan = write_plan,
                              .read = read_run,
                              .rows = rows_of,
                              .size = size_of,
                              .pilot = pilot,
                              .piloted = agree_on_calls,
                              .launch = launch,
                              .spend = spend,
                              .seconds = seconds_of,
                              .write = write_table,
                              .print = print};
    if (argc > 1 && strcmp(argv[1], "--worker") == 0)
        return worker_main(argc - 1, argv + 1);
    topology *const t = topology_open(NULL, error);
    if (t == NULL) {
        cli_complain(&command, "%s", error);
        return EXIT_FAILED;
    }
    int status = parse_request(argc, argv, t, &r, &s);
    if (status == EXIT_DONE && r.resume == NULL) {
        if (plan_make(&k.plan, r.preset, &s, t)) {
            status = check_plan(&k.plan, &r, &s, t);
        } else {
            cli_complain(&command, "out of memory");
            status = EXIT_FAILED;
        }
    }
    if (status == EXIT_DONE)
        status = r.dry_run ? dry_run(&kind, &k.plan, &r) : course_run(&kind, &r, t, argc, argv);
    plan_free(&k.plan);
    observations_free(&k.all);
    topology_close(t);
    return status < 0 ? EXIT_DONE : status;
}
