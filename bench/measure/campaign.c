// SPDX-License-Identifier: MIT
// campaign.c: see campaign.h.
#include "campaign.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/refuse.h"
#include "child.h"
#include "machine/facts.h"
#include "machine/machine.h"
#include "sampler.h"
#include "samples.h"
#include "tuned.h"

void campaign_say(campaign *c, const char *what) { progress_update(&c->progress, c->done_s, what); }

void campaign_group(campaign *c, double prepare_s) { c->pending_s = prepare_s; }

void campaign_skip(campaign *c, double planned_s) {
    c->pending_s = 0;
    progress_less(&c->progress, planned_s);
}

void campaign_advance(campaign *c, double done) {
    c->done_s += c->pending_s + done;
    c->pending_s = 0;
    progress_update(&c->progress, c->done_s, c->progress.what);
}

static int failed(campaign *c, const char *what) {
    progress_end(&c->progress);
    cli_complain(c->subject->command, "%s", what);
    return EXIT_FAILED;
}

static int failed_to_write(campaign *c, const char *file, int code) {
    progress_end(&c->progress);
    (void)cli_wrote(c->subject->command, code, file);
    return EXIT_FAILED;
}

static int after(campaign *c, launch_end end, const char *how) {
    switch (end) {
    case LAUNCH_DONE:
        return EXIT_DONE;
    case LAUNCH_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case LAUNCH_STOPPED:
        return failed_to_write(c, c->subject->samples, c->run.samples.error != 0 ? c->run.samples.error : ENOMEM);
    case LAUNCH_DIED:
    case LAUNCH_STARVED:
        break;
    }
    return *c->stop ? EXIT_INTERRUPTED : failed(c, how);
}

static int pilot(campaign *c) {
    char how[200] = "";
    progress_start(&c->progress, progress_stderr(), "verify", (double)c->subject->schedule->count);
    c->done_s = 0;
    const int status = after(c, campaign_pilot(c, how, sizeof how), how);
    progress_end(&c->progress);
    if (status == EXIT_DONE)
        schedule_agree_on_calls(c->subject->schedule);
    return status;
}

static double launch_seconds(const campaign *c, size_t launch) {
    return budget_launch_seconds(c->costs, c->subject->schedule->groups, launch);
}

// What the launches from `first` on take by the plan.
static double launches_seconds(const campaign *c, size_t first) {
    double seconds = 0;
    for (size_t launch = first; launch < c->run.experiment.launches; launch++)
        seconds += launch_seconds(c, launch);
    return seconds;
}
static double planned_seconds(const campaign *c) { return launches_seconds(c, 0); }

// The launches from `first` on.
static int measure_from(campaign *c, size_t first) {
    const experiment *const e = &c->run.experiment;
    char how[512] = "";
    int status = EXIT_DONE;
    double left = c->progress.total - c->done_s; // of the launches from this one on
    for (size_t launch = first; status == EXIT_DONE && launch < e->launches; launch++) {
        const double share = launch_seconds(c, launch);
        // A launch may be over before it is told to end.
        if (c->stop != NULL && *c->stop)
            return EXIT_INTERRUPTED;
        // A machine that slowed down since the pilot does not take the run far beyond its budget, but an interval needs
        // its launches.
        if (e->budget_s > 0 && first == 0 && launch >= REQUEST_MIN_LAUNCHES &&
            1e-9 * (sampler_now_ns() - c->begun_ns) + share > 1.05 * e->budget_s) {
            progress_line(&c->progress, "budget spent after %zu launches", launch);
            c->run.experiment.launches = launch;
            break;
        }
        // What the launch before left undone of its share is no longer to be done, and what was skipped never was.
        c->done_s = c->progress.total - left;
        left -= share;
        status = after(c, c->launch(c, launch, how, sizeof how), how);
    }
    return status;
}

// What the launches so far ask for, settled on disk before it is measured.
static int raise_launches(campaign *c, size_t done) {
    const subject *const s = c->subject;
    char error[RUN_ERROR_SIZE];
    c->run.experiment.launches = s->go_on(s->schedule, &c->all, done);
    if (c->run.experiment.launches == done)
        return EXIT_DONE;
    free(c->costs);
    c->costs = schedule_costs(s->schedule);
    if (c->costs == NULL)
        return failed(c, "out of memory");
    if (!samples_write_plan(&c->run, error))
        return failed(c, error);
    const int code = run_write_meta(&c->run, c->topology, false);
    return code == 0 ? EXIT_DONE : failed_to_write(c, "meta.json", code);
}

int campaign_measure(campaign *c, progress_output output) {
    const experiment *const e = &c->run.experiment;
    size_t done = 0;
    (void)facts_steal(&c->run.steal_before, &c->run.ticks_before); // 0 without
    progress_start(&c->progress, output, "measure", planned_seconds(c));
    c->done_s = 0;
    c->begun_ns = sampler_now_ns();
    int status = measure_from(c, done);
    while (status == EXIT_DONE && c->subject->go_on != NULL && done < e->launches) {
        done = e->launches;
        status = raise_launches(c, done);
        progress_less(&c->progress, -launches_seconds(c, done));
        if (status == EXIT_DONE)
            status = measure_from(c, done);
    }
    if (c->live != NULL && status == EXIT_DONE)
        live_end(c->live, &c->progress);
    progress_end(&c->progress);
    return status;
}

void campaign_note_budget(double budget_s, double seconds, size_t launches) {
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

static int conduct(campaign *c) {
    const subject *const s = c->subject;
    experiment *const e = &c->run.experiment;
    char duration[32], error[RUN_ERROR_SIZE];
    fprintf(stderr, "%zu %s in %zu groups, seed %llu\n", s->schedule->count, s->schedule->kind->items,
            s->schedule->groups, (unsigned long long)e->seed);
    if (!e->piloted) {
        const double start = sampler_now_ns();
        const int status = pilot(c);
        if (status != EXIT_DONE)
            return status;
        const double spent = 1e-9 * (sampler_now_ns() - start);
        s->spend(s->schedule, e->preset[0] != '\0', e->budget_s > 0 ? fmax(e->budget_s - spent, 1) : 0, &e->launches);
        e->piloted = true;
        if (!samples_write_plan(&c->run, error))
            return failed(c, error);
        const int code = run_write_meta(&c->run, c->topology, false);
        if (code != 0)
            return failed_to_write(c, "meta.json", code);
    }
    c->costs = schedule_costs(s->schedule);
    if (c->costs == NULL)
        return failed(c, "out of memory");
    progress_duration(planned_seconds(c), duration, sizeof duration);
    campaign_note_budget(e->budget_s, planned_seconds(c), e->launches);
    fprintf(stderr, "%zu launches: about %s\n", e->launches, duration);
    return campaign_measure(c, progress_stderr());
}

// ---- Report

static int count_up(const campaign *c, size_t missing) {
    const schedule *const s = c->subject->schedule;
    size_t wrong = 0;
    for (size_t i = 0; i < s->count; i++) {
        wrong += s->items[i].wrong;
        missing += s->items[i].reason[0] != '\0' && !s->items[i].wrong; // skipped, for a reason
    }
    if (wrong > 0) {
        cli_complain(c->subject->command, "%zu of %zu rows are wrong and were not timed", wrong, s->count);
        return EXIT_FAILED;
    }
    if (missing > 0) {
        cli_complain(c->subject->command, "%zu of %zu rows were not measured; their reason is in the CSV", missing,
                     s->count);
        return EXIT_INCOMPLETE;
    }
    return EXIT_DONE;
}

// For files_replace.
typedef struct {
    const campaign *campaign;
    size_t *missing;
} table_order;
static int write_table(const void *what, const char *path) {
    const table_order *const order = what;
    const campaign *const c = order->campaign;
    return c->subject->write(&c->all, &c->run, path, order->missing);
}
static int write_more(const void *what, const char *path) {
    const campaign *const c = what;
    return c->subject->write_more(&c->all, &c->run, path);
}

// 0, or a code of files_reason with the file.
static int write_all(campaign *c, bool complete, const char *csv, size_t *missing, const char **file) {
    const subject *const s = c->subject;
    const table_order order = {c, missing};
    *file = s->table;
    int code = run_replace(&c->run, s->table, write_table, &order); // of a temporary run, too: what is said reads it
    if (code == 0 && !c->run.temporary && s->more != NULL) {
        *file = s->more;
        code = run_replace(&c->run, s->more, write_more, c);
    }
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
static void tell_how_to_go_on(campaign *c, int status, const char *csv) {
    if (c->run.temporary && !run_has_samples(&c->run))
        return;
    c->run.temporary = false;
    cli_complain(c->subject->command, "%swhat is on disk is valid; go on with\n  normbench %s --resume %s%s%s",
                 status == EXIT_INTERRUPTED ? "interrupted; " : "", c->subject->command->name, c->run.folder,
                 csv != NULL ? " --csv " : "", csv != NULL ? csv : "");
}

// Writes what there is, whatever ended the run.
static int report(campaign *c, int status, const char *csv) {
    const char *file;
    size_t missing = 0;
    const int code = write_all(c, status == EXIT_DONE, csv, &missing, &file);
    // With CSV on stdout, words go to stderr.
    FILE *const words = csv != NULL && strcmp(csv, "-") == 0 ? stderr : stdout;
    if (code != 0) {
        status = failed_to_write(c, file, code);
    } else {
        c->subject->print(&c->all, words, &c->run);
        if (!c->run.temporary)
            fprintf(words, "\nResults: %s\n", c->run.folder);
    }
    c->complete = status == EXIT_DONE;
    if (status != EXIT_DONE)
        tell_how_to_go_on(c, status, csv);
    status = status == EXIT_DONE ? count_up(c, missing) : status;
    return status == EXIT_DONE && c->subject->conclude != NULL ? c->subject->conclude(&c->all) : status;
}

// ---- Begin and resume

// Whether the tables of the end can be written over what is in the folder, before anything is measured.
static bool folder_is_clean(const campaign *c, char error[RUN_ERROR_SIZE]) {
    const subject *const s = c->subject;
    const char *const files[] = {s->table, s->more, s->schedule->kind->more, "meta.json", FILES_PART};
    char path[PATH_MAX];
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof files / sizeof *files; i++)
        if (files[i] != NULL) {
            run_path(&c->run, files[i], path);
            code = files_replaceable(path);
        }
    return files_wrote(code, path, error, RUN_ERROR_SIZE);
}

static int begin(campaign *c, const request *r) {
    const subject *const s = c->subject;
    char error[RUN_ERROR_SIZE];
    experiment e = {.seed = r->seed, .launches = r->launches, .budget_s = r->budget_s, .dispatch_ns = r->dispatch_ns};
    snprintf(e.preset, sizeof e.preset, "%s", r->preset == PRESETS ? "" : preset_name(r->preset));
    snprintf(e.command, sizeof e.command, "%s", r->command);
    if (!run_begin(&c->run, r->out, r->csv != NULL && r->out == NULL, &e, c->topology, s, error) ||
        (s->tunes && !r->untuned && !tuned_begin(&c->run, c->topology, error)) || !folder_is_clean(c, error) ||
        !samples_write_plan(&c->run, error))
        return cli_refuse(c->subject->command, "%s", error);
    if (!run_mark(&c->run))
        return failed(c, "out of memory");
    const int code = run_write_meta(&c->run, c->topology, false);
    return code == 0 ? EXIT_DONE : failed_to_write(c, "meta.json", code);
}

// Whether the run is still the one that was begun; samples by a script are of no build of ours.
static bool unchanged(campaign *c, char error[RUN_ERROR_SIZE]) {
    char begun[sizeof c->run.begun];
    if (strcmp(c->run.program, RUN_BY_PEERS) == 0)
        return true;
    memcpy(begun, c->run.begun, sizeof begun);
    const bool marked = run_mark(&c->run);
    if (marked && strcmp(begun, c->run.begun) == 0)
        return true;
    return refuse(
        error, RUN_ERROR_SIZE, "%s: %s", c->run.folder,
        !marked ? "out of memory"
                : "seed, command, preset, budget or plan are not those that the run was begun with: put meta.json "
                  "and plan.csv back as they were, or begin anew with another --out");
}

static int resume(campaign *c, const request *r) {
    char error[RUN_ERROR_SIZE];
    bool incomparable;
    const bool taken = run_resume(&c->run, r->resume, c->topology, c->subject, &incomparable, error) &&
                       (!c->subject->tunes || tuned_join(c->run.folder, error, sizeof error)) &&
                       (c->subject->join == NULL || c->subject->join(c->run.folder, NULL, error, sizeof error)) &&
                       folder_is_clean(c, error) && samples_read(&c->run, &c->all, error) && unchanged(c, error);
    if (*c->stop) // perhaps before all was read
        return EXIT_INTERRUPTED;
    if (taken && run_continue(&c->run, error))
        return EXIT_DONE;
    cli_complain(c->subject->command, "%s", error);
    return incomparable ? EXIT_INCOMPARABLE : EXIT_USAGE;
}

static void warn(const topology *t) {
    char warnings[MACHINE_WARNINGS][MACHINE_WARNING_SIZE];
    const size_t count = machine_warnings(t, warnings, MACHINE_WARNINGS);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "note: %s\n", warnings[i]);
}

// The ratios of --live, with what a run that is taken up has already.
static int watch(campaign *c) {
    bool ok = live_begin(c->live, c->subject);
    for (size_t i = 0; ok && i < c->all.count; i++)
        ok = live_add(c->live, &c->all.items[i]);
    return ok ? EXIT_DONE : failed(c, "out of memory");
}

int campaign_run(const subject *s, const request *r, const topology *t) {
    campaign c = {.subject = s, .topology = t, .launch = campaign_launch, .stop = request_signals()};
    live watched = {0};
    if (!request_csv_writable(s->command, r->csv))
        return EXIT_USAGE;
    int status = r->resume != NULL ? resume(&c, r) : begin(&c, r);
    if (status == EXIT_DONE && r->live) {
        c.live = &watched;
        status = watch(&c);
    }
    if (status == EXIT_DONE) {
        warn(t);
        status = report(&c, conduct(&c), r->csv);
    }
    if (s->clear != NULL)
        s->clear(&c.run);
    run_end(&c.run, c.complete);
    observations_free(&c.all);
    live_free(&watched);
    free(c.costs);
    return status;
}
