// SPDX-License-Identifier: MIT
// json_file.c: see json_file.h.
#include "json_file.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

int json_file_write(const void *json, const char *path) {
    FILE *const file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    int error = file == NULL ? errno : 0;
    if (file == NULL)
        return error;
    errno = 0;
    if (json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0 || fputc('\n', file) == EOF ||
        fflush(file) != 0)
        error = errno != 0 ? errno : EIO;
    if (file != stdout && fclose(file) != 0 && error == 0)
        error = errno;
    return error;
}
