// SPDX-License-Identifier: MIT
// Every op of the project, one row each. Checks, benches, command line, CSV and plots read this table and no other.
#ifndef NORM_LIST_H
#define NORM_LIST_H

// X(ID, name, parameters, formula)
//   parameters    the learnable parameters that the op can have, as NORM_GAMMA | NORM_BETA | NORM_ALPHA | NORM_SHIFT
//   formula       one line, per row of width C; m() is the mean over the row
#define NORM_OP_LIST(X)                                                                                                \
    X(LAYERNORM, layernorm, NORM_GAMMA | NORM_BETA, "y = gamma * (x - m(x)) / sqrt(m((x - m(x))^2) + eps) + beta")     \
    X(RMSNORM, rmsnorm, NORM_GAMMA, "y = gamma * x / sqrt(m(x^2) + eps)")                                              \
    X(DYT, dyt, NORM_GAMMA | NORM_BETA | NORM_ALPHA, "y = gamma * tanh(alpha * x) + beta")                             \
    X(DERF, derf, NORM_GAMMA | NORM_BETA | NORM_ALPHA | NORM_SHIFT, "y = gamma * erf(alpha * x + shift) + beta")       \
    X(HARDTANH, hardtanh, NORM_GAMMA | NORM_BETA | NORM_ALPHA, "y = gamma * min(1, max(-1, alpha * x)) + beta")        \
    X(SIGMOID, sigmoid, NORM_GAMMA | NORM_BETA | NORM_ALPHA, "y = gamma / (1 + exp(-alpha * x)) + beta")               \
    X(ISRU, isru, NORM_GAMMA | NORM_BETA | NORM_ALPHA, "y = gamma * alpha * x / sqrt(1 + (alpha * x)^2) + beta")       \
    X(IDENTITY, identity, 0, "y = x")

// The source files that are compiled once per level, each holding one table of implementations: a file per op, and
// eager.c and framework.c, which have the op-by-op forms of them all. arg is handed on to X.
#define NORM_UNIT_LIST(X, arg)                                                                                         \
    X(layernorm, arg)                                                                                                  \
    X(rmsnorm, arg)                                                                                                    \
    X(dyt, arg)                                                                                                        \
    X(derf, arg) X(hardtanh, arg) X(sigmoid, arg) X(isru, arg) X(identity, arg) X(eager, arg) X(framework, arg)

#endif
