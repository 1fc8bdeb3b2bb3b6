// SPDX-License-Identifier: MIT
// require.h: the levels that a run of the tests must not skip.
#ifndef REQUIRE_H
#define REQUIRE_H

#include <stdbool.h>

// Whether this CPU can run every level that the environment variable REQUIRE names, separated by spaces or commas. Says
// to stderr which it cannot, or which is no level of this build.
bool required_levels_here(void);

#endif
