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

// Relative error at most 5.2e-08.
static const odd_lookup tanh_lookup = {
    .last = 0x1.29999ap+3f, .offset = 0x1.500000p-1f,
    .centre = {
        0x1.78068ep+0f, 0x1.b7f490p+0f, 0x1.f805cap+0f, 0x1.1bf4b0p+1f,
        0x1.3c080cp+1f, 0x1.5c082ap+1f, 0x1.7c00cep+1f, 0x1.9bfc44p+1f,
        0x1.cc0404p+1f, 0x1.05fd84p+2f, 0x1.2603dap+2f, 0x1.45f8acp+2f,
        0x1.65f8dcp+2f, 0x1.85fbfep+2f, 0x1.a5f448p+2f, 0x1.c60bb8p+2f,
        0x1.f60bb8p+2f, 0x1.1a4114p+3f, 0x0.0p+0f, 0x1.000bb8p-4f,
        0x1.0000dap-3f, 0x1.800092p-3f, 0x1.fff044p-3f, 0x1.4009fap-2f,
        0x1.a0044cp-2f, 0x1.0ff6ccp-1f, 0x1.4ffcb8p-1f, 0x1.900682p-1f,
        0x1.d003f8p-1f, 0x1.07fd4ep+0f, 0x1.2801bep+0f, 0x1.47ff84p+0f,
    },
    .c0 = {
        0x1.cc78a2p-1f, 0x1.e01912p-1f, 0x1.ec6b9ep-1f, 0x1.f4062ap-1f,
        0x1.f8b612p-1f, 0x1.fb9116p-1f, 0x1.fd4e28p-1f, 0x1.fe5d0ap-1f,
        0x1.ff3a06p-1f, 0x1.ffb718p-1f, 0x1.ffe532p-1f, 0x1.fff620p-1f,
        0x1.fffc5ep-1f, 0x1.fffeaap-1f, 0x1.ffff82p-1f, 0x1.ffffd2p-1f,
        0x1.fffff6p-1f, 0x1.fffffep-1f, 0x0.0p+0f, 0x1.ff6cf2p-5f,
        0x1.fd5b40p-4f, 0x1.7b9086p-3f, 0x1.f58920p-3f, 0x1.36029ap-2f,
        0x1.8a8b8ap-2f, 0x1.f1f404p-2f, 0x1.26d53ep-1f, 0x1.4e9144p-1f,
        0x1.704d9cp-1f, 0x1.8c7d34p-1f, 0x1.a3bfcep-1f, 0x1.b6b08ap-1f,
    },
    .c1 = {
        0x1.877c82p-3f, 0x1.ee87e8p-4f, 0x1.3348aep-4f, 0x1.7abf5ep-5f,
        0x1.cf297ap-6f, 0x1.1a800ap-6f, 0x1.5803a2p-7f, 0x1.a24a96p-8f,
        0x1.8ba772p-9f, 0x1.238b3cp-10f, 0x1.acd4c8p-12f, 0x1.3bfcf0p-13f,
        0x1.d0fe56p-15f, 0x1.55ff90p-16f, 0x1.f7bbd6p-18f, 0x1.719190p-19f,
        0x1.49d912p-21f, 0x1.76b242p-24f, 0x1.p+0f, 0x1.fe0126p-1f,
        0x1.f81518p-1f, 0x1.ee69d6p-1f, 0x1.e14b70p-1f, 0x1.d112b6p-1f,
        0x1.b3fdc6p-1f, 0x1.86ed54p-1f, 0x1.5638c2p-1f, 0x1.256050p-1f,
        0x1.ee20c8p-2f, 0x1.99ec6ap-2f, 0x1.4fc294p-2f, 0x1.103f6ep-2f,
    },
    .c2 = {
        -0x1.6016acp-3f, -0x1.cfb7d2p-4f, -0x1.278854p-4f, -0x1.71e364p-5f,
        -0x1.c890e0p-6f, -0x1.180d56p-6f, -0x1.5633bap-7f, -0x1.a0f3fap-8f,
        -0x1.8b067cp-9f, -0x1.235c7ap-10f, -0x1.acb534p-12f, -0x1.3bf184p-13f,
        -0x1.d0f382p-15f, -0x1.55f908p-16f, -0x1.ef3786p-18f, -0x1.a3ba9cp-19f,
        -0x1.982ebap-21f, 0x1.9d6004p-23f, 0x1.95858ep-21f, -0x1.fd698ap-5f,
        -0x1.f57a1ep-4f, -0x1.6e86aep-3f, -0x1.d77502p-3f, -0x1.1998aep-2f,
        -0x1.4ff8f2p-2f, -0x1.7c33c2p-2f, -0x1.8a2272p-2f, -0x1.7f6a4ep-2f,
        -0x1.6372a6p-2f, -0x1.3d712ep-2f, -0x1.13438cp-2f, -0x1.d28862p-3f,
    },
    .c3 = {
        0x1.7414bep-4f, 0x1.0e298ap-4f, 0x1.6c2470p-5f, 0x1.d6e630p-6f,
        0x1.285a26p-6f, 0x1.6fd316p-7f, 0x1.c49efcp-8f, 0x1.14eb0cp-8f,
        0x1.0968c4p-9f, 0x1.8850b0p-11f, 0x1.20d892p-12f, 0x1.a9d95ep-14f,
        0x1.396084p-15f, 0x1.ccff32p-17f, 0x1.53967cp-18f, 0x1.f317eap-20f,
        0x1.cbd1d0p-22f, 0x1.09ff66p-24f, -0x1.557b8ap-2f, -0x1.4feae4p-2f,
        -0x1.405cb6p-2f, -0x1.278eb6p-2f, -0x1.0712aap-2f, -0x1.c17c7ap-3f,
        -0x1.4261f0p-3f, -0x1.2f6f2ep-4f, -0x1.64dcbcp-10f, 0x1.b5e42ap-5f,
        0x1.6b20fep-4f, 0x1.b42228p-4f, 0x1.c696c8p-4f, 0x1.b43cdap-4f,
    },
    .c4 = {
        -0x1.8d4e02p-6f, -0x1.89895ep-6f, -0x1.317f38p-6f, -0x1.a9132ep-7f,
        -0x1.1752d8p-7f, -0x1.633b70p-8f, -0x1.bb16dep-9f, -0x1.114a46p-9f,
        -0x1.080b50p-10f, -0x1.878a50p-12f, -0x1.20fbc0p-13f, -0x1.a996eep-15f,
        -0x1.393852p-16f, -0x1.ccf12cp-18f, -0x1.1632d8p-18f, 0x1.02d0dep-18f,
        0x1.115f50p-22f, -0x1.0ecf26p-20f, 0x1.06bb2ep-7f, 0x1.3bb186p-5f,
        0x1.42eae2p-4f, 0x1.cd2920p-4f, 0x1.1d0900p-3f, 0x1.438d9cp-3f,
        0x1.5b59c4p-3f, 0x1.47019ap-3f, 0x1.087a02p-3f, 0x1.7087f2p-4f,
        0x1.aa7920p-5f, 0x1.56fd5ap-6f, -0x1.612cf2p-10f, -0x1.f40096p-7f,
    },
};

// Relative error at most 5.3e-08.
static const odd_lookup erf_lookup = {
    .last = 0x1.0cccccp+2f, .offset = 0x1.500000p-2f,
    .centre = {
        0x1.cc0758p+0f, 0x1.05f7b4p+1f, 0x1.25f6c8p+1f, 0x1.460082p+1f,
        0x1.66045ap+1f, 0x1.860420p+1f, 0x1.a60bb8p+1f, 0x1.c5f448p+1f,
        0x1.f60bb8p+1f, 0x1.0bf21ep+2f, 0x0.0p+0f, 0x1.fffb50p-6f,
        0x1.0008d2p-4f, 0x1.7ff666p-4f, 0x1.000b44p-3f, 0x1.3ff9c0p-3f,
        0x1.a00524p-3f, 0x1.0ff54ep-2f, 0x1.4ff8bep-2f, 0x1.8ffd0ep-2f,
        0x1.d00b3cp-2f, 0x1.07fd32p-1f, 0x1.280910p-1f, 0x1.480958p-1f,
        0x1.780842p-1f, 0x1.b7f972p-1f, 0x1.f80444p-1f, 0x1.1c0164p+0f,
        0x1.3bff84p+0f, 0x1.5bfe94p+0f, 0x1.7bffc6p+0f, 0x1.9c0780p+0f,
    },
    .c0 = {
        0x1.fa5886p-1f, 0x1.fe0e04p-1f, 0x1.ff679ap-1f, 0x1.ffd696p-1f,
        0x1.fff5fep-1f, 0x1.fffddap-1f, 0x1.ffff98p-1f, 0x1.ffffeep-1f,
        0x1.p+0f, 0x1.p+0f, 0x0.0p+0f, 0x1.20c2c0p-5f,
        0x1.208732p-4f, 0x1.affd54p-4f, 0x1.1f6a9ep-3f, 0x1.66232ap-3f,
        0x1.cf0cfep-3f, 0x1.2bce9cp-2f, 0x1.6dedb0p-2f, 0x1.ad65bcp-2f,
        0x1.e9e0dcp-2f, 0x1.117626p-1f, 0x1.2c453ep-1f, 0x1.452cc6p-1f,
        0x1.66eddcp-1f, 0x1.8d2d56p-1f, 0x1.ac18d0p-1f, 0x1.c44460p-1f,
        0x1.d69830p-1f, 0x1.e41192p-1f, 0x1.edabeep-1f, 0x1.f44eccp-1f,
    },
    .c1 = {
        0x1.6df69cp-5f, 0x1.1863e0p-6f, 0x1.7ab814p-8f, 0x1.c2b0b4p-10f,
        0x1.d9a6f4p-12f, 0x1.b792eap-14f, 0x1.6772e0p-16f, 0x1.051440p-18f,
        0x1.f8f02ep-23f, 0x1.d94c5ep-26f, 0x1.20dd76p+0f, 0x1.209548p+0f,
        0x1.1fbd14p+0f, 0x1.1e567cp+0f, 0x1.1c6296p+0f, 0x1.19e62ep+0f,
        0x1.153020p+0f, 0x1.0d3124p+0f, 0x1.036274p+0f, 0x1.eff9e2p-1f,
        0x1.d679f4p-1f, 0x1.badcdap-1f, 0x1.9d8eeap-1f, 0x1.7f38e6p-1f,
        0x1.50dfa2p-1f, 0x1.1412d6p-1f, 0x1.b66d98p-2f, 0x1.5179d4p-2f,
        0x1.f793dep-3f, 0x1.6c25d6p-3f, 0x1.fe65b8p-4f, 0x1.5a9292p-4f,
    },
    .c2 = {
        -0x1.48d176p-4f, -0x1.1eed5cp-5f, -0x1.b2e092p-7f, -0x1.1ef220p-8f,
        -0x1.4b27e2p-10f, -0x1.4ec53ep-12f, -0x1.3a7310p-14f, -0x1.8dba4ap-17f,
        -0x1.73dd28p-19f, -0x1.0985aep-14f, -0x1.03285ap-15f, -0x1.209244p-5f,
        -0x1.1fc6b2p-4f, -0x1.ad7736p-4f, -0x1.1c6f6cp-3f, -0x1.605866p-3f,
        -0x1.c273acp-3f, -0x1.1df8eap-2f, -0x1.5469b6p-2f, -0x1.837864p-2f,
        -0x1.aa68d6p-2f, -0x1.c8aec8p-2f, -0x1.de3bdcp-2f, -0x1.eb0ed2p-2f,
        -0x1.eed37ep-2f, -0x1.da796ep-2f, -0x1.af97acp-2f, -0x1.766518p-2f,
        -0x1.36cce0p-2f, -0x1.ef018cp-3f, -0x1.7acf5cp-3f, -0x1.16e718p-3f,
    },
    .c3 = {
        0x1.4d6abcp-4f, 0x1.5a36dep-5f, 0x1.2f8de8p-6f, 0x1.c67ea4p-8f,
        0x1.2539a8p-9f, 0x1.47bad6p-11f, 0x1.3df8e0p-13f, 0x1.0e5a72p-15f,
        0x1.68e434p-19f, 0x1.6a5c30p-13f, -0x1.7d1262p-2f, -0x1.8000a4p-2f,
        -0x1.7ca306p-2f, -0x1.770c66p-2f, -0x1.6f4e60p-2f, -0x1.657f1ep-2f,
        -0x1.530152p-2f, -0x1.343910p-2f, -0x1.0f55ccp-2f, -0x1.cb6db6p-3f,
        -0x1.719c78p-3f, -0x1.14883ep-3f, -0x1.6d7f78p-4f, -0x1.6e1f2ap-5f,
        0x1.1850a8p-6f, 0x1.5e2780p-4f, 0x1.11b602p-3f, 0x1.486114p-3f,
        0x1.575166p-3f, 0x1.46fae0p-3f, 0x1.21ae26p-3f, 0x1.e2f256p-4f,
    },
    .c4 = {
        -0x1.79e3e8p-5f, -0x1.0116c8p-5f, -0x1.125a48p-6f, -0x1.e0c948p-8f,
        -0x1.61801cp-9f, -0x1.b9dcdep-11f, -0x1.86e558p-19f, -0x1.3d84a0p-13f,
        0x1.3d7c5ap-16f, 0x1.01b2fap-2f, -0x1.281118p-3f, 0x1.11dda0p-6f,
        0x1.159de0p-5f, 0x1.afef72p-5f, 0x1.2148e6p-4f, 0x1.4efbf8p-4f,
        0x1.b4a994p-4f, 0x1.0ff1b8p-3f, 0x1.3ac87ap-3f, 0x1.5c0970p-3f,
        0x1.6fd68ap-3f, 0x1.76dea6p-3f, 0x1.736d64p-3f, 0x1.643282p-3f,
        0x1.3d107cp-3f, 0x1.e22ec0p-4f, 0x1.32407ep-4f, 0x1.0e492ap-5f,
        -0x1.232f4cp-9f, -0x1.c8b026p-6f, -0x1.624532p-5f, -0x1.94bfe8p-5f,
    },
};
#endif
// clang-format on

#endif
