// SPDX-License-Identifier: MIT
// exporter_npy.c: the .npy format 1.0 (numpy.lib.format), which every framework can read: a magic string, a Python
// dictionary padded with spaces to a multiple of 64 bytes, the elements.
#include "exporters.h"

#include <stdio.h>
#include <string.h>

#include "dtype.h"

enum { PREAMBLE = 10, ALIGNMENT = 64, HEADER = 192 };

// The header for this shape; returns its bytes. Two sizes of 20 digits take under 120.
static size_t make_header(unsigned char header[HEADER], const matrix *m, bool vector) {
    char text[HEADER];
    int length =
        vector ? snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu,), }", m->cols)
               : snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", m->rows,
                          m->cols);
    const size_t used = (size_t)length;
    // The line feed that ends the dictionary is the last byte before the elements.
    const size_t bytes = (PREAMBLE + used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    memset(header, ' ', bytes);
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (unsigned char)((bytes - PREAMBLE) & 0xff);
    header[9] = (unsigned char)((bytes - PREAMBLE) >> 8);
    memcpy(header + PREAMBLE, text, used);
    header[bytes - 1] = '\n';
    return bytes;
}

static uint32_t f32_bits(const matrix *m, size_t element) {
    uint32_t bits;
    const float value = (float)dtype_get(m->dtype, m->data, element);
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// The byte order is that of the file, whatever the machine's.
static size_t pack(const matrix *m, size_t row, unsigned char *bytes) {
    for (size_t c = 0; c < m->cols; c++) {
        const uint32_t bits = f32_bits(m, row * m->stride + c);
        for (unsigned i = 0; i < 4; i++)
            bytes[4 * c + i] = (unsigned char)(bits >> 8 * i & 0xff);
    }
    return 4 * m->cols;
}

int exporter_npy(const char *path, const matrix *m, bool vector) {
    unsigned char header[HEADER];
    return exporter_file(path, header, make_header(header, m, vector), m, pack);
}
