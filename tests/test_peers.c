// SPDX-License-Identifier: MIT
// Other libraries' implementations among ours: found by name, never chosen for one, compared with our best, and held to
// the threads that they are given. What they compute is test_kernels' concern.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "math/onednn.h"
#include "peers/peers.h"
#include "plan/plan.h"
#include "report/summary.h"

enum { ROWS = 64, COLS = 768 };

static size_t tasks(void) {
    size_t count = 0;
    DIR *const folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

// A library with threads of its own is refused, by name; where it is this one, its peers are not there to be tested.
static void only_openmp(void **state) {
    (void)state;
    assert_null(onednn_refusal_of(DNNL_RUNTIME_OMP, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR));
    assert_null(onednn_refusal_of(DNNL_RUNTIME_OMP, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR + 1));
    assert_non_null(strstr(onednn_refusal_of(DNNL_RUNTIME_OMP, DNNL_VERSION_MAJOR + 1, 0), "ONEDNN=PREFIX"));
    if (DNNL_VERSION_MINOR > 0)
        assert_non_null(
            strstr(onednn_refusal_of(DNNL_RUNTIME_OMP, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR - 1), "one oneDNN"));
    assert_non_null(
        strstr(onednn_refusal_of(DNNL_RUNTIME_TBB, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR), "threads of TBB"));
    assert_non_null(
        strstr(onednn_refusal_of(DNNL_RUNTIME_SYCL, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR), "threads of SYCL"));
    assert_non_null(
        strstr(onednn_refusal_of(DNNL_RUNTIME_THREADPOOL, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR), "another pool"));
    const norm_impl *const dyt = norm_find("dyt", "onednn", "fused", "library", "f32");
    assert_non_null(dyt);
    if (onednn_refusal() != NULL)
        assert_string_equal(norm_missing(dyt), onednn_refusal());
}

// What a bf16 call runs is not the library's reference code, for its parameters are in f32.
static void names_what_runs(void **state) {
    (void)state;
    const norm_impl *impl;
    char name[PEERS_NAME_SIZE];
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        for (norm_pass pass = 0; pass < NORM_PASSES; pass++) {
            if (impl->pass[pass].count == 0)
                continue;
            const bool is_there = strcmp(impl->variant, "onednn") == 0 && norm_missing(impl) == NULL;
            peers_library_impl(impl, pass, ROWS, COLS, 2, name);
            assert_int_equal(name[0] != '\0', is_there);
            if (!is_there)
                continue;
            print_message("%s %s %s: %s\n", norm_op_name(impl->op), norm_pass_name(pass), norm_dtype_name(impl->dtype),
                          name);
#ifdef __x86_64__
            assert_false(peers_is_reference(name));
#endif
        }
    assert_true(peers_is_reference("ref:any"));
    assert_false(peers_is_reference("jit:avx512_core"));
}

// The copies in f32 are of what is given now, also where it stands in the same place as before.
static void parameters_may_change(void **state) {
    (void)state;
    enum { ONE = 0x3f80, TWO = 0x4000, HALF = 0x3f00 }; // in bf16
    static uint16_t x[COLS], y[COLS], gamma[COLS], beta[COLS];
    const norm_impl *const layernorm = norm_find("layernorm", "onednn", "fused", "library", "bf16");
    norm_args args = call_args(1, COLS, COLS);
    args.x = x, args.y = y, args.gamma = gamma, args.beta = beta;
    assert_non_null(layernorm);
    if (norm_missing(layernorm) != NULL)
        skip();
    for (size_t i = 0; i < COLS; i++)
        x[i] = i % 2 == 0 ? ONE : ONE | 0x8000;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COLS; i++) {
            gamma[i] = round == 1 ? TWO : ONE;
            beta[i] = round == 2 ? HALF : 0;
        }
        assert_int_equal(norm_run(layernorm, NORM_FORWARD, &args, 1), NORM_OK);
        assert_int_equal(y[0], round == 0 ? ONE : round == 1 ? TWO : 0x3fc0); // 1, 2, 1.5
    }
}

// Before any team was made in this process: a call on one thread must not make one.
static void one_thread_is_one_thread(void **state) {
    (void)state;
    static float x[ROWS * COLS], y[ROWS * COLS], gamma[COLS], beta[COLS];
    norm_args args = call_args(ROWS, COLS, COLS);
    const norm_impl *impl;
    size_t ran = 0;
    args.x = x, args.y = y;
    args.gamma = gamma, args.beta = beta;
    omp_set_num_threads(4);
    const size_t before = tasks();
    for (size_t i = 0; i < ROWS * COLS; i++)
        x[i] = (float)(i % 13) - 6;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (impl->level == NORM_LEVEL_LIBRARY && norm_missing(impl) == NULL && impl->dtype == NORM_F32) {
            assert_int_equal(norm_run(impl, NORM_FORWARD, &args, 1), NORM_OK);
            assert_int_equal(tasks(), before);
            assert_int_equal(omp_get_max_threads(), 4); // the caller's next team is as it was
            ran++;
        }
    assert_true(ran >= 2 || onednn_refusal() != NULL); // layernorm and dyt in f32, which every version has
}

static void named_and_never_chosen(void **state) {
    (void)state;
    const norm_impl *impl;
    size_t found = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (impl->level != NORM_LEVEL_LIBRARY)
            continue;
        const char *const op = norm_op_name(impl->op), *const dtype = norm_dtype_name(impl->dtype),
                          *const form = norm_form_name(impl->form);
        found++;
        assert_ptr_equal(norm_find(op, impl->variant, form, "library", dtype), impl);
        assert_null(norm_find(op, impl->variant, form, "best", dtype));
        assert_null(norm_best(impl->op, impl->variant, impl->form, impl->dtype));
        assert_false(norm_is_default(impl));
        assert_null(norm_other_stores(impl));
        assert_string_not_equal(impl->variant, norm_default_variant(impl->op, impl->form, impl->dtype));
    }
    assert_true(found > 0);
    assert_string_equal(norm_level_name(NORM_LEVEL_LIBRARY), "library");
    assert_null(norm_level_missing(NORM_LEVEL_LIBRARY));
}

static void takes_no_unknown_level(void **state) {
    (void)state;
    static const norm_impl wrong = {.variant = "wrong", .base = "wrong", .level = NORM_ALL_LEVELS};
    assert_false(norm_register(&wrong, 1));
    for (size_t i = 0; norm_at(i) != NULL; i++)
        assert_ptr_not_equal(norm_at(i), &wrong);
}

// A pass that it has not is refused, and what the library lacks is as well.
static void refuses_what_it_has_not(void **state) {
    (void)state;
    static float data[4];
    static norm_impl lacking;
    const norm_impl *const dyt = norm_find("dyt", "onednn", "fused", "library", "f32");
    norm_args args = call_args(1, 1, 1);
    args.x = args.y = args.dx = data;
    args.dy = args.gamma = args.beta = data + 1;
    args.dgamma = args.dbeta = args.dalpha = data + 2;
    assert_non_null(dyt);
    if (onednn_refusal() != NULL)
        skip();
    assert_int_equal(norm_run(dyt, NORM_BACKWARD, &args, 1), NORM_BAD_ARGUMENT);
    lacking = *dyt;
    lacking.lacks = "nothing really";
    assert_string_equal(norm_missing(&lacking), "nothing really");
    assert_int_equal(norm_run(&lacking, NORM_FORWARD, &args, 1), NORM_CPU_LACKS);
}

static void select_into(selection *s, selector which, const char *value, const topology *t) {
    char text[64], error[SELECT_ERROR_SIZE];
    snprintf(text, sizeof text, "%s", value);
    assert_true(selection_set(s, which, text, t, error));
}

static size_t find(const plan *p, const char *op, const char *variant, norm_level level) {
    for (size_t i = 0; i < p->schedule.count; i++) {
        const norm_impl *const impl = plan_cells(p)[i].impl;
        if (strcmp(norm_op_name(impl->op), op) == 0 && strcmp(impl->variant, variant) == 0 && impl->level == level)
            return i;
    }
    return SIZE_MAX;
}

// In one family with rmsnorm and the op itself at the best level, and ratios to that rmsnorm.
static void compared_with_our_best(void **state) {
    (void)state;
    static const char *const by[][2] = {{"library", NULL}, {NULL, "onednn"}, {"library", "onednn"}};
    char error[TOPOLOGY_ERROR_SIZE];
    if (onednn_refusal() != NULL)
        skip();
    topology *const t = topology_open("core:2 pu:1", error);
    assert_non_null(t);
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        selection s = {0};
        plan p;
        if (by[i][0] != NULL)
            select_into(&s, SELECT_LEVEL, by[i][0], t);
        if (by[i][1] != NULL)
            select_into(&s, SELECT_VARIANT, by[i][1], t);
        assert_true(plan_make(&p, PRESETS, &s, t));
        const norm_impl *const best = norm_best(NORM_RMSNORM, "std", NORM_FUSED, NORM_F32);
        const size_t peer = find(&p, "dyt", "onednn", NORM_LEVEL_LIBRARY),
                     rmsnorm = find(&p, "rmsnorm", "std", best->level), own = find(&p, "dyt", "u2", best->level);
        assert_true(peer != SIZE_MAX && rmsnorm != SIZE_MAX && own != SIZE_MAX);
        assert_int_equal(p.schedule.groups, 1);
        assert_int_equal(schedule_family_end(&p.schedule, 0), p.schedule.count);
        assert_int_equal(summary_partner(&p, peer, NORM_RMSNORM), rmsnorm);
        assert_int_equal(summary_partner(&p, own, NORM_RMSNORM), rmsnorm);
        plan_free(&p);
    }
    // Not asked for, it is not there.
    selection s = {0};
    plan p;
    assert_true(plan_make(&p, PRESETS, &s, t));
    for (size_t i = 0; i < p.schedule.count; i++)
        assert_true(plan_cells(&p)[i].impl->level < NORM_LEVELS);
    plan_free(&p);
    topology_close(t);
}

int main(void) {
    peers_register();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_is_one_thread), // first: no team exists yet
        cmocka_unit_test(named_and_never_chosen),
        cmocka_unit_test(takes_no_unknown_level),
        cmocka_unit_test(refuses_what_it_has_not),
        cmocka_unit_test(compared_with_our_best),
        cmocka_unit_test(only_openmp),
        cmocka_unit_test(names_what_runs),
        cmocka_unit_test(parameters_may_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
