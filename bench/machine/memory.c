// SPDX-License-Identifier: MIT
// memory.c: see memory.h.
#include "memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/refuse.h"
#include "cgroup.h"

// The number on a file's line "KEY NUMBER"; with the key "" that which the file begins with. false if it holds none
// ("max") or cannot be read.
static bool read_number(const char *folder, const char *name, const char *key, uint64_t *value) {
    char path[PATH_MAX], line[256];
    const int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *const file = length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;
    const size_t skip = strlen(key);
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        if (skip == 0 || (strncmp(line, key, skip) == 0 && line[skip] == ' '))
            found = sscanf(line + skip, "%" SCNu64, value) == 1;
        if (skip == 0)
            break;
    }
    if (file != NULL)
        (void)fclose(file);
    return found;
}

// What the machine has free or can free without swapping; without /proc what it has free.
static uint64_t machine_bytes(const char *root) {
    char folder[PATH_MAX];
    uint64_t kib = 0;
    snprintf(folder, sizeof folder, "%s/proc", root);
    if (read_number(folder, "meminfo", "MemAvailable:", &kib))
        return kib * 1024;
#ifdef _SC_AVPHYS_PAGES
    const long pages = sysconf(_SC_AVPHYS_PAGES);
#else
    const long pages = sysconf(_SC_PHYS_PAGES);
#endif
    const long page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
}

// What each version calls its limits, what is used, and of that the pages of files, which the kernel gives up before it
// refuses: of a group and all below it.
static const struct {
    const char *limits[2], *used, *cached[2];
} versions[] = {
    {{"memory.max", "memory.high"}, "memory.current", {"inactive_file", "active_file"}},
    {{"memory.limit_in_bytes", NULL}, "memory.usage_in_bytes", {"total_inactive_file", "total_active_file"}},
};

static void lower(void *context, const char *folder) {
    uint64_t *const left = context;
    for (size_t v = 0; v < sizeof versions / sizeof *versions; v++) {
        uint64_t used, limit, free_bytes = 0;
        if (!read_number(folder, versions[v].used, "", &used))
            continue;
        for (size_t i = 0; i < 2; i++)
            if (read_number(folder, "memory.stat", versions[v].cached[i], &free_bytes))
                used -= free_bytes < used ? free_bytes : used;
        for (size_t i = 0; i < 2; i++)
            if (versions[v].limits[i] != NULL && read_number(folder, versions[v].limits[i], "", &limit) &&
                (limit > used ? limit - used : 0) < *left)
                *left = limit > used ? limit - used : 0;
    }
}

size_t memory_available_below(const char *root, bool *limited) {
    const uint64_t machine = machine_bytes(root);
    uint64_t bytes = machine;
    cgroup_visit(root, "memory", lower, &bytes);
    *limited = bytes < machine;
    return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

size_t memory_available(void) {
    bool limited;
    return memory_available_below("", &limited);
}

static void add_kills(void *context, const char *folder) {
    uint64_t *const kills = context, more = 0;
    if (read_number(folder, "memory.events", "oom_kill", &more) ||
        read_number(folder, "memory.oom_control", "oom_kill", &more))
        *kills += more;
}

uint64_t memory_kills(void) {
    uint64_t kills = 0;
    (void)read_number("/proc", "vmstat", "oom_kill", &kills);
    cgroup_visit("", "memory", add_kills, &kills);
    return kills;
}

bool memory_fits(size_t bytes, char *text, size_t size) {
    bool limited;
    const size_t available = memory_available_below("", &limited);
    const char *const whose = limited ? " in this control group" : "";
    if (bytes <= available / 10 * 9)
        return true;
    if (bytes == SIZE_MAX)
        return refuse(text, size, "needs more memory than can be addressed, %.3g GB are available%s",
                      (double)available / 1e9, whose);
    return refuse(text, size, "needs %.3g GB of memory, %.3g GB are available%s", (double)bytes / 1e9,
                  (double)available / 1e9, whose);
}
