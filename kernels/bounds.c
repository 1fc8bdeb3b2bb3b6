// SPDX-License-Identifier: MIT
// bounds.c: what the scaled errors of correct implementations keep, for each output, shape and dtype; reference.c has
// the scales.
#include <math.h>
#include <string.h>

#include "dtype.h"

// Bounds on the scaled error, in epsilon = 2u: a constant, and growth with the square root of the number of
// additions behind an output.
//
// A sum is off by at most k u times the sum of its terms' magnitudes, where k is the most additions that a term goes
// through, but rounding errors that are as often up as down leave it within lambda sqrt(k) u with a probability that
// rises to 1 like 1 - 2 exp(-lambda^2 / 2): Higham and Mary, A new approach to probabilistic rounding error analysis,
// SIAM J. Sci. Comput. 41 (2019). Input kinds whose equal terms would round the same way each time have significands
// short enough to make the sums exact instead (bench/measure/inputs.c).
//
// Errors that are uniform within u deviate by u / sqrt(3): lambda = 2, sqrt(k) epsilons, is 3.5 deviations. y and
// dgamma have half of what the sum of squares is off by, for its root halves it: 0.5 sqrt(k), the worst of a row in
// which one element dwarfs the others. dx has r up to thrice, m(g n) on top: 0.65 sqrt(k).
//
// Constants count the roundings between input and output, half an epsilon each, weighted by their share of the scale,
// of few columns by lambda times the root of the sum of their squares, too. layernorm: 1 / cols and a product in m(x)
// and in m(x^2), m^2, a difference, eps, root, quotient, -m r, two multiply-adds: up to 12 where m^2 nears the variance
// (layernorm.c), so 3.5. rmsnorm has no mean and half of its squares': 4.75, so 2.2; its dx 2.1 in the same way.
//
// One error of sums is not random. The square of an odd number is 1 modulo 8, that of twice an odd number 4 modulo 32,
// so the squares of bf16 values, and of f16's, end in few patterns: a partial sum of them, once its last bit is worth
// more than theirs, stays a multiple of a power of two on which remainders and ties always round down. The loss is
// linear in the length, up to some 2^-14 of the sum: nothing to a bf16 result, but it shows in the dgamma of rmsnorm,
// and of layernorm where the mean is small, which is f32. Hence the linear rate, twice what the one-lane level shows
// from 4096 to 32768 columns.
//
// Long sums are cut: rows into pieces, rows of a gradient into runs, whose sums are added up in double (rows.h,
// gradients.h). Their errors do not grow further, whatever the signs: LONGEST_PIECE is the most columns of a
// piece at any level, LONGEST_RUN the most rows. Another library's may be summed otherwise: of those, and of form
// framework, growth with the columns is three times the largest that was seen.
//
// Form add_fused adds once more, in sum and at the end of dx: half an epsilon, of the result in sum and of a scale that
// is no smaller in dx. The rest of sum is exact, and so is all that identity does beside adding.
typedef struct {
    double constant;
    double per_sqrt_added;     // the sums of a row: mean, variance, m(g), m(g n)
    double per_sqrt_rows;      // the sums over rows: parameter gradients
    double short_per_col;      // added where inputs have 16 bits and the output has not
    double bf16_roundings;     // bf16 op by op: half an epsilon each, weighted by their share of the scale
    double constant_elsewhere; // the constant of those who sum a row in their own way
} bound;

// The squashing ops other than dyt, whose scales follow f and f' closely: VALUE and SLOPE are the epsilons by which a
// correct f and f' may be off where z is not. y: f, the rounding of z (one epsilon of its own part of the scale where
// alpha x and the sum with shift are rounded apart, which VALUE or what follows exceeds), the product with gamma and
// the sum with beta, a half each. dx: gamma dy, f', u and alpha u. dgamma: f; dalpha and dshift: u, and a run's sum in
// f32, in which a term meets 4 rows and 16 vectors at most: sqrt(20) times the rate of dgamma, no more than 3.
// f and f':
//   derf       f is at most 2 ulp off; f' by 2 for exp and three halves: z^2 and 2 / sqrt(pi) as rounded, the product
//   hardtanh   f is exact; f' too, or off by 1, which the scale counts as one
//   sigmoid    f is at most 3 ulp off; f' = f (1 - f) by that, and by the rounding of the difference and of the product
//   isru       f by 1 + z^2 (one, where the product is rounded; the root halves it), the root, the quotient and a
//              product; f', the cube of the first three, by three times three halves, and two products
#define SQUASH_BOUNDS(VALUE, SLOPE)                                                                                    \
    {                                                                                                                  \
        [NORM_OUT_Y] = {(VALUE) + 1, 0, 0, 0, 0, 0}, [NORM_OUT_DX] = {(SLOPE) + 1.5, 0, 0, 0, 0, 0},                   \
        [NORM_OUT_DGAMMA] = {(VALUE) + 1, 0, 0.5, 0, 0, 0}, [NORM_OUT_DBETA] = {0, 0, 0.75, 0, 0, 0},                  \
        [NORM_OUT_DALPHA] = {(SLOPE) + 1.5 + 3, 0, 0, 0, 0, 0},                                                        \
        [NORM_OUT_DSHIFT] = {(SLOPE) + 1.5 + 3, 0, 0, 0, 0, 0},                                                        \
    }

// What dyt may be off by for its tanh beyond the 2 ulp of the bounds below, in f32's epsilons: y and dgamma, dx and
// dalpha. `lp`, in bf16 alone, before it is rounded is off by 0.05 ulp of bf16, but where it saturates by the half ulp
// below 1 that rounding to bf16 would make good, 2^-9, a quarter of an epsilon of 2^-7; gamma and the sums see it
// before that. SVML's classes are 3.71 and 1749 ulp. 1 - t^2 is off by twice as much as t, of which an ulp is half an
// epsilon.
static double tanh_excess(const norm_impl *impl, norm_output output) {
    static const struct {
        const char *base;
        double value, slope;
    } tanhs[] = {{"lp", 0x1p14, 0x1p15}, {"svml_la", 2, 2}, {"svml_ep", 1749, 1749}};
    for (size_t i = 0; impl->op == NORM_DYT && i < sizeof tanhs / sizeof *tanhs; i++)
        if (strcmp(impl->base, tanhs[i].base) == 0)
            return output == NORM_OUT_Y || output == NORM_OUT_DGAMMA    ? tanhs[i].value
                   : output == NORM_OUT_DX || output == NORM_OUT_DALPHA ? tanhs[i].slope
                                                                        : 0;
    return 0;
}

// ---- The sums of a row

// Lanes of a level's vectors: one where the compiler vectorises, for it must not reorder a sum.
enum {
    LANES_SCALAR = 1,
    LANES_SSE2 = 4,
    LANES_AVX2 = 8,
    LANES_AVX512 = 16,
    LANES_AVX512BF16 = 16,
    LANES_AUTO_AVX2 = 1,
    LANES_AUTO_AVX512 = 1,
    LANES_NEON = 4,
    LANES_NEON_BF16 = 4,
    LANES_SVE128 = 4,
    LANES_SVE256 = 8,
    LANES_SVE512 = 16,
    LANES_SVE1024 = 32,
    LANES_SVE2048 = 64,
    LANES_AUTO_NEON = 1,
    LANES_AUTO_SVE = 1
};
#define LANES(ID, ...) LANES_##ID,
static const unsigned char lanes_of[] = {NORM_LEVEL_LIST(LANES)};
#undef LANES

// Whoever sums a row neither through our chains nor in our pieces: another library, or as PyTorch does.
static bool sums_elsewhere(const norm_impl *impl) {
    return impl->level == NORM_LEVEL_LIBRARY || impl->form == NORM_FRAMEWORK;
}

// The most additions that a term goes through (for_each_chain of rows.h): those of its chain, a vector of each round
// and then, in the first chain, what rounds leave, and those of the tree over chains and lanes that are not empty.
static double added(const norm_impl *impl, size_t cols) {
    const bool side_by_side = impl->op == NORM_LAYERNORM && impl->form != NORM_EAGER; // two sums share the chains
    const size_t lanes = lanes_of[impl->level], chains = side_by_side ? 4 : 8, round = lanes * chains;
    const size_t longest = lanes < 8     ? 32
                           : lanes <= 16 ? 64
                                         : 1024 / lanes,
                 rounds = cols / round < longest ? cols / round : longest;
    const size_t left = (cols % round + lanes - 1) / lanes, ends = rounds > 0 ? round : lanes;
    return (double)(rounds + left - 1) + log2((double)(cols < ends ? cols : ends));
}

enum { LONGEST_PIECE = 8192, LONGEST_RUN = 64 };

// The additions behind a sum of so many terms, each of which may add to its error.
static double additions(const norm_impl *impl, size_t terms, size_t longest) {
    const bool cut = impl->level != NORM_LEVEL_LIBRARY && terms > longest;
    return (double)(cut ? longest : terms) - 1;
}

double norm_error_bound(const norm_impl *impl, norm_output output, size_t rows, size_t cols) {
    // dx and dalpha of a bf16 dyt op by op: z, t, g, u and the result are rounded, worth t z (1 - t^2), 2 t^2 and
    // thrice 1 - t^2 halves of an epsilon (a half of t's error counts twice in t^2); over all z the sum is at most 3.2.
    static const bound bounds[NORM_OPS][NORM_OUTPUTS] =
        {
            [NORM_LAYERNORM] =
                {
                    [NORM_OUT_Y] = {3.5, 0.5, 0, 0, 3, 2},
                    [NORM_OUT_DX] = {2.1, 0.65, 0, 0, 2, 3},
                    [NORM_OUT_DGAMMA] = {3.5, 0.5, 0.5, 0.006, 2, 2},
                    [NORM_OUT_DBETA] = {0, 0, 0.75, 0, 0, 0},
                },
            [NORM_RMSNORM] =
                {
                    [NORM_OUT_Y] = {2.2, 0.5, 0, 0, 2, 3},
                    [NORM_OUT_DX] = {2.1, 0.65, 0, 0, 2, 3},
                    [NORM_OUT_DGAMMA] = {2.2, 0.5, 0.5, 0.006, 2, 2},
                },
            [NORM_DYT] =
                {
                    [NORM_OUT_Y] = {2, 0, 0, 0, 3, 0},
                    [NORM_OUT_DX] = {3, 0, 0, 0, 3.2, 0},
                    [NORM_OUT_DGAMMA] = {2, 0, 0.5, 0, 2, 0},
                    [NORM_OUT_DBETA] = {0, 0, 0.75, 0, 0, 0},
                    [NORM_OUT_DALPHA] = {3, 0, 0, 0, 3.2, 0},
                },
            [NORM_DERF] = SQUASH_BOUNDS(2, 3.5),
            [NORM_HARDTANH] = SQUASH_BOUNDS(0, 1),
            [NORM_SIGMOID] = SQUASH_BOUNDS(3, 4),
            [NORM_ISRU] = SQUASH_BOUNDS(2, 5.5),
        };
    const bool adds = impl->form == NORM_ADD_FUSED && (output == NORM_OUT_SUM || output == NORM_OUT_DX);
    if (impl->op == NORM_IDENTITY && !adds)
        return 0; // a copy
    const bound b = bounds[impl->op][output];
    const bool sums =
        output == NORM_OUT_DGAMMA || output == NORM_OUT_DBETA || output == NORM_OUT_DALPHA || output == NORM_OUT_DSHIFT;
    const bool rounds = impl->dtype != NORM_F32;
    const double in_row = additions(impl, cols, LONGEST_PIECE), in_column = additions(impl, rows, LONGEST_RUN);
    const bool normalises = b.per_sqrt_added > 0;
    const double row = !normalises            ? b.constant
                       : sums_elsewhere(impl) ? b.constant_elsewhere + 0.1 * sqrt(in_row)
                                              : b.constant + b.per_sqrt_added * sqrt(added(impl, cols));
    const double f32 = row + tanh_excess(impl, output) + (adds ? 0.5 : 0) + b.per_sqrt_rows * sqrt(in_column) +
                       (rounds && sums ? b.short_per_col * (in_row + 1) : 0);
    if (!rounds || (!impl->op_by_op && sums))
        return f32; // the sums over rows are f32 in every dtype
    const double roundings = !impl->op_by_op ? 1 : b.bf16_roundings;
    // 1 %: what was rounded before is rounded again. An error made in f32 is worth 2^-16 of bf16's epsilon, 2^-13 of
    // f16's.
    return 0.5 * roundings * 1.01 + f32 * dtype_epsilon(NORM_F32) / dtype_epsilon(impl->dtype);
}
