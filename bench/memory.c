// SPDX-License-Identifier: MIT
// Available memory: the machine's, or what a container is left of its limit.
#include "memory.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

// The number that a one-line file holds; false if it holds none ("max") or cannot be read.
static bool read_number(const char *path, uint64_t *value) {
    FILE *const file = fopen(path, "re");
    if (file == NULL)
        return false;
    const bool read = fscanf(file, "%" SCNu64, value) == 1;
    (void)fclose(file);
    return read;
}

// What the machine has free or can free without swapping.
static uint64_t machine_bytes(void) {
    FILE *const file = fopen("/proc/meminfo", "re");
    char line[128];
    uint64_t kib = 0;
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1;
    if (file != NULL)
        (void)fclose(file);
#ifdef _SC_AVPHYS_PAGES
    const long pages = sysconf(_SC_AVPHYS_PAGES);
#else
    const long pages = sysconf(_SC_PHYS_PAGES);
#endif
    return found ? kib * 1024 : (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

size_t memory_available(void) {
    // Inside a container these are the container's own; version 2 of cgroups, then version 1.
    static const struct {
        const char *limit, *used;
    } groups[] = {
        {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
    };
    uint64_t bytes = machine_bytes();
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        uint64_t limit, used;
        if (!read_number(groups[i].limit, &limit) || !read_number(groups[i].used, &used))
            continue;
        const uint64_t left = limit > used ? limit - used : 0;
        bytes = left < bytes ? left : bytes;
    }
    return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

bool memory_fits(size_t bytes, char *text, size_t size) {
    const size_t available = memory_available();
    if (bytes <= available / 10 * 9)
        return true;
    if (bytes == SIZE_MAX)
        snprintf(text, size, "needs more memory than can be addressed, %.3g GB are available", (double)available / 1e9);
    else
        snprintf(text, size, "needs %.3g GB of memory, %.3g GB are available", (double)bytes / 1e9,
                 (double)available / 1e9);
    return false;
}
