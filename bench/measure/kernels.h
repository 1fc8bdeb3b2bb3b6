// SPDX-License-Identifier: MIT
// kernels.h: how a launch times kernels: a group's cells share buffers (buffers.h), and a sample is sampler.h's. See
// subject.h.
#ifndef KERNELS_H
#define KERNELS_H

#include "sampler.h"
#include "subject.h"

// Of any schedule whose names begin with a cell (plan.h).
extern const group_work kernels_work;

// Of a group that it has opened. Calls of the group go by this schedule from now on; NULL: as they do by default.
void kernels_schedule(void *opened, const norm_schedule *how);
// A sum over all that a call writes, in which a bit that differs shows. false: it cannot be called.
bool kernels_result(void *opened, size_t item, uint64_t *sum);
// A sample of sampler_sample_slots.
bool kernels_sample_slots(void *opened, size_t item, size_t calls, size_t spin, sample *s);

#endif
