// SPDX-License-Identifier: MIT
// exporters.h: the formats in which `normbench dump` writes a tensor. Owns the one list of them. A format is a row here
// and a file exporter_<name>.c; its name is also the ending of its files.
#ifndef EXPORTERS_H
#define EXPORTERS_H

#include "math/matrix.h"

#define EXPORTER_LIST(X)                                                                                               \
    X(npy, "NumPy format 1.0, C order, little-endian; bf16, which NumPy has not, is widened to f32, exactly")          \
    X(raw, "the elements alone, row after row, little-endian, in the tensor's own dtype")

// Writes (rows, cols) elements in C order, whatever the stride. vector: the shape is (cols,), and there is one row.
// 0 or errno; a file that could not be finished is left behind.
typedef int exporter_write(const char *path, const matrix *m, bool vector);
#define EXPORTER_ROW(name, help) exporter_write exporter_##name;
EXPORTER_LIST(EXPORTER_ROW)
#undef EXPORTER_ROW

typedef struct {
    const char *name, *help;
    exporter_write *write;
} exporter;
const exporter *exporter_at(size_t i); // in the order of the list; NULL behind its end

// What exporters are written with: a header of any bytes, then every row through `pack`, which puts a row's elements
// into bytes of at most 4 an element and returns how many. 0 or errno.
typedef size_t exporter_pack(const matrix *m, size_t row, unsigned char *bytes);
int exporter_file(const char *path, const void *header, size_t header_bytes, const matrix *m, exporter_pack *pack);

#endif
