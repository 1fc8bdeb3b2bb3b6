// SPDX-License-Identifier: MIT
// What bounds a row, by machines and times made by hand: the place of its tensors and what it moves there, the units
// that compute, what a single row waits for; and rows without a basis.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/bound.h"

// 48 KiB, 2 MiB and 32 MiB. A team of one multiplies and adds 100 elements a ns; level scalar multiplies as many and
// computes 50.
static bound_machine made_machine(void) {
    bound_machine m = {.caches = {{48 << 10, 2 << 20, 32 << 20}}, .peak_gflops = 200};
    m.rates[NORM_LEVEL_SCALAR] = (peak_rates){.multiply = 1, .any = 0.5, .chain_ns = 30};
    return m;
}

static const struct {
    const char *op, *variant, *form, *dtype;
    norm_pass pass;
    size_t rows, cols, threads;
    cache_state cache;
    double time_ns, copy_ratio, instructions, multiplies, peak;
    bound_kind kind;
    double fraction;
} cases[] = {
    // The copy itself, at each place; 4 KiB in L1, 393 KB in L2, 6 MB in L3, 134 MB in none.
    {"identity", "std", "fused", "f32", NORM_FORWARD, 4, 128, 1, CACHE_WARM, 100, 1, 0, 0, 200, BOUND_L1, 1},
    {"rmsnorm", "std", "fused", "f32", NORM_FORWARD, 64, 768, 1, CACHE_WARM, 1e5, 0.9, 4, 3, 200, BOUND_L2, 0.9},
    {"rmsnorm", "std", "fused", "f32", NORM_FORWARD, 1024, 768, 1, CACHE_WARM, 1e6, 0.8, 4, 3, 200, BOUND_L3, 0.8},
    {"dyt", "u2", "fused", "f32", NORM_FORWARD, 4096, 4096, 1, CACHE_WARM, 1e8, 0.7, 9, 9, 200, BOUND_MEMORY, 0.7},
    // Two threads have two L2; what rotates has none.
    {"rmsnorm", "std", "fused", "f32", NORM_FORWARD, 512, 768, 2, CACHE_WARM, 1e6, 0.8, 4, 3, 400, BOUND_L2, 0.8},
    {"rmsnorm", "std", "fused", "f32", NORM_FORWARD, 64, 768, 1, CACHE_COLD, 1e6, 0.8, 4, 3, 200, BOUND_MEMORY, 0.8},
    // x, dy and dx against dy and dx: what is written is read first, so 4 of 3; in L1 it alone counts.
    {"dyt", "u2", "fused", "f32", NORM_BACKWARD, 4096, 4096, 1, CACHE_WARM, 1e8, 0.6, 9, 9, 200, BOUND_MEMORY, 0.8},
    {"dyt", "u2", "fused", "f32", NORM_BACKWARD, 2, 128, 1, CACHE_WARM, 1e8, 0.6, 9, 9, 200, BOUND_L1, 0.6},
    // Of bf16 half as many bytes, on both sides.
    {"rmsnorm", "std", "fused", "bf16", NORM_FORWARD, 64, 768, 1, CACHE_WARM, 1e5, 0.9, 4, 3, 200, BOUND_L2, 0.9},
    // 49152 elements at 8 instructions each, 50 of which a ns: 7864 ns; by 2 multiplications alone 983.
    {"dyt", "u2", "fused", "f32", NORM_FORWARD, 64, 768, 1, CACHE_WARM, 1e4, 0.5, 8, 2, 200, BOUND_PORTS, 0.7864},
    // By 16 multiplications rather than 20 instructions: 100 of them a ns, two such threads.
    {"dyt", "u2", "fused", "f32", NORM_FORWARD, 64, 768, 2, CACHE_WARM, 1e4, 0.1, 20, 16, 400, BOUND_PORTS, 0.9830},
    // A single row waits 30 ns, of 100 that a copy takes 20 of, or 60 of; several rows do not, nor does dyt.
    {"rmsnorm", "std", "fused", "f32", NORM_FORWARD, 1, 64, 1, CACHE_WARM, 100, 0.2, 4, 3, 200, BOUND_LATENCY, 0.5},
    {"rmsnorm", "std", "fused", "f32", NORM_FORWARD, 1, 64, 1, CACHE_WARM, 100, 0.6, 4, 3, 200, BOUND_L1, 0.9},
    {"rmsnorm", "std", "fused", "f32", NORM_FORWARD, 2, 64, 1, CACHE_WARM, 100, 0.2, 4, 3, 200, BOUND_L1, 0.2},
    {"dyt", "u2", "fused", "f32", NORM_FORWARD, 1, 64, 1, CACHE_WARM, 100, 0.2, 8, 8, 200, BOUND_L1, 0.2},
    // No basis: op by op; operations that cannot be counted; no copy; another library.
    {"rmsnorm", "std", "eager", "f32", NORM_FORWARD, 64, 768, 1, CACHE_WARM, 1e5, 0.9, 4, 3, 200, BOUNDS, NAN},
    {"dyt", "libm", "fused", "f32", NORM_FORWARD, 64, 768, 1, CACHE_WARM, 1e5, 0.9, NAN, NAN, 200, BOUNDS, NAN},
    {"dyt", "libm", "fused", "f32", NORM_FORWARD, 64, 768, 1, CACHE_WARM, 1e5, 0.9, NAN, 2, 200, BOUNDS, NAN},
    {"rmsnorm", "std", "fused", "f32", NORM_FORWARD, 64, 768, 1, CACHE_WARM, 1e5, NAN, 4, 3, 200, BOUNDS, NAN},
    {"rmsnorm", "std", "fused", "f32", NORM_FORWARD, 64, 768, 1, CACHE_WARM, 1e5, 0.9, 4, 3, NAN, BOUNDS, NAN},
};

static void rows(void **state) {
    (void)state;
    const bound_machine machine = made_machine();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cell c = {.impl = norm_find(cases[i].op, cases[i].variant, cases[i].form, "scalar", cases[i].dtype),
                        .pass = cases[i].pass,
                        .rows = cases[i].rows,
                        .cols = cases[i].cols,
                        .threads = cases[i].threads,
                        .place = PLACEMENT_NONE,
                        .cache = cases[i].cache};
        const bound_terms terms = {
            cases[i].time_ns,      cases[i].copy_ratio, norm_find("identity", "std", "fused", "scalar", cases[i].dtype),
            cases[i].instructions, cases[i].multiplies, cases[i].peak};
        assert_non_null(c.impl);
        const row_bound got = bound_of(&machine, &c, &terms);
        if (got.kind != cases[i].kind || (got.kind < BOUNDS && fabs(got.fraction - cases[i].fraction) > 1e-4))
            print_error("case %zu, %s: %s %g\n", i, cases[i].op, got.kind < BOUNDS ? bound_name(got.kind) : "none",
                        got.fraction);
        assert_int_equal(got.kind, cases[i].kind);
        assert_true(got.kind == BOUNDS ? isnan(got.fraction) : fabs(got.fraction - cases[i].fraction) < 1e-4);
    }
}

// Past the caches nothing is read that is written; with two inputs and two outputs both count.
static void stores_and_forms(void **state) {
    (void)state;
    const bound_machine machine = made_machine();
    const norm_impl *const added = norm_find("rmsnorm", "std", "add_fused", "scalar", "f32");
    const norm_impl *const sum = norm_find("identity", "std", "add_fused", "scalar", "f32");
    cell c = {.impl = added, .rows = 4096, .cols = 4096, .threads = 1, .cache = CACHE_WARM};
    bound_terms t = {1e9, 0.5, sum, 5, 3, 200};
    assert_true(bound_of(&machine, &c, &t).fraction == 0.5);
    c.pass = NORM_BACKWARD; // sum, dy, dsum and dx against dy, dsum and dx
    assert_float_equal(bound_of(&machine, &c, &t).fraction, 0.5 * 5 / 4, 1e-9);
    c.pass = NORM_FORWARD; // two read, two written twice, against one and one
    t.copy = norm_find("identity", "std", "fused", "scalar", "f32");
    assert_float_equal(bound_of(&machine, &c, &t).fraction, 0.5 * 6 / 3, 1e-9);
}

static void of_no_machine_nothing_is_known(void **state) {
    (void)state;
    const bound_machine none = {0};
    const norm_impl *const copy = norm_find("identity", "std", "fused", "scalar", "f32");
    const cell c = {.impl = copy, .rows = 4, .cols = 4, .threads = 1};
    const bound_terms t = {100, 1, copy, 0, 0, 200};
    assert_int_equal(bound_of(&none, &c, &t).kind, BOUNDS);
    assert_null(bound_name(BOUNDS));
    const bound_machine machine = made_machine();
    const bound_terms lacks = {100, 1, NULL, 0, 0, 200};
    assert_int_equal(bound_of(&machine, &c, &lacks).kind, BOUNDS);
}

// Each level that this CPU has, in a number of its own; it is not slower than a hundredth of the best.
static void rates_are_measured(void **state) {
    (void)state;
    const norm_impl *const scalar = norm_find("dyt", "u2", "fused", "scalar", "f32");
    const cell cells[] = {{.impl = scalar}, {.impl = norm_best(NORM_DYT, "u2", NORM_FUSED, NORM_F32)}};
    bound_machine m = {0};
    bound_measure(&m, cells, 2);
    assert_true(m.peak_gflops > 0 && m.caches.bytes[0] > 0);
    for (size_t i = 0; i < 2; i++) {
        const peak_rates *const r = &m.rates[cells[i].impl->level];
        assert_true(r->multiply > 0.001 && r->any > 0.001 && r->chain_ns > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(stores_and_forms),
        cmocka_unit_test(of_no_machine_nothing_is_known),
        cmocka_unit_test(rates_are_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
