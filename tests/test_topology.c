// SPDX-License-Identifier: MIT
// The sources that topologies come from, lists of threads and placements, and binding on this machine.
#include <omp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/topology.h"

static topology *must_open(const char *source) {
    char error[TOPOLOGY_ERROR_SIZE];
    topology *t = topology_open(source, error);
    if (t == NULL)
        fail_msg("%s: %s", source == NULL ? "this machine" : source, error);
    return t;
}

static void bad_source(const char *source, const char *cause, const char *cure) {
    char error[TOPOLOGY_ERROR_SIZE] = "";
    assert_null(topology_open(source, error));
    if (strstr(error, cause) == NULL || strstr(error, cure) == NULL)
        fail_msg("\"%.60s\": the message is: %s", source, error);
}

static void bad_sources(void **state) {
    (void)state;
    char longest[4096];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    bad_source("", "neither a file nor a synthetic", "package:2");
    bad_source("nonsense", "neither a file nor a synthetic", "package:2");
    bad_source("core:0 pu:1", "neither", "package:2");
    bad_source("core:-1", "neither", "package:2");
    bad_source("core:2 pu:2 more", "neither", "package:2");
    bad_source(longest, "neither", "package:2");
    bad_source("core:1000 pu:64", "too many PUs", "4096");
    bad_source("pu:99999999999999999999", "too many PUs", "4096");
    bad_source("missing.xml", "No such file", "lstopo");
    bad_source("no/such/file", "No such file", "lstopo");
    bad_source("tests", "not a readable hwloc XML", "lstopo");
    bad_source("tests/test_topology.c", "not a readable hwloc XML", "lstopo");
    bad_source("tests/data/topology/several_machines.xml", "describes several machines", "on one of them");
    // A newer hwloc than any: the advice must name what writes a file that this one reads.
    bad_source("tests/data/topology/hwloc9.xml", "was written by hwloc 9", "lstopo --export-xml-flags v");
}

// hwloc 2 cannot read what version 3 writes, whose lstopo can write for it.
static void newer_hwloc(void **state) {
    (void)state;
    char error[TOPOLOGY_ERROR_SIZE] = "";
    topology *t = topology_open("tests/data/topology/hwloc3.xml", error);
    if (t != NULL)
        assert_int_equal(topology_pus(t), 4);
    else if (strstr(error, "written by hwloc 3") == NULL || strstr(error, "lstopo --export-xml-flags v2 ") == NULL)
        fail_msg("the message is: %s", error);
    topology_close(t);
}

static size_t threads_of(const topology *t, const char *text, size_t *threads, char *error) {
    char list[128];
    snprintf(list, sizeof list, "%s", text);
    error[0] = '\0';
    return topology_threads(t, list, threads, 4, error);
}

static void thread_lists(void **state) {
    (void)state;
    topology *t = must_open("core:3 pu:2");
    size_t threads[4] = {0};
    char error[TOPOLOGY_ERROR_SIZE];
    assert_int_equal(threads_of(t, "2,cores,all,3", threads, error), 3);
    assert_int_equal(threads[0], 2);
    assert_int_equal(threads[1], 3);
    assert_int_equal(threads[2], 6);
    static const char *const wrong[] = {"",         ",", "1,", "0", "-1", "+1", "1.5", "7", "x", "99999999999999999999",
                                        "1,2,3,4,5"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(threads_of(t, wrong[i], threads, error), 0);
        assert_non_null(strstr(error, "--threads"));
    }
    assert_int_equal(threads_of(t, "7", threads, error), 0);
    assert_non_null(strstr(error, "the most is 6"));
    topology_close(t);
}

static void placement_lists(void **state) {
    (void)state;
    placement placements[PLACEMENTS];
    char error[TOPOLOGY_ERROR_SIZE], some[] = "scatter,none,scatter", all[] = "none,all", wrong[] = "cores,spread",
                                     empty[] = "";
    assert_int_equal(topology_placements(some, placements, error), 2);
    assert_int_equal(placements[0], PLACEMENT_SCATTER);
    assert_int_equal(placements[1], PLACEMENT_NONE);
    assert_int_equal(topology_placements(all, placements, error), PLACEMENTS);
    assert_int_equal(placements[0], PLACEMENT_NONE);
    assert_int_equal(topology_placements(empty, placements, error), 0);
    assert_int_equal(topology_placements(wrong, placements, error), 0);
    assert_non_null(strstr(error, "spread"));
    for (int p = 0; p < PLACEMENTS; p++)
        assert_non_null(strstr(error, placement_name((placement)p)));
}

#ifdef __linux__ // where a process can be held to some CPUs, and a thread ask for its own
// Only what the process may use is planned for, and the one PU left is bound.
static void restricted_cpuset(void **state) {
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    size_t last = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &before))
            last = cpu;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    topology *t = must_open(NULL);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);

    topology_seat seats[2];
    assert_int_equal(topology_pus(t), 1);
    assert_int_equal(topology_cores(t), 1);
    for (int p = 0; p < PLACEMENTS; p++) {
        assert_true(topology_seats(t, (placement)p, 1, seats));
        assert_int_equal(seats[0].pu, p == PLACEMENT_NONE ? -1 : (int)last);
        assert_false(topology_seats(t, (placement)p, 2, seats));
    }
    assert_int_equal(topology_bind_self(t, seats[0]), last);
    topology_close(t);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

static void binding_is_read_back(void **state) {
    (void)state;
    topology *t = must_open(NULL);
    assert_true(topology_is_this_machine(t));
    const size_t threads = topology_pus(t);
    topology_seat *seats = calloc(threads, sizeof *seats);
    int *bound = calloc(threads, sizeof *bound);
    int *seen = calloc(threads, sizeof *seen);
    assert_non_null(seats);
    assert_non_null(bound);
    assert_non_null(seen);
    for (int p = 0; p < PLACEMENTS; p++) {
        assert_true(topology_seats(t, (placement)p, threads, seats));
        assert_true(topology_bind_team(t, threads, seats, bound));
#pragma omp parallel num_threads((int)threads)
        seen[omp_get_thread_num()] = sched_getcpu();
        for (size_t i = 0; i < threads && p != PLACEMENT_NONE; i++) {
            assert_int_equal(bound[i], seats[i].pu);
            assert_int_equal(seen[i], seats[i].pu);
        }
        assert_true(p != PLACEMENT_NONE || threads == 1 || bound[0] == -1);
    }

    // A PU that the machine does not have.
    assert_true(topology_seats(t, PLACEMENT_CORES, threads, seats));
    seats[threads - 1].pu = 1 << 15;
    assert_false(topology_bind_team(t, threads, seats, bound));
    assert_int_equal(bound[threads - 1], -2);

    assert_true(topology_seats(t, PLACEMENT_NONE, threads, seats));
    assert_true(topology_bind_team(t, threads, seats, bound));
    free(seen);
    free(bound);
    free(seats);
    topology_close(t);
}

#endif

static void other_machines_are_not_bound(void **state) {
    (void)state;
    topology *t = must_open("core:2 pu:1");
    topology_seat seats[2];
    int bound[2];
    assert_false(topology_is_this_machine(t));
    assert_true(topology_seats(t, PLACEMENT_CORES, 2, seats));
    assert_int_equal(topology_bind_self(t, seats[0]), -2);
    assert_false(topology_bind_team(t, 2, seats, bound));
    topology_close(t);
}

// What is exported describes the same machine and does not name it.
static void export_round_trip(void **state) {
    (void)state;
    char path[] = "/tmp/normbench_topology_XXXXXX.xml", text[512];
    const int file = mkstemps(path, 4);
    assert_true(file >= 0);
    topology *t = must_open(NULL);
    assert_true(topology_export(t, path));
    assert_null(topology_info(t, "HostName"));
    topology *again = must_open(path);
    assert_false(topology_is_this_machine(again));
    assert_in_range(topology_pus(again), topology_pus(t), SIZE_MAX);
    assert_int_equal(topology_llc_bytes(again), topology_llc_bytes(t));
    assert_null(topology_info(again, "HostName"));
    topology_close(again);
    assert_false(topology_export(t, "/no/such/folder/topology.xml"));
    topology_close(t);
    assert_int_equal(close(file), 0);
    assert_int_equal(unlink(path), 0);

    t = must_open("package:2 core:2 pu:2");
    assert_true(topology_synthetic(t, text, sizeof text));
    assert_non_null(strstr(text, "Core:2"));
    assert_false(topology_synthetic(t, text, 4));
    topology_close(t);
    t = must_open("tests/data/uneven.xml");
    assert_false(topology_synthetic(t, text, sizeof text));
    topology_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_sources),
        cmocka_unit_test(newer_hwloc),
        cmocka_unit_test(thread_lists),
        cmocka_unit_test(placement_lists),
#ifdef __linux__
        cmocka_unit_test(restricted_cpuset),
        cmocka_unit_test(binding_is_read_back),
#endif
        cmocka_unit_test(other_machines_are_not_bound),
        cmocka_unit_test(export_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
