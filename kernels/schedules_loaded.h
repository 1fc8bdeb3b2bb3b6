// SPDX-License-Identifier: MIT
// schedules_loaded.h: the schedules of a file (norm_schedules_load), by kernel and class of call.
#ifndef NORM_SCHEDULES_LOADED_H
#define NORM_SCHEDULES_LOADED_H

#include "norm.h"

extern bool schedules_loaded; // whether there are any

// Of such a call; NULL: the file leaves it as it is.
const norm_schedule *schedules_loaded_for(const norm_impl *impl, norm_pass pass, size_t rows, size_t cols, int threads);

#endif
