// SPDX-License-Identifier: MIT
// tune.h: how a launch times schedules: as kernels are timed (kernels.h), all on the same buffers.
#ifndef TUNE_H
#define TUNE_H

#include "subject.h"

extern const group_work tune_work;

#endif
