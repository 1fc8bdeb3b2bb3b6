// SPDX-License-Identifier: MIT
// Made by scripts/simd_math.py; not edited by hand. The errors are those of exact arithmetic: rounding comes on top.
#ifndef SIMD_MATH_TABLE_H
#define SIMD_MATH_TABLE_H

// clang-format off
// exp(r) = 1 + r + r^2 Q(r) on [-ln 2 / 2, ln 2 / 2]: relative error 4.1e-09
#define EXP_Q0 0x1.p-1f
#define EXP_Q1 0x1.55548cp-3f
#define EXP_Q2 0x1.5554e4p-5f
#define EXP_Q3 0x1.123d02p-7f
#define EXP_Q4 0x1.6d514ap-10f
#define EXP_LOG2_E 0x1.71547652b82fep+0f
// ln 2 in two parts: with an FMA, whose product is exact; and with a first part short enough that n times it is exact, |n| < 2^15.
#define EXP_LN2_HIGH 0x1.62e430p-1f
#define EXP_LN2_LOW -0x1.05c610ca86c39p-29f
#define EXP_LN2_SHORT 0x1.630000p-1f
#define EXP_LN2_REST -0x1.bd0105c610ca8p-13f
// Below the first, exp is less than the smallest normal float; from the second on, it rounds to infinity.
#define EXP_LOWEST -0x1.5d589ep+6f
#define EXP_BEYOND 0x1.62e430p+6f

// tanh(x) = x + x^3 P(x^2) on [0, TANH_CUT]: relative error 1.3e-08
#define TANH_P0 -0x1.555508p-2f
#define TANH_P1 0x1.10fe2ep-3f
#define TANH_P2 -0x1.b71a6ap-5f
#define TANH_P3 0x1.4b1268p-6f
#define TANH_P4 -0x1.57c1aep-8f
#define TANH_CUT 0x1.600000p-1f
// exp(2r) = 1 + r (Q1 + r (Q2 + ...)) on [-ln 2 / 4, ln 2 / 4]: relative error 1.1e-07
#define TANH_Q1 0x1.fffffap+0f
#define TANH_Q2 0x1.fffdbep+0f
#define TANH_Q3 0x1.555936p+0f
#define TANH_Q4 0x1.573c52p-1f
#define TANH_Q5 0x1.10031cp-2f
#define TANH_2_LOG2_E 0x1.715476p+1f
#define TANH_HALF_LN2 0x1.62e430p-2f

// tanh(x) = x (P0 + P1 x^2) / (1 + Q1 x^2 + Q2 x^4) on [0, 3.53]: error 0.049 of a bf16's last place; at TANH_LP_LAST and with it beyond, 1 in bf16
#define TANH_LP_P0 0x1.ffe6ecp-1f
#define TANH_LP_P1 0x1.5b9e74p-4f
#define TANH_LP_Q1 0x1.aae9cap-2f
#define TANH_LP_Q2 0x1.c85758p-8f
#define TANH_LP_LAST 0x1.ccccccp+1f

// erf(x) = x + x P(x^2) on [0, 15/16]: relative error 2e-08
#define ERF_P0 0x1.06eba6p-3f
#define ERF_P1 -0x1.8126e2p-2f
#define ERF_P2 0x1.ce1940p-4f
#define ERF_P3 -0x1.b6753cp-6f
#define ERF_P4 0x1.46a698p-8f
#define ERF_P5 -0x1.3781b2p-11f
// erf(x) = 1 - exp(x Q(x) - x) on [15/16, 4]: relative error 7.7e-10; at 4 it is 1 to the last bit
#define ERF_Q0 -0x1.0781e8p-3f
#define ERF_Q1 -0x1.45293ap-1f
#define ERF_Q2 -0x1.b3a2d8p-4f
#define ERF_Q3 0x1.8708aap-6f
#define ERF_Q4 -0x1.e4072ep-9f
#define ERF_Q5 0x1.5fb456p-12f
#define ERF_Q6 -0x1.a3dd22p-17f
#define ERF_CUT 0x1.e00000p-1f
#define ERF_LAST 0x1.p+2f

#ifdef SIMD_LOOKUP32
// f(|x|) = c0 + d (c1 + d (c2 + d (c3 + d c4))), d = |x| - centre, one row of constants for each of 32 intervals, whose width grows with
// |x| as the curve flattens. |x| is first clamped to `last`, which comes out as 1.
typedef struct {
    float last, offset, centre[32], c0[32], c1[32], c2[32], c3[32], c4[32];
} odd_lookup;

// Relative error at most 2.5e-08.
static const odd_lookup tanh_lookup = {
    .last = 0x1.29999ap+3f, .offset = 0x1.500000p-1f,
    .centre = {
        0x1.780268p+0f, 0x1.b806fap+0f, 0x1.f7f67cp+0f, 0x1.1bfe32p+1f,
        0x1.3bf968p+1f, 0x1.5c08d8p+1f, 0x1.7c0a1cp+1f, 0x1.9c065ep+1f,
        0x1.cbfb9ep+1f, 0x1.060ab4p+2f, 0x1.25fa50p+2f, 0x1.4605a6p+2f,
        0x1.660a80p+2f, 0x1.85fc00p+2f, 0x1.a5f448p+2f, 0x1.c60bb8p+2f,
        0x1.f60bb8p+2f, 0x1.1a4114p+3f, 0x0.0p+0f, 0x1.ffe960p-5f,
        0x1.fff614p-4f, 0x1.7ffe86p-3f, 0x1.fffdd0p-3f, 0x1.40033ep-2f,
        0x1.a009aap-2f, 0x1.0ff73ap-1f, 0x1.50013ep-1f, 0x1.9005c2p-1f,
        0x1.d003f8p-1f, 0x1.08095ep+0f, 0x1.27f6e4p+0f, 0x1.4808e4p+0f,
    },
    .c0 = {
        0x1.cc770cp-1f, 0x1.e01d84p-1f, 0x1.ec6952p-1f, 0x1.f407ecp-1f,
        0x1.f8b46ap-1f, 0x1.fb9122p-1f, 0x1.fd4e8cp-1f, 0x1.fe5d4cp-1f,
        0x1.ff39ecp-1f, 0x1.ffb736p-1f, 0x1.ffe52ap-1f, 0x1.fff624p-1f,
        0x1.fffc60p-1f, 0x1.fffeaap-1f, 0x1.ffff82p-1f, 0x1.ffffd2p-1f,
        0x1.fffff6p-1f, 0x1.fffffep-1f, 0x0.0p+0f, 0x1.ff3f10p-5f,
        0x1.fd4fcep-4f, 0x1.7b8e8cp-3f, 0x1.f595dcp-3f, 0x1.35fc7cp-2f,
        0x1.8a901cp-2f, 0x1.f1f4acp-2f, 0x1.26d844p-1f, 0x1.4e90d6p-1f,
        0x1.704d9cp-1f, 0x1.8c86dcp-1f, 0x1.a3b8b0p-1f, 0x1.b6b586p-1f,
    },
    .c1 = {
        0x1.878816p-3f, 0x1.ee44f4p-4f, 0x1.336ba4p-4f, 0x1.7a87c6p-5f,
        0x1.cf9102p-6f, 0x1.1a7c6cp-6f, 0x1.57d112p-7f, 0x1.a207c2p-8f,
        0x1.8bcb0ep-9f, 0x1.23071ep-10f, 0x1.ad42b0p-12f, 0x1.3b6faap-13f,
        0x1.cfeacap-15f, 0x1.55f11ep-16f, 0x1.f7a522p-18f, 0x1.7178d4p-19f,
        0x1.48e728p-21f, 0x1.742336p-24f, 0x1.p+0f, 0x1.fe0180p-1f,
        0x1.f81572p-1f, 0x1.ee6a04p-1f, 0x1.e149e0p-1f, 0x1.d11490p-1f,
        0x1.b3fc02p-1f, 0x1.86ed08p-1f, 0x1.563550p-1f, 0x1.2560eap-1f,
        0x1.ee20dap-2f, 0x1.99ce8ep-2f, 0x1.4fd9f4p-2f, 0x1.102e5ep-2f,
    },
    .c2 = {
        -0x1.601fcap-3f, -0x1.cf7daap-4f, -0x1.27a900p-4f, -0x1.71aed6p-5f,
        -0x1.c8f6aep-6f, -0x1.180a7ap-6f, -0x1.560256p-7f, -0x1.a0b236p-8f,
        -0x1.8b38dep-9f, -0x1.22e196p-10f, -0x1.ad33d2p-12f, -0x1.3b6e6ap-13f,
        -0x1.cfee04p-15f, -0x1.55f5f2p-16f, -0x1.ef35f6p-18f, -0x1.a3bc4ep-19f,
        -0x1.9832e2p-21f, 0x1.9d6c50p-23f, 0x1.95858ep-21f, -0x1.fd3ff0p-5f,
        -0x1.f56f76p-4f, -0x1.6e8514p-3f, -0x1.d77f90p-3f, -0x1.199442p-2f,
        -0x1.4ffb76p-2f, -0x1.7c33e8p-2f, -0x1.8a225cp-2f, -0x1.7f6a88p-2f,
        -0x1.63728ep-2f, -0x1.3d61bap-2f, -0x1.135208p-2f, -0x1.d27050p-3f,
    },
    .c3 = {
        0x1.74019ep-4f, 0x1.0e2120p-4f, 0x1.6c83c4p-5f, 0x1.d70c30p-6f,
        0x1.28e3a0p-6f, 0x1.703218p-7f, 0x1.c4dd52p-8f, 0x1.150f9cp-8f,
        0x1.0ac340p-9f, 0x1.898192p-11f, 0x1.2287a8p-12f, 0x1.ab29c4p-14f,
        0x1.3a2a76p-15f, 0x1.cf269ap-17f, 0x1.554a72p-18f, 0x1.f6cdd6p-20f,
        0x1.d4e444p-22f, 0x1.176e66p-24f, -0x1.557b8ap-2f, -0x1.4fdbe0p-2f,
        -0x1.405332p-2f, -0x1.2786a0p-2f, -0x1.07071ep-2f, -0x1.c18376p-3f,
        -0x1.4254f4p-3f, -0x1.2fa38cp-4f, -0x1.76cd50p-10f, 0x1.b51ba2p-5f,
        0x1.6aca96p-4f, 0x1.b3f132p-4f, 0x1.c66b14p-4f, 0x1.b41a38p-4f,
    },
    .c4 = {
        -0x1.8d4056p-6f, -0x1.8967c8p-6f, -0x1.31787ep-6f, -0x1.a92a5ep-7f,
        -0x1.17498cp-7f, -0x1.631d58p-8f, -0x1.bb12ecp-9f, -0x1.115dc4p-9f,
        -0x1.083b3cp-10f, -0x1.87ce6ep-12f, -0x1.214378p-13f, -0x1.a9eb4ep-15f,
        -0x1.3971d4p-16f, -0x1.cd9beep-18f, -0x1.165ad0p-18f, 0x1.02e694p-18f,
        0x1.119480p-22f, -0x1.0ed9e8p-20f, 0x1.06bb2ep-7f, 0x1.4c2076p-5f,
        0x1.4491f8p-4f, 0x1.ceb77cp-4f, 0x1.1d8d3cp-3f, 0x1.43a5c4p-3f,
        0x1.5b5a1ap-3f, 0x1.46d4fep-3f, 0x1.082468p-3f, 0x1.703e90p-4f,
        0x1.a98f96p-5f, 0x1.5613e8p-6f, -0x1.5ce8c6p-10f, -0x1.f59fa2p-7f,
    },
};

// Relative error at most 4.5e-08.
static const odd_lookup erf_lookup = {
    .last = 0x1.0cccccp+2f, .offset = 0x1.500000p-2f,
    .centre = {
        0x1.cc0608p+0f, 0x1.05f9c2p+1f, 0x1.25f518p+1f, 0x1.45fad6p+1f,
        0x1.65f768p+1f, 0x1.860426p+1f, 0x1.a60bb8p+1f, 0x1.c5f448p+1f,
        0x1.f60bb8p+1f, 0x1.0bf21ep+2f, 0x0.0p+0f, 0x1.000118p-5f,
        0x1.fff8b0p-5f, 0x1.80067cp-4f, 0x1.ffff90p-4f, 0x1.3ff9c0p-3f,
        0x1.a0018ep-3f, 0x1.0ffcbcp-2f, 0x1.4ffbb2p-2f, 0x1.8ffc8ep-2f,
        0x1.cfff18p-2f, 0x1.08020ep-1f, 0x1.280068p-1f, 0x1.48017cp-1f,
        0x1.780842p-1f, 0x1.b7f576p-1f, 0x1.f8019ap-1f, 0x1.1bfd38p+0f,
        0x1.3c07fcp+0f, 0x1.5c0a50p+0f, 0x1.7c091ep+0f, 0x1.9c05fap+0f,
    },
    .c0 = {
        0x1.fa5868p-1f, 0x1.fe0e28p-1f, 0x1.ff6790p-1f, 0x1.ffd68cp-1f,
        0x1.fff5f8p-1f, 0x1.fffddap-1f, 0x1.ffff98p-1f, 0x1.ffffeep-1f,
        0x1.p+0f, 0x1.p+0f, 0x0.0p+0f, 0x1.20c6a0p-5f,
        0x1.20792cp-4f, 0x1.b00f52p-4f, 0x1.1f5ddcp-3f, 0x1.66232ap-3f,
        0x1.cf091cp-3f, 0x1.2bd66cp-2f, 0x1.6df0aep-2f, 0x1.ad6540p-2f,
        0x1.e9d5b4p-2f, 0x1.117a5ap-1f, 0x1.2c3e40p-1f, 0x1.4526e4p-1f,
        0x1.66eddcp-1f, 0x1.8d2b30p-1f, 0x1.ac17acp-1f, 0x1.c441a0p-1f,
        0x1.d69c5ap-1f, 0x1.e415bep-1f, 0x1.edae42p-1f, 0x1.f44e8ap-1f,
    },
    .c1 = {
        0x1.6dfbf4p-5f, 0x1.184d4ap-6f, 0x1.7ac274p-8f, 0x1.c2faf8p-10f,
        0x1.da836ap-12f, 0x1.b74e26p-14f, 0x1.671a4cp-16f, 0x1.04b4aap-18f,
        0x1.e654aep-23f, -0x1.32525cp-26f, 0x1.20dd76p+0f, 0x1.209546p+0f,
        0x1.1fbd30p+0f, 0x1.1e5646p+0f, 0x1.1c62fcp+0f, 0x1.19e62ep+0f,
        0x1.153052p+0f, 0x1.0d301ap+0f, 0x1.0361f6p+0f, 0x1.effa12p-1f,
        0x1.d67f02p-1f, 0x1.bad884p-1f, 0x1.9d9700p-1f, 0x1.7f4070p-1f,
        0x1.50dfaap-1f, 0x1.141692p-1f, 0x1.b6722cp-2f, 0x1.51861cp-2f,
        0x1.f76adep-3f, 0x1.6bf88cp-3f, 0x1.fe2e82p-4f, 0x1.5a993ap-4f,
    },
    .c2 = {
        -0x1.48d6dap-4f, -0x1.1edc86p-5f, -0x1.b2f724p-7f, -0x1.1f2d4ap-8f,
        -0x1.4bd7a8p-10f, -0x1.4ec08ep-12f, -0x1.3a761ap-14f, -0x1.8db3bap-17f,
        -0x1.73e760p-19f, -0x1.0d7272p-14f, -0x1.03285ap-15f, -0x1.20964ep-5f,
        -0x1.1fb850p-4f, -0x1.ad888cp-4f, -0x1.1c62b8p-3f, -0x1.605866p-3f,
        -0x1.c26ff0p-3f, -0x1.1dffb6p-2f, -0x1.546c36p-2f, -0x1.8377fap-2f,
        -0x1.aa6240p-2f, -0x1.c8b2cep-2f, -0x1.de3738p-2f, -0x1.eb0cc2p-2f,
        -0x1.eed35ep-2f, -0x1.da7b68p-2f, -0x1.af99c4p-2f, -0x1.766d16p-2f,
        -0x1.36bbd2p-2f, -0x1.eed488p-3f, -0x1.7aaf98p-3f, -0x1.16eb68p-3f,
    },
    .c3 = {
        0x1.4da45cp-4f, 0x1.5ac64ap-5f, 0x1.308d90p-6f, 0x1.c8e3ccp-8f,
        0x1.27931cp-9f, 0x1.4a49f2p-11f, 0x1.414b56p-13f, 0x1.11f032p-15f,
        0x1.7f3896p-19f, 0x1.e1833cp-12f, -0x1.7d1262p-2f, -0x1.7ffbc4p-2f,
        -0x1.7c9fc2p-2f, -0x1.7709b4p-2f, -0x1.6f4a84p-2f, -0x1.657f1ep-2f,
        -0x1.52f8eap-2f, -0x1.342d64p-2f, -0x1.0f4d7ep-2f, -0x1.cb6610p-3f,
        -0x1.71aa72p-3f, -0x1.14729ep-3f, -0x1.6db8c0p-4f, -0x1.6e8e9ep-5f,
        0x1.171d68p-6f, 0x1.5db152p-4f, 0x1.117d8cp-3f, 0x1.482ca6p-3f,
        0x1.572b52p-3f, 0x1.46d714p-3f, 0x1.219430p-3f, 0x1.e2f1e4p-4f,
    },
    .c4 = {
        -0x1.79c32ap-5f, -0x1.012626p-5f, -0x1.129180p-6f, -0x1.e11604p-8f,
        -0x1.61c7dcp-9f, -0x1.ba3678p-11f, -0x1.5ffcd8p-19f, -0x1.3daea0p-13f,
        0x1.3d9d0ep-16f, 0x1.09967cp-2f, -0x1.281118p-3f, 0x1.1c1e4ep-6f,
        0x1.0add4ap-5f, 0x1.a7af5ep-5f, 0x1.18e414p-4f, 0x1.4efbf8p-4f,
        0x1.b404b0p-4f, 0x1.10a384p-3f, 0x1.3bd97ap-3f, 0x1.5b978cp-3f,
        0x1.6fcaaep-3f, 0x1.777146p-3f, 0x1.735d70p-3f, 0x1.6479f0p-3f,
        0x1.3cc282p-3f, 0x1.e1d13ep-4f, 0x1.31f880p-4f, 0x1.0de328p-5f,
        -0x1.277b4ap-9f, -0x1.c9331cp-6f, -0x1.627886p-5f, -0x1.94bfd2p-5f,
    },
};

// f(|x|) = c0 + |x| (c1 + |x| c2), one row of constants for each whole number that steps |x| rounds to.
typedef struct {
    float last, steps, c0[32], c1[32], c2[32];
} coarse_lookup;

// Error 0.034 of a bf16's last place; at `last`, and so beyond, 1 in bf16.
static const coarse_lookup tanh_coarse_lookup = {
    .last = 0x1.beb852p+1f, .steps = 0x1.200000p+3f,
    .c0 = {
        0x0.0p+0f, -0x1.435c2cp-12f, -0x1.87c532p-9f, -0x1.2cd11ep-7f,
        -0x1.1fadc4p-6f, -0x1.9997dap-6f, -0x1.d047e6p-6f, -0x1.79d07cp-6f,
        -0x1.bc1230p-8f, 0x1.6227c6p-6f, 0x1.f96aa4p-5f, 0x1.ca3098p-4f,
        0x1.5bbcdap-3f, 0x1.dcf7eep-3f, 0x1.31cfa0p-2f, 0x1.7591fep-2f,
        0x1.b7e704p-2f, 0x1.f765bcp-2f, 0x1.1988eap-1f, 0x1.3526b4p-1f,
        0x1.4e63e0p-1f, 0x1.6535ecp-1f, 0x1.79a866p-1f, 0x1.8bd62ap-1f,
        0x1.9be406p-1f, 0x1.a9fc7ep-1f, 0x1.b64cacp-1f, 0x1.c101f8p-1f,
        0x1.ca4880p-1f, 0x1.d24a0ep-1f, 0x1.d92d80p-1f, 0x1.ded8dcp-1f,
    },
    .c1 = {
        0x1.0008fap+0f, 0x1.029e2ap+0f, 0x1.0affbep+0f, 0x1.16876ep+0f,
        0x1.21a4d8p+0f, 0x1.296154p+0f, 0x1.2c48e8p+0f, 0x1.289ca4p+0f,
        0x1.1ea7e4p+0f, 0x1.0f4b48p+0f, 0x1.f7bc0ep-1f, 0x1.cbb538p-1f,
        0x1.9d4580p-1f, 0x1.6eba52p-1f, 0x1.41d162p-1f, 0x1.17bbccp-1f,
        0x1.e26254p-2f, 0x1.9d118cp-2f, 0x1.5fa5fap-2f, 0x1.29def4p-2f,
        0x1.f67ce0p-3f, 0x1.a648a6p-3f, 0x1.61c3b8p-3f, 0x1.278e24p-3f,
        0x1.ecacccp-4f, 0x1.99c70ap-4f, 0x1.543412p-4f, 0x1.19fb80p-4f,
        0x1.d2c57ap-5f, 0x1.81d31cp-5f, 0x1.3e8a2ap-5f, 0x1.08f3a0p-5f,
    },
    .c2 = {
        -0x1.38b998p-6f, -0x1.abc4d2p-4f, -0x1.a4d98ep-3f, -0x1.26af14p-2f,
        -0x1.6060a6p-2f, -0x1.7fd1a2p-2f, -0x1.89b00cp-2f, -0x1.7fb384p-2f,
        -0x1.67ea46p-2f, -0x1.477048p-2f, -0x1.22a612p-2f, -0x1.f9d148p-3f,
        -0x1.b11b18p-3f, -0x1.6e0b5cp-3f, -0x1.321fb2p-3f, -0x1.fbaf74p-4f,
        -0x1.a219e4p-4f, -0x1.566cfap-4f, -0x1.1733bap-4f, -0x1.c5ad44p-5f,
        -0x1.6f8848p-5f, -0x1.290ef4p-5f, -0x1.df4e6ep-6f, -0x1.821bacp-6f,
        -0x1.36a936p-6f, -0x1.f36f8cp-7f, -0x1.912720p-7f, -0x1.42034cp-7f,
        -0x1.025bcap-7f, -0x1.9e694cp-8f, -0x1.4c419cp-8f, -0x1.0cf07ep-8f,
    },
};
#endif
// clang-format on

#endif
