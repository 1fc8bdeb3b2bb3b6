// SPDX-License-Identifier: MIT
// kept.c: see kept.h.
#include "kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void kept_path(char path[KEPT_PATH]) {
    snprintf(path, KEPT_PATH, "/tmp/normbench-test-kept-XXXXXX");
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
}

// The next line without its end; false at the end of the file.
static bool next_line(FILE *file, char **line, size_t *size) {
    const ssize_t length = getline(line, size, file);
    if (length > 0)
        (*line)[length - 1] = '\0';
    return length > 0;
}

void kept_compare(const char *written, const char *name) {
    char path[256], *got = NULL, *want = NULL;
    size_t got_size = 0, want_size = 0, lines = 0;
    snprintf(path, sizeof path, "tests/data/kept/%s", name);
    FILE *const now = fopen(written, "r"), *const before = fopen(path, "r");
    assert_non_null(now);
    assert_non_null(before);
    for (; next_line(before, &want, &want_size); lines++) {
        assert_true(next_line(now, &got, &got_size));
        const size_t length = strlen(want);
        if (strncmp(got, want, length) != 0 || (got[length] != '\0' && got[length] != ','))
            fail_msg("%s: line %zu is\n%s\ninstead of\n%s", name, lines + 1, got, want);
    }
    assert_true(lines > 1);
    assert_false(next_line(now, &got, &got_size));
    free(got);
    free(want);
    assert_int_equal(fclose(now), 0);
    assert_int_equal(fclose(before), 0);
    assert_int_equal(unlink(written), 0);
}
