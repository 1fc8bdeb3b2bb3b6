// SPDX-License-Identifier: MIT
// Made by scripts/simd_math.py gelu; not edited by hand. The errors are those of exact arithmetic.
#ifndef GELU_TABLE_H
#define GELU_TABLE_H

// clang-format off
// P(-a) = 2^(a R(a) - 1) on [0, 5.5]: error 8.7e-09; beyond, it falls on, to below 2^-126 at 10
#define TAIL_R0 -0x1.26aed6p+0f
#define TAIL_R1 -0x1.d63a70p-2f
#define TAIL_R2 -0x1.ae1372p-5f
#define TAIL_R3 0x1.cf4680p-8f
#define TAIL_R4 -0x1.295476p-13f
#define TAIL_R5 -0x1.81cf7ep-13f
#define TAIL_R6 0x1.461842p-15f
#define TAIL_R7 -0x1.7677eep-19f
// 2^r = 1 + r Q(r) on [-1/2, 1/2]: relative error 1e-07
#define TAIL_Q0 0x1.62e426p-1f
#define TAIL_Q1 0x1.ebf9b6p-3f
#define TAIL_Q2 0x1.c6b9e8p-5f
#define TAIL_Q3 0x1.3cec1ap-7f
#define TAIL_Q4 0x1.5ac9b2p-10f
// clang-format on

#endif
