// SPDX-License-Identifier: MIT
// plugins.h: the plug-ins of this process (kernel_library.h), whose implementations are registered beside the others,
// and how far they are trusted.
#ifndef PLUGINS_H
#define PLUGINS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel_library.h"

enum { PLUGINS_MOST = 16 };

// Opens a plug-in and registers what it has. The same file once more is no error. false with a reason.
bool plugins_open(const char *path, char why[KERNEL_LIBRARY_WHY]);
// The same of a comma list; the text is cut up.
bool plugins_open_list(char *paths, char why[KERNEL_LIBRARY_WHY]);

// Those that are open, in the order of their opening; NULL beyond the last.
const kernel_library *plugins_at(size_t index);

// How many seconds a kernel of a plug-in may take, to be verified, calibrated or sampled, before it counts as hanging.
enum { PLUGINS_PATIENCE_S = 60 };
double plugins_patience(void);
void plugins_set_patience(double seconds);

#endif
