// SPDX-License-Identifier: MIT
// machine.h: what a machine is and what about it could change a number. Facts are read, never guessed: what cannot be
// read is told with the reason.
#ifndef MACHINE_H
#define MACHINE_H

#include <stddef.h>

#include <jansson.h>

#include "topology.h"

enum { MACHINE_ID_SIZE = 80, MACHINE_WARNING_SIZE = 256, MACHINE_WARNINGS = 16 };

// Everything that could change a number, as an object of sections. A fact that could not be read is {"value": null,
// "reason": "..."}. For another machine's topology only what the topology tells. The caller owns the reference; NULL if
// memory ran out.
json_t *machine_describe(const topology *t);

// The commit that this program was built from, with "-dirty" if the tree held changes; "unknown" outside a checkout.
const char *machine_git(void);

// A folder name such as amd-epyc-9654-96c-1f3a9c02: the CPU, the usable cores, and a hash over the CPU's identity,
// cores, PUs, caches, NUMA nodes and whether there is a hypervisor. The same after a reboot.
void machine_id(const topology *t, char *id, size_t size);

// What makes timings on this machine noisier or slower than need be, each with the command that mends it, and only
// where the fact was really read. Returns how many; none for another machine's topology.
size_t machine_warnings(const topology *t, char (*warnings)[MACHINE_WARNING_SIZE], size_t max);

#endif
