// SPDX-License-Identifier: MIT
// facts.c: see facts.h.
#include "facts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/parse.h"
#include "cgroup.h"

enum { PATH_SIZE = 1024 };

// ---- Reading

static void trim(char *text) {
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

bool facts_read(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    errno = 0;
    const size_t length = fread(text, 1, size - 1, file);
    const int error = ferror(file) ? (errno != 0 ? errno : EIO) : 0;
    fclose(file);
    errno = error;
    if (error != 0)
        return false;
    text[length] = '\0';
    trim(text);
    const char *open = strchr(text, '['), *close = open == NULL ? NULL : strchr(open, ']');
    if (close != NULL && strchr(text, '\n') == NULL) {
        const size_t chosen = (size_t)(close - open) - 1;
        memmove(text, open + 1, chosen);
        text[chosen] = '\0';
    }
    return true;
}

bool facts_read_line(const char *path, const char *key, char *text, size_t size) {
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    char *line = NULL;
    size_t capacity = 0;
    bool found = false;
    const size_t length = strlen(key);
    while (!found && getline(&line, &capacity, file) > 0) {
        if (strncmp(line, key, length) != 0)
            continue;
        const char *value = line + length + strspn(line + length, " \t");
        if (*value != ':')
            continue;
        value++;
        snprintf(text, size, "%s", value + strspn(value, " \t"));
        trim(text);
        found = true;
    }
    free(line);
    fclose(file);
    if (!found)
        errno = ENODATA;
    return found;
}

bool facts_read_number(const char *path, uint64_t *value) {
    char text[64];
    return facts_read(path, text, sizeof text) && parse_u64(text, value);
}

// ---- Single facts

// By CPUID, or by what the kernel says on other architectures.
bool facts_hypervisor(char signature[16]) {
    signature[0] = '\0';
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c >> 31 & 1) == 0)
        return false;
    __cpuid(0x40000000, a, b, c, d);
    memcpy(signature, &b, 4);
    memcpy(signature + 4, &c, 4);
    memcpy(signature + 8, &d, 4);
    signature[12] = '\0';
    return true;
#else
    return access("/proc/device-tree/hypervisor", F_OK) == 0 || access("/sys/hypervisor/type", F_OK) == 0;
#endif
}

// musl names itself nowhere, so that on Linux it is whatever is none of the others.
const char *facts_libc(void) {
#if defined(__GLIBC__)
    return "glibc";
#elif defined(__APPLE__)
    return "libSystem";
#elif defined(__BIONIC__)
    return "bionic";
#elif defined(__linux__)
    return "musl";
#else
    return "libc";
#endif
}
const char *facts_libc_version(void) {
#if defined(__GLIBC__)
    return gnu_get_libc_version();
#else
    return NULL;
#endif
}
const char *facts_libc_text(char text[FACTS_LIBC_TEXT]) {
    const char *const version = facts_libc_version();
    snprintf(text, FACTS_LIBC_TEXT, "%s%s%s", facts_libc(), version != NULL ? " " : "", version != NULL ? version : "");
    return text;
}

int facts_turbo(void) {
    uint64_t value = 0;
    if (facts_read_number(FACTS_CPU "intel_pstate/no_turbo", &value))
        return value == 0;
    if (facts_read_number(FACTS_CPU "cpufreq/boost", &value))
        return value != 0;
    return -1;
}

bool facts_steal(uint64_t *steal, uint64_t *total) {
    enum { STEAL = 7, FIELDS = 8 }; // user nice system idle iowait irq softirq steal; guest time is part of user
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL)
        return false;
    unsigned long long ticks[FIELDS];
    const int n = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1], &ticks[2],
                         &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]);
    fclose(file);
    if (n != FIELDS)
        return false;
    *total = 0;
    for (int i = 0; i < FIELDS; i++)
        *total += ticks[i];
    *steal = ticks[STEAL];
    return true;
}

// Lowers *cpus to the quota of one cgroup folder, of either version. false if the folder tells nothing.
static bool read_quota(const char *folder, double *cpus) {
    char path[PATH_SIZE + 64], text[64];
    double quota = 0, period = 0;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (facts_read(path, text, sizeof text)) {
        if (sscanf(text, "%lf %lf", &quota, &period) != 2)
            return strncmp(text, "max", 3) == 0;
    } else {
        uint64_t us = 0;
        snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
        if (!facts_read_number(path, &us))
            return false;
        period = (double)us;
        snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
        if (!facts_read_number(path, &us)) // -1: none
            return true;
        quota = (double)us;
    }
    if (period > 0 && quota > 0 && quota / period < *cpus)
        *cpus = quota / period;
    return true;
}

typedef struct {
    double cpus;
    bool known;
} cpu_limit;

static void lower_quota(void *context, const char *folder) {
    cpu_limit *const limit = context;
    limit->known = read_quota(folder, &limit->cpus) || limit->known;
}

double facts_cpu_quota(void) {
    const double unlimited = 1e9;
    cpu_limit limit = {.cpus = unlimited};
    cgroup_visit("", "cpu", lower_quota, &limit);
    return !limit.known ? -1 : limit.cpus < unlimited ? limit.cpus : 0;
}
