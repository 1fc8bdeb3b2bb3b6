// SPDX-License-Identifier: MIT
// Form framework allocates and frees what a framework's operations do: each tensor once, until its last user; without
// a backward to come nothing is kept; results are new ones; and a CPU's page faults come from that alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "inputs.h"
#include "norm.h"
#include "peers.h"

enum { MOST = 32, RESULT_OR_NOTHING = 0 };

// Walks through a pass's operations: the bytes per element that live at once at most; fails where one is made twice, or
// freed before it was made and not kept by forward. alive: what it begins with and leaves, a bit each.
static unsigned peak_of(const norm_impl *impl, norm_pass pass, bool keeps, unsigned *alive) {
    unsigned bytes[MOST] = {0}, now = 0, peak = 0;
    for (size_t i = 0; i < impl->pass[pass].count; i++) {
        const norm_life *const life = &impl->lives[pass][i];
        const unsigned made = life->makes;
        if (made != 0) {
            assert_true(made < MOST);
            // The sum over dalpha's product has the place of the one over gamma's, which is gone by then.
            assert_int_equal(*alive >> made & 1, 0);
            *alive |= 1u << made;
            bytes[made] = life->per_element;
            now += life->per_element;
            peak = now > peak ? now : peak;
        }
        for (unsigned k = 1; k < MOST; k++)
            if ((life->frees & ~(keeps ? impl->keeps : 0u)) >> k & *alive >> k & 1) {
                *alive &= ~(1u << k);
                now -= bytes[k];
            }
    }
    return peak;
}

typedef struct {
    const char *op, *variant, *dtype;
    unsigned inference, training, backward; // bytes per element at once: of forward, of it where backward follows, of that
} lifetime;

static void tensors_live_as_long_as_their_users(void **state) {
    (void)state;
    static const lifetime table[] = {
        // x32, its square; x32, normed; normed, h, y. Kept: x32 and h, in f32 normed, which is h.
        {"rmsnorm", "std", "f32", 8, 8, 20},
        {"rmsnorm", "std", "bf16", 8, 12, 20},
        {"layernorm", "welford", "f32", 4, 4, 4},
        {"layernorm", "welford", "bf16", 2, 2, 2},
        // scaled, t; t, weighted, y.
        {"dyt", "u2", "f32", 12, 12, 8},
        {"dyt", "u2_nobeta", "f32", 8, 8, 8},
        {"dyt", "u2_nobeta", "bf16", 4, 4, 4},
        {"dyt", "u2_noaffine", "f32", 8, 8, 12},
        {"identity", "std", "f32", 4, 4, 4},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const lifetime *const l = &table[i];
        const norm_impl *const impl = norm_find(l->op, l->variant, "framework", "scalar", l->dtype);
        assert_non_null(impl);
        unsigned alive = 0, kept = 0;
        const unsigned inference = peak_of(impl, NORM_FORWARD, false, &alive);
        const unsigned training = peak_of(impl, NORM_FORWARD, true, &kept);
        const unsigned result = alive;
        assert_int_equal(kept & ~result, impl->keeps);
        kept &= impl->keeps;
        const unsigned backward = peak_of(impl, NORM_BACKWARD, true, &kept);
        if (inference != l->inference || training != l->training || backward != l->backward)
            fail_msg("%s %s %s: %u, %u and %u bytes per element at once, not %u, %u and %u", l->op, l->variant, l->dtype,
                     inference, training, backward, l->inference, l->training, l->backward);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_live_as_long_as_their_users),
    };
    peers_register();
    return cmocka_run_group_tests(tests, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
