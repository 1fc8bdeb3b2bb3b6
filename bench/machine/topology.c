// SPDX-License-Identifier: MIT
// topology.c: placements over hwloc. A topology is read once into a flat table of usable PUs, each with what it sits
// in; every placement is an order of that table, so seats depend on nothing but the topology.
#include "topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hwloc_api.h"
#include "topology_struct.h"

bool topology_seats(const topology *t, placement p, size_t threads, topology_seat *seats) {
    if (threads > t->count)
        return false;
    if (p == PLACEMENT_NONE) {
        for (size_t i = 0; i < threads; i++)
            seats[i] = (topology_seat){-1, -1, -1, -1, -1};
        return true;
    }
    unit *order = malloc(t->count * sizeof *order);
    if (order == NULL)
        return false;
    memcpy(order, t->units, t->count * sizeof *order);
    units_sort(order, t->count, p);
    for (size_t i = 0; i < threads; i++)
        seats[i] = order[i].seat;
    free(order);
    return true;
}

// ---- Opening

// What the process may use: the cgroup's cpuset, which hwloc knows, within the affinity mask of the calling thread.
static void restrict_to_allowed(hwloc_topology_t hwloc, hwloc_cpuset_t usable) {
    hwloc_cpuset_t mask = hwloc_bitmap_alloc();
    if (mask == NULL || hwloc_get_cpubind(hwloc, mask, HWLOC_CPUBIND_THREAD) != 0) {
        hwloc_bitmap_free(mask);
        return;
    }
    hwloc_bitmap_and(usable, usable, mask);
    hwloc_bitmap_free(mask);
}

// Topologies are published beside results: what names a person's machine and changes no number is blanked.
static void forget_identity(hwloc_topology_t hwloc) {
    static const char *const names[] = {"HostName", "LinuxCgroup", "Serial", "UUID", "AssetTag"};
    const hwloc_obj_t places[] = {hwloc_get_root_obj(hwloc), NULL};
    for (size_t place = 0; place < sizeof places / sizeof *places; place++) {
        struct hwloc_info_s *infos;
        const unsigned count = hwloc_api_infos(hwloc, places[place], &infos);
        for (unsigned i = 0; i < count; i++)
            for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
                if (strstr(infos[i].name, names[j]) != NULL)
                    infos[i].value[0] = '\0';
    }
}

static int index_of(hwloc_obj_t object) { return object == NULL ? -1 : (int)object->logical_index; }

// Memory that is of another kind than that which programs get by default: HBM in flat mode, CXL, persistent memory, a
// GPU's.
static bool is_special(hwloc_obj_t node) {
    return (node->subtype != NULL && strcmp(node->subtype, "DRAM") != 0) ||
           hwloc_obj_get_info_by_name(node, "DAXDevice") != NULL;
}

// The NUMA node of a PU: of plain memory rather than special, the smallest around it, the first of several.
static hwloc_obj_t node_of_pu(hwloc_topology_t hwloc, hwloc_obj_t pu) {
    hwloc_obj_t best = NULL, node = NULL;
    while ((node = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_NUMANODE, node)) != NULL) {
        if (!hwloc_bitmap_isset(node->cpuset, pu->os_index))
            continue;
        const bool plainer = best != NULL && is_special(best) && !is_special(node);
        const bool alike = best != NULL && is_special(best) == is_special(node);
        if (best == NULL || plainer || (alike && hwloc_bitmap_weight(node->cpuset) < hwloc_bitmap_weight(best->cpuset)))
            best = node;
    }
    return best;
}

static hwloc_obj_t domain_of_pu(hwloc_topology_t hwloc, hwloc_obj_t pu, domain which) {
    if (which == DOMAIN_NUMA)
        return node_of_pu(hwloc, pu);
    return hwloc_get_ancestor_obj_by_type(hwloc, which == DOMAIN_L3 ? HWLOC_OBJ_L3CACHE : HWLOC_OBJ_PACKAGE, pu);
}

static hwloc_obj_t last_cache_of_pu(hwloc_obj_t pu) {
    hwloc_obj_t last = NULL;
    for (hwloc_obj_t object = pu->parent; object != NULL; object = object->parent)
        if (hwloc_obj_type_is_dcache(object->type))
            last = object;
    return last;
}

// Orders a unit's domains by which contains which. outside: of each kind, the PUs that are in none of it; to those
// who are, that is a domain like any other.
static void nest_domains(hwloc_topology_t hwloc, hwloc_obj_t pu, const hwloc_cpuset_t outside[DOMAINS], unit *u) {
    hwloc_const_cpuset_t sets[DOMAINS];
    for (domain which = 0; which < DOMAINS; which++) {
        const hwloc_obj_t object = domain_of_pu(hwloc, pu, which);
        sets[which] = object == NULL ? outside[which] : object->cpuset;
        size_t at = which;
        for (; at > 0; at--) {
            hwloc_const_cpuset_t outer = sets[u->nesting[at - 1]];
            if (hwloc_bitmap_isequal(outer, sets[which]) || !hwloc_bitmap_isincluded(outer, sets[which]))
                break;
            u->nesting[at] = u->nesting[at - 1];
        }
        u->nesting[at] = which;
    }
}

// A core outside every L3 is the slower of two of one kind, and hwloc may not tell them apart (Arrow Lake's LP-E).
// Where all are of one kind, it is slower at nothing but memory.
static void tell_low_power_cores(unit *units, size_t count) {
    bool hybrid = false;
    for (size_t i = 1; i < count; i++)
        hybrid |= units[i].speed != units[0].speed;
    for (size_t i = 0; hybrid && i < count; i++)
        units[i].speed = 2 * units[i].speed + (units[i].seat.l3 >= 0);
}

static unit make_unit(hwloc_topology_t hwloc, hwloc_obj_t pu, const hwloc_cpuset_t outside[DOMAINS]) {
    const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_CORE, pu), llc = last_cache_of_pu(pu);
    unit u = {.seat = {.pu = (int)pu->os_index,
                       .core = index_of(core),
                       .l3 = index_of(domain_of_pu(hwloc, pu, DOMAIN_L3)),
                       .numa = index_of(domain_of_pu(hwloc, pu, DOMAIN_NUMA)),
                       .package = index_of(domain_of_pu(hwloc, pu, DOMAIN_PACKAGE))},
              .speed = hwloc_api_efficiency(hwloc, pu),
              .llc = llc == NULL ? 0 : (size_t)llc->attr->cache.size};
    nest_domains(hwloc, pu, outside, &u);
    return u;
}

// Fills the table of usable PUs.
static void list_units(topology *t, const hwloc_cpuset_t outside[DOMAINS]) {
    hwloc_obj_t pu = NULL, last_core = NULL, last_llc = NULL;
    while ((pu = hwloc_get_next_obj_by_type(t->hwloc, HWLOC_OBJ_PU, pu)) != NULL) {
        if (!hwloc_bitmap_isset(t->usable, pu->os_index))
            continue;
        const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(t->hwloc, HWLOC_OBJ_CORE, pu);
        const hwloc_obj_t llc = last_cache_of_pu(pu);
        unit *const u = &t->units[t->count];
        *u = make_unit(t->hwloc, pu, outside);
        u->order = (int)t->count;
        // A PU without a core is a core of its own.
        u->sibling = core != NULL && core == last_core ? t->units[t->count - 1].sibling + 1 : 0;
        u->llc_first = llc != last_llc;
        last_core = core;
        last_llc = llc;
        t->count++;
    }
    tell_low_power_cores(t->units, t->count);
    units_rank(t->units, t->count);
}

// Makes the table. false if memory ran out.
static bool make_units(topology *t) {
    const int pus = hwloc_get_nbobjs_by_type(t->hwloc, HWLOC_OBJ_PU);
    hwloc_cpuset_t outside[DOMAINS];
    bool ok = true;
    for (domain which = 0; which < DOMAINS; which++)
        ok = (outside[which] = hwloc_bitmap_alloc()) != NULL && ok;
    t->units = calloc(pus > 0 ? (size_t)pus : 1, sizeof *t->units);
    ok = ok && t->units != NULL;
    hwloc_obj_t pu = NULL;
    while (ok && (pu = hwloc_get_next_obj_by_type(t->hwloc, HWLOC_OBJ_PU, pu)) != NULL)
        for (domain which = 0; which < DOMAINS; which++)
            if (domain_of_pu(t->hwloc, pu, which) == NULL)
                hwloc_bitmap_set(outside[which], pu->os_index);
    if (ok)
        list_units(t, outside);
    for (domain which = 0; which < DOMAINS; which++)
        hwloc_bitmap_free(outside[which]);
    return ok;
}

topology *topology_open(const char *source, char error[TOPOLOGY_ERROR_SIZE]) {
    snprintf(error, TOPOLOGY_ERROR_SIZE, "out of memory while reading the topology; close other programs");
    topology *t = calloc(1, sizeof *t);
    if (t == NULL || hwloc_topology_init(&t->hwloc) != 0) {
        free(t);
        return NULL;
    }
    if (!topology_source_load(t->hwloc, source, error))
        goto fail;
    t->usable = hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(t->hwloc));
    if (t->usable == NULL)
        goto fail;
    if (topology_is_this_machine(t)) {
        restrict_to_allowed(t->hwloc, t->usable);
        forget_identity(t->hwloc);
    }
    if (!make_units(t))
        goto fail;
    if (t->count == 0) {
        snprintf(error, TOPOLOGY_ERROR_SIZE,
                 "no PU of the topology may be used; look at the process's affinity with `taskset -p $$`");
        goto fail;
    }
    error[0] = '\0';
    return t;
fail:
    topology_close(t);
    return NULL;
}

void topology_close(topology *t) {
    if (t == NULL)
        return;
    free(t->units);
    hwloc_bitmap_free(t->usable);
    hwloc_topology_destroy(t->hwloc);
    free(t);
}

// ---- Questions

bool topology_is_this_machine(const topology *t) { return hwloc_topology_is_thissystem(t->hwloc) == 1; }

size_t topology_pus(const topology *t) { return t->count; }

size_t topology_cores(const topology *t) {
    size_t cores = 0;
    for (size_t i = 0; i < t->count; i++)
        cores += t->units[i].sibling == 0;
    return cores;
}

// PUs of no package share one that hwloc does not know.
size_t topology_packages(const topology *t) {
    bool outside = false;
    for (size_t i = 0; i < t->count; i++)
        outside |= t->units[i].seat.package < 0;
    return units_domains(t->units, t->count, DOMAIN_PACKAGE) + outside;
}

size_t topology_numa_nodes(const topology *t) { return units_domains(t->units, t->count, DOMAIN_NUMA); }

size_t topology_pus_without_node(const topology *t) {
    size_t pus = 0;
    for (size_t i = 0; i < t->count; i++)
        pus += t->units[i].seat.numa < 0;
    return pus;
}

size_t topology_nodes_without_pus(const topology *t) {
    const int nodes = hwloc_get_nbobjs_by_type(t->hwloc, HWLOC_OBJ_NUMANODE);
    hwloc_bitmap_t with_pus = hwloc_bitmap_alloc();
    hwloc_obj_t pu = NULL;
    while (with_pus != NULL && (pu = hwloc_get_next_obj_by_type(t->hwloc, HWLOC_OBJ_PU, pu)) != NULL) {
        const hwloc_obj_t node = node_of_pu(t->hwloc, pu);
        if (node != NULL)
            hwloc_bitmap_set(with_pus, node->logical_index);
    }
    const int seated = with_pus == NULL ? nodes : hwloc_bitmap_weight(with_pus);
    hwloc_bitmap_free(with_pus);
    return nodes > seated ? (size_t)(nodes - seated) : 0;
}

size_t topology_cache_bytes(const topology *t, int level) {
    static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE};
    if (level < 1 || level > 3)
        return 0;
    const unit *const first = units_first(t->units, t->count);
    const hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(t->hwloc, (unsigned)first->seat.pu);
    const hwloc_obj_t cache = hwloc_get_ancestor_obj_by_type(t->hwloc, types[level - 1], pu);
    return cache == NULL ? 0 : (size_t)cache->attr->cache.size;
}

size_t topology_llc_bytes(const topology *t) {
    size_t largest = 0;
    for (size_t i = 0; i < t->count; i++)
        if (t->units[i].llc > largest)
            largest = t->units[i].llc;
    return largest;
}

size_t topology_llc_total_bytes(const topology *t) {
    size_t total = 0;
    for (size_t i = 0; i < t->count; i++)
        if (t->units[i].llc_first)
            total += t->units[i].llc;
    return total;
}

bool topology_streams(const topology *t, double bytes, size_t threads) {
    const size_t cache = threads == 1 ? topology_llc_bytes(t) : topology_llc_total_bytes(t);
    return cache > 0 && bytes > (double)cache;
}

size_t topology_memory_bytes(const topology *t) {
    const size_t nodes = (size_t)hwloc_get_root_obj(t->hwloc)->total_memory;
    if (!topology_is_this_machine(t))
        return nodes;
    // A virtual machine whose memory was plugged in later may list a part of it (6 of 24 GiB, seen) under its nodes.
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const size_t all = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 0;
    return all > nodes ? all : nodes;
}

const char *topology_info(const topology *t, const char *name) {
    const hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(t->hwloc, (unsigned)t->units[0].seat.pu);
    for (hwloc_obj_t object = pu; object != NULL; object = object->parent) {
        const char *const value = hwloc_obj_get_info_by_name(object, name);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    struct hwloc_info_s *infos;
    const unsigned count = hwloc_api_infos(t->hwloc, NULL, &infos);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(infos[i].name, name) == 0 && infos[i].value[0] != '\0')
            return infos[i].value;
    return NULL;
}

// ---- Export

// By way of memory: hwloc does not tell why a file could not be written.
bool topology_export(const topology *t, const char *path) {
    char *xml;
    int length;
    if (hwloc_topology_export_xmlbuffer(t->hwloc, &xml, &length, 0) != 0)
        return false;
    errno = 0;
    FILE *const file = fopen(path, "we");
    bool written = file != NULL && fwrite(xml, 1, strlen(xml), file) == strlen(xml);
    if (file != NULL && fclose(file) != 0)
        written = false;
    const int reason = errno != 0 ? errno : EIO;
    hwloc_free_xmlbuffer(t->hwloc, xml);
    errno = reason;
    return written;
}

bool topology_synthetic(const topology *t, char *text, size_t size) {
    const int length = hwloc_topology_export_synthetic(t->hwloc, text, size, 0);
    return length > 0 && (size_t)length < size;
}
