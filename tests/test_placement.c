// SPDX-License-Identifier: MIT
// Placements on machines nobody here has: plans, and what is told of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "machine/topology.h"

enum { MAX_PUS = 160 };

static topology *must_open(const char *source) {
    char error[TOPOLOGY_ERROR_SIZE];
    topology *t = topology_open(source, error);
    if (t == NULL)
        fail_msg("%s: %s", source, error);
    return t;
}

// Every prefix of the expected order of PUs must be the seats of that many threads, and one thread more than PUs must
// fail.
static void check_plan(const char *source, placement p, const char *expected) {
    topology *t = must_open(source);
    topology_seat seats[MAX_PUS + 1];
    const size_t pus = topology_pus(t);
    assert_in_range(pus, 1, MAX_PUS);
    for (size_t threads = 1; threads <= pus; threads++) {
        char got[1024] = "";
        size_t used = 0;
        assert_true(topology_seats(t, p, threads, seats));
        for (size_t i = 0; i < threads; i++)
            used += (size_t)snprintf(got + used, sizeof got - used, i == 0 ? "%d" : " %d", seats[i].pu);
        if (strncmp(got, expected, used) != 0 || (threads == pus && strcmp(got, expected) != 0))
            fail_msg("%s, %s, %zu threads: got %s, expected %s", source, placement_name(p), threads, got, expected);
    }
    assert_false(topology_seats(t, p, pus + 1, seats));
    topology_close(t);
}

static void one_pu(void **state) {
    (void)state;
    check_plan("pu:1", PLACEMENT_COMPACT, "0");
    check_plan("pu:1", PLACEMENT_CORES, "0");
    check_plan("pu:1", PLACEMENT_SCATTER, "0");
}

static void smt(void **state) {
    (void)state;
    check_plan("core:3 pu:2", PLACEMENT_COMPACT, "0 1 2 3 4 5");
    check_plan("core:3 pu:2", PLACEMENT_CORES, "0 2 4 1 3 5");
    check_plan("core:3 pu:2", PLACEMENT_SCATTER, "0 2 4 1 3 5");
}

// PUs that belong to no core count as cores.
static void no_cores(void **state) {
    (void)state;
    check_plan("l3:2 pu:2", PLACEMENT_CORES, "0 1 2 3");
    check_plan("l3:2 pu:2", PLACEMENT_SCATTER, "0 2 1 3");
    topology *t = must_open("l3:2 pu:2");
    assert_int_equal(topology_cores(t), 4);
    topology_close(t);
}

// The synthetic default: one NUMA node for the whole machine, outside the packages.
static void two_packages(void **state) {
    (void)state;
    const char *machine = "package:2 core:2 pu:2";
    check_plan(machine, PLACEMENT_COMPACT, "0 1 2 3 4 5 6 7");
    check_plan(machine, PLACEMENT_CORES, "0 2 4 6 1 3 5 7");
    check_plan(machine, PLACEMENT_SCATTER, "0 4 2 6 1 5 3 7");
}

static void several_nodes_per_package(void **state) {
    (void)state;
    const char *machine = "package:2 numa:2 l3:1 core:2 pu:1";
    check_plan(machine, PLACEMENT_CORES, "0 1 2 3 4 5 6 7");
    check_plan(machine, PLACEMENT_SCATTER, "0 4 2 6 1 5 3 7");
}

static void several_l3_per_package(void **state) {
    (void)state;
    const char *machine = "package:1 l3:3 core:2 pu:1";
    check_plan(machine, PLACEMENT_CORES, "0 1 2 3 4 5");
    check_plan(machine, PLACEMENT_SCATTER, "0 2 4 1 3 5");
}

static void every_level(void **state) {
    (void)state;
    check_plan("package:2 numa:2 l3:2 core:2 pu:2", PLACEMENT_SCATTER,
               "0 16 8 24 4 20 12 28 2 18 10 26 6 22 14 30 1 17 9 25 5 21 13 29 3 19 11 27 7 23 15 31");
}

// Two low-power cores outside the L3 (PUs 0 and 1, first in the tree), four efficient cores (2 to 5), two fast cores
// with SMT (6 to 9).
static void hybrid(void **state) {
    (void)state;
    const char *machine = "tests/data/hybrid.xml";
    check_plan(machine, PLACEMENT_COMPACT, "0 1 2 3 4 5 6 7 8 9");
    check_plan(machine, PLACEMENT_CORES, "6 8 2 3 4 5 0 1 7 9");
    check_plan(machine, PLACEMENT_SCATTER, "6 8 2 3 4 5 0 1 7 9");
    topology *t = must_open(machine);
    topology_seat seat;
    assert_true(topology_seats(t, PLACEMENT_COMPACT, 1, &seat));
    assert_int_equal(seat.l3, -1);
    assert_int_equal(seat.core, 0);
    // Sizes are those that the first fast core sees.
    assert_int_equal(topology_cache_bytes(t, 1), 48 << 10);
    assert_int_equal(topology_cache_bytes(t, 3), 12 << 20);
    assert_int_equal(topology_cache_bytes(t, 4), 0);
    // The low-power cores' last level is their L2.
    assert_int_equal(topology_llc_bytes(t), 12 << 20);
    assert_int_equal(topology_llc_total_bytes(t), 14 << 20);
    assert_string_equal(topology_info(t, "CPUVendor"), "GenuineIntel");
    assert_string_equal(topology_info(t, "Architecture"), "x86_64");
    assert_null(topology_info(t, "NoSuchInfo"));
    topology_close(t);
}

// Package 0: node 0 with an L3 of three cores (PU 7 is a sibling of 1) and an L3 of one; node 1 with a core that has no
// L3 (PU 4). Package 1: node 2 with a larger L3 of two cores.
static void uneven(void **state) {
    (void)state;
    const char *machine = "tests/data/uneven.xml";
    check_plan(machine, PLACEMENT_COMPACT, "0 1 7 2 3 4 5 6");
    check_plan(machine, PLACEMENT_CORES, "0 1 2 3 4 5 6 7");
    check_plan(machine, PLACEMENT_SCATTER, "0 5 4 3 1 6 2 7");
    topology *t = must_open(machine);
    topology_seat seats[8];
    assert_int_equal(topology_pus(t), 8);
    assert_int_equal(topology_cores(t), 7);
    assert_int_equal(topology_packages(t), 2);
    assert_int_equal(topology_numa_nodes(t), 3);
    assert_int_equal(topology_llc_bytes(t), 96 << 20);
    assert_int_equal(topology_llc_total_bytes(t), (size_t)(32 + 16 + 1 + 96) << 20);
    assert_int_equal(topology_memory_bytes(t), (size_t)20 << 30);
    assert_true(topology_seats(t, PLACEMENT_CORES, 8, seats));
    const topology_seat outside = seats[4], sibling = seats[7];
    assert_int_equal(outside.l3, -1);
    assert_int_equal(outside.numa, 1);
    assert_int_equal(outside.package, 0);
    assert_int_equal(sibling.core, 1);
    topology_close(t);
}

static void placement_none(void **state) {
    (void)state;
    topology *t = must_open("core:2 pu:1");
    topology_seat seats[2];
    assert_true(topology_seats(t, PLACEMENT_NONE, 2, seats));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(seats[i].pu, -1);
        assert_int_equal(seats[i].package, -1);
    }
    assert_false(topology_seats(t, PLACEMENT_NONE, 3, seats));
    topology_close(t);
}

#define DATA "tests/data/topology/"

// The whole order of PUs of `scatter`, and what is counted: NUMA nodes that have PUs of their own, those that have
// none, PUs in no node.
static const struct {
    const char *source, *scatter;
    size_t nodes, without_pus, pus_outside;
} machines[] = {
    // A socket per CPU, as virtual machines have them: the nodes contain the packages.
    {"numa:2 package:4 core:1 pu:1", "0 4 1 5 2 6 3 7", 2, 0, 0},
    {"numa:2 package:2 l3:2 core:2 pu:1", "0 8 4 12 2 10 6 14 1 9 5 13 3 11 7 15", 2, 0, 0},
    {"numa:4 package:2 core:1 pu:2", "0 4 8 12 2 6 10 14 1 5 9 13 3 7 11 15", 4, 0, 0},
    // Caches that contain packages, and caches that contain nodes.
    {"l3:2 package:2 core:2 pu:1", "0 4 2 6 1 5 3 7", 1, 0, 0},
    {"package:2 l3:2 numa:2 core:2 pu:1", "0 8 4 12 2 10 6 14 1 9 5 13 3 11 7 15", 8, 0, 0},
    // Two nodes of two packages each, and one of memory alone.
    {DATA "packages_in_nodes.xml", "0 16 2 18 1 17 3 19", 2, 1, 0},
    // Six packages, of which three have a node; one node more whose package is off.
    {DATA "partly_offline_nodes.xml", "0 2 5 6 12 14 1 3 13 15", 3, 1, 6},
    {DATA "offline_node.xml", "4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20", 1, 0, 9},
    // A pool of HBM for each two cores is no reason to spread over them: all allocate from the one node of DRAM.
    {DATA "hbm.xml", "0 1 2 3", 1, 2, 0},
    // Each package has persistent memory, too, one has HBM besides its DRAM, and one HBM instead of it.
    {DATA "memory_tiers.xml", "0 2 4 1 3 5", 3, 4, 0},
    // Two fast cores with SMT (0 to 3), eight slower ones, and two of the same kind outside the L3 (12, 13).
    {DATA "arrow_lake.xml", "0 2 4 5 6 7 8 9 10 11 12 13 1 3", 1, 0, 0},
};

static void other_machines(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        check_plan(machines[i].source, PLACEMENT_SCATTER, machines[i].scatter);
        topology *t = must_open(machines[i].source);
        if (topology_numa_nodes(t) != machines[i].nodes || topology_nodes_without_pus(t) != machines[i].without_pus ||
            topology_pus_without_node(t) != machines[i].pus_outside)
            fail_msg("%s: %zu nodes, %zu without PUs, %zu PUs in none", machines[i].source, topology_numa_nodes(t),
                     topology_nodes_without_pus(t), topology_pus_without_node(t));
        topology_close(t);
    }
}

// Sixteen nodes of four packages: the first sixteen threads on sixteen nodes, the next on other packages of each.
static void many_packages_in_nodes(void **state) {
    (void)state;
    enum { NODES = 16, PACKAGES = 4, CORES = 2, PUS = NODES * PACKAGES * CORES };
    topology *t = must_open("numa:16 package:4 core:2 pu:1");
    topology_seat seats[PUS];
    assert_true(topology_seats(t, PLACEMENT_SCATTER, PUS, seats));
    for (int i = 0; i < PUS; i++) {
        assert_int_equal(seats[i].numa, i % NODES);
        assert_int_equal(seats[i].package, i % NODES * PACKAGES + i / NODES % PACKAGES);
    }
    topology_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pu),
        cmocka_unit_test(smt),
        cmocka_unit_test(no_cores),
        cmocka_unit_test(two_packages),
        cmocka_unit_test(several_nodes_per_package),
        cmocka_unit_test(several_l3_per_package),
        cmocka_unit_test(every_level),
        cmocka_unit_test(hybrid),
        cmocka_unit_test(uneven),
        cmocka_unit_test(placement_none),
        cmocka_unit_test(other_machines),
        cmocka_unit_test(many_packages_in_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
