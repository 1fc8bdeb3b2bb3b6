// SPDX-License-Identifier: MIT
// line_time.h: how far apart the cores of a team are: what a cache line takes from one to another.
#ifndef LINE_TIME_H
#define LINE_TIME_H

// Nanoseconds that a cache line takes between the first and the last thread of the calling thread's OpenMP team of
// `threads`, one way; the least of a few trials, in at most a tenth of a second. A virtual machine does not say where
// its CPUs are, and may move them: two cores of one Zen 5 that share an L3 took 40 to 60 ns here, two that do not 210
// to 230, and a norm of LLaMA 7B 1.4 times as long in the former. NaN: one thread, or threads that take turns on a
// core.
double line_time_ns(int threads, double (*now_ns)(void));

#endif
