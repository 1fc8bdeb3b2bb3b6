// SPDX-License-Identifier: MIT
// Reads the facts of this machine from hwloc, /proc, /sys, the environment and the build, and judges them.
#include "machine.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <hwloc.h>
#include <libgen.h>
#include <omp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif
#if __has_include(<link.h>)
#include <link.h>
#endif

#include "base/parse.h"
#include "cgroup.h"
#include "counters.h"
#include "environment.h"
#include "memory.h"
#include "norm.h"

// Given by the build.
#ifndef NORMBENCH_GIT
#define NORMBENCH_GIT "unknown"
#endif
#ifndef NORMBENCH_CC
#define NORMBENCH_CC "unknown"
#endif
#ifndef NORMBENCH_FLAGS
#define NORMBENCH_FLAGS "unknown"
#endif

#define CPU "/sys/devices/system/cpu/"
#define THP "/sys/kernel/mm/transparent_hugepage/"

enum { TEXT_SIZE = 8192, PATH_SIZE = 1024 };

extern char **environ;

// ---- Reading
// ----------------------------------------------------------------------------------------------------------------------------

static void trim(char *text) {
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

// The text of a small file without its last line feed. Of a list of choices with one in brackets, the one. false with
// errno set.
static bool read_file(const char *path, char *text, size_t size) {
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

// The value of the first line "key : value" in a file such as /proc/cpuinfo.
static bool read_line(const char *path, const char *key, char *text, size_t size) {
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

static bool read_number(const char *path, uint64_t *value) {
    char text[64];
    return read_file(path, text, sizeof text) && parse_u64(text, value);
}

// ---- Facts as JSON
// ------------------------------------------------------------------------------------------------------------------------

// A failed allocation leaves a NULL that the jansson setters refuse; machine_describe looks for it once, at the end.
static json_t *unknown(const char *reason) { return json_pack("{s:n, s:s}", "value", "reason", reason); }

static json_t *unreadable(const char *path) {
    char reason[PATH_SIZE + 128];
    snprintf(reason, sizeof reason, "%s: %s", path, strerror(errno));
    return unknown(reason);
}

static json_t *fact_of_text(const char *text) {
    uint64_t whole = 0;
    double real = 0;
    if (parse_u64(text, &whole) && whole <= INT64_MAX)
        return json_integer((json_int_t)whole);
    if (parse_real(text, &real))
        return json_real(real);
    json_t *string = json_string(text);
    return string != NULL ? string : unknown("not valid UTF-8");
}

static json_t *fact_of_file(const char *path) {
    char text[TEXT_SIZE];
    return read_file(path, text, sizeof text) ? fact_of_text(text) : unreadable(path);
}

static json_t *fact_of_line(const char *path, const char *key) {
    char text[TEXT_SIZE], reason[PATH_SIZE];
    if (read_line(path, key, text, sizeof text))
        return fact_of_text(text);
    if (errno != ENODATA)
        return unreadable(path);
    snprintf(reason, sizeof reason, "%s has no line \"%s\"", path, key);
    return unknown(reason);
}

static json_t *fact_of_info(const topology *t, const char *name) {
    const char *value = topology_info(t, name);
    return value == NULL ? unknown("hwloc does not tell") : fact_of_text(value);
}

static json_t *fact_of_size(size_t bytes) {
    return bytes == 0 ? unknown("hwloc does not tell") : json_integer((json_int_t)bytes);
}

// ---- Single facts
// -------------------------------------------------------------------------------------------------------------------------

// Whether there is a hypervisor, by CPUID or what the kernel says on other architectures; its signature, or "".
static bool hypervisor(char signature[16]) {
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

// 1 on, 0 off, -1 unknown.
static int turbo(void) {
    uint64_t value = 0;
    if (read_number(CPU "intel_pstate/no_turbo", &value))
        return value == 0;
    if (read_number(CPU "cpufreq/boost", &value))
        return value != 0;
    return -1;
}

// Ticks since boot of all CPUs together, and of those the ticks that the hypervisor gave to others.
static bool read_steal(uint64_t *steal, uint64_t *total) {
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
    if (read_file(path, text, sizeof text)) {
        if (sscanf(text, "%lf %lf", &quota, &period) != 2)
            return strncmp(text, "max", 3) == 0;
    } else {
        uint64_t us = 0;
        snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
        if (!read_number(path, &us))
            return false;
        period = (double)us;
        snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
        if (!read_number(path, &us)) // -1: none
            return true;
        quota = (double)us;
    }
    if (period > 0 && quota > 0 && quota / period < *cpus)
        *cpus = quota / period;
    return true;
}

typedef struct {
    double cpus;
    bool told;
} cpu_limit;

static void lower_quota(void *context, const char *folder) {
    cpu_limit *const limit = context;
    limit->told = read_quota(folder, &limit->cpus) || limit->told;
}

// CPUs that the cgroups of this process may use per time, the least on the way from its own to the root; 0 if there is
// no limit, -1 if that could not be read.
static double cpu_quota(void) {
    const double unlimited = 1e9;
    cpu_limit limit = {.cpus = unlimited};
    cgroup_visit("", "cpu", lower_quota, &limit);
    return !limit.told ? -1 : limit.cpus < unlimited ? limit.cpus : 0;
}

static json_t *describe_counters(void) {
    json_t *const all = json_object();
    char reason[COUNTERS_REASON_SIZE];
    for (counter which = 0; which < COUNTERS; which++)
        json_object_set_new(all, counter_name(which),
                            counter_works(which, counters_perf, reason, sizeof reason) ? json_pack("{s:b}", "counts", 1)
                                                                                       : unknown(reason));
    return all;
}

// ---- Sections
// -----------------------------------------------------------------------------------------------------------------------------

static json_t *describe_topology(const topology *t) {
    char synthetic[512];
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pus", (int)topology_pus(t),
                     "cores", (int)topology_cores(t), "packages", (int)topology_packages(t), "numa_nodes",
                     (int)topology_numa_nodes(t), "nodes_without_pus", (int)topology_nodes_without_pus(t),
                     "pus_without_node", (int)topology_pus_without_node(t), "l1d_bytes",
                     fact_of_size(topology_cache_bytes(t, 1)), "l2_bytes", fact_of_size(topology_cache_bytes(t, 2)),
                     "l3_bytes", fact_of_size(topology_cache_bytes(t, 3)), "llc_bytes",
                     fact_of_size(topology_llc_bytes(t)), "llc_total_bytes", fact_of_size(topology_llc_total_bytes(t)),
                     "memory_bytes", fact_of_size(topology_memory_bytes(t)), "synthetic",
                     topology_synthetic(t, synthetic, sizeof synthetic) ? json_string(synthetic)
                                                                        : unknown("not a symmetric topology"));
}

static json_t *describe_cpu(const topology *t) {
#if defined(__aarch64__)
    static const char *const names[] = {"CPUImplementer", "CPUArchitecture", "CPUVariant", "CPUPart", "CPURevision"};
#else
    static const char *const names[] = {"CPUVendor", "CPUModel", "CPUFamilyNumber", "CPUModelNumber", "CPUStepping"};
#endif
    json_t *cpu = json_pack("{s:o}", "architecture", fact_of_info(t, "Architecture"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_object_set_new(cpu, names[i], fact_of_info(t, names[i]));
    if (!topology_is_this_machine(t))
        return cpu;
    json_object_set_new(cpu, "microcode", fact_of_line("/proc/cpuinfo", "microcode"));
#if defined(__aarch64__)
    json_object_set_new(cpu, "flags", fact_of_line("/proc/cpuinfo", "Features"));
#else
    json_object_set_new(cpu, "flags", fact_of_line("/proc/cpuinfo", "flags"));
#endif
    json_t *levels = json_object();
    for (int level = 0; level < NORM_LEVELS; level++) {
        const char *missing = norm_level_missing((norm_level)level);
        json_object_set_new(levels, norm_level_name((norm_level)level),
                            missing == NULL ? json_pack("{s:b}", "runs", 1)
                                            : json_pack("{s:b, s:s}", "runs", 0, "missing", missing));
    }
    json_object_set_new(cpu, "levels", levels);
    return cpu;
}

// The facts that are one small file each.
static const struct {
    const char *section, *key, *path;
} files[] = {
    {"clock", "governor", CPU "cpu0/cpufreq/scaling_governor"},
    {"clock", "driver", CPU "cpu0/cpufreq/scaling_driver"},
    {"clock", "energy_performance_preference", CPU "cpu0/cpufreq/energy_performance_preference"},
    {"clock", "min_khz", CPU "cpu0/cpufreq/cpuinfo_min_freq"},
    {"clock", "base_khz", CPU "cpu0/cpufreq/base_frequency"},
    {"clock", "max_khz", CPU "cpu0/cpufreq/cpuinfo_max_freq"},
    {"clock", "scaling_max_khz", CPU "cpu0/cpufreq/scaling_max_freq"},
    {"clock", "throttle_count", CPU "cpu0/thermal_throttle/core_throttle_count"},
    {"clock", "platform_profile", "/sys/firmware/acpi/platform_profile"},
    {"clock", "idle_driver", CPU "cpuidle/current_driver"},
    {"system", "smt_active", CPU "smt/active"},
    {"system", "cpus_online", CPU "online"},
    {"system", "cpus_isolated", CPU "isolated"},
    {"system", "address_randomization", "/proc/sys/kernel/randomize_va_space"},
    {"system", "clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource"},
    {"system", "nmi_watchdog", "/proc/sys/kernel/nmi_watchdog"},
    {"memory", "transparent_huge_pages", THP "enabled"},
    {"memory", "transparent_huge_pages_defrag", THP "defrag"},
    {"memory", "huge_pages", "/proc/sys/vm/nr_hugepages"},
    {"memory", "numa_balancing", "/proc/sys/kernel/numa_balancing"},
    {"virtualization", "dmi_vendor", "/sys/class/dmi/id/sys_vendor"},
    {"virtualization", "dmi_product", "/sys/class/dmi/id/product_name"},
    {"virtualization", "hypervisor_type", "/sys/hypervisor/type"},
};

// The kernel's command line without what names a person's disks and hosts, and without what the kernel hands on to init
// ("--").
static json_t *describe_cmdline(void) {
    static const char *const private[] = {"BOOT_IMAGE=", "root=",    "resume=", "rd.",
                                          "ip=",         "nfsroot=", "init=",   "rdinit="};
    const char *path = "/proc/cmdline";
    char text[TEXT_SIZE], kept[TEXT_SIZE] = "", *rest = NULL;
    if (!read_file(path, text, sizeof text))
        return unreadable(path);
    size_t used = 0;
    for (char *word = strtok_r(text, " \n", &rest); word != NULL && strcmp(word, "--") != 0;
         word = strtok_r(NULL, " \n", &rest)) {
        bool keep = true;
        for (size_t i = 0; i < sizeof private / sizeof private[0]; i++)
            keep = keep && strncmp(word, private[i], strlen(private[i])) != 0;
        if (keep)
            used += (size_t)snprintf(kept + used, sizeof kept - used, used == 0 ? "%s" : " %s", word);
    }
    return fact_of_text(kept);
}

static json_t *describe_mitigations(void) {
    const char *folder = CPU "vulnerabilities";
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return unreadable(folder);
    json_t *all = json_object();
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL) {
        char path[PATH_SIZE];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        json_object_set_new(all, entry->d_name, fact_of_file(path));
    }
    closedir(directory);
    return all;
}

// The hottest sensor of the CPU.
static json_t *describe_temperature(void) {
    static const char *const patterns[] = {"/sys/class/thermal/thermal_zone*/temp",
                                           "/sys/class/hwmon/hwmon*/temp*_input"};
    double hottest = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        glob_t found;
        if (glob(patterns[i], 0, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++) {
            uint64_t thousandths = 0;
            if (read_number(found.gl_pathv[j], &thousandths) && (double)thousandths / 1000 > hottest)
                hottest = (double)thousandths / 1000;
        }
        globfree(&found);
    }
    return hottest > 0 ? json_real(hottest) : unknown("no readable sensor in /sys/class/thermal or /sys/class/hwmon");
}

static json_t *describe_available(void) {
    const size_t bytes = memory_available();
    return bytes < SIZE_MAX ? json_integer((json_int_t)bytes) : unknown("neither /proc/meminfo nor a limit tells");
}

static json_t *describe_load(void) {
    double load[3];
    uint64_t steal = 0, total = 0;
    const double quota = cpu_quota();
    json_t *section = json_object();
    if (getloadavg(load, 3) == 3)
        json_object_set_new(section, "average", json_pack("[f, f, f]", load[0], load[1], load[2]));
    else
        json_object_set_new(section, "average", unknown("getloadavg failed"));
    if (read_steal(&steal, &total)) {
        json_object_set_new(section, "steal_ticks", json_integer((json_int_t)steal));
        json_object_set_new(section, "cpu_ticks", json_integer((json_int_t)total));
    } else {
        json_object_set_new(section, "steal_ticks", unknown("/proc/stat does not tell"));
        json_object_set_new(section, "cpu_ticks", unknown("/proc/stat does not tell"));
    }
    json_object_set_new(section, "cgroup_cpu_quota",
                        quota > 0    ? json_real(quota)
                        : quota == 0 ? json_string("none")
                                     : unknown("no cgroup of this process tells a quota"));
    json_object_set_new(section, "memory_available_bytes", describe_available());
    return section;
}

// Of "NAME=VALUE".
static void set_variable(json_t *section, const char *variable) {
    const char *const equals = strchr(variable, '=');
    char name[128];
    if (equals == NULL)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(equals - variable), variable);
    json_t *const value = json_string(equals + 1);
    json_object_set_new(section, name, value != NULL ? value : unknown("not valid UTF-8"));
}

static json_t *describe_environment(void) {
    static const char *const prefixes[] = {"OMP_",    "GOMP_",           "KMP_",       "HWLOC_",
                                           "MALLOC_", "GLIBC_TUNABLES=", "LD_PRELOAD="};
    json_t *section = json_object();
    for (char **variable = environ; *variable != NULL; variable++)
        for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
            if (strncmp(*variable, prefixes[i], strlen(prefixes[i])) == 0)
                set_variable(section, *variable);
    return section;
}

static json_t *describe_ignored(void) {
    json_t *const section = json_object();
    const char *variable;
    for (size_t i = 0; (variable = environment_ignored(i)) != NULL; i++)
        set_variable(section, variable);
    return section;
}

#if __has_include(<link.h>)
// The file names of a shared library behind all links: libgomp.so.1.0.0 says more than libgomp.so.1.
static int add_library(struct dl_phdr_info *info, size_t size, void *list) {
    (void)size;
    char *real = info->dlpi_name == NULL || info->dlpi_name[0] != '/' ? NULL : realpath(info->dlpi_name, NULL);
    if (real != NULL)
        json_array_append_new(list, json_string(basename(real)));
    free(real);
    return 0;
}

static json_t *describe_libraries(void) {
    json_t *libraries = json_array();
    dl_iterate_phdr(add_library, libraries);
    return libraries;
}
#else
static json_t *describe_libraries(void) { return unknown("this C library has no dl_iterate_phdr"); }
#endif

const char *machine_git(void) { return NORMBENCH_GIT; }

static json_t *describe_build(void) {
    const unsigned hwloc = hwloc_get_api_version();
    char hwloc_version[32];
    snprintf(hwloc_version, sizeof hwloc_version, "%u.%u.%u", hwloc >> 16, hwloc >> 8 & 255, hwloc & 255);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:o}", "git", NORMBENCH_GIT, "compiler", NORMBENCH_CC,
                     "flags", NORMBENCH_FLAGS,
#if defined(__GLIBC__)
                     "libc", gnu_get_libc_version(),
#else
                     "libc", "unknown",
#endif
                     "hwloc_api", hwloc_version, "jansson", JANSSON_VERSION, "openmp", _OPENMP, "libraries",
                     describe_libraries());
}

json_t *machine_describe(const topology *t) {
    char id[MACHINE_ID_SIZE];
    machine_id(t, id, sizeof id);
    json_t *machine = json_pack("{s:s, s:b, s:o, s:o}", "machine_id", id, "this_machine", topology_is_this_machine(t),
                                "cpu", describe_cpu(t), "topology", describe_topology(t));
    if (machine == NULL || !topology_is_this_machine(t))
        return machine;

    static const char *const sections[] = {"clock", "system", "memory", "virtualization"};
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        json_object_set_new(machine, sections[i], json_object());
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        json_object_set_new(json_object_get(machine, files[i].section), files[i].key, fact_of_file(files[i].path));

    json_t *clock = json_object_get(machine, "clock");
    const int on = turbo();
    json_object_set_new(clock, "turbo", on >= 0 ? json_boolean(on) : unknown("neither intel_pstate nor cpufreq tells"));
    json_object_set_new(clock, "observed_mhz", fact_of_line("/proc/cpuinfo", "cpu MHz"));
    json_object_set_new(clock, "temperature_celsius", describe_temperature());

    json_t *system = json_object_get(machine, "system");
    struct utsname names;
    json_object_set_new(system, "kernel",
                        uname(&names) == 0
                            ? json_sprintf("%s %s %s %s", names.sysname, names.release, names.version, names.machine)
                            : unknown("uname failed"));
    json_object_set_new(system, "kernel_cmdline", describe_cmdline());
    json_object_set_new(system, "mitigations", describe_mitigations());

    char signature[16];
    const bool guest = hypervisor(signature);
    json_t *virtualization = json_object_get(machine, "virtualization");
    json_object_set_new(virtualization, "hypervisor", json_boolean(guest));
    json_object_set_new(virtualization, "hypervisor_signature",
                        signature[0] != '\0' ? fact_of_text(signature) : unknown("none given"));

    json_object_set_new(json_object_get(machine, "memory"), "page_bytes", json_integer(sysconf(_SC_PAGESIZE)));
    json_object_set_new(machine, "counters", describe_counters());
    json_object_set_new(machine, "load", describe_load());
    json_object_set_new(machine, "environment", describe_environment());
    json_object_set_new(machine, "environment_ignored", describe_ignored());
    json_object_set_new(machine, "build", describe_build());
    if (json_object_get(machine, "build") == NULL) {
        json_decref(machine);
        return NULL;
    }
    return machine;
}

// ---- Identity
// -----------------------------------------------------------------------------------------------------------------------------

// "AMD EPYC 9654 96-Core Processor" becomes "amd-epyc-9654": marks, counts, clocks and graphics are left out.
static void slug(const char *model, char *text, size_t size) {
    char words[128], *rest = NULL;
    snprintf(words, sizeof words, "%s", model);
    for (char *c = words; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    static const char *const marks[] = {"(r)", "(tm)", "(c)"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        for (char *mark = words; (mark = strstr(mark, marks[i])) != NULL;)
            memset(mark, ' ', strlen(marks[i]));
    size_t used = 0;
    text[0] = '\0';
    for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "@") == 0 || strcmp(word, "with") == 0 || strcmp(word, "w/") == 0)
            break;
        if (strcmp(word, "cpu") == 0 || strcmp(word, "processor") == 0 || strstr(word, "-core") != NULL)
            continue;
        if (used > 0 && used + 1 < size && text[used - 1] != '-')
            text[used++] = '-';
        for (const char *c = word; *c != '\0' && used + 1 < size; c++)
            if (isalnum((unsigned char)*c))
                text[used++] = *c;
            else if (used > 0 && text[used - 1] != '-')
                text[used++] = '-';
        text[used] = '\0';
    }
    while (used > 0 && text[used - 1] == '-')
        text[--used] = '\0';
}

// FNV-1a, 32 bits (Fowler, Noll and Vo): enough to tell a person's machines apart.
static uint32_t hash_text(uint32_t hash, const char *text) {
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return (hash ^ 0x1f) * 16777619u; // ends the field, so that "1","23" differs from "12","3"
}

void machine_id(const topology *t, char *id, size_t size) {
    static const char *const names[] = {"Architecture",   "CPUVendor",   "CPUModel",       "CPUFamilyNumber",
                                        "CPUModelNumber", "CPUStepping", "CPUImplementer", "CPUVariant",
                                        "CPUPart",        "CPURevision"};
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = topology_info(t, names[i]);
        hash = hash_text(hash, value == NULL ? "" : value);
    }
    char numbers[256], signature[16], name[40];
    snprintf(numbers, sizeof numbers, "%zu %zu %zu %zu %zu %zu %zu %zu %d", topology_cores(t), topology_pus(t),
             topology_packages(t), topology_numa_nodes(t), topology_cache_bytes(t, 1), topology_cache_bytes(t, 2),
             topology_cache_bytes(t, 3), topology_llc_total_bytes(t),
             topology_is_this_machine(t) && hypervisor(signature));
    hash = hash_text(hash, numbers);
    const char *model = topology_info(t, "CPUModel"), *architecture = topology_info(t, "Architecture");
    slug(model != NULL ? model : architecture != NULL ? architecture : "", name, sizeof name);
    snprintf(id, size, "%s-%zuc-%08x", name[0] != '\0' ? name : "machine", topology_cores(t), (unsigned)hash);
}

// ---- Warnings
// -----------------------------------------------------------------------------------------------------------------------------

typedef struct {
    char (*texts)[MACHINE_WARNING_SIZE];
    size_t count, max;
} warning_list;

__attribute__((format(printf, 2, 3))) static void warn(warning_list *list, const char *format, ...) {
    if (list->count == list->max)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(list->texts[list->count++], MACHINE_WARNING_SIZE, format, arguments);
    va_end(arguments);
}

static void warn_of_clock(warning_list *list) {
    char text[64];
    uint64_t value = 0;
    if (read_file(CPU "cpu0/cpufreq/scaling_governor", text, sizeof text) && strcmp(text, "performance") != 0)
        warn(list, "the clock governor is `%s`: sudo cpupower frequency-set -g performance", text);
    if (turbo() == 1)
        warn(list, "turbo is on, so the clock follows load and heat: echo %s",
             access(CPU "intel_pstate/no_turbo", F_OK) == 0 ? "1 | sudo tee " CPU "intel_pstate/no_turbo"
                                                            : "0 | sudo tee " CPU "cpufreq/boost");
    if (read_number(CPU "smt/active", &value) && value == 1)
        warn(list, "SMT is on, so other programs may run on the siblings of timed cores: echo off | sudo tee " CPU
                   "smt/control");
    if (read_file("/sys/devices/system/clocksource/clocksource0/current_clocksource", text, sizeof text) &&
        (strcmp(text, "hpet") == 0 || strcmp(text, "acpi_pm") == 0))
        warn(
            list,
            "the clock source `%s` is slow to read: look in `dmesg | grep -i tsc` for why the kernel distrusts the TSC",
            text);
}

static void warn_of_memory(const topology *t, warning_list *list) {
    char text[64];
    uint64_t value = 0;
    bool limited;
    const size_t available = memory_available_below("", &limited);
    if (limited)
        warn(list,
             "a control group leaves this process %.3g GB of memory; what needs more is skipped: start the "
             "container without --memory",
             (double)available / 1e9);
    if (read_file(THP "enabled", text, sizeof text) && strcmp(text, "never") == 0)
        warn(list, "transparent huge pages are off: echo madvise | sudo tee " THP "enabled");
    if (topology_numa_nodes(t) > 1 && read_number("/proc/sys/kernel/numa_balancing", &value) && value != 0)
        warn(list, "the kernel moves pages between NUMA nodes: sudo sysctl kernel.numa_balancing=0");
}

static void warn_of_others(const topology *t, warning_list *list) {
    double load = 0;
    uint64_t steal = 0, total = 0;
    char signature[16];
    if (getloadavg(&load, 1) == 1 && load > 0.5 * (double)topology_cores(t))
        warn(list, "the load average is %.1f on %zu cores: stop what `top` shows, or wait", load, topology_cores(t));
    const double quota = cpu_quota();
    if (quota > 0 && quota < (double)topology_pus(t))
        warn(list,
             "a cgroup lets this process use %.3g CPUs of %zu, so it is stopped now and then: start the container "
             "without --cpus",
             quota, topology_pus(t));
    if (read_steal(&steal, &total) && steal > 0)
        warn(list, "the hypervisor has taken %.2g %% of the CPU time since boot: use a dedicated host if you can",
             100.0 * (double)steal / (double)total);
    if (hypervisor(signature))
        warn(list, "this is a virtual machine, where timings are noisier: trust ratios of one run, or use bare metal");
}

// Once for all that are missing for one reason.
static void warn_of_counters(warning_list *list) {
    char reason[COUNTERS_REASON_SIZE], first[COUNTERS_REASON_SIZE] = "", missing[128] = "";
    for (counter which = 0; which < COUNTERS; which++) {
        if (counter_works(which, counters_perf, reason, sizeof reason))
            continue;
        const size_t length = strlen(missing);
        snprintf(missing + length, sizeof missing - length, "%s%s", length > 0 ? ", " : "", counter_name(which));
        if (first[0] == '\0')
            snprintf(first, sizeof first, "%s", reason);
    }
    if (missing[0] != '\0')
        warn(list, "no hardware counters of %s: %s", missing, first);
}

size_t machine_warnings(const topology *t, char (*warnings)[MACHINE_WARNING_SIZE], size_t max) {
    warning_list list = {.texts = warnings, .max = max};
    if (!topology_is_this_machine(t))
        return 0;
    warn_of_clock(&list);
    warn_of_memory(t, &list);
    warn_of_others(t, &list);
    warn_of_counters(&list);
    return list.count;
}
