// SPDX-License-Identifier: MIT
// run.c: see run.h; meta.json is run_meta.c's.
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/refuse.h"
#include "machine/facts.h"
#include "machine/machine.h"
#include "plan/plugins.h"
#include "samples.h"
#include "tuned.h"

#define ROW run
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, schema_version, ordinal, NULL, value_size(SCHEMA_VERSION),                                             \
      "Version of this column list; columns are only ever appended.")                                                  \
    X(REQUIRED, run_id, id, NULL, value_text(r->id), "The run, as in meta.json.")                                      \
    X(OPTIONAL, git_commit, id, NULL, value_text(r->git),                                                              \
      "Commit of the program, with -dirty if the working tree had changes; empty if it was not built in a checkout.")  \
    X(REQUIRED, machine_id, id, NULL, value_text(r->machine), "The machine, as in the folder name and meta.json.")
COLUMN_LIST(run_columns, COLUMNS)

// Room for the longest name of a file of a run.
enum { NAME_ROOM = 64 };

void run_path(const run *r, const char *file, char path[PATH_MAX]) {
    // set_folder saw to it that there is room.
    (void)snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - NAME_ROOM, r->folder, file);
}

// false with a message: a folder that is too long is not another, shorter one.
static bool set_folder(run *r, const char *folder, char error[RUN_ERROR_SIZE]) {
    if (strlen(folder) < PATH_MAX - NAME_ROOM) {
        snprintf(r->folder, sizeof r->folder, "%s", folder);
        return true;
    }
    return refuse(error, RUN_ERROR_SIZE,
                  "the folder %.40s... has a name of %zu characters, and %d are the most; give another", folder,
                  strlen(folder), PATH_MAX - NAME_ROOM - 1);
}

int run_make_folders(const char *path) {
    char partial[PATH_MAX];
    if (snprintf(partial, sizeof partial, "%s", path) >= (int)sizeof partial)
        return ENAMETOOLONG;
    for (char *slash = partial + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        if (mkdir(partial, 0777) != 0 && errno != EEXIST)
            return errno;
        *slash = '/';
    }
    return mkdir(partial, 0777) != 0 && errno != EEXIST ? errno : 0;
}

static bool lock(run *r, char error[RUN_ERROR_SIZE]) {
    const int code = files_lock(r->folder, &r->lock);
    return code == 0 || refuse(error, RUN_ERROR_SIZE, "cannot write to %s: %s", r->folder, files_reason(code));
}

static bool create_samples(run *r, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX];
    run_path(r, r->subject->samples, path);
    r->samples = (csv_writer){0};
    int code = files_create(path, &r->samples.file);
    if (code == 0) {
        csv_text(&r->samples, "schema_version");
        csv_text(&r->samples, "run_id");
        samples_write_header(&r->samples, r->subject);
        code = csv_end(&r->samples);
        r->header_bytes = ftell(r->samples.file);
    }
    return files_wrote(code, path, error, RUN_ERROR_SIZE);
}

// ---- Begin

static bool make_temporary(run *r, char error[RUN_ERROR_SIZE]) {
    char folder[PATH_MAX];
    const char *const base = getenv("TMPDIR");
    const int length =
        snprintf(folder, sizeof folder, "%s/normbench.XXXXXX", base != NULL && *base != '\0' ? base : "/tmp");
    if (length >= (int)sizeof folder)
        errno = ENAMETOOLONG;
    else if (mkdtemp(folder) != NULL)
        return set_folder(r, folder, error);
    return refuse(error, RUN_ERROR_SIZE,
                  "cannot make a temporary folder %.200s: %s; set TMPDIR to one that can be written", folder,
                  strerror(errno));
}

static bool make_folder(run *r, const char *given, char error[RUN_ERROR_SIZE]) {
    char own[2 * RUN_NAME_SIZE + 16];
    snprintf(own, sizeof own, "results/%s/%s", r->machine, r->id);
    if (!set_folder(r, given != NULL ? given : own, error))
        return false;
    const int code = run_make_folders(r->folder);
    if (code == 0)
        return true;
    return refuse(error, RUN_ERROR_SIZE, "cannot make the folder %s: %s; give another with --out", r->folder,
                  strerror(code));
}

static int write_topology(const void *what, const char *path) {
    errno = 0;
    return topology_export(what, path) ? 0 : errno != 0 ? errno : EIO;
}

bool run_begin(run *r, const char *folder, bool temporary, const experiment *e, const topology *t, const subject *s,
               char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], stamp[32];
    const time_t now = time(NULL);
    struct tm utc;
    *r = (run){.lock = -1, .subject = s, .experiment = *e};
    machine_id(t, r->machine, sizeof r->machine);
    snprintf(r->git, sizeof r->git, "%s", machine_git());
    program_id(r->program);
    if (gmtime_r(&now, &utc) == NULL || strftime(stamp, sizeof stamp, "%Y-%m-%dT%H%M%SZ", &utc) == 0)
        snprintf(stamp, sizeof stamp, "%lld", (long long)now);
    snprintf(r->id, sizeof r->id, "%s-%.20s", stamp, r->git);
    if (!(temporary ? make_temporary(r, error) : make_folder(r, folder, error)))
        return false;
    r->temporary = temporary; // from now on there is something to remove
    run_path(r, "meta.json", path);
    if (!lock(r, error))
        return false;
    struct stat info;
    if (lstat(path, &info) == 0)
        return refuse(error, RUN_ERROR_SIZE,
                      "%s already holds a run; give another folder with --out, or go on with --resume %s", r->folder,
                      r->folder);
    run_path(r, "topology.xml", path);
    return files_wrote(run_replace(r, "topology.xml", write_topology, t), path, error, RUN_ERROR_SIZE) &&
           create_samples(r, error);
}

bool run_mark(run *r) {
    const schedule *const p = r->subject->schedule;
    char *text = NULL;
    size_t length = 0;
    const experiment *const e = &r->experiment;
    csv_writer w = {.file = open_memstream(&text, &length)};
    if (w.file == NULL)
        return false;
    char schedules[TUNED_TEXT];
    const char *const settled[] = {
        r->subject->command->name,       r->id, r->machine, r->program, e->command, e->preset,
        tuned_text(r->folder, schedules)};
    for (size_t i = 0; i < sizeof settled / sizeof *settled; i++)
        csv_text(&w, settled[i]);
    const kernel_library *l;
    for (size_t i = 0; (l = plugins_at(i)) != NULL; i++)
        csv_text(&w, l->id);
    csv_size(&w, e->seed);
    csv_real(&w, e->budget_s, 9); // as meta.json has it
    csv_end(&w);
    for (size_t i = 0; i < p->count; i++) {
        schedule_write_name(&w, p, i);
        schedule_write_later(&w, p, i);
        csv_end(&w);
    }
    const bool ok = csv_close(&w) == 0;
    if (ok)
        snprintf(r->begun, sizeof r->begun, "%016" PRIx64, program_hash(PROGRAM_HASH, text, length));
    free(text);
    return ok;
}

// ---- Resume

// Samples of another machine or program are not those of this run.
static bool same_machine(const run *r, const topology *t, char error[RUN_ERROR_SIZE]) {
    char machine[RUN_NAME_SIZE];
    machine_id(t, machine, sizeof machine);
    if (strcmp(machine, r->machine) == 0)
        return true;
    return refuse(error, RUN_ERROR_SIZE,
                  "%s was measured on %s, this is %s: a run cannot be taken up on another machine", r->folder,
                  r->machine, machine);
}

static bool same_program(run *r, char error[RUN_ERROR_SIZE]) {
    char program[PROGRAM_ID_SIZE], git[sizeof r->git];
    program_id(program);
    snprintf(git, sizeof git, "%s", r->git);
    snprintf(r->git, sizeof r->git, "%s", machine_git());
    if (strcmp(r->program, RUN_BY_PEERS) == 0 || strcmp(program, r->program) == 0)
        return true;
    return refuse(error, RUN_ERROR_SIZE,
                  "%s was begun by normbench %s (build %s), this is %s (build %s): a run cannot be taken up by another "
                  "program; go on with that one, or begin anew with another --out",
                  r->folder, git[0] != '\0' ? git : "of an unknown commit",
                  r->program[0] != '\0' ? r->program : "unknown", r->git, program);
}

bool run_resume(run *r, const char *folder, const topology *t, const subject *s, bool *incomparable,
                char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX];
    struct stat info;
    *r = (run){.subject = s, .lock = -1};
    *incomparable = false;
    if (!set_folder(r, folder, error))
        return false;
    run_path(r, "meta.json", path);
    // Where there is no run at all, that is the thing to say.
    if ((lstat(path, &info) == 0 && !lock(r, error)) || !run_read_meta(r, s->command->name, error))
        return false;
    *incomparable = !same_machine(r, t, error);
    if (*incomparable)
        return false;
    if (!run_open_plugins(r, incomparable, error))
        return false;
    run_path(r, RUN_PLAN, path);
    if (lstat(path, &info) != 0)
        return refuse(error, RUN_ERROR_SIZE, "cannot read %s: %s%s", path, strerror(errno),
                      errno == ENOENT ? ": the run is complete, there is nothing to resume" : "");
    *incomparable = !same_program(r, error);
    return !*incomparable;
}

bool run_read_samples(const run *r, csv_table *t, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX], message[256] = "";
    run_path(r, r->subject->samples, path);
    const int code = csv_read(t, path, message, sizeof message);
    if (code != 0)
        snprintf(error, RUN_ERROR_SIZE, "cannot read %s: %s", path, code == -1 ? message : files_reason(code));
    else if (t->truncated)
        fprintf(stderr, "note: dropped line %zu of %s, the last, which was cut off: its sample is taken again\n",
                t->row_count + 2, path);
    return code == 0;
}

bool run_has_samples(const run *r) { return r->samples.file != NULL && ftell(r->samples.file) > r->header_bytes; }

bool run_continue(run *r, char error[RUN_ERROR_SIZE]) {
    char path[PATH_MAX];
    run_path(r, r->subject->samples, path);
    const int code = csv_open(&r->samples, path, true);
    return files_wrote(code, path, error, RUN_ERROR_SIZE);
}

// ---- Files and end

int run_replace(const run *r, const char *file, files_writer *write, const void *what) {
    char path[PATH_MAX];
    run_path(r, file, path);
    return files_replace(path, write, what);
}

static void remove_files(const run *r, const char *const *files, size_t count) {
    char path[PATH_MAX];
    for (size_t i = 0; i < count; i++)
        if (files[i] != NULL) {
            run_path(r, files[i], path);
            (void)unlink(path);
        }
}

void run_end(run *r, bool complete) {
    const schedule *const p = r->subject == NULL ? NULL : r->subject->schedule;
    const char *const plan_files[] = {RUN_PLAN, p == NULL ? NULL : p->kind->more};
    const char *const others[] = {p == NULL ? NULL : r->subject->samples,
                                  p == NULL ? NULL : r->subject->table,
                                  "topology.xml",
                                  "meta.json",
                                  FILES_PART,
                                  TUNED_FILE};
    if (r->samples.file != NULL)
        (void)csv_close(&r->samples); // every row was flushed, and its error told, when it was added
    if (r->temporary || complete)
        remove_files(r, plan_files, sizeof plan_files / sizeof *plan_files);
    if (r->temporary) {
        remove_files(r, others, sizeof others / sizeof *others);
        (void)rmdir(r->folder);
    }
    if (r->lock >= 0)
        (void)close(r->lock);
    r->lock = -1;
}

double run_steal_pct(const run *r) {
    uint64_t steal, ticks;
    if (r->ticks_before == 0 || !facts_steal(&steal, &ticks) || ticks <= r->ticks_before || steal < r->steal_before)
        return NAN;
    return 100.0 * (double)(steal - r->steal_before) / (double)(ticks - r->ticks_before);
}
