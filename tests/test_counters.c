// SPDX-License-Identifier: MIT
// Hardware counters and the core's clock, with a kernel and a clock that answer as they are told to.
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "graph/step_clock.h"
#include "machine/core_clock.h"
#include "machine/counters.h"
#include "machine/line_time.h"
#include "machine/machine.h"
#include "measure/sampler.h"

// ---- Kernels that refuse

static int refusal; // errno
static int refuse(counter which, int leader) {
    (void)which;
    (void)leader;
    errno = refusal;
    return -1;
}

static void reasons_are_told(void **state) {
    (void)state;
    static const struct {
        int error;
        const char *text;
    } cases[] = {{ENOENT, "hypervisor"},
                 {EOPNOTSUPP, "hypervisor"},
                 {ENODEV, "hypervisor"},
                 {ENOSYS, "built without perf events"},
                 {EMFILE, "Too many open files"}};
    char reason[COUNTERS_REASON_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (counter which = 0; which < COUNTERS; which++) {
            refusal = cases[i].error;
            assert_false(counter_works(which, refuse, reason, sizeof reason));
            assert_non_null(strstr(reason, cases[i].text));
        }
    // What is forbidden is mended by a sysctl, or where that is lax already, by the container's start.
    refusal = EACCES;
    assert_false(counter_works(COUNTER_CYCLES, refuse, reason, sizeof reason));
    assert_true(strstr(reason, "sudo sysctl kernel.perf_event_paranoid=2") != NULL ||
                strstr(reason, "--cap-add PERFMON") != NULL);
}

static void expect_nothing(const counters *k) {
    const counter_values now = counters_now(k);
    for (counter which = 0; which < COUNTERS; which++)
        assert_true(isnan(now.value[which]));
}

static void refused_counters_count_nothing(void **state) {
    (void)state;
    counters k;
    for (size_t threads = 1; threads <= 3; threads++) {
        refusal = ENOENT;
        assert_false(counters_open(&k, threads, refuse));
        assert_int_equal(k.threads, 0);
        expect_nothing(&k);
        counters_close(&k);
    }
    expect_nothing(&(counters){0});
}

// ---- A kernel whose counters are pipes, into which the test writes what is to be read

enum { THREADS = 3 };
static int lacking, opened, leaders, writers[THREADS];

static int pipe_for(counter which, int leader) {
    int ends[2] = {-1, -1};
    if ((int)which == lacking) {
        errno = ENOENT;
        return -1;
    }
#pragma omp critical
    {
        opened++;
        if (pipe(ends) == 0) {
            if (leader < 0)
                writers[leaders++] = ends[1];
            else
                (void)close(ends[1]);
        }
    }
    return ends[0];
}

static void tell(const uint64_t *group, size_t numbers) {
    for (int i = 0; i < leaders; i++)
        assert_int_equal(write(writers[i], group, numbers * sizeof *group), numbers * sizeof *group);
}

static counters open_pipes(int lacks, size_t threads) {
    counters k;
    lacking = lacks;
    opened = leaders = 0;
    assert_true(counters_open(&k, threads, pipe_for));
    assert_int_equal(leaders, threads);
    return k;
}

static void close_pipes(counters *k) {
    counters_close(k);
    expect_nothing(k);
    for (int i = 0; i < leaders; i++)
        assert_int_equal(close(writers[i]), 0);
}

static void teams_are_summed(void **state) {
    (void)state;
    for (size_t threads = 1; threads <= THREADS; threads++) {
        counters k = open_pipes(-1, threads);
        assert_int_equal(opened, COUNTERS * threads);
        tell((uint64_t[]){COUNTERS, 100, 200, 3}, 4);
        const counter_values before = counters_now(&k);
        tell((uint64_t[]){COUNTERS, 1100, 5200, 10}, 4);
        const counter_values after = counters_now(&k), change = counter_change(&before, &after);
        assert_true(change.value[COUNTER_CYCLES] == 1000 * (double)threads);
        assert_true(change.value[COUNTER_INSTRUCTIONS] == 5000 * (double)threads);
        assert_true(change.value[COUNTER_CACHE_MISSES] == 7 * (double)threads);
        close_pipes(&k);
    }
}

static void a_missing_counter_leaves_the_others(void **state) {
    (void)state;
    for (int lacks = 0; lacks < COUNTERS; lacks++) {
        counters k = open_pipes(lacks, 2);
        tell((uint64_t[]){COUNTERS - 1, 20, 30}, 3);
        const counter_values now = counters_now(&k);
        double next = 40; // of two threads
        for (counter which = 0; which < COUNTERS; which++) {
            if ((int)which == lacks) {
                assert_true(isnan(now.value[which]));
                continue;
            }
            assert_true(now.value[which] == next);
            next = 60;
        }
        close_pipes(&k);
    }
}

// A pinned group that finds no room on the hardware reads as end of file.
static void a_group_that_did_not_run_is_unknown(void **state) {
    (void)state;
    counters k = open_pipes(-1, 2);
    tell((uint64_t[]){COUNTERS, 1, 2, 3}, 4);
    (void)counters_now(&k);
    assert_int_equal(write(writers[0], (uint64_t[]){COUNTERS, 4, 5, 6}, 32), 32);
    assert_int_equal(close(writers[1]), 0);
    leaders = 1;
    expect_nothing(&k);
    close_pipes(&k);
}

// ---- What is told of this machine

static void a_machine_without_counters_says_so_once(void **state) {
    (void)state;
    char error[TOPOLOGY_ERROR_SIZE], reason[COUNTERS_REASON_SIZE], warnings[MACHINE_WARNINGS][MACHINE_WARNING_SIZE];
    topology *const t = topology_open(NULL, error);
    assert_non_null(t);
    json_t *const machine = machine_describe(t), *const told = json_object_get(machine, "counters");
    size_t missing = 0, warned = 0;
    for (counter which = 0; which < COUNTERS; which++) {
        const json_t *const fact = json_object_get(told, counter_name(which));
        const bool works = counter_works(which, counters_perf, reason, sizeof reason);
        missing += !works;
        assert_int_equal(json_is_true(json_object_get(fact, "counts")), works);
        if (!works)
            assert_string_equal(json_string_value(json_object_get(fact, "reason")), reason);
    }
    const size_t count = machine_warnings(t, warnings, MACHINE_WARNINGS);
    for (size_t i = 0; i < count; i++)
        warned += strstr(warnings[i], "hardware counters") != NULL;
    assert_int_equal(warned, missing > 0);
    json_decref(machine);
    topology_close(t);
}

// ---- The clock

#if defined(__x86_64__)
// Ticks of a clock that the chains are timed by: each trial reads it before and after a short chain, then a long one.
enum { CHAINS = 6 };
static double durations[CHAINS], now;
static int reads;
static double told_ns(void) {
    if (reads % 2 == 1)
        now += durations[reads / 2 % CHAINS];
    reads++;
    return now;
}

static double told_clock(const double of[CHAINS]) {
    memcpy(durations, of, sizeof durations);
    reads = 0;
    return core_clock_ghz(told_ns);
}

static void the_fastest_chain_counts(void **state) {
    (void)state;
    // 20 and 200 times ten multiplications of three cycles, 600 and 6000 in all: at 3 GHz 200 and 2000 ns, and 25 for
    // the clock itself, which cancels.
    const double calm[] = {225, 2025, 225, 2025, 225, 2025};
    assert_float_equal(told_clock(calm), 3, 1e-9);
    const double preempted[] = {9225, 2025, 225, 50000, 1000, 70000};
    assert_float_equal(told_clock(preempted), 3, 1e-9);
    // All long chains were hit: low, never high.
    const double unlucky[] = {225, 3825, 225, 6025, 225, 9025};
    assert_float_equal(told_clock(unlucky), 1.5, 1e-9);
    // A clock that stands still tells nothing.
    const double still[CHAINS] = {0};
    assert_true(isnan(told_clock(still)));
}

static void this_core_has_a_clock(void **state) {
    (void)state;
    const double ghz = core_clock_ghz(sampler_now_ns);
    assert_true(ghz > 0.1 && ghz < 10);
}
#else
static void the_fastest_chain_counts(void **state) {
    (void)state;
    assert_true(isnan(core_clock_ghz(sampler_now_ns)));
}
static void this_core_has_a_clock(void **state) { the_fastest_chain_counts(state); }
#endif

// Readings of one clock around those of the other: whatever comes in between, each of the kernel's spans lies in those.
static void steps_are_timed_by_the_same_time(void **state) {
    (void)state;
    step_clock_begin();
    const double before = step_clock_ns(), start = sampler_now_ns(), after = step_clock_ns();
    while (sampler_now_ns() - start < 2e7) {
    }
    const double end_before = step_clock_ns(), end = sampler_now_ns(), end_after = step_clock_ns();
    assert_true(end_before - after <= 1.001 * (end - start));
    assert_true(end_after - before >= 0.999 * (end - start));
}

static void lines_pass_between_threads_alone(void **state) {
    (void)state;
    assert_true(isnan(line_time_ns(1, sampler_now_ns)));
    // On a machine of one core it may be unknown.
    const double ns = line_time_ns(2, sampler_now_ns);
    assert_true(isnan(ns) || ns > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_are_told),
        cmocka_unit_test(refused_counters_count_nothing),
        cmocka_unit_test(teams_are_summed),
        cmocka_unit_test(a_missing_counter_leaves_the_others),
        cmocka_unit_test(a_group_that_did_not_run_is_unknown),
        cmocka_unit_test(a_machine_without_counters_says_so_once),
        cmocka_unit_test(the_fastest_chain_counts),
        cmocka_unit_test(this_core_has_a_clock),
        cmocka_unit_test(steps_are_timed_by_the_same_time),
        cmocka_unit_test(lines_pass_between_threads_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
