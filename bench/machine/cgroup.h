// SPDX-License-Identifier: MIT
// cgroup.h: where the kernel keeps what the control groups of this process may use, in both versions.
#ifndef CGROUP_H
#define CGROUP_H

// Hands over every folder of a controller ("memory", "cpu") that holds for this process, from that of its own group to
// the outermost that can be seen, of version 2 and then of version 1. root: a folder that stands for /, "" for that
// itself. Without /proc those of the usual mounts, which are a container's own.
void cgroup_visit(const char *root, const char *controller, void (*visit)(void *context, const char *folder),
                  void *context);

#endif
