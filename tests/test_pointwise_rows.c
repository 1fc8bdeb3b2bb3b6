// SPDX-License-Identifier: MIT
// Pointwise functions that look across a row or a column (sums, tables, rotation, softmax, loss), against loops in
// double, at every level that this CPU can run. Bounds: see pointwise_check.h; k is derived beside each check.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pointwise_check.h"

static double loss_of(const double *x, size_t cols, size_t label) {
    // Relative to the label's: the sum is at least 1, and small enough for a double.
    double sum = 1;
    for (size_t c = 0; c < cols; c++)
        if (c != label)
            sum += exp(x[c] - x[label]);
    return log(sum);
}

static double probability(const double *x, size_t cols, size_t c, double scale) {
    double sum = 0;
    for (size_t k = 0; k < cols; k++)
        sum += exp(scale * (x[k] - x[c]));
    return 1 / sum;
}

static void check_slopes(void **unused) {
    (void)unused;
    // The central difference is off by h^2 f''' / 6, f''' below 1, and by the roundings of f over h.
    const double h = 1e-4;
    operand_seed(0);
    double x[7];
    for (size_t i = 0; i < 7; i++)
        x[i] = 3 * operand_uniform();
    for (size_t i = 0; i < 7; i++) {
        const double middle = x[i], gradient = probability(x, 7, i, 1) - (i == 2);
        x[i] = middle + h;
        const double above = loss_of(x, 7, 2);
        x[i] = middle - h;
        const double below = loss_of(x, 7, 2);
        x[i] = middle;
        assert_true(fabs((above - below) / (2 * h) - gradient) < 1e-8);
    }
}

static void check_sums_and_tables(const pointwise_setting *s) {
    operand_put(&tb, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&ta, NORM_F32, 1, s->cols, 0);
    pointwise_col_sums(s->threads, ta.m.data, tb.m);
    for (size_t c = 0; c < s->cols; c++) {
        double sum = was(&ta, 0, c), scale = fabs(sum);
        for (size_t r = 0; r < s->rows; r++) {
            sum += was(&tb, r, c);
            scale += fabs(was(&tb, r, c));
        }
        operand_near("column sum", &ta, 0, c, sum, (double)s->rows * U * scale);
    }
    operand_intact(&ta, true);
    operand_intact(&tb, false);

    enum { VOCABULARY = 5 };
    int32_t ids[MOST_ROWS]; // 2 comes up again and again, 4 never
    for (size_t r = 0; r < s->rows; r++)
        ids[r] = r % 2 ? 2 : (int32_t)(r % 4);
    operand_put(&tb, s->dtype, VOCABULARY, s->cols, s->gap);
    operand_put(&ta, s->dtype, s->rows, s->cols, 0);
    pointwise_gather(s->threads, ta.m, tb.m, ids);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++)
            assert_true(now(&ta, r, c) == was(&tb, (size_t)ids[r], c));
    operand_intact(&ta, true);
    operand_intact(&tb, false);

    operand_put(&tb, s->dtype, s->rows, s->cols, s->gap);
    operand_put(&ta, NORM_F32, VOCABULARY, s->cols, 0);
    pointwise_scatter(s->threads, ta.m.data, VOCABULARY, tb.m, ids);
    for (size_t id = 0; id < VOCABULARY; id++)
        for (size_t c = 0; c < s->cols; c++) {
            double sum = was(&ta, id, c), scale = fabs(sum);
            for (size_t r = 0; r < s->rows; r++)
                if ((size_t)ids[r] == id) {
                    sum += was(&tb, r, c);
                    scale += fabs(was(&tb, r, c));
                }
            operand_near("scatter", &ta, id, c, sum, (double)s->rows * U * scale);
        }
    operand_intact(&ta, true);
    operand_intact(&tb, false);
}

// cols is taken as half a head here, so that odd widths meet the vectors' tails.
static void check_rope(const pointwise_setting *s) {
    enum { TOKENS = 4, FIRST = 3 };
    const size_t half = s->cols, head_dim = 2 * half, heads = half < 100 ? 3 : 1;
    float *const angles = malloc((TOKENS + FIRST) * head_dim * sizeof *angles);
    assert_non_null(angles);
    pointwise_angles(angles, TOKENS + FIRST, head_dim, 10000);
    for (size_t position = 0; position < TOKENS + FIRST; position++)
        for (size_t i = 0; i < half; i++) {
            const double angle = (double)position / pow(10000, (double)(2 * i) / (double)head_dim);
            assert_true(fabs((double)angles[position * head_dim + i] - cos(angle)) < 1.01 * U);
            assert_true(fabs((double)angles[position * head_dim + half + i] - sin(angle)) < 1.01 * U);
        }
    for (int inverse = 0; inverse < 2; inverse++) {
        operand_put(&ta, s->dtype, s->rows, heads * head_dim, s->gap);
        pointwise_rope(s->threads, ta.m, head_dim, angles, TOKENS, FIRST, inverse);
        for (size_t r = 0; r < s->rows; r++)
            for (size_t c = 0; c < heads * head_dim; c++) {
                const size_t i = c % head_dim, pair = i < half ? c + half : c - half;
                const float *const row = angles + (FIRST + r % TOKENS) * head_dim;
                const double cosine = (double)row[i % half], sine = (double)row[half + i % half];
                const double sign = (i < half) == (inverse == 0) ? -1 : 1;
                const double kept = was(&ta, r, c) * cosine, turned = was(&ta, r, pair) * sine;
                operand_near("rope", &ta, r, c, kept + sign * turned, 2 * U * (fabs(kept) + fabs(turned)));
            }
        operand_intact(&ta, true);
    }
    free(angles);
}

// exp: 4, and its argument: the product and the subtraction, each relative to at most the largest |scale x| or twice
// it. The sum: the same, at most 64 additions of a block and 8 of a vector. The division and the product: 2.
static double softmax_error(double largest) { return (2 * (4 + 3 * largest) + 72 + 4) * U; }

static void check_softmax(const pointwise_setting *s) {
    if (s->dtype != NORM_F32)
        return;
    const float scales[] = {1.0f, 0.125f};
    for (size_t k = 0; k < 4; k++) {
        const bool causal = k / 2;
        const size_t first = s->cols / 3;
        const double scale = (double)scales[k % 2];
        operand_put(&ta, NORM_F32, s->rows, s->cols, s->gap);
        pointwise_softmax(s->threads, ta.m, scales[k % 2], causal, first);
        for (size_t r = 0; r < s->rows; r++) {
            const size_t length = causal && first + r + 1 < s->cols ? first + r + 1 : s->cols;
            const double *const row = ta.was + r * s->cols;
            double most = row[0], largest = 0, sum = 0;
            for (size_t c = 0; c < length; c++) {
                most = fmax(most, row[c]);
                largest = fmax(largest, scale * fabs(row[c]));
            }
            for (size_t c = 0; c < length; c++)
                sum += exp(scale * (row[c] - most));
            for (size_t c = 0; c < length; c++) {
                const double want = exp(scale * (row[c] - most)) / sum;
                operand_near("softmax", &ta, r, c, want, softmax_error(largest) * want);
            }
            for (size_t c = length; c < s->cols; c++)
                assert_true(now(&ta, r, c) == 0);
        }
        operand_intact(&ta, true);
    }
}

static void check_loss(const pointwise_setting *s) {
    const double weight = 0.0625;
    int32_t labels[MOST_ROWS];
    for (size_t r = 0; r < s->rows; r++)
        labels[r] = (int32_t)((r * 5 + s->cols - 1) % s->cols);
    operand_put(&ta, s->dtype, s->rows, s->cols, s->gap);
    const double got = pointwise_cross_entropy(s->threads, ta.m, labels, weight);
    double loss = 0, loss_error = 0;
    for (size_t r = 0; r < s->rows; r++) {
        const double *const row = ta.was + r * s->cols;
        const size_t label = (size_t)labels[r];
        double most = row[0], largest = 0, sum = 0;
        for (size_t c = 0; c < s->cols; c++) {
            most = fmax(most, row[c]);
            largest = fmax(largest, fabs(row[c]));
        }
        for (size_t c = 0; c < s->cols; c++)
            sum += exp(row[c] - most);
        loss += loss_of(row, s->cols, label);
        loss_error += softmax_error(largest) + U * fabs(most - row[label]); // of log(sum) and of its other term
        for (size_t c = 0; c < s->cols; c++) {
            const double p = exp(row[c] - most) / sum;
            operand_near("loss gradient", &ta, r, c, weight * (p - (c == label)),
                         weight * (softmax_error(largest) * p + 2 * U));
        }
    }
    operand_intact(&ta, true);
    if (!(fabs(got - weight * loss) <= weight * loss_error + 1e-12))
        fail_msg("loss %.9g instead of %.9g", got, weight * loss);
}

static void check_setting(const pointwise_setting *s) {
    check_sums_and_tables(s);
    check_rope(s);
    check_softmax(s);
    check_loss(s);
}

static void check_level(void **unit) {
    pointwise_check_level(unit);
    pointwise_check_all(check_setting);
}

// What is summed over rows, and the loss, bit by bit as with one thread, whatever the team.
static void check_teams(void **unit) {
    pointwise_check_level(unit);
    enum { ROWS = 12, SAMPLES = 3, COLS = 321 };
    int32_t ids[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        ids[r] = (int32_t)(r * 7 % 5);
    static float first[4][SAMPLES * COLS];
    double first_loss = 0;
    for (int threads = 1; threads <= 7; threads++) {
        operand_seed(2);
        float sums[4][SAMPLES * COLS] = {{0}};
        const matrix x = operand_put(&ta, NORM_F32, ROWS, COLS, 3);
        const matrix dout = operand_put(&tb, NORM_F32, ROWS, COLS, 0);
        const matrix scale = operand_put(&tc, NORM_F32, SAMPLES, COLS, 0);
        const matrix dx = operand_put(&td, NORM_F32, ROWS, COLS, 0);
        const matrix dshift = {NORM_F32, SAMPLES, COLS, COLS, sums[0]},
                     dscale = {NORM_F32, SAMPLES, COLS, COLS, sums[1]};
        pointwise_modulate_backward(threads, dx, dshift, dscale, x, scale, dout);
        pointwise_col_sums(threads, sums[2], dout);
        pointwise_scatter(threads, sums[3], 5, operand_put(&te, NORM_F32, ROWS, COLS / 2, 0), ids);
        const double loss = pointwise_cross_entropy(threads, x, ids, 1);
        if (threads == 1) {
            memcpy(first, sums, sizeof first);
            first_loss = loss;
        }
        assert_memory_equal(first, sums, sizeof first);
        assert_true(loss == first_loss);
    }
}

// Where a careless softmax overflows, and what becomes of infinities and NaN.
static void check_extremes(void **unit) {
    pointwise_check_level(unit);
    float row[21];
    const matrix m = {NORM_F32, 1, 21, 21, row};
    for (size_t c = 0; c < 21; c++)
        row[c] = c % 2 ? 1e4f : -1e4f;
    pointwise_softmax(1, m, 1.0f, false, 0);
    for (size_t c = 0; c < 21; c++)
        assert_true(c % 2 ? fabs((double)row[c] - 0.1) < 1e-7 : row[c] == 0.0f);
    for (size_t c = 0; c < 21; c++)
        row[c] = c == 20 ? 0.0f : -INFINITY;
    pointwise_softmax(1, m, 1.0f, false, 0);
    for (size_t c = 0; c < 21; c++)
        assert_true(row[c] == (c == 20 ? 1.0f : 0.0f));
    row[5] = NAN;
    pointwise_softmax(1, m, 1.0f, false, 0);
    for (size_t c = 0; c < 21; c++)
        assert_true(isnan(row[c]));
}

int main(void) {
    static const pointwise_kind kinds[] = {
        {"formulas", check_level}, {"teams", check_teams}, {"extremes", check_extremes}};
    return pointwise_check_run(kinds, sizeof kinds / sizeof *kinds, check_slopes);
}
