// SPDX-License-Identifier: MIT
// hwloc_api.h: hwloc, and the few questions whose form differs between its versions 2 and 3.
#ifndef HWLOC_API_H
#define HWLOC_API_H

#include <hwloc.h>

// The infos of an object, or of the machine as a whole (object NULL), which version 2 keeps at its root object: how
// many, and the first.
static inline unsigned hwloc_api_infos(hwloc_topology_t hwloc, hwloc_obj_t object, struct hwloc_info_s **infos) {
#if HWLOC_API_VERSION >= 0x00030000
    const struct hwloc_infos_s *const all = object == NULL ? hwloc_topology_get_infos(hwloc) : &object->infos;
    *infos = all->array;
    return all->count;
#else
    (void)hwloc;
    *infos = object == NULL ? NULL : object->infos;
    return object == NULL ? 0 : object->infos_count;
#endif
}

// The rank of a PU's kind of core, higher is faster; -1 if hwloc cannot tell.
static inline int hwloc_api_efficiency(hwloc_topology_t hwloc, hwloc_obj_t pu) {
    const int kind = hwloc_cpukinds_get_by_cpuset(hwloc, pu->cpuset, 0);
    int efficiency = -1;
    if (kind < 0)
        return -1;
#if HWLOC_API_VERSION >= 0x00030000
    const int error = hwloc_cpukinds_get_info(hwloc, (unsigned)kind, NULL, &efficiency, NULL, 0);
#else
    const int error = hwloc_cpukinds_get_info(hwloc, (unsigned)kind, NULL, &efficiency, NULL, NULL, 0);
#endif
    return error == 0 ? efficiency : -1;
}

#endif
