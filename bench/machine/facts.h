// SPDX-License-Identifier: MIT
// facts.h: single facts of this machine, as /proc, /sys, cgroups and CPUID tell them. What describes the machine, names
// it or warns about it asks here.
#ifndef FACTS_H
#define FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACTS_CPU "/sys/devices/system/cpu/"
#define FACTS_HUGE_PAGES "/sys/kernel/mm/transparent_hugepage/"

// The text of a small file without its last line feed. Of a list of choices with one in brackets, the one. false with
// errno set.
bool facts_read(const char *path, char *text, size_t size);
// The value of the first line "key : value" in a file such as /proc/cpuinfo; false with errno set, ENODATA if the file
// has no such line.
bool facts_read_line(const char *path, const char *key, char *text, size_t size);
bool facts_read_number(const char *path, uint64_t *value);

// Whether there is a hypervisor; its signature, or "".
bool facts_hypervisor(char signature[16]);
// The C library: "glibc", "musl", or another system's name for its own. What its functions take depends on its version,
// which musl tells no program: then NULL. Together as "glibc 2.36".
const char *facts_libc(void);
const char *facts_libc_version(void);
enum { FACTS_LIBC_TEXT = 48 };
const char *facts_libc_text(char text[FACTS_LIBC_TEXT]);
// 1 on, 0 off, -1 unknown.
int facts_turbo(void);
// Ticks since boot of all CPUs together, and of those the ticks that the hypervisor gave to others.
bool facts_steal(uint64_t *steal, uint64_t *total);
// CPUs that the cgroups of this process may use per time, the least on the way from its own to the root; 0 if there is
// no limit, -1 if that could not be read.
double facts_cpu_quota(void);

#endif
