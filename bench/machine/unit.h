// SPDX-License-Identifier: MIT
// unit.h: the PUs that may be used, in one flat table, and the orders of it that placements are. Knows nothing of
// hwloc.
#ifndef UNIT_H
#define UNIT_H

#include "topology.h"

// What PUs sit in, from the outside in where one does not contain the other.
typedef enum { DOMAIN_PACKAGE, DOMAIN_NUMA, DOMAIN_L3, DOMAINS } domain;

typedef struct {
    topology_seat seat;
    int order;   // index in the table, which is in hwloc's logical order
    int sibling; // 0 for the first usable PU of its core, 1 for the second, …
    int speed;   // rank of its kind of core, higher is faster; equal where hwloc cannot tell
    size_t llc;  // bytes of its last-level cache; counted once, at the first PU that sees that cache
    bool llc_first;
    domain nesting[DOMAINS]; // its domains, the outermost first: a NUMA node may contain packages
    int path[DOMAINS];       // which of them, in that order: the same number for the same domain
    int rank[DOMAINS];       // its place among those in the same larger domain that have cores of its speed
    int rank_core;           // its core's place in the innermost domain
} unit;

// Fills path, rank and rank_core from the rest.
void units_rank(unit *units, size_t count);
// Puts units into the order in which a placement seats threads.
void units_sort(unit *units, size_t count, placement p);
// The one that sits first, by `cores`.
const unit *units_first(const unit *units, size_t count);
// How many different domains of a kind there are; what has none is in none of them.
size_t units_domains(const unit *units, size_t count, domain which);

#endif
