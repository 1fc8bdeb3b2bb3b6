// SPDX-License-Identifier: MIT
// core_clock.h: the clock of the core that a thread runs on, from a chain of instructions whose latency is known.
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

// GHz of the calling thread's core, now: how fast it runs dependent 32-bit imul, 3 cycles each on every x86-64 core of
// the last decade. Takes 7 us at 3 GHz. NaN on other architectures, where such a chain has another latency on each
// core. now_ns: a clock.
//
// A chain of `add` would do worse: cores fold constants into it at rename and read as 7 to 10 GHz. A chain that was
// preempted takes longer, so the fastest of three counts, and a reading is low only if all three were hit. The time
// stamp counter is no clock of the core: it ticks at a fixed rate.
double core_clock_ghz(double (*now_ns)(void));

#endif
