// SPDX-License-Identifier: MIT
// `normbench kernels`: verifies and times the kernels in several launches, and reports. Owns the course of a run:
// pilot, budget, launches, summary; what each of these is stands in plan.h, worker.h, run.h and summary.h.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffers.h"
#include "cli.h"
#include "commands.h"
#include "machine.h"
#include "memory.h"
#include "progress.h"
#include "request.h"
#include "sampler.h"
#include "samples.h"
#include "verdict.h"

// Without a budget, what a launch may take; a plan too large for it gets one round of everything.
#define LAUNCH_SECONDS 5.0

static const volatile sig_atomic_t *stop;

static const cli_option options[REQUEST_OPTIONS] = {REQUEST_ROWS(
    "kernels.csv", "quick (at most a minute), default (at most five) or full (an hour); selectors then narrow it.")};
static const cli_command command = {
    .name = "kernels",
    .about =
        "Verifies and times the kernels: every cell in several fresh processes, interleaved with the cells that it is\n"
        "compared with. Every group of cells also gets rmsnorm of the same form and level and identity at the best "
        "level.",
    .options = options,
    .option_count = REQUEST_OPTIONS,
    .selectors = CLI_ALL_SELECTORS,
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
    for (unsigned level = 0; level < NORM_LEVELS; level++)
        if (s->level[level] && norm_level_missing((norm_level)level) != NULL) {
            bool only = !s->best_level;
            for (unsigned other = 0; other < NORM_LEVELS; other++)
                only &= !(s->level[other] && norm_level_missing((norm_level)other) == NULL);
            cli_complain(&command, "level %s: this CPU or its operating system lacks %s%s",
                         norm_level_name((norm_level)level), norm_level_missing((norm_level)level),
                         only ? "" : "; skipped");
            if (only)
                return EXIT_USAGE;
        }
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

// Sets the rounds that the budget allows, and takes launches away where even one round is too much.
static void spend(plan *p, double budget_s, size_t *launches) {
    plan_spend(p, budget_s > 0 ? budget_s / (double)*launches : LAUNCH_SECONDS);
    while (budget_s > 0 && *launches > REQUEST_MIN_LAUNCHES && (double)*launches * plan_launch_seconds(p) > budget_s) {
        --*launches;
        plan_spend(p, budget_s / (double)*launches);
    }
}

static int dry_run(plan *p, const request *r) {
    size_t launches = r->launches;
    char text[160], duration[32];
    spend(p, r->budget_s, &launches);
    for (size_t i = 0; i < p->count; i++) {
        if (i == 0 || p->items[i].group != p->items[i - 1].group)
            printf("group %zu\n", p->items[i].group + 1);
        cell_describe(&p->items[i].cell, text, sizeof text);
        printf("  %s\n", text);
    }
    // The pilot runs every cell once, holds it against the reference and calibrates it: about as long as a launch.
    progress_duration((double)(launches + 1) * plan_launch_seconds(p), duration, sizeof duration);
    printf("%zu cells in %zu groups, %zu launches: about %s, by rough rates; the pilot knows better\n", p->count,
           p->groups, launches, duration);
    return EXIT_DONE;
}

// ---- The run

typedef struct {
    run run;
    plan plan;
    observations all;
    progress progress;
    const topology *topology;
    char bound[1024];        // the PUs of the group that is being measured
    double done_s, begun_ns; // of the launches, as planned
    bool complete;           // every launch is done and reported
} course;

static void say_group(course *c, size_t group, const char *phase) {
    size_t begin, end;
    char text[200];
    plan_group(&c->plan, group, &begin, &end);
    const cell *const first = &c->plan.items[begin].cell;
    snprintf(text, sizeof text, "%s %s %s %zux%zu, %zu thread%s, %s", phase, norm_dtype_name(first->impl->dtype),
             norm_pass_name(first->pass), first->rows, first->cols, first->threads, first->threads == 1 ? "" : "s",
             cache_name(first->cache));
    progress_update(&c->progress, c->done_s, text);
}

static void on_pilot_group(void *context, size_t group, const char *bound) {
    (void)bound;
    say_group(context, group, "verify");
}

static void on_verified(void *context, size_t index, double max_error, bool ok, const char *reason) {
    course *const c = context;
    planned *const item = &c->plan.items[index];
    item->max_error = max_error;
    item->wrong = !ok;
    snprintf(item->reason, sizeof item->reason, "%s", reason);
    if (!ok) {
        char text[160];
        cell_describe(&item->cell, text, sizeof text);
        progress_line(&c->progress, "WRONG, not timed: %s: %s", text, reason);
    }
    c->done_s += 1;
    progress_update(&c->progress, c->done_s, c->progress.what);
}

static void on_calibrated(void *context, size_t index, size_t calls, double ns) {
    course *const c = context;
    c->plan.items[index].calls = calls;
    c->plan.items[index].ns = ns;
}

static void on_skipped(void *context, size_t group, const char *reason) {
    course *const c = context;
    size_t begin, end;
    plan_group(&c->plan, group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        snprintf(c->plan.items[i].reason, sizeof c->plan.items[i].reason, "%s", reason);
    const cell *const first = &c->plan.items[begin].cell;
    progress_line(&c->progress, "skipped %zux%zu on %zu threads: %s", first->rows, first->cols, first->threads, reason);
}

static void on_group(void *context, size_t group, const char *bound) {
    course *const c = context;
    snprintf(c->bound, sizeof c->bound, "%s", bound);
    say_group(c, group, "time");
}

static bool on_observed(void *context, const observation *o) {
    course *const c = context;
    const planned *const item = &c->plan.items[o->cell];
    if (!observations_add(&c->all, o) || !samples_add(&c->run, &c->plan, o, c->bound))
        return false;
    c->done_s += 1e-9 * o->ns * ((double)item->calls + 1);
    progress_update(&c->progress, c->done_s, c->progress.what);
    return true;
}

// A sample longer than this gets fewer calls: libm's tanhf is 150 times slower than the norm it is compared with, and
// would take the time of all the others. At that ratio no bias from unequal counts can be seen.
#define LONGEST_SAMPLE_NS 25e6

// The cells of a family are sampled with the same number of calls: what makes the fastest of them last long enough. A
// group that the pilot skipped keeps none, so that nothing is timed that was not verified.
static void agree_on_calls(plan *p) {
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

static void count_rounds(const course *c, size_t launch, rounds_had *had, size_t *room) {
    // Samples of each cell in each round: a round is complete when every cell that is timed has both.
    memset(had, 0, c->plan.groups * sizeof *had);
    memset(room, 0, c->plan.count * sizeof *room);
    for (size_t i = 0; i < c->all.count; i++) {
        const observation *const o = &c->all.items[i];
        rounds_had *const h = &had[c->plan.items[o->cell].group];
        if (o->launch != launch)
            continue;
        room[o->cell]++;
        h->next = o->index / 2 + 1 > h->next ? o->index / 2 + 1 : h->next;
    }
    for (size_t i = 0; i < c->plan.groups; i++)
        had[i].complete = had[i].next;
    for (size_t i = 0; i < c->plan.count; i++)
        if (!c->plan.items[i].wrong) {
            rounds_had *const h = &had[c->plan.items[i].group];
            h->complete = room[i] / 2 < h->complete ? room[i] / 2 : h->complete;
        }
}

static int failed(course *c, const char *what) {
    progress_end(&c->progress);
    cli_complain(&command, "%s", what);
    return EXIT_FAILED;
}

static int after(course *c, launch_end end, const char *how) {
    switch (end) {
    case LAUNCH_DONE:
        return EXIT_DONE;
    case LAUNCH_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case LAUNCH_STOPPED:
        return failed(c, "cannot write samples.csv: is the disk full?");
    case LAUNCH_DIED:
        break;
    }
    return *stop ? EXIT_INTERRUPTED : failed(c, how);
}

static int pilot(course *c) {
    char path[PATH_MAX], how[200] = "";
    const worker_listener listener = {c, on_pilot_group, on_verified, on_calibrated, NULL, on_skipped};
    run_path(&c->run, "plan.csv", path);
    const worker_job job = {WORKER_PILOT, path, c->run.experiment.seed, 0, NULL};
    progress_start(&c->progress, progress_stderr(), "verify", (double)c->plan.count);
    c->done_s = 0;
    const int status = after(c, worker_launch(&job, &c->plan, &listener, stop, how, sizeof how), how);
    progress_end(&c->progress);
    if (status != EXIT_DONE)
        return status;
    agree_on_calls(&c->plan);
    return EXIT_DONE;
}

static int measure(course *c) {
    const experiment *const e = &c->run.experiment;
    char path[PATH_MAX], how[200] = "";
    rounds_had *const had = calloc(c->plan.groups + 1, sizeof *had);
    size_t *const room = calloc(c->plan.count + 1, sizeof *room);
    const worker_listener listener = {c, on_group, NULL, NULL, on_observed, on_skipped};
    int status = had == NULL || room == NULL ? failed(c, "out of memory") : EXIT_DONE;
    const double per_launch = plan_launch_seconds(&c->plan);
    run_path(&c->run, "plan.csv", path);
    progress_start(&c->progress, progress_stderr(), "measure", (double)e->launches * per_launch);
    c->begun_ns = sampler_now_ns();
    for (size_t launch = 0; status == EXIT_DONE && launch < e->launches; launch++) {
        // A machine that slowed down since the pilot does not take the run far beyond its budget, but an interval needs
        // its launches.
        if (e->budget_s > 0 && launch >= REQUEST_MIN_LAUNCHES &&
            1e-9 * (sampler_now_ns() - c->begun_ns) + per_launch > 1.05 * e->budget_s) {
            progress_line(&c->progress, "budget spent after %zu launches", launch);
            c->run.experiment.launches = launch;
            break;
        }
        count_rounds(c, launch, had, room);
        const worker_job job = {WORKER_MEASURE, path, e->seed, launch, had};
        c->done_s = (double)launch * per_launch;
        status = after(c, worker_launch(&job, &c->plan, &listener, stop, how, sizeof how), how);
    }
    progress_end(&c->progress);
    free(had);
    free(room);
    return status;
}

// Writes what there is, whatever ended the run.
static int report(course *c, int status, const char *csv) {
    char path[PATH_MAX];
    summary s;
    size_t rows = 0, missing = 0;
    if (!summary_make(&s, &c->plan, &c->all))
        return failed(c, "out of memory");
    run_path(&c->run, "kernels.csv", path);
    const char *target = path;
    int error = 0;
    if (!c->run.temporary)
        error = summary_write(&s, target, c->run.id, c->run.git, c->run.machine, &rows, &missing);
    if (error == 0 && csv != NULL) {
        target = csv;
        error = summary_write(&s, target, c->run.id, c->run.git, c->run.machine, &rows, &missing);
    }
    if (error == 0)
        error = run_write_meta(&c->run, c->topology, status == EXIT_DONE);
    // With CSV on stdout, words go to stderr.
    FILE *const words = csv != NULL && strcmp(csv, "-") == 0 ? stderr : stdout;
    if (error != 0) {
        cli_complain(&command, "cannot write %s: %s", target, strerror(error));
        status = EXIT_FAILED;
    } else {
        verdict_print(words, &s, c->topology);
        if (!c->run.temporary)
            fprintf(words, "\nResults: %s\n", c->run.folder);
    }
    summary_free(&s);
    c->complete = status == EXIT_DONE;
    if (status != EXIT_DONE && !c->run.temporary)
        cli_complain(&command, "%swhat is on disk is valid; go on with\n  normbench kernels --resume %s",
                     status == EXIT_INTERRUPTED ? "interrupted; " : "", c->run.folder);
    if (status != EXIT_DONE)
        return status;
    size_t wrong = 0, skipped = 0;
    for (size_t i = 0; i < c->plan.count; i++) {
        wrong += c->plan.items[i].wrong;
        skipped += c->plan.items[i].reason[0] != '\0' && !c->plan.items[i].wrong;
    }
    if (wrong > 0) {
        cli_complain(&command, "%zu of %zu rows are wrong and were not timed", wrong, rows);
        return EXIT_FAILED;
    }
    if (missing + skipped > 0) {
        cli_complain(&command, "%zu of %zu rows were not measured; their reason is in the CSV", missing + skipped,
                     rows);
        return EXIT_INCOMPLETE;
    }
    return EXIT_DONE;
}

static int begin(course *c, const request *r, const selection *s, const topology *t, int argc, char **argv) {
    char error[RUN_ERROR_SIZE];
    experiment e = {.seed = r->seed, .launches = r->launches, .budget_s = r->budget_s};
    snprintf(e.preset, sizeof e.preset, "%s", r->preset == PRESETS ? "" : preset_name(r->preset));
    request_quote(argc, argv, e.command, sizeof e.command);
    if (!plan_make(&c->plan, r->preset, s, t)) {
        cli_complain(&command, "out of memory");
        return EXIT_FAILED;
    }
    int status = check_plan(&c->plan, r, s, t);
    if (status != EXIT_DONE || r->dry_run)
        return status;
    if (!request_csv_writable(&command, r->csv))
        return EXIT_USAGE;
    if (!run_begin(&c->run, r->out, r->csv != NULL && r->out == NULL, &e, t, samples_header, error) ||
        !samples_write_plan(&c->run, &c->plan, error)) {
        cli_complain(&command, "%s", error);
        return EXIT_USAGE;
    }
    const int code = run_write_meta(&c->run, t, false);
    if (code != 0) {
        cli_complain(&command, "cannot write %s/meta.json: %s", c->run.folder, strerror(code));
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static int resume(course *c, const request *r, const topology *t) {
    char error[RUN_ERROR_SIZE];
    bool other_machine;
    if (!request_csv_writable(&command, r->csv))
        return EXIT_USAGE;
    if (run_resume(&c->run, r->resume, command.name, t, samples_header, &other_machine, error) &&
        samples_read(&c->run, &c->plan, &c->all, error))
        return EXIT_DONE;
    cli_complain(&command, "%s", error);
    return other_machine ? EXIT_INCOMPARABLE : EXIT_USAGE;
}

static void warn(const topology *t) {
    char warnings[MACHINE_WARNINGS][MACHINE_WARNING_SIZE];
    const size_t count = machine_warnings(t, warnings, MACHINE_WARNINGS);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "note: %s\n", warnings[i]);
}

static int conduct(course *c) {
    experiment *const e = &c->run.experiment;
    char duration[32];
    int status = EXIT_DONE;
    fprintf(stderr, "%zu cells in %zu groups, seed %llu\n", c->plan.count, c->plan.groups, (unsigned long long)e->seed);
    if (!e->piloted) {
        char error[RUN_ERROR_SIZE];
        const double start = sampler_now_ns();
        status = pilot(c);
        if (status != EXIT_DONE)
            return status;
        const double spent = 1e-9 * (sampler_now_ns() - start);
        spend(&c->plan, e->budget_s > 0 ? fmax(e->budget_s - spent, 1) : 0, &e->launches);
        e->piloted = true;
        if (!samples_write_plan(&c->run, &c->plan, error) || run_write_meta(&c->run, c->topology, false) != 0)
            return failed(c, "cannot write the plan: is the disk full?");
    }
    progress_duration((double)e->launches * plan_launch_seconds(&c->plan), duration, sizeof duration);
    fprintf(stderr, "%zu launches: about %s\n", e->launches, duration);
    return measure(c);
}

int cmd_kernels(int argc, char **argv) {
    request r;
    selection s;
    char error[TOPOLOGY_ERROR_SIZE];
    course c = {0};
    if (argc > 1 && strcmp(argv[1], "--worker") == 0)
        return worker_main(argc - 1, argv + 1);
    topology *const t = topology_open(NULL, error);
    if (t == NULL) {
        cli_complain(&command, "%s", error);
        return EXIT_FAILED;
    }
    c.topology = t;
    int status = parse_request(argc, argv, t, &r, &s);
    if (status != EXIT_DONE) {
        topology_close(t);
        return status < 0 ? EXIT_DONE : status;
    }
    stop = request_signals();
    status = r.resume != NULL ? resume(&c, &r, t) : begin(&c, &r, &s, t, argc, argv);
    if (status == EXIT_DONE && r.dry_run) {
        status = dry_run(&c.plan, &r);
    } else if (status == EXIT_DONE) {
        warn(t);
        status = report(&c, conduct(&c), r.csv);
    }
    run_end(&c.run, c.complete);
    plan_free(&c.plan);
    observations_free(&c.all);
    topology_close(t);
    return status;
}
