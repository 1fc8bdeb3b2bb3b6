// SPDX-License-Identifier: MIT
// environment.h: variables that would have something else measured than what was asked for. They are taken out of the
// environment, of this process and so of its children, before a library reads them. Owns the one list of them.
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#define ENVIRONMENT_SEATS "--placement says where threads go, taskset where they may"
#define ENVIRONMENT_TEAMS "--threads says how many threads there are"
#define ENVIRONMENT_OTHER "it describes another machine; `plan` and `machine` take one by --topology"

// X(name, what to use instead, whether the OpenMP runtime reads it when it is loaded). Of OpenMP's own, NAME_ALL is
// NAME, too. Ways to wait, as OMP_WAIT_POLICY, are the user's choice and stay.
#define ENVIRONMENT_LIST(X)                                                                                            \
    X(OMP_PROC_BIND, ENVIRONMENT_SEATS, true)                                                                          \
    X(OMP_PLACES, ENVIRONMENT_SEATS, true)                                                                             \
    X(GOMP_CPU_AFFINITY, ENVIRONMENT_SEATS, true)                                                                      \
    X(KMP_AFFINITY, ENVIRONMENT_SEATS, true)                                                                           \
    X(KMP_HW_SUBSET, ENVIRONMENT_SEATS, true)                                                                          \
    X(OMP_NUM_THREADS, ENVIRONMENT_TEAMS, true)                                                                        \
    X(OMP_THREAD_LIMIT, ENVIRONMENT_TEAMS, true)                                                                       \
    X(OMP_DYNAMIC, ENVIRONMENT_TEAMS, true)                                                                            \
    X(OMP_NESTED, ENVIRONMENT_TEAMS, true)                                                                             \
    X(OMP_MAX_ACTIVE_LEVELS, ENVIRONMENT_TEAMS, true)                                                                  \
    X(KMP_ALL_THREADS, ENVIRONMENT_TEAMS, true)                                                                        \
    X(KMP_MAX_THREADS, ENVIRONMENT_TEAMS, true)                                                                        \
    X(KMP_DEVICE_THREAD_LIMIT, ENVIRONMENT_TEAMS, true)                                                                \
    X(KMP_LIBRARY, ENVIRONMENT_TEAMS, true)                                                                            \
    X(HWLOC_XMLFILE, ENVIRONMENT_OTHER, false)                                                                         \
    X(HWLOC_SYNTHETIC, ENVIRONMENT_OTHER, false)                                                                       \
    X(HWLOC_FSROOT, ENVIRONMENT_OTHER, false)                                                                          \
    X(HWLOC_CPUID_PATH, ENVIRONMENT_OTHER, false)                                                                      \
    X(HWLOC_DUMPED_HWDATA_DIR, ENVIRONMENT_OTHER, false)                                                               \
    X(HWLOC_COMPONENTS, ENVIRONMENT_OTHER, false)                                                                      \
    X(HWLOC_THISSYSTEM, ENVIRONMENT_OTHER, false)                                                                      \
    X(HWLOC_ALLOW, ENVIRONMENT_SEATS, false)

// To be called first in main. Says on stderr what is ignored. false, after a message: the C library gave no chance to
// act before OpenMP's runtime, and that has read one of them.
bool environment_begin(void);

// The i-th that was taken out, as "NAME=VALUE"; NULL after the last.
const char *environment_ignored(size_t i);

#endif
