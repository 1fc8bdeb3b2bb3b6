// SPDX-License-Identifier: MIT
// features.h: what only glibc tells of itself is unknown.
#include_next <features.h>
#undef __GLIBC_PREREQ
#undef __GLIBC__
#undef __GLIBC_MINOR__
