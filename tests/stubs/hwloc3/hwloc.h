// SPDX-License-Identifier: MIT
// hwloc.h: what the bench calls of hwloc, as version 3 declares it, to be compiled against and never linked. New there:
// infos in a struct of their own, those of the machine apart from its objects, and one parameter less for kinds of
// core.
#ifndef HWLOC_H
#define HWLOC_H

#include <stddef.h>
#include <stdint.h>

#define HWLOC_API_VERSION 0x00030000

typedef struct hwloc_topology *hwloc_topology_t;
typedef struct hwloc_bitmap_s *hwloc_bitmap_t, *hwloc_cpuset_t, *hwloc_nodeset_t;
typedef const struct hwloc_bitmap_s *hwloc_const_bitmap_t, *hwloc_const_cpuset_t;

typedef enum {
    HWLOC_OBJ_MACHINE,
    HWLOC_OBJ_PACKAGE,
    HWLOC_OBJ_CORE,
    HWLOC_OBJ_PU,
    HWLOC_OBJ_L1CACHE,
    HWLOC_OBJ_L2CACHE,
    HWLOC_OBJ_L3CACHE,
    HWLOC_OBJ_NUMANODE
} hwloc_obj_type_t;

enum { HWLOC_CPUBIND_THREAD = 2, HWLOC_CPUBIND_STRICT = 4, HWLOC_MEMBIND_BYNODESET = 32 };

struct hwloc_info_s {
    char *name, *value;
};
struct hwloc_infos_s {
    struct hwloc_info_s *array;
    unsigned count, allocated;
};

union hwloc_obj_attr_u {
    struct {
        uint64_t size;
    } cache;
};

typedef struct hwloc_obj {
    hwloc_obj_type_t type;
    char *subtype;
    unsigned os_index, logical_index;
    uint64_t total_memory;
    union hwloc_obj_attr_u *attr;
    struct hwloc_obj *parent;
    hwloc_cpuset_t cpuset;
    struct hwloc_infos_s infos;
} * hwloc_obj_t;

unsigned hwloc_get_api_version(void);
int hwloc_topology_init(hwloc_topology_t *topology);
int hwloc_topology_load(hwloc_topology_t topology);
void hwloc_topology_destroy(hwloc_topology_t topology);
int hwloc_topology_set_xml(hwloc_topology_t topology, const char *path);
int hwloc_topology_set_synthetic(hwloc_topology_t topology, const char *description);
int hwloc_topology_is_thissystem(hwloc_topology_t topology);
int hwloc_topology_export_xml(hwloc_topology_t topology, const char *path, unsigned long flags);
int hwloc_topology_export_xmlbuffer(hwloc_topology_t topology, char **buffer, int *length, unsigned long flags);
void hwloc_free_xmlbuffer(hwloc_topology_t topology, char *buffer);
int hwloc_topology_export_synthetic(hwloc_topology_t topology, char *text, size_t size, unsigned long flags);
hwloc_const_cpuset_t hwloc_topology_get_allowed_cpuset(hwloc_topology_t topology);
struct hwloc_infos_s *hwloc_topology_get_infos(hwloc_topology_t topology);

int hwloc_get_nbobjs_by_type(hwloc_topology_t topology, hwloc_obj_type_t type);
hwloc_obj_t hwloc_get_root_obj(hwloc_topology_t topology);
hwloc_obj_t hwloc_get_next_obj_by_type(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t before);
hwloc_obj_t hwloc_get_ancestor_obj_by_type(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t object);
hwloc_obj_t hwloc_get_pu_obj_by_os_index(hwloc_topology_t topology, unsigned index);
hwloc_obj_t hwloc_get_numanode_obj_by_os_index(hwloc_topology_t topology, unsigned index);
int hwloc_obj_type_is_dcache(hwloc_obj_type_t type);
const char *hwloc_obj_get_info_by_name(hwloc_obj_t object, const char *name);
int hwloc_cpukinds_get_by_cpuset(hwloc_topology_t topology, hwloc_const_bitmap_t cpuset, unsigned long flags);
int hwloc_cpukinds_get_info(hwloc_topology_t topology, unsigned kind, hwloc_bitmap_t cpuset, int *efficiency,
                            struct hwloc_infos_s **infos, unsigned long flags);

int hwloc_get_cpubind(hwloc_topology_t topology, hwloc_cpuset_t set, int flags);
int hwloc_set_cpubind(hwloc_topology_t topology, hwloc_const_cpuset_t set, int flags);
int hwloc_get_area_memlocation(hwloc_topology_t topology, const void *address, size_t length, hwloc_bitmap_t set,
                               int flags);

hwloc_bitmap_t hwloc_bitmap_alloc(void);
hwloc_bitmap_t hwloc_bitmap_dup(hwloc_const_bitmap_t set);
void hwloc_bitmap_free(hwloc_bitmap_t set);
void hwloc_bitmap_zero(hwloc_bitmap_t set);
int hwloc_bitmap_set(hwloc_bitmap_t set, unsigned index);
int hwloc_bitmap_only(hwloc_bitmap_t set, unsigned index);
int hwloc_bitmap_and(hwloc_bitmap_t result, hwloc_const_bitmap_t a, hwloc_const_bitmap_t b);
int hwloc_bitmap_isset(hwloc_const_bitmap_t set, unsigned index);
int hwloc_bitmap_isequal(hwloc_const_bitmap_t a, hwloc_const_bitmap_t b);
int hwloc_bitmap_isincluded(hwloc_const_bitmap_t inner, hwloc_const_bitmap_t outer);
int hwloc_bitmap_first(hwloc_const_bitmap_t set);
int hwloc_bitmap_weight(hwloc_const_bitmap_t set);

#endif
