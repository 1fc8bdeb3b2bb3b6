// SPDX-License-Identifier: MIT
// fingerprint.h: whether two runs were taken by the same machine and build, so that their times can be held against
// each other; and if not, what differs. Owns the list of what counts.
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

// X(hard, name, path in meta.json, how it is read). A hard difference makes times incomparable; a soft one is a
// warning. WHOLE: the value as it is. WORDS: a list in any order, of which only what differs is shown. SERIES: of a
// kernel's name, the first two numbers of its version. STRUCTURE: a topology without the size of its memory, which
// changes with every boot of a virtual machine. LOADED: whether others took more than half of the cores.
// TUNED: tuned or default, which those before there was a choice all are.
#define FINGERPRINT_LIST(X)                                                                                            \
    X(true, "CPU", "machine.cpu.CPUModel", WHOLE)                                                                      \
    X(true, "CPU vendor", "machine.cpu.CPUVendor", WHOLE)                                                              \
    X(true, "CPU family", "machine.cpu.CPUFamilyNumber", WHOLE)                                                        \
    X(true, "CPU model number", "machine.cpu.CPUModelNumber", WHOLE)                                                   \
    X(true, "CPU stepping", "machine.cpu.CPUStepping", WHOLE)                                                          \
    X(true, "architecture", "machine.cpu.architecture", WHOLE)                                                         \
    X(true, "microcode", "machine.cpu.microcode", WHOLE)                                                               \
    X(true, "CPU flags", "machine.cpu.flags", WORDS)                                                                   \
    X(true, "processing units", "machine.topology.pus", WHOLE)                                                         \
    X(true, "cores", "machine.topology.cores", WHOLE)                                                                  \
    X(true, "packages", "machine.topology.packages", WHOLE)                                                            \
    X(true, "memory nodes", "machine.topology.numa_nodes", WHOLE)                                                      \
    X(true, "L1d bytes", "machine.topology.l1d_bytes", WHOLE)                                                          \
    X(true, "L2 bytes", "machine.topology.l2_bytes", WHOLE)                                                            \
    X(true, "L3 bytes", "machine.topology.l3_bytes", WHOLE)                                                            \
    X(true, "topology", "machine.topology.synthetic", STRUCTURE)                                                       \
    X(true, "hypervisor", "machine.virtualization.hypervisor_signature", WHOLE)                                        \
    X(true, "kernel series", "machine.system.kernel", SERIES)                                                          \
    X(true, "SMT", "machine.system.smt_active", WHOLE)                                                                 \
    X(true, "CPUs online", "machine.system.cpus_online", WHOLE)                                                        \
    X(true, "clock source", "machine.system.clocksource", WHOLE)                                                       \
    X(true, "governor", "machine.clock.governor", WHOLE)                                                               \
    X(true, "frequency driver", "machine.clock.driver", WHOLE)                                                         \
    X(true, "turbo", "machine.clock.turbo", WHOLE)                                                                     \
    X(true, "energy preference", "machine.clock.energy_performance_preference", WHOLE)                                 \
    X(true, "highest clock", "machine.clock.scaling_max_khz", WHOLE)                                                   \
    X(true, "transparent huge pages", "machine.memory.transparent_huge_pages", WHOLE)                                  \
    X(true, "page bytes", "machine.memory.page_bytes", WHOLE)                                                          \
    X(true, "CPU quota", "machine.load.cgroup_cpu_quota", WHOLE)                                                       \
    X(true, "environment", "machine.environment", WHOLE)                                                               \
    X(true, "compiler", "machine.build.compiler", WHOLE)                                                               \
    X(true, "compiler version", "machine.build.compiler_version", WHOLE)                                               \
    X(true, "compiler flags", "machine.build.flags", WHOLE)                                                            \
    X(true, "OpenMP", "machine.build.openmp", WHOLE)                                                                   \
    X(true, "schedules", "experiment.schedules", TUNED)                                                                \
    X(true, "timer", "clock.source", WHOLE)                                                                            \
    X(true, "shortest sample", "experiment.min_sample_ns", WHOLE)                                                      \
    X(false, "kernel", "machine.system.kernel", WHOLE)                                                                 \
    X(false, "kernel command line", "machine.system.kernel_cmdline", WORDS)                                            \
    X(false, "mitigations", "machine.system.mitigations", WHOLE)                                                       \
    X(false, "memory bytes", "machine.topology.memory_bytes", WHOLE)                                                   \
    X(false, "C library", "machine.build.libc", WHOLE)                                                                 \
    X(false, "libraries", "machine.build.libraries", WORDS)                                                            \
    X(false, "host", "machine.virtualization.dmi_product", WHOLE)                                                      \
    X(false, "load of others", "machine.load.average", LOADED)

enum { FINGERPRINT_TEXT = 400 };
typedef struct {
    bool hard;
    const char *name;
    char a[FINGERPRINT_TEXT], b[FINGERPRINT_TEXT]; // what each run says, or all that it says alone
} fingerprint_difference;

// Every fact of the list that differs, at most `most`; how many. What one of them did not record, for it is of another
// version of the program, is a soft difference: nobody can tell.
enum { FINGERPRINT_MOST = 64 };
size_t fingerprint_compare(const json_t *a, const json_t *b, fingerprint_difference differences[FINGERPRINT_MOST]);
// Whether there is no hard difference. Nobody knows what a run without meta.json (NULL) was taken on.
bool fingerprint_equal(const json_t *a, const json_t *b);
// "CPU stepping: 1, now 2", a line each.
void fingerprint_print(FILE *out, const fingerprint_difference *d);

#endif
