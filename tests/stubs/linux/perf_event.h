// SPDX-License-Identifier: MIT
#error "only Linux has <linux/perf_event.h>"
