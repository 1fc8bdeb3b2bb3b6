// SPDX-License-Identifier: MIT
// exporter_raw.c: the elements and nothing else. The byte order is that of the file, whatever the machine's.
#include "exporters.h"

static size_t pack(const matrix *m, size_t row, unsigned char *bytes) {
    const size_t size = norm_dtype_bytes(m->dtype);
    for (size_t c = 0; c < m->cols; c++) {
        const size_t at = row * m->stride + c;
        const uint32_t bits = m->dtype == NORM_F32 ? ((const uint32_t *)m->data)[at] : ((const uint16_t *)m->data)[at];
        for (size_t i = 0; i < size; i++)
            bytes[c * size + i] = (unsigned char)(bits >> 8 * i & 0xff);
    }
    return m->cols * size;
}

int exporter_raw(const char *path, const matrix *m, bool vector) {
    (void)vector;
    return exporter_file(path, "", 0, m, pack);
}
