// SPDX-License-Identifier: MIT
// exporters.c: see exporters.h.
#include "exporters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const exporter exporters[] = {
#define EXPORTER_ROW(name, help) {#name, help, exporter_##name},
    EXPORTER_LIST(EXPORTER_ROW)
#undef EXPORTER_ROW
};

const exporter *exporter_at(size_t i) { return i < sizeof exporters / sizeof *exporters ? &exporters[i] : NULL; }

int exporter_file(const char *path, const void *header, size_t header_bytes, const matrix *m, exporter_pack *pack) {
    unsigned char *const bytes = malloc(4 * m->cols + 1);
    if (bytes == NULL)
        return ENOMEM;
    errno = 0;
    FILE *const file = fopen(path, "wbe");
    bool written = file != NULL && fwrite(header, 1, header_bytes, file) == header_bytes;
    for (size_t row = 0; written && row < m->rows; row++) {
        const size_t used = pack(m, row, bytes);
        written = fwrite(bytes, 1, used, file) == used;
    }
    written = written && fflush(file) == 0;
    int reason = written ? 0 : errno != 0 ? errno : EIO;
    if (file != NULL && fclose(file) != 0 && written)
        reason = errno;
    free(bytes);
    return reason;
}
