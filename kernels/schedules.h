// SPDX-License-Identifier: MIT
// schedules.h: which schedule a call goes by: what its arguments ask for, what was loaded, or what is known of CPUs of
// this kind.
#ifndef NORM_SCHEDULES_H
#define NORM_SCHEDULES_H

#include "schedules_loaded.h"

// Of a call that asks for none; NULL: all zero.
const norm_schedule *schedules_find(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads);

// Inline, for a small call of an elementwise op, of which nothing is known but what was loaded, takes 20 ns.
static inline const norm_schedule *schedules_for(const norm_impl *impl, norm_pass pass, const norm_args *args,
                                                 int threads) {
    if (args->schedule != NULL || (impl->elementwise && !impl->streams && !schedules_loaded))
        return args->schedule;
    return schedules_find(impl, pass, args, threads);
}

#endif
