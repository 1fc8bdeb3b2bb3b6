// SPDX-License-Identifier: MIT
// sched.h: without the affinity that only Linux has.
#include_next <sched.h>
#undef CPU_SET
#undef CPU_ZERO
#undef CPU_ISSET
#undef CPU_SETSIZE
