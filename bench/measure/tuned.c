// SPDX-License-Identifier: MIT
// tuned.c: see tuned.h.
#include "tuned.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/program.h"
#include "base/refuse.h"
#include "machine/machine.h"
#include "norm.h"

// ---- The machine's

static bool place_of(const topology *t, char place[PATH_MAX]) {
    char machine[MACHINE_ID_SIZE];
    machine_id(t, machine, sizeof machine);
    return snprintf(place, PATH_MAX, "results/%s/" TUNED_FILE, machine) < PATH_MAX;
}

bool tuned_make_place(const topology *t, char place[PATH_MAX], char *why, size_t size) {
    if (!place_of(t, place))
        return refuse(why, size, "the path of results is too long");
    char *const slash = strrchr(place, '/');
    *slash = '\0';
    const int code = run_make_folders(place);
    if (code != 0)
        return refuse(why, size, "cannot make the folder %.150s: %s; say where to write with --csv", place,
                      strerror(code));
    *slash = '/';
    return true;
}

// Another machine of the same CPU, with other caches or as many cores, has another name.
static bool is_of_machine(const char *path, const char *machine, char why[NORM_SCHEDULES_WHY]) {
    csv_table t;
    char message[200];
    const int code = csv_read(&t, path, message, sizeof message);
    if (code != 0)
        return refuse(why, NORM_SCHEDULES_WHY, "%.200s: %.200s; run `normbench tune` for a new one", path,
                      code == -1 ? message : files_reason(code));
    const int column = csv_column(&t, "machine_id");
    const char *other = NULL;
    for (size_t i = 0; column >= 0 && i < t.row_count && other == NULL; i++)
        if (strcmp(t.rows[i][column], machine) != 0)
            other = t.rows[i][column];
    const bool ok = column >= 0 && other == NULL;
    if (!ok)
        (void)refuse(why, NORM_SCHEDULES_WHY,
                     "%.200s is of the machine %.60s, and this is %.60s; run `normbench tune` for one of this machine",
                     path, other != NULL ? other : "of no name", machine);
    csv_free(&t);
    return ok;
}

// Whether there is a file that can be taken, which then is. One that cannot is named.
static bool load(const topology *t, char place[PATH_MAX]) {
    struct stat info;
    char machine[MACHINE_ID_SIZE], why[NORM_SCHEDULES_WHY];
    machine_id(t, machine, sizeof machine);
    norm_schedules_forget();
    if (!place_of(t, place) || lstat(place, &info) != 0)
        return false;
    if (is_of_machine(place, machine, why) && norm_schedules_load(place, why))
        return true;
    fprintf(stderr, "warning: schedules are the default ones: %s\n", why);
    return false;
}

void tuned_load(const topology *t) {
    char place[PATH_MAX];
    (void)load(t, place);
}

// ---- A run's

static int copy(const void *from, const char *path) {
    FILE *in, *out;
    char block[1 << 14];
    size_t length;
    int code = files_open(from, &in);
    if (code != 0)
        return code;
    code = files_create(path, &out);
    if (code != 0) {
        (void)fclose(in);
        return code;
    }
    while ((length = fread(block, 1, sizeof block, in)) > 0 && code == 0)
        if (fwrite(block, 1, length, out) != length)
            code = errno;
    if (ferror(in))
        code = EIO;
    (void)fclose(in);
    if (fclose(out) != 0 && code == 0)
        code = errno;
    return code;
}

bool tuned_begin(run *r, const topology *t, char error[RUN_ERROR_SIZE]) {
    char place[PATH_MAX];
    if (!load(t, place))
        return true;
    const int code = run_replace(r, TUNED_FILE, copy, place);
    return code == 0 ||
           refuse(error, RUN_ERROR_SIZE, "cannot write %s/" TUNED_FILE ": %s", r->folder, files_reason(code));
}

static bool find(const char *folder, char path[PATH_MAX]) {
    struct stat info;
    return snprintf(path, PATH_MAX, "%s/" TUNED_FILE, folder) < PATH_MAX && lstat(path, &info) == 0;
}

bool tuned_join(const char *folder, char *why, size_t size) {
    char path[PATH_MAX], reason[NORM_SCHEDULES_WHY];
    norm_schedules_forget();
    if (!find(folder, path) || norm_schedules_load(path, reason))
        return true;
    return refuse(why, size, "%s", reason);
}

const char *tuned_text(const char *folder, char text[TUNED_TEXT]) {
    char path[PATH_MAX], id[PROGRAM_ID_SIZE];
    snprintf(text, TUNED_TEXT, "default");
    if (find(folder, path)) {
        program_file_id(path, id);
        snprintf(text, TUNED_TEXT, "tuned %s", id);
    }
    return text;
}
