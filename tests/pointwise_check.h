// SPDX-License-Identifier: MIT
// pointwise_check.h: operands between guards, and the sizes, dtypes and levels at which every pointwise function is
// held against its formula in double: odd widths, gaps between rows, results in place of operands, teams.
//
// Bounds: u is half an ulp of 1 in f32, 2^-24. A function's result may be off by k * u * scale before it is stored,
// where scale is the magnitude that its roundings are relative to; k counts the roundings, derived beside each check. A
// function of simd_math.h counts 4 (2 ulp are at most 4 u of the value).
#ifndef POINTWISE_CHECK_H
#define POINTWISE_CHECK_H

#include "dtype.h"
#include "math/pointwise_rows.h"
#include "measure/guard.h"

#define U 0x1p-24
// Results may be flushed to zero below this, f32's smallest normal number, or a few times it where a factor follows.
#define FLOOR 1e-36

enum { MOST_ROWS = 12, MOST_COLS = 4100 };

typedef struct {
    guard_buffer guard;
    matrix m;
    double *was; // the elements before the call, row by row
} operand;

extern operand ta, tb, tc, td, te, tf; // operands and results, in the order of a call

void operand_seed(uint64_t seed);
double operand_uniform(void); // in [-1, 1)
// A matrix with elements mostly of order one, some in the tails of every activation.
matrix operand_put(operand *t, norm_dtype dtype, size_t rows, size_t cols, size_t gap);
static inline double was(const operand *t, size_t r, size_t c) { return t->was[r * t->m.cols + c]; }
static inline double now(const operand *t, size_t r, size_t c) {
    return dtype_get(t->m.dtype, t->m.data, r * t->m.stride + c);
}

// Fails unless every canary is alive, and what is not a result has not changed.
void operand_intact(const operand *t, bool result);
// Fails unless the element is `want`; error: of the f32 value that is then rounded to the dtype.
void operand_near(const char *what, const operand *t, size_t r, size_t c, double want, double error);

typedef struct {
    norm_dtype dtype;
    size_t rows, cols, gap;
    int threads;
    bool in_place;
} pointwise_setting;

// Calls `check` with every setting, the same draws each time.
void pointwise_check_all(void (*check)(const pointwise_setting *));

// A test of one level, which it has to select, by pointwise_check_level(unit), which skips it where this CPU lacks it.
typedef struct {
    const char *name;
    void (*run)(void **unit);
} pointwise_kind;
void pointwise_check_level(void **unit);

// Runs each at every level, and `slopes` once. Returns what main has to.
int pointwise_check_run(const pointwise_kind *kinds, size_t kind_count, void (*slopes)(void **unused));

#endif
