// SPDX-License-Identifier: MIT
// kernels.h: how a launch times kernels: a group's cells share buffers (buffers.h), and a sample is sampler.h's. See
// subject.h.
#ifndef KERNELS_H
#define KERNELS_H

#include "sampler.h"
#include "subject.h"

extern const group_work kernels_work;

#endif
