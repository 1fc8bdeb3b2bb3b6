// SPDX-License-Identifier: MIT
// ab_source.c: see ab_source.h.
#include "ab_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/program.h"
#include "base/refuse.h"
#include "base/tool.h"
#include "run.h"

enum { REASON = 1024, ROOM = 256 };

// The folder in which what was built is kept: one of each commit and compiler.
static bool find_cache(const char *commit, char folder[PATH_MAX], char *why, size_t size) {
    const char *const cache = getenv("XDG_CACHE_HOME"), *const home = getenv("HOME");
    const bool set = cache != NULL && cache[0] == '/';
    const uint64_t compiler = program_hash(PROGRAM_HASH, LINKER " " __VERSION__, sizeof LINKER " " __VERSION__);
    if (!set && (home == NULL || home[0] != '/'))
        return refuse(why, size, "no place to keep what is built: set XDG_CACHE_HOME or HOME");
    (void)snprintf(folder, PATH_MAX, "%.*s%s/normbench/ab/%.40s-%016" PRIx64, PATH_MAX - ROOM, set ? cache : home,
                   set ? "" : "/.cache", commit, compiler);
    const int code = run_make_folders(folder);
    return code == 0 || refuse(why, size, "cannot make the folder %s: %s", folder, strerror(code));
}

static bool git_line(const char *const argv[], char *line, size_t line_size, char *why, size_t size) {
    if (!tool_run(argv, NULL, line, line_size, why, size))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

// Builds the library of a commit in a working tree of its own, which is removed again.
static bool build(const char *commit, const char *folder, char *why, size_t size) {
    char tree[PATH_MAX], made[PATH_MAX], part[PATH_MAX], kept[PATH_MAX], jobs[32], compiler[300], ignored[REASON];
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    (void)snprintf(tree, sizeof tree, "%.*s/tree-%ld", PATH_MAX - ROOM, folder, (long)getpid());
    (void)snprintf(made, sizeof made, "%.*s/build/ab/libnorm.a", PATH_MAX - ROOM, tree);
    (void)snprintf(part, sizeof part, "%.*s/libnorm.a.%ld", PATH_MAX - ROOM, folder, (long)getpid());
    (void)snprintf(kept, sizeof kept, "%.*s/libnorm.a", PATH_MAX - ROOM, folder);
    (void)snprintf(jobs, sizeof jobs, "-j%ld", processors > 0 ? processors : 1);
    (void)snprintf(compiler, sizeof compiler, "CC=%s", LINKER);
    const char *const add[] = {"git", "worktree", "add", "--force", "--detach", tree, commit, NULL};
    const char *const make[] = {"make", jobs, "OBJ=build/ab", compiler, "build/ab/libnorm.a", NULL};
    const char *const copy[] = {"cp", made, part, NULL};
    const char *const drop[] = {"git", "worktree", "remove", "--force", tree, NULL};
    fprintf(stderr, "building commit %.12s once, in %s\n", commit, folder);
    if (!tool_run(add, NULL, NULL, 0, why, size))
        return false;
    bool ok = tool_run(make, tree, NULL, 0, why, size) && tool_run(copy, NULL, NULL, 0, why, size);
    if (ok && rename(part, kept) != 0) {
        snprintf(why, size, "cannot write in %.800s: %s", folder, strerror(errno));
        ok = false;
    }
    (void)tool_run(drop, NULL, NULL, 0, ignored, sizeof ignored);
    return ok;
}

static bool take_revision(ab_source *s, const char *name, char *why, size_t size) {
    char revision[300], line[128], folder[PATH_MAX], reason[REASON] = "";
    struct stat info;
    snprintf(revision, sizeof revision, "%.250s^{commit}", name);
    const char *const parse[] = {"git", "rev-parse", "--verify", "--end-of-options", revision, NULL};
    if (!git_line(parse, line, sizeof line, reason, sizeof reason))
        return refuse(why, size, "git:%s is no commit of the repository in this folder: %s", name, reason);
    snprintf(s->commit, sizeof s->commit, "%.40s", line);
    if (!find_cache(s->commit, folder, why, size))
        return false;
    (void)snprintf(s->archive, sizeof s->archive, "%.*s/libnorm.a", PATH_MAX - ROOM, folder);
    if (stat(s->archive, &info) == 0 || build(s->commit, folder, reason, sizeof reason))
        return true;
    return refuse(why, size, "git:%s does not build: %s", name, reason);
}

static bool take_file(ab_source *s, const char *name, char *why, size_t size) {
    char path[PATH_MAX];
    struct stat info;
    const size_t length = strlen(name);
    if (realpath(name, path) == NULL || stat(path, &info) != 0)
        return refuse(why, size, "%s: %s; give a shared library, an archive of objects (FILE.a), or git:REF", name,
                      strerror(errno));
    if (!S_ISREG(info.st_mode))
        return refuse(why, size,
                      "%s is no plain file; give a shared library, an archive of objects (FILE.a), or git:REF", name);
    const bool archive = length > 2 && strcmp(name + length - 2, ".a") == 0;
    (void)snprintf(archive ? s->archive : s->library, PATH_MAX, "%s", path);
    return true;
}

static const char *file_of(const ab_source *s) { return s->archive[0] != '\0' ? s->archive : s->library; }

bool ab_source_take(ab_side side, const char *given, char *why, size_t size) {
    ab_source *const s = ab_source_of(side);
    *s = (ab_source){0};
    if (strlen(given) >= sizeof s->given)
        return refuse(why, size, "the name of the %s is too long", ab_side_name(side));
    snprintf(s->given, sizeof s->given, "%s", given);
    if (strncmp(given, "git:", 4) == 0 ? !take_revision(s, given + 4, why, size) : !take_file(s, given, why, size))
        return false;
    program_file_id(file_of(s), s->id);
    return true;
}

bool ab_sources_unchanged(char *why, size_t size) {
    for (ab_side side = 0; side < AB_SIDES; side++) {
        const ab_source *const s = ab_source_of(side);
        char id[PROGRAM_ID_SIZE];
        program_file_id(file_of(s), id);
        if (strcmp(id, s->id) == 0)
            continue;
        return refuse(
            why, size,
            "%s, the %s, is another file than the run was begun with: put it back, or begin anew with another "
            "--out",
            file_of(s), ab_side_name(side));
    }
    return true;
}
