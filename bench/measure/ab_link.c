// SPDX-License-Identifier: MIT
// ab_link.c: see ab_link.h.
#include "ab_link.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/program.h"
#include "base/refuse.h"
#include "base/stats.h"
#include "base/tool.h"

enum { MOST_OBJECTS = 1024, MOST_NAME = 128, PATH_ROOM = 192 };
// Gaps are 1 to GAPS lines of a cache: any function may begin at any line of four pages.
enum { GAPS = 16, LINE = 64 };

typedef struct {
    char (*names)[MOST_NAME];
    size_t count;
} object_list;
static object_list objects[AB_SIDES];
static char folder[PATH_MAX];

// "FOLDER/base/NAME", or FOLDER/base alone.
static void side_path(ab_side side, const char *name, char path[PATH_MAX]) {
    (void)snprintf(path, PATH_MAX, "%.*s/%s%s%s", PATH_MAX - PATH_ROOM, folder, ab_side_name(side),
                   name[0] != '\0' ? "/" : "", name);
}

const char *ab_link_object(ab_side side, size_t index) {
    return index < objects[side].count ? objects[side].names[index] : NULL;
}
void ab_link_object_path(ab_side side, const char *object, char path[PATH_MAX]) { side_path(side, object, path); }

// ---- Unpacking

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static bool list_objects(ab_side side, char *why, size_t size) {
    object_list *const list = &objects[side];
    char path[PATH_MAX];
    side_path(side, "", path);
    DIR *const dir = opendir(path);
    const struct dirent *entry;
    list->names = calloc(MOST_OBJECTS, sizeof *list->names);
    while (dir != NULL && list->names != NULL && list->count < MOST_OBJECTS && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && strlen(entry->d_name) < MOST_NAME)
            memcpy(list->names[list->count++], entry->d_name, strlen(entry->d_name) + 1);
    if (dir != NULL)
        (void)closedir(dir);
    if (list->count == 0)
        snprintf(why, size, "%s: %s has no objects", ab_side_name(side), ab_source_of(side)->archive);
    else
        qsort(list->names, list->count, sizeof *list->names, by_name);
    return list->count > 0;
}

// Without what debuggers read, for an object is then the same bytes where its code and data are.
static bool strip_objects(ab_side side) {
    const object_list *const list = &objects[side];
    char path[PATH_MAX], why[256];
    bool ok = true;
    side_path(side, "", path);
    for (size_t i = 0; ok && i < list->count; i += 32) {
        const char *argv[32 + 3] = {"strip", "-g"};
        for (size_t k = 0; k < 32 && i + k < list->count; k++)
            argv[2 + k] = list->names[i + k];
        ok = tool_run(argv, path, NULL, 0, why, sizeof why);
    }
    return ok;
}

static bool unpack(ab_side side, char *why, size_t size) {
    const ab_source *const s = ab_source_of(side);
    char path[PATH_MAX], reason[700];
    side_path(side, "", path);
    if (mkdir(path, 0700) != 0)
        return refuse(why, size, "cannot make the folder %s: %s", path, strerror(errno));
    const char *const argv[] = {"ar", "x", s->archive, NULL};
    if (!tool_run(argv, path, NULL, 0, reason, sizeof reason))
        return refuse(why, size, "%s: %s cannot be unpacked: %s", ab_side_name(side), s->given, reason);
    return list_objects(side, why, size) && (strip_objects(side) || true); // what stays unstripped is as good a link
}

static bool make_gaps(char *why, size_t size) {
    char path[PATH_MAX], object[PATH_MAX];
    for (int i = 1; i <= GAPS; i++) {
        (void)snprintf(path, sizeof path, "%.*s/gap-%d.s", PATH_MAX - PATH_ROOM, folder, i);
        (void)snprintf(object, sizeof object, "%.*s/gap-%d.o", PATH_MAX - PATH_ROOM, folder, i);
        FILE *const file = fopen(path, "w");
        if (file == NULL)
            return false;
        fprintf(file, ".text\n.p2align 6\n.skip %d\n.section .note.GNU-stack,\"\",%%progbits\n", i * LINE);
        const char *const argv[] = {"as", path, "-o", object, NULL};
        if (fclose(file) != 0 || !tool_run(argv, NULL, NULL, 0, why, size))
            return false;
    }
    return true;
}

bool ab_link_begin(char *why, size_t size) {
    const char *const base = getenv("TMPDIR");
    bool any = false, ok = true;
    for (ab_side side = 0; side < AB_SIDES; side++)
        any |= ab_source_of(side)->archive[0] != '\0';
    if (!any)
        return true;
    (void)snprintf(folder, sizeof folder, "%.*s/normbench-ab.XXXXXX", PATH_MAX - PATH_ROOM,
                   base != NULL && *base != '\0' ? base : "/tmp");
    if (mkdtemp(folder) == NULL) {
        snprintf(why, size, "cannot make a temporary folder %.200s: %s; set TMPDIR to one that can be written", folder,
                 strerror(errno));
        folder[0] = '\0';
        return false;
    }
    for (ab_side side = 0; ok && side < AB_SIDES; side++)
        if (ab_source_of(side)->archive[0] != '\0') {
            (void)snprintf(ab_source_of(side)->links, PATH_MAX, "%s", folder);
            ok = unpack(side, why, size);
        }
    return ok && make_gaps(why, size);
}

// ---- Linking

// Where an object stands among the others, drawn for it alone: what another side has more of moves none of the rest.
typedef struct {
    const char *name;
    uint64_t draw;
    int gap;
} place;

static int by_draw(const void *a, const void *b) {
    const uint64_t left = ((const place *)a)->draw, right = ((const place *)b)->draw;
    return (left > right) - (left < right);
}

static place draw_place(const char *name, uint64_t seed, size_t stream) {
    stats_rng rng;
    place p = {.name = name};
    stats_rng_seed(&rng, program_hash(seed, name, strlen(name)), stream);
    p.draw = stats_rng_next(&rng);
    p.gap = 1 + (int)stats_rng_below(&rng, GAPS);
    return p;
}

// The objects in a random order, each behind a random gap, one a line, as compilers read their arguments from a file.
static bool write_order(ab_side side, const char *path, uint64_t seed, size_t stream) {
    const object_list *const list = &objects[side];
    place places[MOST_OBJECTS];
    FILE *const file = fopen(path, "w");
    if (file == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        places[i] = draw_place(list->names[i], seed, stream);
    qsort(places, list->count, sizeof *places, by_draw);
    for (size_t i = 0; i < list->count; i++)
        fprintf(file, "%s/gap-%d.o\n%s/%s/%s\n", folder, places[i].gap, folder, ab_side_name(side), places[i].name);
    return fclose(file) == 0;
}

// The compiler that built this program, whose OpenMP the objects call. It may be several words.
static size_t compiler(const char *argv[], size_t most) {
    static char words[256];
    size_t count = 0;
    snprintf(words, sizeof words, "%s", LINKER);
    for (char *word = words, *rest = NULL; count < most && (word = strtok_r(word, " ", &rest)) != NULL; word = NULL)
        argv[count++] = word;
    return count;
}

static bool link_side(ab_side side, size_t launch, uint64_t seed, unsigned how, char *why, size_t size) {
    char order[PATH_MAX], from[PATH_MAX], to[PATH_MAX], map_to[PATH_MAX + 16], reason[700];
    const char *argv[24];
    size_t n = compiler(argv, 4);
    ab_launch_path(side, launch, to);
    (void)snprintf(order, sizeof order, "%.*s/%s.order", PATH_MAX - PATH_ROOM, folder, ab_side_name(side));
    (void)snprintf(from, sizeof from, "@%.*s", PATH_MAX - 2, order);
    (void)snprintf(map_to, sizeof map_to, "-Wl,-Map,%s.map", to);
    const char *const rest[] = {"-shared",         "-o",       to,    from,
                                "-Wl,-z,nodelete", "-fopenmp", "-lm", how & AB_LINK_MAP ? map_to : NULL};
    const size_t stream = AB_SIDES * launch + (how & AB_LINK_ALIKE ? 0 : (size_t)side);
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        argv[n++] = rest[i];
    argv[n] = NULL;
    if (!write_order(side, order, seed, stream))
        return refuse(why, size, "cannot write %s: %s", order, strerror(errno));
    if (tool_run(argv, NULL, NULL, 0, reason, sizeof reason))
        return true;
    return refuse(why, size, "%s: %s cannot be linked: %s", ab_side_name(side), ab_source_of(side)->given, reason);
}

bool ab_link(size_t launch, uint64_t seed, unsigned how, char *why, size_t size) {
    bool ok = true;
    for (ab_side side = 0; ok && side < AB_SIDES; side++)
        ok = ab_source_of(side)->archive[0] == '\0' || link_side(side, launch, seed, how, why, size);
    return ok;
}

void ab_link_drop(size_t launch) {
    char path[PATH_MAX];
    for (ab_side side = 0; side < AB_SIDES; side++)
        if (ab_source_of(side)->archive[0] != '\0') {
            ab_launch_path(side, launch, path);
            (void)unlink(path);
        }
}

void ab_link_end(void) {
    char why[256];
    const char *const argv[] = {"rm", "-rf", "--", folder, NULL};
    if (folder[0] != '\0')
        (void)tool_run(argv, NULL, NULL, 0, why, sizeof why);
    folder[0] = '\0';
    for (ab_side side = 0; side < AB_SIDES; side++) {
        free(objects[side].names);
        objects[side] = (object_list){0};
    }
}
