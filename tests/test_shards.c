// SPDX-License-Identifier: MIT
// The arithmetic of a norm whose columns lie on several ranks, without MPI: parts of a row against the whole row in
// double, however it is cut and in whatever order parts are merged; and what a network allows at least.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/stats.h"
#include "sharded/sharded.h"

enum { ROWS = 3, COLS = 96 };

// Rows far from zero, by which plain sums of squares lose all that they differ by.
static void draw(float x[ROWS][COLS], double offset) {
    stats_rng rng;
    stats_rng_seed(&rng, 7, 1);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t c = 0; c < COLS; c++)
            x[r][c] = (float)(offset + stats_rng_normal(&rng));
}

static void moments_of(const float *x, size_t cols, double *mean, double *m2) {
    *mean = *m2 = 0.0;
    for (size_t c = 0; c < cols; c++)
        *mean += x[c] / (double)cols;
    for (size_t c = 0; c < cols; c++)
        *m2 += (x[c] - *mean) * (x[c] - *mean);
}

static void parts_are_the_whole(void **state) {
    (void)state;
    static const size_t cuts[][5] = {{0, 96}, {0, 48, 96}, {0, 1, 95, 96}, {0, 17, 40, 41, 96}};
    float x[ROWS][COLS], part[ROWS * 3];
    draw(x, 1000.0);
    for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
        shard_moments all[ROWS] = {{0}};
        for (size_t i = 0; i + 1 < 5 && cuts[k][i] < COLS; i++) {
            shard_contribute(SHARD_LAYERNORM, ROWS, cuts[k][i + 1] - cuts[k][i], COLS, &x[0][cuts[k][i]], part);
            for (size_t r = 0; r < ROWS; r++) {
                const shard_moments own = {part[3 * r], part[3 * r + 1], part[3 * r + 2]};
                all[r] = i % 2 == 0 ? shard_merge(all[r], own) : shard_merge(own, all[r]);
            }
        }
        for (size_t r = 0; r < ROWS; r++) {
            double mean, m2;
            moments_of(x[r], COLS, &mean, &m2);
            assert_true(all[r].count == (float)COLS);
            assert_true(fabs(all[r].mean - mean) < 1e-6 * 1000.0);
            assert_true(fabs(all[r].m2 / m2 - 1.0) < 1e-3); // of sums of squares nothing would be left
        }
    }
}

static void halves_are_normed_as_the_whole(void **state) {
    (void)state;
    float x[ROWS][COLS], half[ROWS][COLS / 2], y[ROWS][COLS / 2], gamma[COLS], beta[COLS], part[2][ROWS * 3],
        all[ROWS * 3];
    draw(x, 1.0);
    for (size_t c = 0; c < COLS; c++) {
        gamma[c] = 1.0f + 0.01f * (float)c;
        beta[c] = 0.1f * (float)c;
    }
    for (shard_op op = SHARD_RMSNORM; op <= SHARD_LAYERNORM; op++) {
        const size_t floats = shard_floats(op);
        for (size_t i = 0; i < 2; i++)
            shard_contribute(op, ROWS, COLS / 2, COLS, &x[0][i * COLS / 2], part[i]);
        for (size_t r = 0; r < ROWS; r++) {
            const shard_moments a = {part[0][3 * r], part[0][3 * r + 1], part[0][3 * r + 2]},
                                b = {part[1][3 * r], part[1][3 * r + 1], part[1][3 * r + 2]}, both = shard_merge(a, b);
            if (floats == 1)
                all[r] = part[0][r] + part[1][r];
            else
                all[3 * r] = both.count, all[3 * r + 1] = both.mean, all[3 * r + 2] = both.m2;
        }
        for (size_t i = 0; i < 2; i++) {
            for (size_t r = 0; r < ROWS; r++)
                for (size_t c = 0; c < COLS / 2; c++)
                    half[r][c] = x[r][i * COLS / 2 + c];
            shard_apply(op, ROWS, COLS / 2, COLS, half[0], all, gamma + i * COLS / 2, beta + i * COLS / 2, 1e-6f, y[0]);
            for (size_t r = 0; r < ROWS; r++) {
                double mean, m2;
                moments_of(x[r], COLS, &mean, &m2);
                const double from = op == SHARD_LAYERNORM ? mean : 0.0,
                             squares = m2 + (double)COLS * (mean - from) * (mean - from);
                for (size_t c = 0; c < COLS / 2; c++) {
                    const size_t at = i * COLS / 2 + c;
                    const double wanted = gamma[at] * (x[r][at] - from) / sqrt(squares / (double)COLS + 1e-6) +
                                          (op == SHARD_LAYERNORM ? beta[at] : 0.0);
                    assert_true(fabs(y[r][c] - wanted) < 1e-5);
                }
            }
        }
    }
}

static void networks_have_a_floor(void **state) {
    (void)state;
    sharded_row row = {
        .spec = {.rows = 1000, .cols = 64, .ranks = 8, .simulated = true, .latency_ns = 500, .bandwidth_gbs = 2},
        .split = SHARD_HIDDEN,
        .op = SHARD_RMSNORM};
    assert_true(fabs(sharded_least_ns(&row) - (3 * 500 + 2 * 7.0 / 8 * 4000 / 2)) < 1e-9);
    row.op = SHARD_LAYERNORM; // three numbers for each row
    assert_true(fabs(sharded_least_ns(&row) - (3 * 500 + 2 * 7.0 / 8 * 12000 / 2)) < 1e-9);
    row.op = SHARD_DYT;
    assert_true(sharded_least_ns(&row) == 0.0);
    row.op = SHARD_RMSNORM;
    row.split = SHARD_TOKENS;
    assert_true(sharded_least_ns(&row) == 0.0);
    row.spec.simulated = false;
    assert_true(isnan(sharded_least_ns(&row)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_the_whole),
        cmocka_unit_test(halves_are_normed_as_the_whole),
        cmocka_unit_test(networks_have_a_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
