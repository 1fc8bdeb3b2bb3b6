// SPDX-License-Identifier: MIT
// warnings.c: what makes timings on this machine noisier or slower than need be; see machine.h.
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/interval.h"
#include "counters.h"
#include "facts.h"
#include "machine.h"
#include "memory.h"

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
    if (facts_read(FACTS_CPU "cpu0/cpufreq/scaling_governor", text, sizeof text) && strcmp(text, "performance") != 0)
        warn(list, "the clock governor is `%s`: sudo cpupower frequency-set -g performance", text);
    if (facts_turbo() == 1)
        warn(list, "turbo is on, so the clock follows load and heat: echo %s",
             access(FACTS_CPU "intel_pstate/no_turbo", F_OK) == 0 ? "1 | sudo tee " FACTS_CPU "intel_pstate/no_turbo"
                                                                  : "0 | sudo tee " FACTS_CPU "cpufreq/boost");
    if (facts_read_number(FACTS_CPU "smt/active", &value) && value == 1)
        warn(list, "SMT is on, so other programs may run on the siblings of timed cores: echo off | sudo tee " FACTS_CPU
                   "smt/control");
    if (facts_read("/sys/devices/system/clocksource/clocksource0/current_clocksource", text, sizeof text) &&
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
    if (facts_read(FACTS_HUGE_PAGES "enabled", text, sizeof text) && strcmp(text, "never") == 0)
        warn(list, "transparent huge pages are off: echo madvise | sudo tee " FACTS_HUGE_PAGES "enabled");
    if (topology_numa_nodes(t) > 1 && facts_read_number("/proc/sys/kernel/numa_balancing", &value) && value != 0)
        warn(list, "the kernel moves pages between NUMA nodes: sudo sysctl kernel.numa_balancing=0");
}

static void warn_of_others(const topology *t, warning_list *list) {
    double load = 0, taken = 0;
    uint64_t steal = 0, total = 0;
    char signature[16];
    if (getloadavg(&load, 1) == 1 && load > 0.5 * (double)topology_cores(t))
        warn(list, "the load average is %.1f on %zu cores: stop what `top` shows, or wait", load, topology_cores(t));
    const double quota = facts_cpu_quota();
    if (quota > 0 && quota < (double)topology_pus(t))
        warn(list,
             "a cgroup lets this process use %.3g CPUs of %zu, so it is stopped now and then: start the container "
             "without --cpus",
             quota, topology_pus(t));
    if (facts_steal(&steal, &total) && total > 0)
        taken = 100.0 * (double)steal / (double)total;
    if (taken > 0)
        warn(list, "the hypervisor has taken %.*f %% of the CPU time since boot: use a dedicated host if you can",
             interval_value_decimals(taken, 2), taken);
    if (facts_hypervisor(signature))
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
