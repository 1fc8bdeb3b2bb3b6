// SPDX-License-Identifier: MIT
// exporter_npy.c: the .npy format 1.0 (numpy.lib.format), which every framework can read: a magic string, a Python
// dictionary padded with spaces to a multiple of 64 bytes, the elements. NumPy has f32 and f16, but no bf16.
#include "exporters.h"

#include <stdio.h>
#include <string.h>

#include "dtype.h"

enum { PREAMBLE = 10, ALIGNMENT = 64, HEADER = 192 };

static size_t element_bytes(const matrix *m) { return m->dtype == NORM_F16 ? sizeof(uint16_t) : sizeof(float); }

// The header for this shape; returns its bytes. Two sizes of 20 digits take under 120.
static size_t make_header(unsigned char header[HEADER], const matrix *m, bool vector) {
    char text[HEADER], shape[HEADER / 2];
    if (vector)
        snprintf(shape, sizeof shape, "(%zu,)", m->cols);
    else
        snprintf(shape, sizeof shape, "(%zu, %zu)", m->rows, m->cols);
    const size_t used = (size_t)snprintf(text, sizeof text, "{'descr': '<f%zu', 'fortran_order': False, 'shape': %s, }",
                                         element_bytes(m), shape);
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

static uint32_t bits_of(const matrix *m, size_t element) {
    uint32_t bits;
    if (m->dtype == NORM_F16)
        return ((const uint16_t *)m->data)[element];
    const float value = (float)dtype_get(m->dtype, m->data, element);
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// The byte order is that of the file, whatever the machine's.
static size_t pack(const matrix *m, size_t row, unsigned char *bytes) {
    const size_t size = element_bytes(m);
    for (size_t c = 0; c < m->cols; c++) {
        const uint32_t bits = bits_of(m, row * m->stride + c);
        for (size_t i = 0; i < size; i++)
            bytes[c * size + i] = (unsigned char)(bits >> 8 * i & 0xff);
    }
    return size * m->cols;
}

int exporter_npy(const char *path, const matrix *m, bool vector) {
    unsigned char header[HEADER];
    return exporter_file(path, header, make_header(header, m, vector), m, pack);
}
