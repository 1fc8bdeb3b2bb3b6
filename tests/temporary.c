// SPDX-License-Identifier: MIT
#include "temporary.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[32];

int temporary_make(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/normbench-test-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

int temporary_empty(void **state) {
    (void)state;
    DIR *const there = opendir(folder);
    if (there == NULL)
        return -1;
    for (const struct dirent *file; (file = readdir(there)) != NULL;)
        if (file->d_name[0] != '.')
            (void)unlinkat(dirfd(there), file->d_name, 0);
    return closedir(there);
}

int temporary_remove(void **state) { return temporary_empty(state) == 0 ? rmdir(folder) : -1; }

const char *temporary_folder(void) { return folder; }

const char *temporary_path(const char *name) {
    enum { PATHS = 8 };
    static char paths[PATHS][320];
    static unsigned next;
    char *const path = paths[next++ % PATHS];
    assert_true(snprintf(path, sizeof *paths, "%s/%s", folder, name) < (int)sizeof *paths);
    return path;
}

void temporary_put(const char *name, const char *format, ...) {
    FILE *const file = fopen(temporary_path(name), "w");
    va_list values;
    assert_non_null(file);
    va_start(values, format);
    assert_true(vfprintf(file, format, values) >= 0);
    va_end(values);
    assert_int_equal(fclose(file), 0);
}
