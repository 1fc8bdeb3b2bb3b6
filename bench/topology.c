// SPDX-License-Identifier: MIT
// Placements over hwloc. A topology is read once into a flat table of usable PUs, each with what it sits in; every
// placement is an order of that table, so a plan depends on nothing but the topology.
#include "topology.h"

#include <errno.h>
#include <hwloc.h>
#include <limits.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parse.h"

// hwloc builds synthetic topologies in cubic time: 4096 PUs take 2 s, 64000 more than anyone waits.
enum { SYNTHETIC_PUS = 4096 };

// A usable PU, in hwloc's logical order within struct topology.
typedef struct {
    topology_seat seat;
    int order;   // index in the table
    int sibling; // 0 for the first usable PU of its core, 1 for the second, …
    int speed;   // rank of its kind of core, higher is faster; equal where hwloc cannot tell
    size_t llc;  // bytes of its last-level cache; counted once, at the first PU that sees that cache
    bool llc_first;
    int rank_core, rank_l3, rank_numa, rank_package; // position within the next larger thing
} unit;

struct topology {
    hwloc_topology_t hwloc;
    hwloc_cpuset_t usable;
    unit *units;
    size_t count;
};

const char *placement_name(placement p) {
#define PLACEMENT_ROW(ID, NAME, HELP) #NAME,
    static const char *const names[] = {PLACEMENT_LIST(PLACEMENT_ROW)};
#undef PLACEMENT_ROW
    return names[p];
}

const char *placement_help(placement p) {
#define PLACEMENT_ROW(ID, NAME, HELP) HELP,
    static const char *const texts[] = {PLACEMENT_LIST(PLACEMENT_ROW)};
#undef PLACEMENT_ROW
    return texts[p];
}

// ---- Orders
// ---------------------------------------------------------------------------------------------------------------------------

static int compare_int(int a, int b) { return (a > b) - (a < b); }

// What does not exist (-1) comes last: on a hybrid CPU the cores outside every L3 are the slow ones.
static int compare_index(int a, int b) { return compare_int(a < 0 ? INT_MAX : a, b < 0 ? INT_MAX : b); }

static int by_order(const void *left, const void *right) {
    const unit *a = left, *b = right;
    return compare_int(a->order, b->order);
}

static int by_core(const void *left, const void *right) {
    const unit *a = left, *b = right;
    int c = compare_int(a->sibling, b->sibling);
    if (c == 0)
        c = compare_int(b->speed, a->speed);
    return c != 0 ? c : by_order(a, b);
}

// The tree, depth first, with the faster cores of a cache first. PUs of a core stay together, because they are of one
// kind.
static int by_path(const void *left, const void *right) {
    const unit *a = left, *b = right;
    int c = compare_index(a->seat.package, b->seat.package);
    if (c == 0)
        c = compare_index(a->seat.numa, b->seat.numa);
    if (c == 0)
        c = compare_index(a->seat.l3, b->seat.l3);
    if (c == 0)
        c = compare_int(b->speed, a->speed);
    return c != 0 ? c : by_order(a, b);
}

// The path's ranks from the inside out: what varies fastest is the outermost, so neighbours in this order are far apart
// in the tree. Where the tree is uneven, the smaller parts just run out earlier.
static int by_scatter(const void *left, const void *right) {
    const unit *a = left, *b = right;
    int c = compare_int(a->sibling, b->sibling);
    if (c == 0)
        c = compare_int(a->rank_core, b->rank_core);
    if (c == 0)
        c = compare_int(a->rank_l3, b->rank_l3);
    if (c == 0)
        c = compare_int(a->rank_numa, b->rank_numa);
    if (c == 0)
        c = compare_int(a->rank_package, b->rank_package);
    return c != 0 ? c : by_order(a, b);
}

// Fills the rank_* of every unit.
static void rank_units(unit *units, size_t count) {
    qsort(units, count, sizeof *units, by_path);
    for (size_t i = 1; i < count; i++) {
        unit *u = &units[i];
        const unit *before = &units[i - 1];
        const bool same_package = u->seat.package == before->seat.package;
        const bool same_numa = same_package && u->seat.numa == before->seat.numa;
        const bool same_l3 = same_numa && u->seat.l3 == before->seat.l3;
        u->rank_package = before->rank_package + !same_package;
        u->rank_numa = same_package ? before->rank_numa + !same_numa : 0;
        u->rank_l3 = same_numa ? before->rank_l3 + !same_l3 : 0;
        u->rank_core = same_l3 ? before->rank_core + (u->sibling == 0) : 0;
    }
    qsort(units, count, sizeof *units, by_order);
}

bool topology_plan(const topology *t, placement p, size_t threads, topology_seat *seats) {
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
    if (p == PLACEMENT_CORES)
        qsort(order, t->count, sizeof *order, by_core);
    else if (p == PLACEMENT_SCATTER)
        qsort(order, t->count, sizeof *order, by_scatter);
    for (size_t i = 0; i < threads; i++)
        seats[i] = order[i].seat;
    free(order);
    return true;
}

// ---- Opening
// --------------------------------------------------------------------------------------------------------------------------

// What the process may use: the cgroup's cpuset, which hwloc knows, within the affinity mask of the calling thread.
static void restrict_to_allowed(hwloc_topology_t hwloc, hwloc_cpuset_t usable) {
    hwloc_cpuset_t mask = hwloc_bitmap_alloc();
    if (mask == NULL || hwloc_get_cpubind(hwloc, mask, HWLOC_CPUBIND_THREAD) != 0) {
        hwloc_bitmap_free(mask);
        return;
    }
    // With OMP_PROC_BIND the runtime has bound this thread before main; the places then tell what the process was
    // given.
    if (omp_get_proc_bind() != omp_proc_bind_false) {
        for (int place = 0; place < omp_get_num_places(); place++) {
            const int n = omp_get_place_num_procs(place);
            int *ids = n > 0 ? malloc((size_t)n * sizeof *ids) : NULL;
            if (ids == NULL)
                continue;
            omp_get_place_proc_ids(place, ids);
            for (int i = 0; i < n; i++)
                hwloc_bitmap_set(mask, (unsigned)ids[i]);
            free(ids);
        }
    }
    hwloc_bitmap_and(usable, usable, mask);
    hwloc_bitmap_free(mask);
}

// Topologies are published beside results: what names a person's machine and changes no number is blanked.
static void forget_identity(hwloc_obj_t root) {
    static const char *const names[] = {"HostName", "LinuxCgroup", "Serial", "UUID", "AssetTag"};
    for (unsigned i = 0; i < root->infos_count; i++)
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
            if (strstr(root->infos[i].name, names[j]) != NULL)
                root->infos[i].value[0] = '\0';
}

static int index_of(hwloc_obj_t object) { return object == NULL ? -1 : (int)object->logical_index; }

// The smallest NUMA node around a PU, the first of several: the others are memory of another kind, or belong to more
// PUs.
static hwloc_obj_t node_of_pu(hwloc_topology_t hwloc, hwloc_obj_t pu) {
    hwloc_obj_t best = NULL, node = NULL;
    while ((node = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_NUMANODE, node)) != NULL)
        if (hwloc_bitmap_isset(node->cpuset, pu->os_index) &&
            (best == NULL || hwloc_bitmap_weight(node->cpuset) < hwloc_bitmap_weight(best->cpuset)))
            best = node;
    return best;
}

static int speed_of_pu(hwloc_topology_t hwloc, hwloc_obj_t pu) {
    const int kind = hwloc_cpukinds_get_by_cpuset(hwloc, pu->cpuset, 0);
    int efficiency = -1;
    if (kind < 0 || hwloc_cpukinds_get_info(hwloc, (unsigned)kind, NULL, &efficiency, NULL, NULL, 0) != 0)
        return -1;
    return efficiency;
}

static hwloc_obj_t last_cache_of_pu(hwloc_obj_t pu) {
    hwloc_obj_t last = NULL;
    for (hwloc_obj_t object = pu->parent; object != NULL; object = object->parent)
        if (hwloc_obj_type_is_dcache(object->type))
            last = object;
    return last;
}

// Fills the table of usable PUs. false if memory ran out.
static bool list_units(topology *t) {
    const int pus = hwloc_get_nbobjs_by_type(t->hwloc, HWLOC_OBJ_PU);
    t->units = calloc(pus > 0 ? (size_t)pus : 1, sizeof *t->units);
    if (t->units == NULL)
        return false;
    hwloc_obj_t pu = NULL, last_core = NULL, last_llc = NULL;
    while ((pu = hwloc_get_next_obj_by_type(t->hwloc, HWLOC_OBJ_PU, pu)) != NULL) {
        if (!hwloc_bitmap_isset(t->usable, pu->os_index))
            continue;
        hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(t->hwloc, HWLOC_OBJ_CORE, pu);
        hwloc_obj_t llc = last_cache_of_pu(pu);
        unit *u = &t->units[t->count];
        u->order = (int)t->count;
        u->seat = (topology_seat){
            .pu = (int)pu->os_index,
            .core = index_of(core),
            .l3 = index_of(hwloc_get_ancestor_obj_by_type(t->hwloc, HWLOC_OBJ_L3CACHE, pu)),
            .numa = index_of(node_of_pu(t->hwloc, pu)),
            .package = index_of(hwloc_get_ancestor_obj_by_type(t->hwloc, HWLOC_OBJ_PACKAGE, pu)),
        };
        // A PU without a core is a core of its own.
        u->sibling = core != NULL && core == last_core ? t->units[t->count - 1].sibling + 1 : 0;
        u->speed = speed_of_pu(t->hwloc, pu);
        u->llc = llc == NULL ? 0 : (size_t)llc->attr->cache.size;
        u->llc_first = llc != last_llc;
        last_core = core;
        last_llc = llc;
        t->count++;
    }
    rank_units(t->units, t->count);
    return true;
}

// The number of PUs that a synthetic string asks for, at most SYNTHETIC_PUS + 1. What stands in brackets are
// attributes.
static size_t synthetic_pus(const char *text) {
    size_t product = 1;
    int depth = 0;
    for (const char *c = text; *c != '\0'; c++) {
        depth += (*c == '(' || *c == '[') - (*c == ')' || *c == ']');
        const bool starts = c == text || c[-1] == ' ' || c[-1] == ':';
        if (depth != 0 || !starts || *c < '0' || *c > '9')
            continue;
        const unsigned long long n = strtoull(c, NULL, 10);
        if (n == 0)
            return 0;
        if (n > SYNTHETIC_PUS / product)
            return SYNTHETIC_PUS + 1;
        product *= (size_t)n;
    }
    return product;
}

// hwloc finds out that a file is no XML when it is named or when it is loaded, according to which XML reader it was
// built with.
static void refuse_xml(const char *source, char error[TOPOLOGY_ERROR_SIZE]) {
    snprintf(error, TOPOLOGY_ERROR_SIZE,
             "%.120s is not a readable hwloc XML topology; `lstopo machine.xml` on that machine writes one", source);
}

// Tells hwloc where to read the topology. false with a message.
static bool set_source(hwloc_topology_t hwloc, const char *source, char error[TOPOLOGY_ERROR_SIZE]) {
    if (source == NULL)
        return true;
    struct stat status;
    const size_t length = strlen(source);
    const bool exists = stat(source, &status) == 0;
    const int reason = errno;
    if (exists || strchr(source, '/') != NULL || (length >= 4 && strcmp(source + length - 4, ".xml") == 0)) {
        if (!exists)
            snprintf(error, TOPOLOGY_ERROR_SIZE,
                     "cannot read the topology file %.120s: %s; `lstopo machine.xml` writes one", source,
                     strerror(reason));
        else if (hwloc_topology_set_xml(hwloc, source) == 0)
            return true;
        else
            refuse_xml(source, error);
        return false;
    }
    if (synthetic_pus(source) > SYNTHETIC_PUS)
        snprintf(error, TOPOLOGY_ERROR_SIZE,
                 "the topology \"%.80s\" has too many PUs; the most for a synthetic one is %d", source,
                 (int)SYNTHETIC_PUS);
    else if (hwloc_topology_set_synthetic(hwloc, source) == 0)
        return true;
    else
        snprintf(error, TOPOLOGY_ERROR_SIZE,
                 "\"%.80s\" is neither a file nor a synthetic topology; a valid one is \"package:2 l3:2 core:4 pu:2\"",
                 source);
    return false;
}

topology *topology_open(const char *source, char error[TOPOLOGY_ERROR_SIZE]) {
    snprintf(error, TOPOLOGY_ERROR_SIZE, "out of memory while reading the topology; close other programs");
    topology *t = calloc(1, sizeof *t);
    if (t == NULL || hwloc_topology_init(&t->hwloc) != 0) {
        free(t);
        return NULL;
    }
    if (!set_source(t->hwloc, source, error))
        goto fail;
    if (hwloc_topology_load(t->hwloc) != 0) {
        if (source == NULL)
            snprintf(error, TOPOLOGY_ERROR_SIZE, "hwloc cannot load the topology of this machine; does `lstopo` work?");
        else
            refuse_xml(source, error);
        goto fail;
    }
    t->usable = hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(t->hwloc));
    if (t->usable == NULL)
        goto fail;
    if (topology_is_this_machine(t)) {
        restrict_to_allowed(t->hwloc, t->usable);
        forget_identity(hwloc_get_root_obj(t->hwloc));
    }
    if (!list_units(t))
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
// ------------------------------------------------------------------------------------------------------------------------

bool topology_is_this_machine(const topology *t) { return hwloc_topology_is_thissystem(t->hwloc) == 1; }

size_t topology_pus(const topology *t) { return t->count; }

size_t topology_cores(const topology *t) {
    size_t cores = 0;
    for (size_t i = 0; i < t->count; i++)
        cores += t->units[i].sibling == 0;
    return cores;
}

// In logical order the PUs of a package or node stand together, so changes count them.
size_t topology_packages(const topology *t) {
    size_t packages = 1;
    for (size_t i = 1; i < t->count; i++)
        packages += t->units[i].seat.package != t->units[i - 1].seat.package;
    return packages;
}

size_t topology_numa_nodes(const topology *t) {
    size_t nodes = 1;
    for (size_t i = 1; i < t->count; i++)
        nodes += t->units[i].seat.numa != t->units[i - 1].seat.numa;
    return nodes;
}

size_t topology_cache_bytes(const topology *t, int level) {
    static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE};
    if (level < 1 || level > 3)
        return 0;
    const unit *first = t->units;
    for (size_t i = 1; i < t->count; i++)
        if (by_core(&t->units[i], first) < 0)
            first = &t->units[i];
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
        const char *value = hwloc_obj_get_info_by_name(object, name);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return NULL;
}

// ---- Binding
// --------------------------------------------------------------------------------------------------------------------------

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

int topology_node_of(const topology *t, const void *address) {
    hwloc_nodeset_t set = hwloc_bitmap_alloc();
    int node = -1;
    if (set != NULL && topology_is_this_machine(t) &&
        hwloc_get_area_memlocation(t->hwloc, address, 1, set, HWLOC_MEMBIND_BYNODESET) == 0 &&
        hwloc_bitmap_weight(set) == 1)
        node = index_of(hwloc_get_numanode_obj_by_os_index(t->hwloc, (unsigned)hwloc_bitmap_first(set)));
    hwloc_bitmap_free(set);
    return node;
}

// ---- Lists that people type
// -------------------------------------------------------------------------------------------------------------

size_t topology_threads(const topology *t, char *list, size_t *threads, size_t max, char error[TOPOLOGY_ERROR_SIZE]) {
    static const char allowed[] = "a comma list of numbers, `cores` and `all`";
    char **items = malloc((max + 1) * sizeof *items);
    size_t count = 0;
    if (items == NULL) {
        snprintf(error, TOPOLOGY_ERROR_SIZE, "out of memory");
        return 0;
    }
    const size_t n = parse_list(list, items, max);
    if (n == 0)
        snprintf(error, TOPOLOGY_ERROR_SIZE, "--threads takes %s; it is empty, has an empty item, or more than %zu",
                 allowed, max);
    for (size_t i = 0; i < n; i++) {
        size_t value = 0;
        if (strcmp(items[i], "all") == 0)
            value = topology_pus(t);
        else if (strcmp(items[i], "cores") == 0)
            value = topology_cores(t);
        else if (!parse_size(items[i], &value) || value == 0) {
            snprintf(error, TOPOLOGY_ERROR_SIZE, "--threads: \"%.40s\" is none of %s; numbers go from 1 to %zu here",
                     items[i], allowed, topology_pus(t));
            count = 0;
            break;
        }
        if (value > topology_pus(t)) {
            snprintf(error, TOPOLOGY_ERROR_SIZE,
                     "--threads: %zu threads are more than the PUs that may be used; the most is %zu (`all`)", value,
                     topology_pus(t));
            count = 0;
            break;
        }
        bool seen = false;
        for (size_t j = 0; j < count; j++)
            seen = seen || threads[j] == value;
        if (!seen)
            threads[count++] = value;
    }
    free(items);
    return count;
}

size_t topology_placements(char *list, placement placements[PLACEMENTS], char error[TOPOLOGY_ERROR_SIZE]) {
    enum { ITEMS = 4 * PLACEMENTS };
    char *items[ITEMS];
    bool wanted[PLACEMENTS] = {false};
    const size_t n = parse_list(list, items, ITEMS);
    const char *wrong = n == 0 ? "" : NULL;
    size_t count = 0;
    for (size_t i = 0; i < n && wrong == NULL; i++) {
        bool known = false;
        for (int p = 0; p < PLACEMENTS; p++) {
            const bool named = strcmp(items[i], placement_name((placement)p)) == 0 || strcmp(items[i], "all") == 0;
            if (named && !wanted[p]) {
                wanted[p] = true;
                placements[count++] = (placement)p;
            }
            known = known || named;
        }
        wrong = known ? NULL : items[i];
    }
    if (wrong == NULL)
        return count;
    size_t used =
        (size_t)snprintf(error, TOPOLOGY_ERROR_SIZE, "--placement: \"%.40s\" is no placement; valid are", wrong);
    for (int p = 0; p < PLACEMENTS; p++)
        used += (size_t)snprintf(error + used, TOPOLOGY_ERROR_SIZE - used, " %s,", placement_name((placement)p));
    snprintf(error + used, TOPOLOGY_ERROR_SIZE - used, " or `all`");
    return 0;
}

// ---- Export
// ---------------------------------------------------------------------------------------------------------------------------

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
