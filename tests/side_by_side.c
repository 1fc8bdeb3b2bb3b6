// SPDX-License-Identifier: MIT
// side_by_side.c: see side_by_side.h.
#include "side_by_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "trial.h"

// The next that suits of those that compute what it does, from *from on, which goes behind it; or NULL.
static const norm_impl *next_like(const norm_impl *impl, bool (*suits)(const norm_impl *), size_t *from) {
    for (const norm_impl *other; (other = norm_at(*from)) != NULL;) {
        ++*from;
        if (suits(other) && trial_subject_compare(trial_subject_of(other), trial_subject_of(impl)) == 0)
            return other;
    }
    return NULL;
}

size_t side_by_side(bool (*suits)(const norm_impl *), size_t rows, size_t cols, side_by_side_check *check,
                    const void *context) {
    const norm_impl *impl, *other;
    size_t checked = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        size_t from = 0;
        if (!suits(impl) || next_like(impl, suits, &from) != impl)
            continue;
        verify_reference *reference[NORM_PASSES];
        for (norm_pass pass = 0; pass < NORM_PASSES; pass++)
            assert_non_null(reference[pass] = calloc(1, verify_reference_bytes(rows, cols)));
        from = i;
        for (bool is_first = true; (other = next_like(impl, suits, &from)) != NULL; is_first = false, checked++)
            check(other, is_first, reference, context);
        for (norm_pass pass = 0; pass < NORM_PASSES; pass++)
            free(reference[pass]);
    }
    return checked;
}
