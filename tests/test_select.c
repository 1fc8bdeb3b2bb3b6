// SPDX-License-Identifier: MIT
// Selectors, names and cells: what is chosen, what is refused and with which words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "peers/peers.h"
#include "plan/cell.h"
#include "plan/select.h"

static topology *machine; // eight PUs on four cores, whatever this one has

static int open_machine(void **state) {
    (void)state;
    char error[TOPOLOGY_ERROR_SIZE];
    machine = topology_open("core:4 pu:2", error);
    return machine == NULL;
}

static int close_machine(void **state) {
    (void)state;
    topology_close(machine);
    return 0;
}

static bool set(selection *s, selector which, const char *value, char error[SELECT_ERROR_SIZE]) {
    char text[256];
    snprintf(text, sizeof text, "%s", value);
    error[0] = '\0';
    return selection_set(s, which, text, machine, error);
}

static void take(selection *s, selector which, const char *value) {
    char error[SELECT_ERROR_SIZE];
    if (!set(s, which, value, error))
        fail_msg("--%s %s: %s", selector_option(which), value, error);
    assert_true(s->given[which]);
}

static void refuse(selector which, const char *value, const char *because) {
    char error[SELECT_ERROR_SIZE];
    selection s = {0};
    assert_false(set(&s, which, value, error));
    assert_false(s.given[which]);
    if (strstr(error, because) == NULL)
        fail_msg("--%s %s: no \"%s\" in: %s", selector_option(which), value, because, error);
    char option[32];
    snprintf(option, sizeof option, "--%s", selector_option(which));
    assert_non_null(strstr(error, option));
}

static void nothing_given_takes_everything(void **state) {
    (void)state;
    const selection s = {0};
    const norm_impl *impls[SELECT_MAX_IMPLS];
    size_t all = 0;
    while (norm_at(all) != NULL) {
        assert_true(selection_has(&s, norm_at(all)));
        all++;
    }
    assert_true(selection_has_pass(&s, NORM_FORWARD) && selection_has_pass(&s, NORM_BACKWARD));
    assert_int_equal(selection_take(&s, impls), all);
}

static void levels_stand_together(void **state) {
    (void)state;
    const selection s = {0};
    const norm_impl *impls[SELECT_MAX_IMPLS];
    const size_t count = selection_take(&s, impls);
    for (size_t i = 1; i < count; i++) {
        const norm_impl *const a = impls[i - 1], *const b = impls[i];
        const bool same =
            a->op == b->op && a->form == b->form && a->dtype == b->dtype && strcmp(a->variant, b->variant) == 0;
        assert_true(!same || a->level < b->level);
    }
}

static void names_select(void **state) {
    (void)state;
    selection s = {0};
    take(&s, SELECT_OP, "dyt,rmsnorm,dyt");
    take(&s, SELECT_VARIANT, "u2,std");
    take(&s, SELECT_FORM, "fused");
    take(&s, SELECT_LEVEL, "scalar");
    take(&s, SELECT_DTYPE, "f32");
    take(&s, SELECT_PASS, "backward");
    assert_int_equal(s.variant_count, 2);
    const norm_impl *impls[SELECT_MAX_IMPLS];
    assert_int_equal(selection_take(&s, impls), 2);
    assert_int_equal(impls[0]->op, NORM_RMSNORM);
    assert_int_equal(impls[1]->op, NORM_DYT);
    assert_string_equal(impls[1]->variant, "u2");
    assert_false(selection_has_pass(&s, NORM_FORWARD));
    assert_true(selection_has_pass(&s, NORM_BACKWARD));

    take(&s, SELECT_VARIANT, "all");
    assert_true(s.variant_count >= 4);
    take(&s, SELECT_OP, "identity"); // replaces
    assert_int_equal(selection_take(&s, impls), 1);
    take(&s, SELECT_VARIANT, "u2");
    assert_int_equal(selection_take(&s, impls), 0);
}

static void all_is_every_name(void **state) {
    (void)state;
    selection s = {0};
    static const selector named[] = {SELECT_OP,    SELECT_VARIANT, SELECT_PASS,      SELECT_FORM,
                                     SELECT_LEVEL, SELECT_DTYPE,   SELECT_PLACEMENT, SELECT_CACHE};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        take(&s, named[i], "all");
    for (size_t i = 0; norm_at(i) != NULL; i++)
        assert_true(selection_has(&s, norm_at(i)));
    assert_false(s.best_level);
    assert_true(s.cache[CACHE_WARM] && s.cache[CACHE_COLD]);
    assert_int_equal(s.placement_count, PLACEMENTS);
}

static void best_is_one_level_per_variant(void **state) {
    (void)state;
    selection s = {0};
    const norm_impl *impls[SELECT_MAX_IMPLS];
    take(&s, SELECT_OP, "dyt");
    take(&s, SELECT_VARIANT, "u2");
    take(&s, SELECT_FORM, "fused");
    take(&s, SELECT_DTYPE, "f32");
    take(&s, SELECT_LEVEL, "best");
    assert_int_equal(selection_take(&s, impls), 1);
    assert_ptr_equal(impls[0], norm_best(NORM_DYT, "u2", NORM_FUSED, NORM_F32));
    take(&s, SELECT_LEVEL, "best,scalar");
    assert_in_range(selection_take(&s, impls), 1, 2); // one, where nothing beats scalar
    assert_int_equal(impls[0]->level, NORM_LEVEL_SCALAR);
}

static void numbers_select(void **state) {
    (void)state;
    selection s = {0};
    take(&s, SELECT_SHAPE, "64x768,1x1,64x768");
    assert_int_equal(s.shape_count, 2);
    assert_int_equal(s.shapes[0].rows, 64);
    assert_int_equal(s.shapes[0].cols, 768);
    assert_int_equal(s.shapes[1].cols, 1);
    take(&s, SELECT_SHAPE, "3x5");
    assert_int_equal(s.shape_count, 1);
    take(&s, SELECT_THREADS, "1,cores,4,all");
    assert_int_equal(s.thread_count, 3);
    assert_int_equal(s.threads[1], 4);
    assert_int_equal(s.threads[2], 8);
    take(&s, SELECT_PLACEMENT, "scatter,cores");
    assert_int_equal(s.placement_count, 2);
    assert_int_equal(s.placements[0], PLACEMENT_SCATTER);
}

static void bad_values_are_refused(void **state) {
    (void)state;
    static const selector named[] = {SELECT_OP,    SELECT_VARIANT, SELECT_PASS,      SELECT_FORM,
                                     SELECT_LEVEL, SELECT_DTYPE,   SELECT_PLACEMENT, SELECT_CACHE};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        const char *names[SELECT_MAX_NAMES];
        const size_t count = selector_names(named[i], names);
        assert_true(count > 0);
        refuse(named[i], "nonsense", "\"nonsense\" is no ");
        refuse(named[i], "", "valid are");
        char trailing[64];
        snprintf(trailing, sizeof trailing, "%s,", names[0]);
        refuse(named[i], trailing, "valid are");
        for (size_t j = 0; j < count; j++)
            refuse(named[i], "nonsense", names[j]);
    }
    refuse(SELECT_LEVEL, "nonsense", "best");
    refuse(SELECT_OP, "dty", "did you mean dyt?");
    refuse(SELECT_OP, "rmsnrom", "did you mean rmsnorm?");
    refuse(SELECT_LEVEL, "sca-lar", "did you mean scalar?");
    refuse(SELECT_PASS, "back", "did you mean backward?");
    static const char *const shapes[] = {"",     "64",    "64x",  "x768",  "0x768", "64x0", "-1x5",
                                         "64X7", "1x2x3", "1x2,", "1.5x2", " 1x2",  "1x2 ", "99999999999999999999x1"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        refuse(SELECT_SHAPE, shapes[i], "64x768");
    refuse(SELECT_THREADS, "9", "the most is 8");
    refuse(SELECT_THREADS, "0", "from 1 to 8");
}

static void long_words_do_not_overflow(void **state) {
    (void)state;
    char text[64], word[4096];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    static const char *const names[] = {"alpha", "beta"};
    names_explain(text, sizeof text, word, "name", names, 2);
    assert_int_equal(strlen(text), sizeof text - 1);
    names_explain(text, 5, "alpha", "name", names, 2);
    assert_string_equal(text, "\"alp");
    char error[SELECT_ERROR_SIZE];
    selection s = {0};
    assert_false(selection_set(&s, SELECT_OP, word, machine, error));
    assert_true(strlen(error) < SELECT_ERROR_SIZE);
}

static void cells_survive_a_file(void **state) {
    (void)state;
    const cell written[] = {
        {norm_find("dyt", "u2", "fused", "scalar", "bf16"), NORM_BACKWARD, 64, 768, 2, PLACEMENT_SCATTER, CACHE_COLD,
         0},
        {norm_find("dyt", "u2", "framework", "scalar", "f32"), NORM_FORWARD, 1, 1, 1, PLACEMENT_NONE, CACHE_WARM, 2000},
    };
    char path[] = "/tmp/normbench-cells-XXXXXX", message[128];
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    csv_writer w;
    assert_int_equal(csv_open(&w, path, false), 0);
    static const column_part parts[] = {{cell_columns, CELL_COLUMNS, NULL},
                                        {cell_later_columns, CELL_LATER_COLUMNS, NULL}};
    columns_write_names(&w, parts, 2);
    csv_end(&w);
    for (size_t i = 0; i < 2; i++) {
        columns_write_values(&w, parts, 2, &written[i]);
        csv_end(&w);
    }
    // Neither a level that is chosen elsewhere nor a name of another program is a cell; nor is one of a form that
    // dispatches nothing.
    static const char *const strange[] = {"best", "avx9000"};
    for (size_t i = 0; i < 2; i++) {
        static const char *const before[] = {"dyt", "u2", "forward", "fused"};
        static const char *const after[] = {"f32", "1", "1", "1", "none", "warm"};
        for (size_t j = 0; j < 4; j++)
            csv_text(&w, before[j]);
        csv_text(&w, strange[i]);
        for (size_t j = 0; j < 6; j++)
            csv_text(&w, after[j]);
        csv_text(&w, "");
        csv_end(&w);
    }
    columns_write_values(&w, parts, 1, &written[0]);
    csv_text(&w, "2000");
    csv_end(&w);
    assert_int_equal(csv_close(&w), 0);
    csv_table t;
    assert_int_equal(csv_read(&t, path, message, sizeof message), 0);
    unlink(path);
    assert_int_equal(t.row_count, 5);
    for (size_t i = 0; i < 2; i++) {
        cell c;
        assert_true(cell_read(&t, i, &c));
        assert_true(cell_equal(&c, &written[i]));
    }
    cell c;
    assert_false(cell_read(&t, 2, &c));
    assert_false(cell_read(&t, 3, &c));
    assert_false(cell_read(&t, 4, &c));
    csv_free(&t);

    char text[128];
    cell_describe(&written[0], text, sizeof text);
    assert_string_equal(text, "dyt/u2 backward fused scalar bf16 64x768, 2 threads scatter, cold");
    cell_describe(&written[1], text, sizeof text);
    assert_string_equal(text, "dyt/u2 forward framework scalar f32 1x1, 1 thread none, warm, 2000 ns an operation");
}

static void groups_stand_together(void **state) {
    (void)state;
    const norm_impl *const dyt = norm_find("dyt", "u2", "fused", "scalar", "f32");
    const norm_impl *const rms = norm_find("rmsnorm", "std", "fused", "scalar", "f32");
    cell cells[] = {
        {dyt, NORM_FORWARD, 64, 768, 2, PLACEMENT_CORES, CACHE_WARM, 0},
        {rms, NORM_FORWARD, 64, 768, 1, PLACEMENT_CORES, CACHE_WARM, 0},
        {rms, NORM_FORWARD, 64, 768, 2, PLACEMENT_CORES, CACHE_WARM, 0},
        {dyt, NORM_FORWARD, 64, 768, 1, PLACEMENT_CORES, CACHE_WARM, 0},
    };
    qsort(cells, 4, sizeof *cells, cell_compare);
    assert_true(cell_same_group(&cells[0], &cells[1]) && cell_same_group(&cells[2], &cells[3]));
    assert_false(cell_same_group(&cells[1], &cells[2]));
    assert_false(cell_equal(&cells[0], &cells[1]));
    assert_true(cell_same_family(&cells[0], &cells[1]));
    cell waits = cells[0]; // another cell of the same group, whose ratios are those of its own kind
    waits.dispatch_ns = 2000;
    assert_true(cell_same_group(&cells[0], &waits) && cell_compare(&cells[0], &waits) != 0);
    assert_false(cell_equal(&cells[0], &waits) || cell_same_family(&cells[0], &waits));
    cell other = cells[0];
    other.cache = CACHE_COLD;
    assert_false(cell_same_group(&cells[0], &other));
}

// However many there are: none is left out without a word.
static void every_implementation_can_be_named(void **state) {
    (void)state;
    const char *names[SELECT_MAX_NAMES];
    const size_t count = selector_names(SELECT_VARIANT, names);
    const norm_impl *impl;
    size_t impls = 0;
    for (; (impl = norm_at(impls)) != NULL; impls++)
        if (names_find(impl->variant, names, count) == count)
            fail_msg("%s is no name of a variant", impl->variant);
    assert_true(impls <= SELECT_MAX_IMPLS);
}

int main(void) {
    peers_register();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_implementation_can_be_named),
        cmocka_unit_test(nothing_given_takes_everything),
        cmocka_unit_test(levels_stand_together),
        cmocka_unit_test(names_select),
        cmocka_unit_test(all_is_every_name),
        cmocka_unit_test(best_is_one_level_per_variant),
        cmocka_unit_test(numbers_select),
        cmocka_unit_test(bad_values_are_refused),
        cmocka_unit_test(long_words_do_not_overflow),
        cmocka_unit_test(cells_survive_a_file),
        cmocka_unit_test(groups_stand_together),
    };
    return cmocka_run_group_tests_name("select", tests, open_machine, close_machine);
}
