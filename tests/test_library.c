// SPDX-License-Identifier: MIT
// The library in the hands of a program that errs, or forks: errors and not crashes, texts that say what to do, no rows
// at all, children that come to an end.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "measure/inputs.h"

enum { ROWS = 4, COLS = 96 };

static void wrong_arguments_are_errors(void **state) {
    (void)state;
    const norm_impl *const impl = norm_find("dyt", "u2", "fused", "best", "f32");
    const norm_impl *const adds = norm_find("layernorm", "onepass", "add_fused", "best", "f32");
    static const int threads[] = {0, -5, INT_MIN, NORM_MOST_THREADS + 1, 100000, INT_MAX};
    call c;
    assert_true(call_make(&c, impl, ROWS, COLS, 1));
    assert_int_equal(norm_run(NULL, NORM_FORWARD, &c.args, 1), NORM_BAD_ARGUMENT);
    assert_int_equal(norm_run(impl, NORM_FORWARD, NULL, 1), NORM_BAD_ARGUMENT);
    assert_int_equal(norm_run(impl, (norm_pass)5, &c.args, 1), NORM_BAD_ARGUMENT);
    assert_int_equal(norm_run(impl, (norm_pass)-1, &c.args, 1), NORM_BAD_ARGUMENT);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
        assert_int_equal(norm_run(impl, NORM_FORWARD, &c.args, threads[i]), NORM_BAD_ARGUMENT);
    // Each size and pointer that forward or backward of add_fused needs, spoilt alone.
    size_t *const sizes[] = {&c.args.cols, &c.args.x_stride, &c.args.y_stride, &c.args.branch_stride,
                             &c.args.sum_stride};
    static const size_t bad[] = {0, SIZE_MAX / 2, SIZE_MAX, (size_t)-COLS};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            const size_t good = *sizes[i];
            *sizes[i] = bad[k];
            assert_int_equal(norm_run(adds, NORM_FORWARD, &c.args, 1), NORM_BAD_ARGUMENT);
            *sizes[i] = good;
        }
    c.args.rows = SIZE_MAX;
    assert_int_equal(norm_run(adds, NORM_FORWARD, &c.args, 1), NORM_BAD_ARGUMENT);
    c.args.rows = ROWS;
    const void **const pointers[] = {&c.args.x,    &c.args.branch,           &c.args.gamma,
                                     &c.args.beta, (const void **)&c.args.y, (const void **)&c.args.sum};
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        const void *const good = *pointers[i];
        *pointers[i] = NULL;
        assert_int_equal(norm_run(adds, NORM_FORWARD, &c.args, 1), NORM_BAD_ARGUMENT);
        *pointers[i] = good;
    }
    assert_int_equal(norm_run(adds, NORM_FORWARD, &c.args, 1), NORM_OK);
    call_free(&c);
}

static void what_is_not_there_has_no_size_and_an_unknown_name(void **state) {
    (void)state;
    assert_null(norm_find(NULL, "u2", "fused", "best", "f32"));
    assert_null(norm_find("dyt", NULL, "fused", "best", "f32"));
    assert_null(norm_find("dyt", "u2", NULL, "best", "f32"));
    assert_null(norm_find("dyt", "u2", "fused", NULL, "f32"));
    assert_null(norm_find("dyt", "u2", "fused", "best", NULL));
    assert_null(norm_best(NORM_DYT, NULL, NORM_FUSED, NORM_F32));
    assert_null(norm_other_stores(NULL));
    assert_false(norm_is_default(NULL));
    assert_non_null(norm_missing(NULL));
    assert_int_equal(norm_saved_bytes(NULL, 1, 1), 0);
    assert_int_equal(norm_workspace_bytes(NULL, 1, 1, 1), 0);
    assert_int_equal(norm_whole_cols(NULL), 0);
    assert_int_equal(norm_bytes_per_element(NULL, NORM_FORWARD), 0);
    assert_int_equal(norm_bytes_per_element(norm_at(0), (norm_pass)7), 0);
    const char *const names[] = {norm_op_name((norm_op)99),       norm_op_formula(NORM_OPS),
                                 norm_pass_name(NORM_PASSES),     norm_form_name(NORM_FORMS),
                                 norm_level_name((norm_level)99), norm_dtype_name((norm_dtype)-1)};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(names[i], "unknown");
    static const norm_impl wrong[] = {{.op = NORM_OPS, .variant = "wrong", .base = "wrong"},
                                      {.variant = NULL, .base = "wrong"},
                                      {.variant = "wrong", .base = "wrong", .form = NORM_FORMS},
                                      {.variant = "wrong", .base = "wrong", .dtype = NORM_DTYPES},
                                      {.variant = "wrong"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(norm_register(&wrong[i], 1));
}

// Stands for another copy of the library, which says no to everything in its own way.
static norm_error elsewhere(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads) {
    (void)impl, (void)pass, (void)args, (void)threads;
    return NORM_NO_MEMORY;
}

static void an_implementation_of_another_copy_is_run_by_that(void **state) {
    (void)state;
    call c;
    const norm_impl *const own = norm_find("rmsnorm", "std", "fused", "scalar", "f32");
    norm_impl copy = *own;
    assert_true(call_make(&c, own, 3, 5, 1));
    assert_null(own->run);
    copy.run = norm_run;
    assert_int_equal(norm_run(&copy, NORM_FORWARD, &c.args, 1), NORM_OK);
    copy.run = elsewhere;
    assert_int_equal(norm_run(&copy, NORM_FORWARD, &c.args, 1), NORM_NO_MEMORY);
    assert_int_equal(norm_run(&copy, NORM_FORWARD, &c.args, 0), NORM_BAD_ARGUMENT);
    call_free(&c);
}

// So that nobody has to take a name apart.
static void a_variant_is_its_base_and_what_its_flags_say(void **state) {
    (void)state;
#define PARAMETERS(ID, name, parameters, formula) parameters,
    static const unsigned all[] = {NORM_OP_LIST(PARAMETERS)};
#undef PARAMETERS
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        const unsigned lost = all[impl->op] & ~impl->params;
        const bool wide = impl->params & NORM_F32_AFFINE;
        const char *const params = lost & NORM_GAMMA  ? "_noaffine"
                                   : lost & NORM_BETA ? "_nobeta"
                                   : wide             ? "_f32affine"
                                                      : "";
        char name[64];
        snprintf(name, sizeof name, "%s%s%s", impl->base, params, impl->streams ? "_nt" : "");
        assert_string_equal(impl->variant, name);
        assert_true(norm_affine_dtype(impl) == (wide ? NORM_F32 : impl->dtype) && !(wide && impl->dtype == NORM_F32));
        if (impl->streams)
            assert_string_equal(norm_other_stores(impl)->base, impl->base);
        assert_true(
            norm_is_default(impl) ==
            (lost == 0 && !wide && strcmp(impl->base, norm_default_variant(impl->op, impl->form, impl->dtype)) == 0));
    }
}

// Whoever asks, and in whatever order.
static void an_index_and_a_name_mean_one_implementation(void **state) {
    (void)state;
    enum { MOST = 4096, COPRIME = 37 };
    static const norm_impl *all[MOST];
    size_t count = 0;
    while (count < MOST && (all[count] = norm_at(count)) != NULL)
        count++;
    assert_in_range(count, 2, MOST - 1);
    size_t wrong = 0;
#pragma omp parallel for num_threads(3) schedule(static) reduction(+ : wrong)
    for (size_t i = 0; i < count; i++) {
        const size_t leap = i * COPRIME % count;
        wrong += norm_at(count - 1 - i) != all[count - 1 - i];
        wrong += norm_at(leap) != all[leap] || norm_at(count + i) != NULL;
    }
    assert_int_equal(wrong, 0);
    for (size_t i = 0; i < count; i++) {
        const norm_impl *const impl = all[i], *const best = norm_best(impl->op, impl->variant, impl->form, impl->dtype);
        const char *const names[] = {norm_op_name(impl->op), impl->variant, norm_form_name(impl->form),
                                     norm_dtype_name(impl->dtype)};
        assert_ptr_equal(norm_find(names[0], names[1], names[2], norm_level_name(impl->level), names[3]), impl);
        assert_ptr_equal(norm_find(names[0], names[1], names[2], "best", names[3]), best);
        assert_true(best == NULL || (norm_missing(best) == NULL && strcmp(best->variant, impl->variant) == 0));
        assert_true(norm_level_is_auto(impl->level) || norm_missing(impl) != NULL ||
                    (best != NULL && best->level >= impl->level));
        const norm_impl *const other = norm_other_stores(impl);
        assert_true(other == NULL || (other->streams != impl->streams && norm_other_stores(other) == impl));
    }
    for (size_t i = 0; i < 5; i++) {
        const char *names[] = {"dyt", "u2", "fused", "scalar", "f32"};
        names[i] = "nothing";
        assert_null(norm_find(names[0], names[1], names[2], names[3], names[4]));
    }
}

static void texts_say_what_to_do(void **state) {
    (void)state;
    static const struct {
        norm_error error;
        const char *advice;
    } texts[] = {{NORM_BAD_ARGUMENT, "give"},      {NORM_BAD_ARGUMENT, "1 to 1024 threads"},
                 {NORM_CPU_LACKS, "norm_missing"}, {NORM_CPU_LACKS, "level best"},
                 {NORM_NO_TEAM, "ask for fewer"},  {NORM_NO_TEAM, "OMP_THREAD_LIMIT"}};
    assert_int_equal(NORM_MOST_THREADS, 1024);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_non_null(strstr(norm_error_text(texts[i].error), texts[i].advice));
}

// Nothing is read or written, and the sums of no rows are zero.
static void no_rows_are_no_work(void **state) {
    (void)state;
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (norm_missing(impl) != NULL)
            continue;
        for (int threads = 1; threads <= 2; threads++) {
            call c;
            assert_true(call_make(&c, impl, 0, COLS, threads));
            c.args.x = c.args.branch = c.args.dy = c.args.dsum = NULL;
            c.args.y = c.args.sum = c.args.dx = c.args.saved = NULL;
            if (call_run(&c, threads, 0x55) != NORM_OK)
                fail_msg("%s: refused", call_name(impl));
            const bool backward = impl->pass[NORM_BACKWARD].count > 0;
            for (size_t k = 0; k < COLS && backward; k++) {
                assert_true(!(impl->params & NORM_GAMMA) || c.args.dgamma[k] == 0);
                assert_true(!(impl->params & NORM_BETA) || c.args.dbeta[k] == 0);
            }
            assert_true(!backward || !(impl->params & NORM_ALPHA) || *c.args.dalpha == 0);
            assert_true(!backward || !(impl->params & NORM_SHIFT) || *c.args.dshift == 0);
            call_free(&c);
        }
    }
}

// One in x makes one of its row, or of its element, in y and in dx.
static void what_is_not_a_number_stays_so(void **state) {
    (void)state;
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (norm_missing(impl) != NULL || impl->op == NORM_IDENTITY)
            continue;
        call c;
        assert_true(call_make(&c, impl, ROWS, COLS, 1));
        dtype_set(impl->dtype, c.data[CALL_X], COLS + 5, (double)NAN);
        assert_int_equal(call_run(&c, 1, 0), NORM_OK);
        if (!isnan(dtype_get(impl->dtype, c.data[CALL_Y], COLS + 5)) ||
            (impl->pass[NORM_BACKWARD].count > 0 && !isnan(dtype_get(impl->dtype, c.data[CALL_DX], COLS + 5))))
            fail_msg("%s: a number made of what is none", call_name(impl));
        call_free(&c);
    }
}

static size_t thread_count(void) {
    DIR *const tasks = opendir("/proc/self/task");
    size_t count = 0;
    if (tasks == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

// The threads that a child has after a call on two, or 0: the call or its result was wrong, or it did not end.
static int threads_of_child(call *c, const call *want) {
    call_tensor where;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(20);
        const bool good = call_run(c, 2, 0) == NORM_OK && call_same(c, want, &where);
        _exit(good ? (int)thread_count() : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

// A child of one thread may open teams; one of several has lost theirs, and works alone. First, while there is none.
static void children_come_to_an_end(void **state) {
    (void)state;
    call want, c;
    // Without parameters, whose gradients are other bits on other teams.
    const norm_impl *const impl = norm_find("rmsnorm", "std_noaffine", "fused", "best", "f32");
    assert_true(call_make(&want, impl, ROWS, COLS, 2) && call_make(&c, impl, ROWS, COLS, 2));
    assert_int_equal(call_run(&want, 1, 0), NORM_OK);
    const bool counts = thread_count() == 1; // false where /proc is not, or a sanitizer has a thread
    if (counts)
        assert_int_equal(threads_of_child(&c, &want), 2);
    assert_int_equal(call_run(&c, 2, 0), NORM_OK);
    const int alone = threads_of_child(&c, &want);
    assert_true(counts ? alone == 1 : alone > 0);
    call_free(&want);
    call_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_come_to_an_end), // before there is a team
        cmocka_unit_test(wrong_arguments_are_errors),
        cmocka_unit_test(what_is_not_there_has_no_size_and_an_unknown_name),
        cmocka_unit_test(an_implementation_of_another_copy_is_run_by_that),
        cmocka_unit_test(a_variant_is_its_base_and_what_its_flags_say),
        cmocka_unit_test(an_index_and_a_name_mean_one_implementation),
        cmocka_unit_test(texts_say_what_to_do),
        cmocka_unit_test(no_rows_are_no_work),
        cmocka_unit_test(what_is_not_a_number_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
