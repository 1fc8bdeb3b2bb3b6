// SPDX-License-Identifier: MIT
// The tester, tested: a plain C kernel with one defect at a time, each of which the guards or the comparator must
// reject; without a defect it must pass.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broken.h"
#include "trial.h"

// The trials: enough shapes for every defect to have its chance, one thread since the backward of dyt above sums in
// place.
static const trial plain[] = {
    {.kind = INPUT_NORMAL, .rows = 5, .cols = 67, .gap = 3, .threads = 1, .seed = 11},
    {.kind = INPUT_NORMAL, .rows = 5, .cols = 67, .place = GUARD_START, .threads = 1, .seed = 12},
    {.kind = INPUT_ACTIVATIONS, .rows = 3, .cols = 768, .place = GUARD_END, .threads = 1, .seed = 13},
    {.kind = INPUT_OFFSET, .rows = 2, .cols = 768, .gap = 1, .misalign = 4, .threads = 1, .seed = 14},
    {.kind = INPUT_SYMMETRIC, .rows = 7, .cols = 256, .threads = 1, .seed = 15},
    {.kind = INPUT_CONSTANT, .rows = 2, .cols = 33, .threads = 1, .seed = 16},
    {.kind = INPUT_LARGE, .rows = 2, .cols = 100, .threads = 1, .seed = 17},
    {.kind = INPUT_NORMAL, .rows = 5, .cols = 9, .threads = 1, .seed = 18, .specials = true},
};

static trial_buffers buffers;

static char why[TRIAL_TEXT]; // the last rejection

static bool accepted(const norm_impl *impl, const trial *t, defect d) {
    verify_result result;
    broken_by = d;
    const bool ok = trial_run(impl, t, &buffers, &result, why);
    broken_by = NONE;
    if (!ok)
        printf("    %s %s\n", d == NONE ? "wrongly rejected:" : "rejected:", why);
    return ok;
}

// Rejected, and for the reason given: the words that the message begins with.
static void assert_rejected(const norm_impl *impl, const trial *t, defect d, const char *reason) {
    assert_false(accepted(impl, t, d));
    assert_memory_equal(why, reason, strlen(reason));
}

static void correct_kernels_pass(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        assert_true(accepted(&broken_layernorm, &plain[i], NONE));
        assert_true(accepted(&broken_add_layernorm, &plain[i], NONE));
        assert_true(accepted(&broken_dyt, &plain[i], NONE));
    }
}

static void zeros_are_rejected(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        assert_rejected(&broken_layernorm, &plain[i], ALL_ZERO, "y[");
        assert_rejected(&broken_dyt, &plain[i], ALL_ZERO, "y[");
    }
}

static void one_element_beyond_the_bound_is_rejected(void **state) {
    (void)state;
    const trial *const t = &plain[0];
    const double allowed = norm_error_bound(&broken_layernorm, NORM_OUT_Y, t->rows, t->cols);
    broken_off_by = allowed + 2; // y is rounded to f32 when it is stored
    assert_rejected(&broken_layernorm, t, ONE_OFF, "y[0, 3]");
    broken_off_by = -broken_off_by;
    assert_rejected(&broken_layernorm, t, ONE_OFF, "y[0, 3]");
    broken_off_by = allowed / 2;
    assert_true(accepted(&broken_layernorm, t, ONE_OFF));
}

static void any_wrong_element_is_rejected(void **state) {
    (void)state;
    static const defect defects[] = {TAIL_MISSED, NAN_OUTPUT, INFINITE_OUTPUT};
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++) {
        assert_rejected(&broken_layernorm, &plain[0], defects[i], "y[");
        assert_rejected(&broken_dyt, &plain[0], defects[i], "y[");
    }
}

static void wrong_mathematics_is_rejected(void **state) {
    (void)state;
    assert_rejected(&broken_layernorm, &plain[2], BIASED_VARIANCE, "y["); // 1 in 768
    assert_rejected(&broken_layernorm, &plain[0], SWAPPED_PARAMETERS, "y[");
    assert_rejected(&broken_layernorm, &plain[3], ONE_PASS_VARIANCE, "y[");
    assert_rejected(&broken_layernorm, &plain[0], DX_WITHOUT_MEAN, "dx[");
    assert_rejected(&broken_layernorm, &plain[2], DGAMMA_MISSES_A_ROW, "dgamma[");
    assert_rejected(&broken_dyt, &plain[2], DALPHA_IN_BF16, "dalpha:");
}

static void wrong_additions_are_rejected(void **state) {
    (void)state;
    assert_rejected(&broken_add_layernorm, &plain[0], SUM_TAIL_MISSED, "sum[");
    assert_rejected(&broken_add_layernorm, &plain[2], BRANCH_NOT_NORMALISED, "y[");
    assert_rejected(&broken_add_layernorm, &plain[0], DSUM_FORGOTTEN, "dx[");
    assert_rejected(&broken_add_layernorm, &plain[0], DX_WITHOUT_MEAN, "dx[");
    assert_rejected(&broken_add_layernorm, &plain[1], SUM_WRITES_PAST_END, "forward: byte");
    assert_rejected(&broken_add_layernorm, &plain[0], DX_WRITES_SUM, "backward: input sum changed");
}

// A trial whose inputs and references are held from a correct run.
static void what_is_held_hides_nothing(void **state) {
    (void)state;
    static const struct {
        const norm_impl *impl;
        defect d;
        const char *reason;
    } cases[] = {{&broken_layernorm, ALL_ZERO, "y["},
                 {&broken_layernorm, DX_WITHOUT_MEAN, "dx["},
                 {&broken_layernorm, WRITES_INPUT, "forward: input x changed"},
                 {&broken_add_layernorm, SUM_TAIL_MISSED, "sum["},
                 {&broken_add_layernorm, BRANCH_NOT_NORMALISED, "y["},
                 {&broken_add_layernorm, DX_WRITES_SUM, "backward: input sum changed"},
                 {&broken_dyt, DALPHA_IN_BF16, "dalpha:"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int again = 0; again < 2; again++) {
            assert_true(accepted(cases[i].impl, &plain[2], NONE));
            assert_true(accepted(cases[i].impl, &plain[2], NONE));
            assert_rejected(cases[i].impl, &plain[2], cases[i].d, cases[i].reason);
            // The first to come was wrong, and what it summed is nobody's reference.
            assert_rejected(cases[i].impl, &plain[2], cases[i].d, cases[i].reason);
        }
}

static void writes_outside_are_rejected(void **state) {
    (void)state;
    assert_rejected(&broken_layernorm, &plain[0], WRITES_PAST_END, "forward: byte");
    assert_rejected(&broken_layernorm, &plain[1], WRITES_PAST_END, "forward: byte");
    assert_rejected(&broken_layernorm, &plain[0], WRITES_FAR_PAST_END, "forward: byte");
    assert_rejected(&broken_layernorm, &plain[0], WRITES_BEFORE_START, "forward: byte");
    assert_rejected(&broken_dyt, &plain[0], WRITES_BETWEEN_ROWS, "forward: byte");
    assert_rejected(&broken_layernorm, &plain[0], WRONG_STRIDE, "forward: byte");
    assert_rejected(&broken_layernorm, &plain[0], WRITES_INPUT, "forward: input x changed");
    assert_rejected(&broken_dyt, &plain[1], WRITES_INPUT, "forward: input x changed");
}

// Whether a child that runs the trial dies of a segmentation fault.
static bool faults(const norm_impl *impl, const trial *t, defect d) {
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGSEGV, SIG_DFL); // sanitizers and cmocka have handlers of their own
        broken_by = d;
        verify_result result;
        trial_run(impl, t, &buffers, &result, why);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void reads_outside_fault(void **state) {
    (void)state;
    const trial at_end = plain[2], at_start = plain[1];
    assert_true(faults(&broken_layernorm, &at_end, READS_PAST_END));
    assert_true(faults(&broken_layernorm, &at_end, WRITES_PAST_END));
    assert_true(faults(&broken_layernorm, &at_start, READS_BEFORE_START));
    assert_false(faults(&broken_layernorm, &at_end, NONE));
    assert_false(faults(&broken_layernorm, &at_start, NONE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correct_kernels_pass),
        cmocka_unit_test(zeros_are_rejected),
        cmocka_unit_test(one_element_beyond_the_bound_is_rejected),
        cmocka_unit_test(any_wrong_element_is_rejected),
        cmocka_unit_test(wrong_mathematics_is_rejected),
        cmocka_unit_test(wrong_additions_are_rejected),
        cmocka_unit_test(what_is_held_hides_nothing),
        cmocka_unit_test(writes_outside_are_rejected),
        cmocka_unit_test(reads_outside_fault),
    };
    const int failures = cmocka_run_group_tests(tests, NULL, NULL);
    trial_close(&buffers);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
