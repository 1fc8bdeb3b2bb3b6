// SPDX-License-Identifier: MIT
// pointwise_check.c: see pointwise_check.h.
#include "pointwise_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rounding.h"

operand ta, tb, tc, td, te, tf;

static uint64_t state;

void operand_seed(uint64_t seed) { state = seed; }

double operand_uniform(void) {
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)(int64_t)(z ^ (z >> 31)) * 0x1p-63;
}

// Mostly of order one, some in the tails of every activation.
static double wide(void) {
    static const double spreads[] = {1, 1, 3, 3, 6, 12, 95};
    return operand_uniform() * spreads[(size_t)fabs(operand_uniform() * 6.999)];
}

matrix operand_put(operand *t, norm_dtype dtype, size_t rows, size_t cols, size_t gap) {
    const size_t size = norm_dtype_bytes(dtype);
    t->m = (matrix){dtype, rows, cols, cols + gap, NULL};
    t->m.data = guard_put(&t->guard, GUARD_END, 0, rows, cols * size, (cols + gap) * size);
    assert_non_null(t->m.data);
    if (t->was == NULL)
        t->was = malloc((size_t)MOST_ROWS * MOST_COLS * sizeof *t->was);
    assert_non_null(t->was);
    assert_true(rows * cols <= (size_t)MOST_ROWS * MOST_COLS);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) {
            dtype_set(dtype, t->m.data, r * t->m.stride + c, wide());
            t->was[r * cols + c] = dtype_get(dtype, t->m.data, r * t->m.stride + c);
        }
    return t->m;
}

void operand_intact(const operand *t, bool result) {
    ptrdiff_t offset;
    if (!guard_intact(&t->guard, &offset))
        fail_msg("a canary %td bytes from a matrix is dead", offset);
    for (size_t r = 0; r < t->m.rows && !result; r++)
        for (size_t c = 0; c < t->m.cols; c++)
            if (now(t, r, c) != was(t, r, c))
                fail_msg("an operand changed at %zu, %zu", r, c);
}

void operand_near(const char *what, const operand *t, size_t r, size_t c, double want, double error) {
    const double got = now(t, r, c);
    const double bound = error + rounding_of(t->m.dtype, fabs(want) + error) + FLOOR;
    if (!(fabs(got - want) <= bound))
        fail_msg("%s, %zu columns of %s, at %zu, %zu: %.9g instead of %.9g, bound %.3g", what, t->m.cols,
                 norm_dtype_name(t->m.dtype), r, c, got, want, bound);
}

void pointwise_check_level(void **unit) {
    const norm_level level = (norm_level)(uintptr_t)*unit;
    if (!pointwise_select(level)) {
        print_message("skipped: this CPU lacks %s\n", norm_level_missing(level));
        skip();
    }
}

// Of the widest, for time, one of each dtype.
void pointwise_check_all(void (*check)(const pointwise_setting *)) {
    static const size_t widths[] = {1, 3, 7, 8, 9, 15, 17, 31, 64, 197, 768, 4100};
    operand_seed(1);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (unsigned k = 0; k < 16 * MODEL_DTYPES; k++) {
            const pointwise_setting s = {.dtype = (norm_dtype)(k / 16),
                                         .rows = k & 1 ? 6 : 1,
                                         .cols = widths[i],
                                         .gap = k & 2 ? 5 : 0,
                                         .threads = k & 4 ? 2 : 1,
                                         .in_place = k & 8};
            if (widths[i] > 1000 && k % 16 != 1)
                continue;
            check(&s);
        }
}

static int finish(void **unused) {
    (void)unused;
    operand *const all[] = {&ta, &tb, &tc, &td, &te, &tf};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        guard_close(&all[i]->guard);
        free(all[i]->was);
    }
    return pointwise_select(NORM_LEVELS) ? 0 : -1;
}

int pointwise_check_run(const pointwise_kind *kinds, size_t kind_count, CMUnitTestFunction slopes) {
    enum { MOST_KINDS = 3, NAME_SIZE = 64 };
    static struct CMUnitTest tests[MOST_KINDS * NORM_LEVELS + 1];
    static char names[MOST_KINDS * NORM_LEVELS][NAME_SIZE];
    size_t count = 0;
    if (kind_count > MOST_KINDS)
        return EXIT_FAILURE;
    for (norm_level level = 0; level < NORM_LEVELS; level++)
        for (size_t k = 0; k < kind_count; k++) {
            snprintf(names[count], NAME_SIZE, "%s %s", kinds[k].name, norm_level_name(level));
            tests[count] = (struct CMUnitTest){names[count], kinds[k].run, NULL, NULL, (void *)(uintptr_t)level};
            count++;
        }
    tests[count++] = (struct CMUnitTest){"slopes by finite differences", slopes, NULL, NULL, NULL};
    return _cmocka_run_group_tests("pointwise", tests, count, NULL, finish) ? EXIT_FAILURE : EXIT_SUCCESS;
}
