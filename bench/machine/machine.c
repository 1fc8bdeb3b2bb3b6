// SPDX-License-Identifier: MIT
// machine.c: all facts of a machine as JSON, from hwloc, /proc, /sys, the environment and the build; see machine.h.
#include "machine.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <hwloc.h>
#include <libgen.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#if __has_include(<link.h>)
#include <link.h>
#endif

#include "base/parse.h"
#include "counters.h"
#include "environment.h"
#include "facts.h"
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

enum { TEXT_SIZE = 8192, PATH_SIZE = 1024 };

extern char **environ;

// ---- Facts as JSON

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
    return facts_read(path, text, sizeof text) ? fact_of_text(text) : unreadable(path);
}

static json_t *fact_of_line(const char *path, const char *key) {
    char text[TEXT_SIZE], reason[PATH_SIZE];
    if (facts_read_line(path, key, text, sizeof text))
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

// ---- Sections

static json_t *describe_counters(void) {
    json_t *const all = json_object();
    char reason[COUNTERS_REASON_SIZE];
    for (counter which = 0; which < COUNTERS; which++)
        json_object_set_new(all, counter_name(which),
                            counter_works(which, counters_perf, reason, sizeof reason) ? json_pack("{s:b}", "counts", 1)
                                                                                       : unknown(reason));
    return all;
}

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
    {"clock", "governor", FACTS_CPU "cpu0/cpufreq/scaling_governor"},
    {"clock", "driver", FACTS_CPU "cpu0/cpufreq/scaling_driver"},
    {"clock", "energy_performance_preference", FACTS_CPU "cpu0/cpufreq/energy_performance_preference"},
    {"clock", "min_khz", FACTS_CPU "cpu0/cpufreq/cpuinfo_min_freq"},
    {"clock", "base_khz", FACTS_CPU "cpu0/cpufreq/base_frequency"},
    {"clock", "max_khz", FACTS_CPU "cpu0/cpufreq/cpuinfo_max_freq"},
    {"clock", "scaling_max_khz", FACTS_CPU "cpu0/cpufreq/scaling_max_freq"},
    {"clock", "throttle_count", FACTS_CPU "cpu0/thermal_throttle/core_throttle_count"},
    {"clock", "platform_profile", "/sys/firmware/acpi/platform_profile"},
    {"clock", "idle_driver", FACTS_CPU "cpuidle/current_driver"},
    {"system", "smt_active", FACTS_CPU "smt/active"},
    {"system", "cpus_online", FACTS_CPU "online"},
    {"system", "cpus_isolated", FACTS_CPU "isolated"},
    {"system", "address_randomization", "/proc/sys/kernel/randomize_va_space"},
    {"system", "clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource"},
    {"system", "nmi_watchdog", "/proc/sys/kernel/nmi_watchdog"},
    {"memory", "transparent_huge_pages", FACTS_HUGE_PAGES "enabled"},
    {"memory", "transparent_huge_pages_defrag", FACTS_HUGE_PAGES "defrag"},
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
    if (!facts_read(path, text, sizeof text))
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
    const char *folder = FACTS_CPU "vulnerabilities";
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
            if (facts_read_number(found.gl_pathv[j], &thousandths) && (double)thousandths / 1000 > hottest)
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
    const double quota = facts_cpu_quota();
    json_t *section = json_object();
    if (getloadavg(load, 3) == 3)
        json_object_set_new(section, "average", json_pack("[f, f, f]", load[0], load[1], load[2]));
    else
        json_object_set_new(section, "average", unknown("getloadavg failed"));
    if (facts_steal(&steal, &total)) {
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
    const char *const libc = facts_libc_version();
    char hwloc_version[32];
    snprintf(hwloc_version, sizeof hwloc_version, "%u.%u.%u", hwloc >> 16, hwloc >> 8 & 255, hwloc & 255);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:i, s:o}", "git", NORMBENCH_GIT, "compiler",
                     NORMBENCH_CC, "compiler_version", __VERSION__, "flags", NORMBENCH_FLAGS, "libc_name", facts_libc(),
                     "libc", libc != NULL ? json_string(libc) : unknown("this C library tells no program its version"),
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
    const int on = facts_turbo();
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
    const bool guest = facts_hypervisor(signature);
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
