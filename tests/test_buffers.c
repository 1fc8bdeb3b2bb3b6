// SPDX-License-Identifier: MIT
// The memory of a group: which tensors it has, that no two of them lie at one offset in a page, and what the passes of
// form add_fused are given.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "measure/buffers.h"

enum { PAGE = 4096 };

static cell cell_of(const char *form, norm_pass pass) {
    return (cell){.impl = norm_find("rmsnorm", "std", form, "scalar", "f32"),
                  .pass = pass,
                  .rows = 64,
                  .cols = 768,
                  .threads = 1,
                  .place = PLACEMENT_NONE,
                  .cache = CACHE_WARM};
}

static size_t offset(const void *tensor) { return (uintptr_t)tensor % PAGE; }

static void tensors_lie_at_different_offsets(void **state) {
    (void)state;
    for (norm_pass pass = 0; pass < NORM_PASSES; pass++) {
        const cell cells[] = {cell_of("fused", pass), cell_of("add_fused", pass)};
        buffers b;
        assert_true(buffers_make(&b, cells, 2, 0, 1));
        const norm_args *const a = &b.sets[0];
        const void *const inputs[] = {a->x, a->branch, a->dy, a->dsum}, *const written[] = {a->y, a->sum, a->dx};
        for (size_t i = 0; i < 4; i++)
            for (size_t k = 0; k < 3; k++) {
                if (inputs[i] == NULL || written[k] == NULL)
                    continue;
                const size_t apart = (offset(written[k]) - offset(inputs[i])) % PAGE;
                assert_in_range(apart, PAGE / 4, PAGE - PAGE / 4);
            }
        assert_int_equal(a->dsum != NULL, pass == NORM_BACKWARD);
        buffers_free(&b);
    }
}

static void only_the_form_that_adds_has_more(void **state) {
    (void)state;
    for (norm_pass pass = 0; pass < NORM_PASSES; pass++) {
        const cell fused = cell_of("fused", pass), adds = cell_of("add_fused", pass);
        const size_t tensor = (size_t)64 * 768 * sizeof(float), few = pass == NORM_FORWARD ? 2 : 4;
        assert_in_range(buffers_bytes(&fused, 1, 0), few * tensor, (few + 1) * tensor);
        assert_in_range(buffers_bytes(&adds, 1, 0), cell_tensors(&adds) * tensor, (cell_tensors(&adds) + 1) * tensor);
        buffers b;
        assert_true(buffers_make(&b, &fused, 1, 0, 1));
        assert_true(b.sets[0].branch == NULL && b.sets[0].sum == NULL && b.sets[0].dsum == NULL);
        assert_ptr_equal(buffers_sets(&b, fused.impl, pass), b.sets);
        buffers_free(&b);
        assert_true(buffers_make(&b, &adds, 1, 0, 1));
        const norm_args *const sets = buffers_sets(&b, adds.impl, pass);
        assert_ptr_equal(sets[0].x, pass == NORM_FORWARD ? b.sets[0].x : b.sets[0].sum);
        buffers_free(&b);
    }
}

// The tensors that one cell of a group touches are cold on their own, whatever else the group has.
static void cold_sets_are_as_many_as_the_least_cell_needs(void **state) {
    (void)state;
    cell cells[] = {cell_of("fused", NORM_FORWARD), cell_of("add_fused", NORM_FORWARD)};
    cells[0].cache = cells[1].cache = CACHE_COLD;
    enum { COLD = 8 << 20 };
    buffers one, both;
    assert_true(buffers_make(&one, cells, 1, COLD, 1) && buffers_make(&both, cells, 2, COLD, 1));
    assert_true(one.set_count > 1);
    assert_int_equal(both.set_count, one.set_count);
    buffers_free(&one);
    buffers_free(&both);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_lie_at_different_offsets),
        cmocka_unit_test(only_the_form_that_adds_has_more),
        cmocka_unit_test(cold_sets_are_as_many_as_the_least_cell_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
