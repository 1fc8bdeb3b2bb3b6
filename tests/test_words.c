// SPDX-License-Identifier: MIT
// What the program says of its words is the same whatever the machine at hand has: before other libraries' code is
// registered and after it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "peers/peers.h"
#include "report/vocabulary.h"

// The table, to be freed.
static char *words(void) {
    char path[] = "/tmp/normbench-test-words-XXXXXX", *text = NULL;
    size_t size = 0;
    csv_writer w;
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
    assert_int_equal(csv_open(&w, path, false), 0);
    assert_int_equal(vocabulary_write(&w), 0);
    assert_int_equal(csv_close(&w), 0);
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(unlink(path), 0);
    return text;
}

static int of_a_framework(const char *base) { return vocabulary_stands(NORM_DYT, NORM_FRAMEWORK, base); }

static void words_are_the_same_on_every_machine(void **state) {
    (void)state;
    char *const before = words();
    peers_register();
    char *const after = words();
    assert_string_equal(before, after);
    assert_non_null(strstr(before, "variant,sleef,"));
    free(before);
    free(after);
}

// Of a run's variants the one that PyTorch calls where the run's machine had it.
static void a_run_has_the_tanh_of_its_machine(void **state) {
    (void)state;
    assert_true(of_a_framework("mkl") > of_a_framework("sleef"));
    assert_true(of_a_framework("sleef") > of_a_framework("u2"));
    assert_true(of_a_framework("u2") > 0);
    assert_int_equal(of_a_framework("libm"), 0);
    assert_int_equal(vocabulary_stands(NORM_DYT, NORM_FUSED, "sleef"), 0);
    // What the library's own word for it is stands, in every form.
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (strcmp(impl->base, norm_default_variant(impl->op, impl->form, impl->dtype)) == 0)
            assert_true(vocabulary_stands(impl->op, impl->form, impl->base) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_the_same_on_every_machine),
        cmocka_unit_test(a_run_has_the_tanh_of_its_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
