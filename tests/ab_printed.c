// SPDX-License-Identifier: MIT
#include "ab_printed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

char *ab_printed(const ab_judgement *j, ab_format format) {
    char *text = NULL;
    size_t length = 0;
    FILE *const out = open_memstream(&text, &length);
    assert_non_null(out);
    ab_report_print(j, format, out);
    assert_int_equal(fclose(out), 0);
    return text;
}
