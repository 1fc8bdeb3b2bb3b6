// SPDX-License-Identifier: MIT
// course.c: see course.h.
#include "course.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "commands.h"
#include "machine.h"
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

static int after(course *c, launch_end end, const char *how) {
    char text[80];
    switch (end) {
    case LAUNCH_DONE:
        return EXIT_DONE;
    case LAUNCH_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case LAUNCH_STOPPED:
        snprintf(text, sizeof text, "cannot write %s: is the disk full?", c->kind->run->samples);
        return failed(c, text);
    case LAUNCH_DIED:
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
        if (!kind->write_plan(kind->context, &c->run, error) || run_write_meta(&c->run, c->topology, false) != 0)
            return failed(c, "cannot write the plan: is the disk full?");
    }
    progress_duration(planned_seconds(c), duration, sizeof duration);
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

// Writes what there is, whatever ended the run.
static int report(course *c, int status, const char *csv) {
    const course_kind *const kind = c->kind;
    char path[PATH_MAX];
    const char *target = "meta.json";
    course_counts counts = {0};
    int error = 0;
    run_path(&c->run, kind->table, path);
    if (!c->run.temporary)
        error = kind->write(kind->context, &c->run, path, false, &counts, &target);
    if (error == 0 && csv != NULL)
        error = kind->write(kind->context, &c->run, csv, true, &counts, &target);
    if (error == 0) {
        target = "meta.json";
        error = run_write_meta(&c->run, c->topology, status == EXIT_DONE);
    }
    // With CSV on stdout, words go to stderr.
    FILE *const words = csv != NULL && strcmp(csv, "-") == 0 ? stderr : stdout;
    if (error != 0) {
        cli_complain(kind->command, "cannot write %s: %s", target, strerror(error));
        status = EXIT_FAILED;
    } else {
        kind->print(kind->context, words, c->topology);
        if (!c->run.temporary)
            fprintf(words, "\nResults: %s\n", c->run.folder);
    }
    c->complete = status == EXIT_DONE;
    if (status != EXIT_DONE && !c->run.temporary)
        cli_complain(kind->command, "%swhat is on disk is valid; go on with\n  normbench %s --resume %s",
                     status == EXIT_INTERRUPTED ? "interrupted; " : "", kind->command->name, c->run.folder);
    return status == EXIT_DONE ? count_up(c, &counts) : status;
}

static int begin(course *c, const request *r, int argc, char **argv) {
    const course_kind *const kind = c->kind;
    char error[RUN_ERROR_SIZE];
    experiment e = {.seed = r->seed, .launches = r->launches, .budget_s = r->budget_s};
    snprintf(e.preset, sizeof e.preset, "%s", r->preset == PRESETS ? "" : preset_name(r->preset));
    request_quote(argc, argv, e.command, sizeof e.command);
    if (!run_begin(&c->run, r->out, r->csv != NULL && r->out == NULL, &e, c->topology, kind->run, error) ||
        !kind->write_plan(kind->context, &c->run, error)) {
        cli_complain(kind->command, "%s", error);
        return EXIT_USAGE;
    }
    const int code = run_write_meta(&c->run, c->topology, false);
    if (code != 0) {
        cli_complain(kind->command, "cannot write %s/meta.json: %s", c->run.folder, strerror(code));
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static int resume(course *c, const request *r) {
    const course_kind *const kind = c->kind;
    char error[RUN_ERROR_SIZE];
    bool other_machine;
    if (run_resume(&c->run, r->resume, c->topology, kind->run, &other_machine, error) &&
        kind->read(kind->context, &c->run, error))
        return EXIT_DONE;
    cli_complain(kind->command, "%s", error);
    return other_machine ? EXIT_INCOMPARABLE : EXIT_USAGE;
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
