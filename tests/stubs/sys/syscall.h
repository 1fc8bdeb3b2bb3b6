// SPDX-License-Identifier: MIT
#error "only Linux has <sys/syscall.h>"
