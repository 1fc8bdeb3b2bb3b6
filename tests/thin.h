// SPDX-License-Identifier: MIT
// thin.h: which of many alike cases, that look for the same faults at other places or with other numbers, run under
// sanitizers and in an emulator, where each takes many times as long. Elsewhere all of them run.
#ifndef THIN_H
#define THIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define THIN_SANITIZED true
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define THIN_SANITIZED true
#endif
#ifndef THIN_SANITIZED
#define THIN_SANITIZED false
#endif

// Of so many alike cases one runs.
static inline unsigned thinned_to_one_of(void) {
    return getenv("NORMBENCH_EMULATOR") != NULL ? 7 : THIN_SANITIZED ? 3 : 1;
}

// The sum of the indices of nested loops picks another one of the inner loop each time, so that no value of either loop
// is left out.
static inline bool thinned_out(size_t index) { return index % thinned_to_one_of() != 0; }

#endif
