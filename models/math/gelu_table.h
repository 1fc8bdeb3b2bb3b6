// SPDX-License-Identifier: MIT
// Made by scripts/simd_math.py gelu; not edited by hand. The errors are those of exact arithmetic.
#ifndef GELU_TABLE_H
#define GELU_TABLE_H

// clang-format off
#ifdef SIMD_LOOKUP32
// P(-a) = c0 + d (c1 + d (c2 + d (c3 + d c4))), d = a - k TAIL_STEP, one row of constants for each whole number k that a / TAIL_STEP
// rounds to: error 1.6e-08; at TAIL_LAST, and so beyond, zero.
#define TAIL_STEP 0x1.800000p-3f
#define TAIL_STEPS 0x1.5555555555555p+2f
#define TAIL_LAST 0x1.740000p+2f
static const struct {
    float c0[32], c1[32], c2[32], c3[32], c4[32];
} tail_lookup = {
    .c0 = {
        0x1.p-1f, 0x1.b3d97cp-2f, 0x1.6a527ap-2f, 0x1.25c5e4p-2f,
        0x1.d02200p-3f, 0x1.64dd8ep-3f, 0x1.0ad7dap-3f, 0x1.83cab6p-4f,
        0x1.11a46ep-4f, 0x1.76d04ep-5f, 0x1.f20394p-6f, 0x1.40cccep-6f,
        0x1.909250p-7f, 0x1.e49cecp-8f, 0x1.1bee6cp-8f, 0x1.42297ap-9f,
        0x1.61de20p-10f, 0x1.7832e6p-11f, 0x1.8301bep-12f, 0x1.812f0ep-13f,
        0x1.72d958p-14f, 0x1.595676p-15f, 0x1.36feb0p-16f, 0x1.0ed0e4p-17f,
        0x1.c8072ep-19f, 0x1.73323ep-20f, 0x1.24149ep-21f, 0x1.bc4ee2p-23f,
        0x1.46a176p-24f, 0x1.d024a8p-26f, 0x1.3eb354p-27f, 0x0.0p+0f,
    },
    .c1 = {
        -0x1.988450p-2f, -0x1.916602p-2f, -0x1.7cc78ap-2f, -0x1.5cbdbap-2f,
        -0x1.345d60p-2f, -0x1.073e68p-2f, -0x1.b1ec74p-3f, -0x1.594776p-3f,
        -0x1.094098p-3f, -0x1.8977e8p-4f, -0x1.19bfb8p-4f, -0x1.858fd4p-5f,
        -0x1.0402e6p-5f, -0x1.4f18b0p-6f, -0x1.a0f1fap-7f, -0x1.f4dd2ep-8f,
        -0x1.2271a2p-8f, -0x1.453630p-9f, -0x1.5f8fccp-10f, -0x1.6eeae2p-11f,
        -0x1.71b6f6p-12f, -0x1.67a9dap-13f, -0x1.51cc54p-14f, -0x1.324d3ep-15f,
        -0x1.0c259cp-16f, -0x1.c54530p-18f, -0x1.71dd56p-19f, -0x1.236132p-20f,
        -0x1.bb3cd6p-22f, -0x1.457912p-23f, -0x1.cd7b28p-25f, 0x0.0p+0f,
    },
    .c2 = {
        -0x1.611886p-18f, 0x1.2d0050p-5f, 0x1.1d8e88p-4f, 0x1.8853aep-4f,
        0x1.ce8d28p-4f, 0x1.ed9732p-4f, 0x1.e82a1ap-4f, 0x1.c52e20p-4f,
        0x1.8ddffcp-4f, 0x1.4bfd6ep-4f, 0x1.08241ep-4f, 0x1.91bbe0p-5f,
        0x1.2482ecp-5f, 0x1.98661ap-6f, 0x1.119efcp-6f, 0x1.602c02p-7f,
        0x1.b3aae0p-8f, 0x1.03278ap-8f, 0x1.28a226p-9f, 0x1.46ca5ap-10f,
        0x1.5a9ca0p-11f, 0x1.620d0ap-12f, 0x1.5c5cbep-13f, 0x1.4a3d72p-14f,
        0x1.2dacaap-15f, 0x1.099902p-16f, 0x1.c2cb06p-18f, 0x1.70cbf2p-19f,
        0x1.22e466p-20f, 0x1.ba7884p-22f, 0x1.448128p-23f, 0x0.0p+0f,
    },
    .c3 = {
        0x1.110ecap-4f, 0x1.01c9f0p-4f, 0x1.b3b416p-5f, 0x1.3d8acap-5f,
        0x1.67cfa0p-6f, 0x1.5674c4p-8f, -0x1.316ee8p-7f, -0x1.4b9674p-6f,
        -0x1.b909ccp-6f, -0x1.e3ccbap-6f, -0x1.d7edecp-6f, -0x1.a63708p-6f,
        -0x1.6003aep-6f, -0x1.140e0ap-6f, -0x1.99b16ep-7f, -0x1.20d64ep-7f,
        -0x1.840e6ep-8f, -0x1.f1da30p-9f, -0x1.3173f4p-9f, -0x1.66f750p-10f,
        -0x1.946e78p-11f, -0x1.b533cep-12f, -0x1.c5cddep-13f, -0x1.c4899ap-14f,
        -0x1.b1c3a0p-15f, -0x1.8fce54p-16f, -0x1.627b86p-17f, -0x1.2e6ed0p-18f,
        -0x1.f0b4e2p-20f, -0x1.88b110p-21f, -0x1.2af492p-22f, 0x0.0p+0f,
    },
    .c4 = {
        -0x1.26c840p-9f, -0x1.17ab62p-7f, -0x1.059f16p-6f, -0x1.5bed26p-6f,
        -0x1.78ed1cp-6f, -0x1.5fcaaep-6f, -0x1.1a43f4p-6f, -0x1.83128ep-7f,
        -0x1.89beeep-8f, -0x1.18dfaep-10f, 0x1.6453d6p-9f, 0x1.500fbcp-8f,
        0x1.927cd2p-8f, 0x1.9018dcp-8f, 0x1.6295cap-8f, 0x1.200f40p-8f,
        0x1.b3f95cp-9f, 0x1.35a9b8p-9f, 0x1.9f691ep-10f, 0x1.087312p-10f,
        0x1.408712p-11f, 0x1.72279cp-12f, 0x1.98946ep-13f, 0x1.af6804p-14f,
        0x1.b42b8ep-15f, 0x1.a6af84p-16f, 0x1.88dcdcp-17f, 0x1.5e8da8p-18f,
        0x1.2c65d2p-19f, 0x1.eea350p-21f, 0x1.8778cap-22f, 0x0.0p+0f,
    },
};
#else
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
#define TAIL_LAST 0x1.p+4f
#endif
// clang-format on

#endif
