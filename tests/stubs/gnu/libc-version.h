// SPDX-License-Identifier: MIT
#error "only glibc has <gnu/libc-version.h>"
