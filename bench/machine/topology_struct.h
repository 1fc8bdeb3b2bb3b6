// SPDX-License-Identifier: MIT
// topology_struct.h: what a topology holds, for topology.c and binding.c alone.
#ifndef TOPOLOGY_STRUCT_H
#define TOPOLOGY_STRUCT_H

#include <hwloc.h>
#include <stdbool.h>

#include "topology.h"
#include "unit.h"

struct topology {
    hwloc_topology_t hwloc;
    hwloc_cpuset_t usable;
    unit *units;
    size_t count;
};

// Loads what topology_open's source names; false with a message for people.
bool topology_source_load(hwloc_topology_t hwloc, const char *source, char error[TOPOLOGY_ERROR_SIZE]);

#endif
