// SPDX-License-Identifier: MIT
// topology_source.h: where a topology is read from.
#ifndef TOPOLOGY_SOURCE_H
#define TOPOLOGY_SOURCE_H

#include <stdbool.h>

#include <hwloc.h>

#include "topology.h"

// Loads what topology_open's source names; false with a message for people.
bool topology_source_load(hwloc_topology_t hwloc, const char *source, char error[TOPOLOGY_ERROR_SIZE]);

#endif
