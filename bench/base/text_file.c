// SPDX-License-Identifier: MIT
// text_file.c: see text_file.h.
#include "text_file.h"

#include <errno.h>
#include <string.h>

int text_file_write(const void *text, const char *path) {
    const text_file *const t = text;
    FILE *const file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    int error = file == NULL ? errno : 0;
    if (file == NULL)
        return error;
    errno = 0;
    t->print(file, t->what);
    if (fflush(file) != 0 || ferror(file))
        error = errno != 0 ? errno : EIO;
    if (file != stdout && fclose(file) != 0 && error == 0)
        error = errno;
    return error;
}
