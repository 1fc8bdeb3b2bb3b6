// SPDX-License-Identifier: MIT
// ab_same_code.c: see ab_same_code.h.
#include "ab_same_code.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ab_link.h"
#include "base/program.h"

typedef struct {
    char id[PROGRAM_ID_SIZE]; // a hash of its bytes
    uint64_t begin, end;      // of its code in the link
    bool kernels;             // a kernel has a stage in it
} object;

typedef struct {
    object *objects; // as ab_link_object counts them
    size_t count;
    bool known;
    uint64_t all, rest; // a hash of all objects, and of those without a kernel
} code;
static code sides[AB_SIDES];
static bool same_library; // one file on both sides

// ---- Where code lies

// A line of the map: " .text 0xADDRESS 0xSIZE FILE", of the GNU linker.
static void take_line(code *c, ab_side side, const char *line) {
    char section[128], file[4096];
    uint64_t address, size;
    if (sscanf(line, " %127s 0x%" SCNx64 " 0x%" SCNx64 " %4095s", section, &address, &size, file) != 4 ||
        strncmp(section, ".text", 5) != 0 || size == 0)
        return;
    const char *const slash = strrchr(file, '/');
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(slash == NULL ? file : slash + 1, ab_link_object(side, i)) == 0 && c->objects[i].end == 0) {
            c->objects[i].begin = address;
            c->objects[i].end = address + size;
        }
}

static bool read_map(code *c, ab_side side) {
    char path[PATH_MAX], *line = NULL;
    size_t room = 0, found = 0;
    ab_launch_path(side, AB_LINK_OF_PLAN, path);
    strncat(path, ".map", sizeof path - strlen(path) - 1);
    FILE *const file = fopen(path, "r");
    while (file != NULL && getline(&line, &room, file) > 0)
        take_line(c, side, line);
    free(line);
    if (file != NULL)
        (void)fclose(file);
    for (size_t i = 0; i < c->count; i++)
        found += c->objects[i].end > 0;
    return found > 0;
}

// The object of a function; c->count if it is in none.
static size_t object_of(const code *c, void (*function)(void)) {
    Dl_info where;
    void *address;
    memcpy(&address, &function, sizeof address);
    if (dladdr(address, &where) == 0)
        return c->count;
    const uint64_t at = (uint64_t)((const char *)address - (const char *)where.dli_fbase);
    size_t i = 0;
    while (i < c->count && (at < c->objects[i].begin || at >= c->objects[i].end))
        i++;
    return i;
}

// The functions of a kernel, in order. Returns how many.
enum { MOST_FUNCTIONS = 64 };
static size_t functions_of(const norm_impl *impl, void (*functions[MOST_FUNCTIONS])(void)) {
    size_t count = 0;
    for (unsigned pass = 0; pass < NORM_PASSES; pass++)
        for (size_t i = 0; i < impl->pass[pass].count && count < MOST_FUNCTIONS - 2; i++)
            functions[count++] = (void (*)(void))impl->pass[pass].stages[i].run;
    if (impl->piece.sum != NULL)
        functions[count++] = (void (*)(void))impl->piece.sum;
    if (impl->piece.apply != NULL)
        functions[count++] = (void (*)(void))impl->piece.apply;
    return count;
}

// ---- Comparing

static bool find_kernels(code *c, ab_side side) {
    const kernel_library *const l = ab_source_of(side)->opened;
    void (*functions[MOST_FUNCTIONS])(void);
    const norm_impl *impl;
    bool ok = true;
    for (size_t i = 0; ok && (impl = kernel_library_at(l, i)) != NULL; i++) {
        const size_t count = functions_of(impl, functions);
        for (size_t k = 0; ok && k < count; k++) {
            const size_t at = object_of(c, functions[k]);
            ok = at < c->count;
            if (ok)
                c->objects[at].kernels = true;
        }
    }
    return ok;
}

// Of all objects, or of those without a kernel.
static uint64_t hash_of(const code *c, ab_side side, bool all) {
    uint64_t hash = PROGRAM_HASH;
    for (size_t i = 0; i < c->count; i++)
        if (all || !c->objects[i].kernels) {
            const char *const name = ab_link_object(side, i);
            hash = program_hash(hash, name, strlen(name) + 1);
            hash = program_hash(hash, c->objects[i].id, sizeof c->objects[i].id);
        }
    return hash;
}

static bool look_into(code *c, ab_side side) {
    char path[PATH_MAX];
    if (ab_source_of(side)->archive[0] == '\0')
        return false;
    while (ab_link_object(side, c->count) != NULL)
        c->count++;
    c->objects = calloc(c->count + 1, sizeof *c->objects);
    for (size_t i = 0; c->objects != NULL && i < c->count; i++) {
        ab_link_object_path(side, ab_link_object(side, i), path);
        program_file_id(path, c->objects[i].id);
        if (strcmp(c->objects[i].id, "unknown") == 0)
            return false;
    }
    if (c->objects == NULL || !read_map(c, side) || !find_kernels(c, side))
        return false;
    c->all = hash_of(c, side, true);
    // Of a libnorm each object of kernels exports its table alone (tests/test_objects.sh), so that none calls another.
    c->rest = ab_source_of(side)->opened->name[0] == '\0' ? hash_of(c, side, false) : c->all;
    return true;
}

void ab_same_code_begin(void) {
    const ab_source *const base = ab_source_of(AB_BASE), *const candidate = ab_source_of(AB_CANDIDATE);
    same_library = strcmp(base->id, candidate->id) == 0 && strcmp(base->id, "unknown") != 0;
    for (ab_side side = 0; side < AB_SIDES; side++)
        sides[side].known = look_into(&sides[side], side);
}

bool ab_same_code(const norm_impl *base, const norm_impl *candidate) {
    const code *const a = &sides[AB_BASE], *const b = &sides[AB_CANDIDATE];
    void (*of_a[MOST_FUNCTIONS])(void), (*of_b[MOST_FUNCTIONS])(void);
    if (same_library)
        return true;
    if (!a->known || !b->known || a->rest != b->rest)
        return false;
    const size_t count = functions_of(base, of_a);
    bool same = count > 0 && functions_of(candidate, of_b) == count;
    for (size_t i = 0; same && i < count; i++) {
        const size_t x = object_of(a, of_a[i]), y = object_of(b, of_b[i]);
        same = x < a->count && y < b->count && strcmp(a->objects[x].id, b->objects[y].id) == 0 &&
               strcmp(ab_link_object(AB_BASE, x), ab_link_object(AB_CANDIDATE, y)) == 0;
    }
    return same;
}

void ab_same_code_end(void) {
    for (ab_side side = 0; side < AB_SIDES; side++) {
        free(sides[side].objects);
        sides[side] = (code){0};
    }
}
