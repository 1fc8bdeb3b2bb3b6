// SPDX-License-Identifier: MIT
// unistd.h: without what macOS does not tell and does not have.
#include_next <unistd.h>
#undef _SC_AVPHYS_PAGES
