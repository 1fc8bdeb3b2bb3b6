// SPDX-License-Identifier: MIT
// binding.c: binds threads to the seats of a placement, and reads back where they are; see topology.h.
#include <limits.h>
#include <omp.h>

#include "topology_struct.h"

int topology_bind_self(const topology *t, topology_seat seat) {
    // For any other machine hwloc's binding does nothing and reports success.
    if (!topology_is_this_machine(t))
        return -2;
    int pu = -2;
    hwloc_cpuset_t set = hwloc_bitmap_dup(t->usable);
    if (set == NULL)
        return -2;
    if (seat.pu >= 0)
        hwloc_bitmap_only(set, (unsigned)seat.pu);
    if (hwloc_set_cpubind(t->hwloc, set, HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT) != 0)
        goto done;
    hwloc_bitmap_zero(set);
    if (hwloc_get_cpubind(t->hwloc, set, HWLOC_CPUBIND_THREAD) != 0)
        goto done;
    pu = hwloc_bitmap_weight(set) == 1 ? hwloc_bitmap_first(set) : -1;
done:
    hwloc_bitmap_free(set);
    return pu;
}

bool topology_bind_team(const topology *t, size_t threads, const topology_seat *seats, int *bound) {
    if (threads == 0 || threads > INT_MAX)
        return false;
    for (size_t i = 0; i < threads; i++)
        bound[i] = -2;
    // Threads of a larger team before this one would go on spinning, on PUs that this one leaves to the system.
    (void)omp_pause_resource_all(omp_pause_hard);
    // Left to itself the runtime may choose a smaller team.
    omp_set_dynamic(0);
#pragma omp parallel num_threads((int)threads)
    {
        const int i = omp_get_thread_num();
        if (omp_get_num_threads() == (int)threads)
            bound[i] = topology_bind_self(t, seats[i]);
    }
    for (size_t i = 0; i < threads; i++)
        if (bound[i] == -2 || (seats[i].pu >= 0 && bound[i] != seats[i].pu))
            return false;
    return true;
}

// Whether the calling thread is bound to a PU alone. What cannot be read is not held against it.
static bool is_bound_to(const topology *t, int pu) {
    hwloc_cpuset_t set = hwloc_bitmap_alloc();
    const bool known = set != NULL && hwloc_get_cpubind(t->hwloc, set, HWLOC_CPUBIND_THREAD) == 0;
    const bool alone = !known || (hwloc_bitmap_weight(set) == 1 && hwloc_bitmap_first(set) == pu);
    hwloc_bitmap_free(set);
    return alone;
}

size_t topology_moved(const topology *t, size_t threads, const topology_seat *seats) {
    size_t moved = 0;
    if (!topology_is_this_machine(t) || threads == 0 || threads > INT_MAX)
        return 0;
#pragma omp parallel num_threads((int)threads) reduction(+ : moved)
    {
        const topology_seat seat = seats[omp_get_thread_num()];
        moved += seat.pu >= 0 && !is_bound_to(t, seat.pu);
    }
    return moved;
}
