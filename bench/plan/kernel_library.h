// SPDX-License-Identifier: MIT
// kernel_library.h: kernels from outside, in a shared library: a plug-in (norm_plugin.h) or a libnorm.so. What a
// library does when it is opened, it first does in a process of its own, where a crash, an endless loop or an exit
// harms nothing.
#ifndef KERNEL_LIBRARY_H
#define KERNEL_LIBRARY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/program.h"
#include "norm_plugin.h"

enum { KERNEL_LIBRARY_WHY = 2 * PATH_MAX + 1024, KERNEL_LIBRARY_SECONDS = 10 };

typedef struct kernel_library kernel_library;
struct kernel_library {
    char path[PATH_MAX];             // absolute, every link followed
    char id[PROGRAM_ID_SIZE];        // a hash of the file
    char name[NORM_PLUGIN_NAME + 1]; // a plug-in's own; "" of a libnorm
    norm_impl *impls;                // copies, as they are to be used; a libnorm's are run by its own norm_run
    size_t count;
    void *handle;         // for dlsym
    kernel_library *next; // of those that are open
};

// Opens a library and holds its table against what it may be. NULL with a reason that begins with the path and says how
// to put it right. within: it may take so many seconds to be opened; 0: KERNEL_LIBRARY_SECONDS.
kernel_library *kernel_library_open(const char *path, double within, char why[KERNEL_LIBRARY_WHY]);

// The implementation at an index, NULL beyond the last.
const norm_impl *kernel_library_at(const kernel_library *l, size_t index);

// The open library that an implementation is of, NULL: none. Such code may crash, hang or end its process.
const kernel_library *kernel_library_of(const norm_impl *impl);

// Frees what was made of it. Its code stays mapped, for the threads of a team may be in it until the program ends.
void kernel_library_close(kernel_library *l);

#endif
