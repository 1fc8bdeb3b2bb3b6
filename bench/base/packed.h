// SPDX-License-Identifier: MIT
// packed.h: a file of a results folder as it is or compressed with gzip: FILE.gz stands in the place of FILE, never
// beside it. Whoever reads names FILE.
#ifndef PACKED_H
#define PACKED_H

#include <stddef.h>
#include <stdio.h>

#define PACKED_SUFFIX ".gz"

// Everything up to the end of a stream, with a NUL behind it, for the caller to free; NULL with errno set.
char *packed_rest(FILE *file, size_t *length);

// The whole of FILE, or of FILE.gz unpacked, likewise. 0, errno, a code of files_reason, or -1 with a message that says
// how to put it right: both are there, or the packed one is cut off or damaged.
int packed_read(const char *path, char **text, size_t *length, char *message, size_t size);

// Unpacks FILE.gz where it stands for FILE, and removes it once FILE is whole and on the disk. As packed_read.
int packed_unpack(const char *path, char *message, size_t size);

#endif
