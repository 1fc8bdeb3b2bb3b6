// SPDX-License-Identifier: MIT
// topology.h: where threads go. Placements are pure functions of an hwloc topology, so they can be asked for any
// machine; binding is for this machine only. Owns the one list of placements.
#ifndef TOPOLOGY_H
#define TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>

// X(ID, name, one line of help)
#define PLACEMENT_LIST(X)                                                                                              \
    X(COMPACT, compact, "PUs in order: the siblings of a core first, then the next core")                              \
    X(CORES, cores, "one PU per core, fastest kind of core first, nearest cores first; siblings after all cores")      \
    X(SCATTER, scatter, "one PU per core, fastest kind of core first, spread over packages, NUMA nodes, L3 caches")    \
    X(NONE, none, "not bound")

#define PLACEMENT_ROW(ID, ...) PLACEMENT_##ID,
typedef enum { PLACEMENT_LIST(PLACEMENT_ROW) PLACEMENTS } placement;
#undef PLACEMENT_ROW
const char *placement_name(placement p);
const char *placement_help(placement p);

typedef struct topology topology;

enum { TOPOLOGY_ERROR_SIZE = 256 };

// source: NULL for this machine (only what the process may use: cgroup cpuset and affinity mask), the path of an hwloc
// XML file, or an hwloc synthetic string ("package:2 core:4 pu:2"). NULL on failure, with a message for people that
// says how to put it right.
topology *topology_open(const char *source, char error[TOPOLOGY_ERROR_SIZE]);
void topology_close(topology *t);
bool topology_is_this_machine(const topology *t);

size_t topology_pus(const topology *t);   // PUs that may be used
size_t topology_cores(const topology *t); // cores with at least one such PU
size_t topology_packages(const topology *t);
// NUMA nodes that have PUs which may be used; those that have no PU of their own (HBM, CXL, a node whose PUs are off),
// and PUs that are in no node.
size_t topology_numa_nodes(const topology *t);
size_t topology_nodes_without_pus(const topology *t);
size_t topology_pus_without_node(const topology *t);
// Bytes of the data or unified cache of a level (1..3) as seen by the PU that one thread placed by `cores` gets; 0 if
// there is none.
size_t topology_cache_bytes(const topology *t, int level);
// Bytes of the largest last-level cache that one PU sees, and of all last-level caches together.
size_t topology_llc_bytes(const topology *t);
size_t topology_llc_total_bytes(const topology *t);
// Whether a result of this many bytes is best written past the caches: it exceeds the last-level caches of `threads`
// threads, so that most of it would be gone before it is read, and a regular store first reads what it overwrites.
bool topology_streams(const topology *t, double bytes, size_t threads);
size_t topology_memory_bytes(const topology *t); // of all NUMA nodes; 0 if unknown

// Where one thread goes: the PU's operating-system index, and logical indexes of what it sits in (-1: none such).
typedef struct {
    int pu, core, l3, numa, package;
} topology_seat;

// The seats of `threads` threads, thread i in seats[i]. false if there are fewer usable PUs than threads. For
// PLACEMENT_NONE every seat is all -1.
bool topology_seats(const topology *t, placement p, size_t threads, topology_seat *seats);

// Binds the calling thread to a seat's PU alone (or to every usable PU, for a seat of -1), reads the binding back and
// returns the PU that it found: the only PU of the binding, -1 if it holds several. -2 on failure.
int topology_bind_self(const topology *t, topology_seat seat);
// Binds thread i of an OpenMP team of `threads` to seats[i]; bound[i] is what was read back inside the team. false if
// any failed or differs from its seat.
bool topology_bind_team(const topology *t, size_t threads, const topology_seat *seats, int *bound);
// How many threads of such a team are bound to another PU than that of their seat by now, whoever moved them.
size_t topology_moved(const topology *t, size_t threads, const topology_seat *seats);

// Turns a comma list of numbers, `cores` and `all` into thread counts, in the order given, without duplicates. list is
// cut up. Returns how many; 0 with a message that names what is allowed and the most that this topology can seat.
size_t topology_threads(const topology *t, char *list, size_t *threads, size_t max, char error[TOPOLOGY_ERROR_SIZE]);
// Turns a comma list of placement names, or `all`, into placements, likewise.
size_t topology_placements(char *list, placement placements[PLACEMENTS], char error[TOPOLOGY_ERROR_SIZE]);

// The value of an hwloc info ("CPUModel"), of the first package or else of the machine; NULL if there is none.
const char *topology_info(const topology *t, const char *name);

// Exports hwloc's XML, for this machine without host name, cgroup and serial numbers. false on failure, errno set.
bool topology_export(const topology *t, const char *path);
// hwloc's synthetic description of the machine; false if the machine cannot be so described.
bool topology_synthetic(const topology *t, char *text, size_t size);

#endif
