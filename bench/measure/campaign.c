// SPDX-License-Identifier: MIT
// campaign.c: see campaign.h.
#include "campaign.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/exit_code.h"
#include "machine/machine.h"
#include "sampler.h"

void course_say(course *c, const char *what) { progress_update(&c->progress, c->done_s, what); }

void course_group(course *c, double prepare_s) { c->pending_s = prepare_s; }

void course_skip(course *c, double planned_s) {
    c->pending_s = 0;
    progress_less(&c->progress, planned_s);
}

void course_advance(course *c, double done) {
    c->done_s += c->pending_s + done;
    c->pending_s = 0;
    progress_update(&c->progress, c->done_s, c->progress.what);
}

static int failed(course *c, const char *what) {
    progress_end(&c->progress);
    cli_complain(c->kind->command, "%s", what);
    return EXIT_FAILED;
}

static int failed_to_write(course *c, const char *file, int code) {
    progress_end(&c->progress);
    cli_complain(c->kind->command, "cannot write %s: %s", file, files_reason(code));
    return EXIT_FAILED;
}

static int after(course *c, launch_end end, const char *how) {
    switch (end) {
    case LAUNCH_DONE:
        return EXIT_DONE;
    case LAUNCH_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case LAUNCH_STOPPED:
        return failed_to_write(c, c->kind->run->samples, c->run.samples.error != 0 ? c->run.samples.error : ENOMEM);
    case LAUNCH_DIED:
    case LAUNCH_STARVED:
        break;
    }
    return *c->stop ? EXIT_INTERRUPTED : failed(c, how);
}

static int pilot(course *c, double units) {
    char path[PATH_MAX], how[200] = "";
    run_path(&c->run, RUN_PLAN, path);
    progress_start(&c->progress, progress_stderr(), "verify", units);
    c->done_s = 0;
    const int status = after(c, c->kind->pilot(c->kind->context, c, path, how, sizeof how), how);
    progress_end(&c->progress);
    if (status == EXIT_DONE)
        c->kind->piloted(c->kind->context);
    return status;
}

// What all launches take by the plan.
static double planned_seconds(const course *c) {
    double seconds = 0;
    for (size_t launch = 0; launch < c->run.experiment.launches; launch++)
        seconds += c->kind->seconds(c->kind->context, launch);
    return seconds;
}

int course_measure(course *c, progress_output output) {
    const experiment *const e = &c->run.experiment;
    char path[PATH_MAX], how[200] = "";
    int status = EXIT_DONE;
    run_path(&c->run, RUN_PLAN, path);
    const double total = planned_seconds(c);
    double left = total; // of the launches from this one on
    progress_start(&c->progress, output, "measure", total);
    c->begun_ns = sampler_now_ns();
    for (size_t launch = 0; status == EXIT_DONE && launch < e->launches; launch++) {
        const double share = c->kind->seconds(c->kind->context, launch);
        // A machine that slowed down since the pilot does not take the run far beyond its budget, but an interval needs
        // its launches.
        if (e->budget_s > 0 && launch >= REQUEST_MIN_LAUNCHES &&
            1e-9 * (sampler_now_ns() - c->begun_ns) + share > 1.05 * e->budget_s) {
            progress_line(&c->progress, "budget spent after %zu launches", launch);
            c->run.experiment.launches = launch;
            break;
        }
        // What the launch before left undone of its share is no longer to be done, and what was skipped never was.
        c->done_s = c->progress.total - left;
        left -= share;
        status = after(c, c->kind->launch(c->kind->context, c, path, launch, how, sizeof how), how);
    }
    progress_end(&c->progress);
    return status;
}

void course_note_budget(double budget_s, double seconds, size_t launches) {
    char duration[32];
    if (!(budget_s > 0) || seconds < 1.5 * budget_s)
        return;
    progress_duration(seconds, duration, sizeof duration);
    fprintf(
        stderr,
        "note: a budget of %gs is too small for this: %zu launches of one round take about %s, and an interval takes "
        "%d launches; choose less to measure, or --launches 1\n",
        budget_s, launches, duration, REQUEST_MIN_LAUNCHES);
}

static int conduct(course *c) {
    const course_kind *const kind = c->kind;
    experiment *const e = &c->run.experiment;
    char text[200], duration[32], error[RUN_ERROR_SIZE];
    double units;
    kind->size(kind->context, text, sizeof text, &units);
    fprintf(stderr, "%s, seed %llu\n", text, (unsigned long long)e->seed);
    if (!e->piloted) {
        const double start = sampler_now_ns();
        const int status = pilot(c, units);
        if (status != EXIT_DONE)
            return status;
        const double spent = 1e-9 * (sampler_now_ns() - start);
        kind->spend(kind->context, e->budget_s > 0 ? fmax(e->budget_s - spent, 1) : 0, &e->launches);
        e->piloted = true;
        if (!kind->write_plan(kind->context, &c->run, error))
            return failed(c, error);
        const int code = run_write_meta(&c->run, c->topology, false);
        if (code != 0)
            return failed_to_write(c, "meta.json", code);
    }
    progress_duration(planned_seconds(c), duration, sizeof duration);
    course_note_budget(e->budget_s, planned_seconds(c), e->launches);
    fprintf(stderr, "%zu launches: about %s\n", e->launches, duration);
    return course_measure(c, progress_stderr());
}

static int count_up(const course *c, const course_counts *counts) {
    if (counts->wrong > 0) {
        cli_complain(c->kind->command, "%zu of %zu rows are wrong and were not timed", counts->wrong, counts->rows);
        return EXIT_FAILED;
    }
    if (counts->missing + counts->skipped > 0) {
        cli_complain(c->kind->command, "%zu of %zu rows were not measured; their reason is in the CSV",
                     counts->missing + counts->skipped, counts->rows);
        return EXIT_INCOMPLETE;
    }
    return EXIT_DONE;
}

// For files_replace.
typedef struct {
    const course *course;
    course_counts *counts;
} table_order;
static int write_table(const void *what, const char *path) {
    const table_order *const order = what;
    const course *const c = order->course;
    return c->kind->write(c->kind->context, &c->run, path, order->counts);
}

// 0, or a code of files_reason with the file.
static int write_all(course *c, bool complete, const char *csv, course_counts *counts, const char **file) {
    const course_kind *const kind = c->kind;
    const table_order order = {c, counts};
    *file = kind->table;
    int code = run_replace(&c->run, kind->table, write_table, &order); // of a temporary run, too: what is said reads it
    if (code == 0 && !c->run.temporary && kind->write_rest != NULL)
        code = kind->write_rest(kind->context, &c->run, file);
    if (code == 0 && csv != NULL) {
        *file = csv;
        code = files_deliver(csv, write_table, &order);
    }
    if (code != 0)
        return code;
    *file = "meta.json";
    return run_write_meta(&c->run, c->topology, complete);
}

// Samples outlive an early end, also where nothing else was to be kept.
static void tell_how_to_go_on(course *c, int status, const char *csv) {
    if (c->run.temporary && !run_has_samples(&c->run))
        return;
    c->run.temporary = false;
    cli_complain(c->kind->command, "%swhat is on disk is valid; go on with\n  normbench %s --resume %s%s%s",
                 status == EXIT_INTERRUPTED ? "interrupted; " : "", c->kind->command->name, c->run.folder,
                 csv != NULL ? " --csv " : "", csv != NULL ? csv : "");
}

// Writes what there is, whatever ended the run.
static int report(course *c, int status, const char *csv) {
    const course_kind *const kind = c->kind;
    const char *file;
    course_counts counts = {0};
    const int code = write_all(c, status == EXIT_DONE, csv, &counts, &file);
    // With CSV on stdout, words go to stderr.
    FILE *const words = csv != NULL && strcmp(csv, "-") == 0 ? stderr : stdout;
    if (code != 0) {
        status = failed_to_write(c, file, code);
    } else {
        kind->print(kind->context, words, c->topology);
        if (!c->run.temporary)
            fprintf(words, "\nResults: %s\n", c->run.folder);
    }
    c->complete = status == EXIT_DONE;
    if (status != EXIT_DONE)
        tell_how_to_go_on(c, status, csv);
    return status == EXIT_DONE ? count_up(c, &counts) : status;
}

// Whether the tables of the end can be written over what is in the folder, before anything is measured.
static bool folder_is_clean(const course *c, char error[RUN_ERROR_SIZE]) {
    const char *const files[] = {c->kind->table, "steps.csv", RUN_PLAN_STEPS, "meta.json", FILES_PART};
    char path[PATH_MAX];
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof files / sizeof *files; i++) {
        run_path(&c->run, files[i], path);
        code = files_replaceable(path);
    }
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot write %s: %s", path, files_reason(code));
    return code == 0;
}

static int begin(course *c, const request *r, int argc, char **argv) {
    const course_kind *const kind = c->kind;
    char error[RUN_ERROR_SIZE];
    experiment e = {.seed = r->seed, .launches = r->launches, .budget_s = r->budget_s};
    snprintf(e.preset, sizeof e.preset, "%s", r->preset == PRESETS ? "" : preset_name(r->preset));
    request_quote(argc, argv, e.command, sizeof e.command);
    if (!run_begin(&c->run, r->out, r->csv != NULL && r->out == NULL, &e, c->topology, kind->run, error) ||
        !folder_is_clean(c, error) || !kind->write_plan(kind->context, &c->run, error)) {
        cli_complain(kind->command, "%s", error);
        return EXIT_USAGE;
    }
    if (!run_mark(&c->run, kind->rows, kind->context))
        return failed(c, "out of memory");
    const int code = run_write_meta(&c->run, c->topology, false);
    return code == 0 ? EXIT_DONE : failed_to_write(c, "meta.json", code);
}

// Whether the run is still the one that was begun; samples by a script are of no build of ours.
static bool unchanged(course *c, char error[RUN_ERROR_SIZE]) {
    char begun[sizeof c->run.begun];
    if (strcmp(c->run.program, RUN_BY_PEERS) == 0)
        return true;
    memcpy(begun, c->run.begun, sizeof begun);
    const bool marked = run_mark(&c->run, c->kind->rows, c->kind->context);
    if (marked && strcmp(begun, c->run.begun) == 0)
        return true;
    snprintf(error, RUN_ERROR_SIZE, "%s: %s", c->run.folder,
             !marked ? "out of memory"
                     : "seed, command, preset, budget or plan are not those that the run was begun with: put meta.json "
                       "and plan.csv back as they were, or begin anew with another --out");
    return false;
}

static int resume(course *c, const request *r) {
    const course_kind *const kind = c->kind;
    char error[RUN_ERROR_SIZE];
    bool incomparable;
    const bool taken = run_resume(&c->run, r->resume, c->topology, kind->run, &incomparable, error) &&
                       folder_is_clean(c, error) && kind->read(kind->context, &c->run, error) && unchanged(c, error);
    if (*c->stop) // perhaps before all was read
        return EXIT_INTERRUPTED;
    if (taken && run_continue(&c->run, error))
        return EXIT_DONE;
    cli_complain(kind->command, "%s", error);
    return incomparable ? EXIT_INCOMPARABLE : EXIT_USAGE;
}

static void warn(const topology *t) {
    char warnings[MACHINE_WARNINGS][MACHINE_WARNING_SIZE];
    const size_t count = machine_warnings(t, warnings, MACHINE_WARNINGS);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "note: %s\n", warnings[i]);
}

int course_run(const course_kind *kind, const request *r, const topology *t, int argc, char **argv) {
    course c = {.kind = kind, .topology = t, .stop = request_signals()};
    if (!request_csv_writable(kind->command, r->csv))
        return EXIT_USAGE;
    int status = r->resume != NULL ? resume(&c, r) : begin(&c, r, argc, argv);
    if (status == EXIT_DONE) {
        warn(t);
        status = report(&c, conduct(&c), r->csv);
    }
    run_end(&c.run, c.complete);
    return status;
}
