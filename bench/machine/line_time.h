// SPDX-License-Identifier: MIT
// line_time.h: how far apart the cores of a team are: what a cache line takes from one to another.
#ifndef LINE_TIME_H
#define LINE_TIME_H

// Nanoseconds that a cache line takes between the first and the last thread of the calling thread's OpenMP team of
// `threads`, one way; the least of a few trials, in at most a tenth of a second. A virtual machine does not say where
// its CPUs are, and may move them: on a Zen 5 it was 33 to 60 ns in some minutes, as between cores of one L3, and 190
// to 230 in others. LayerNorm in ViT-B/16, whose input the other core may have written, took 3.9 times as long in the
// latter; RMSNorm in LLaMA 7B at 512 tokens, whose input comes from memory, 0.7 times. NaN: one thread, or threads that
// take turns on a core.
double line_time_ns(int threads, double (*now_ns)(void));

#endif
