// SPDX-License-Identifier: MIT
// ranks.c: one rank of `normbench sharded`, which starts it by mpirun, or under SimGrid by smpirun (SHARDED_SIMULATED),
// where the network and the clock are simulated and a rank's own work is not done but takes the time that was measured.
// The first rank prints a line for each division and op, SPLIT OP TIME_NS RATIO ERROR, and one for each all-reduce,
// reduce OP TIME_NS: medians over the samples; RATIO over rmsnorm in the same round; ERROR as a part of what is
// allowed.
#include <math.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef SHARDED_SIMULATED
#include <simgrid/actor.h>
#endif

#include "base/parse.h"
#include "base/stats.h"
#include "norm.h"
#include "shards.h"

enum { MOST_SAMPLES = 64 };
static const float eps = 1e-6f, alpha = 0.7f;
#ifdef SHARDED_SIMULATED
enum { SIMULATED = 1, CALLS = 2 };
#else
enum { SIMULATED = 0, CALLS = 0 }; // as many as take a while
#endif

typedef struct {
    int rank, ranks;
    size_t rows, cols; // of the whole tensor
    size_t samples;
    uint64_t seed;
    double local[SHARD_SPLITS][SHARD_OPS]; // ns of a rank's own work; of a simulated rank
    float *x, *y, *gamma, *beta;           // this rank's, as of the split that is looked at
    float *mine, *all;
    const norm_impl *impls[SHARD_OPS]; // of whole rows; a rank that is simulated has none
    MPI_Op merge;
    MPI_Datatype moments;
} ranks;

// ---- A norm, once

static void merge_all(void *in, void *inout, int *count, MPI_Datatype *type) {
    (void)type;
    const shard_moments *const a = in;
    shard_moments *const b = inout;
    for (int i = 0; i < *count; i++)
        b[i] = shard_merge(a[i], b[i]);
}

static void reduce(const ranks *k, shard_op op) {
    if (op == SHARD_RMSNORM)
        MPI_Allreduce(k->mine, k->all, (int)k->rows, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    else
        MPI_Allreduce(k->mine, k->all, (int)k->rows, k->moments, k->merge, MPI_COMM_WORLD);
}

typedef struct {
    size_t rows, cols, first_row, first_col;
} place;

static place place_of(const ranks *k, shard_split split) {
    const size_t rank = (size_t)k->rank, count = (size_t)k->ranks;
    if (split == SHARD_HIDDEN)
        return (place){k->rows, k->cols / count, 0, rank * (k->cols / count)};
    if (split == SHARD_TOKENS)
        return (place){k->rows / count, k->cols, rank * (k->rows / count), 0};
    return (place){k->rows, k->cols, 0, 0};
}

#ifndef SHARDED_SIMULATED
static void whole_rows(const ranks *k, const place *p, shard_op op) {
    norm_args args = {.rows = p->rows,
                      .cols = p->cols,
                      .x_stride = p->cols,
                      .y_stride = p->cols,
                      .x = k->x,
                      .y = k->y,
                      .gamma = k->gamma,
                      .beta = op == SHARD_RMSNORM ? NULL : k->beta,
                      .alpha = alpha,
                      .eps = eps};
    if (norm_run(k->impls[op], NORM_FORWARD, &args, 1) != NORM_OK)
        MPI_Abort(MPI_COMM_WORLD, 3);
}
#endif

static void norm_once(const ranks *k, shard_split split, shard_op op) {
    const bool reduces = split == SHARD_HIDDEN && shard_floats(op) > 0;
#ifdef SHARDED_SIMULATED
    sg_actor_sleep_for(k->local[split][op] * 1e-9); // smpi_execute drops what is below its threshold
    if (reduces)
        reduce(k, op);
#else
    const place p = place_of(k, split);
    if (reduces) {
        shard_contribute(op, p.rows, p.cols, p.cols, k->x, k->mine);
        reduce(k, op);
        shard_apply(op, p.rows, p.cols, k->cols, k->x, k->all, k->gamma, k->beta, eps, k->y);
    } else {
        whole_rows(k, &p, op);
    }
#endif
}

// ---- Data, and whether the result is right

// The same number wherever it lies: row, column and seed alone decide it. Sum of four uniform numbers, about 1.5.
static float drawn(uint64_t seed, size_t row, size_t col) {
    stats_rng rng;
    stats_rng_seed(&rng, seed + row, col);
    double sum = 1.5;
    for (int i = 0; i < 4; i++)
        sum += stats_rng_uniform(&rng) - 0.5;
    return (float)sum;
}

static void fill(const ranks *k, shard_split split) {
    const place p = place_of(k, split);
    for (size_t r = 0; r < p.rows; r++)
        for (size_t c = 0; c < p.cols; c++)
            k->x[r * p.cols + c] = drawn(k->seed, p.first_row + r, p.first_col + c);
    for (size_t c = 0; c < p.cols; c++) {
        k->gamma[c] = 1.0f + 0.1f * drawn(k->seed, SIZE_MAX / 2, p.first_col + c);
        k->beta[c] = 0.1f * drawn(k->seed, SIZE_MAX / 2 + 1, p.first_col + c);
    }
}

// The largest error of this rank's y, against whole rows in double, as a part of what is allowed: 16 units in the last
// place of the largest |y| for each doubling of the columns.
static double error_of(const ranks *k, shard_split split, shard_op op) {
    const place p = place_of(k, split);
    double worst = 0.0, largest = 1.0;
    for (size_t r = 0; r < p.rows; r++) {
        double sum = 0.0, squares = 0.0;
        for (size_t c = 0; c < k->cols; c++)
            sum += drawn(k->seed, p.first_row + r, c);
        const double mean = op == SHARD_LAYERNORM ? sum / (double)k->cols : 0.0;
        for (size_t c = 0; c < k->cols; c++) {
            const double x = drawn(k->seed, p.first_row + r, c) - mean;
            squares += x * x;
        }
        const double scale = 1.0 / sqrt(squares / (double)k->cols + eps);
        for (size_t c = 0; c < p.cols; c++) {
            const double x = k->x[r * p.cols + c];
            const double f = op == SHARD_DYT ? tanh(alpha * x) : (x - mean) * scale;
            const double y = k->gamma[c] * f + (op == SHARD_RMSNORM ? 0.0 : k->beta[c]);
            worst = fmax(worst, fabs(y - k->y[r * p.cols + c]));
            largest = fmax(largest, fabs(y));
        }
    }
    return worst / (16.0 * log2((double)k->cols + 2.0) * largest * 0x1p-24);
}

// ---- Times

// A barrier lets some ranks go before others; simulated ones can agree on a time.
static void begin_together(void) {
    MPI_Barrier(MPI_COMM_WORLD);
#ifdef SHARDED_SIMULATED
    double now = MPI_Wtime(), latest = now;
    MPI_Allreduce(&now, &latest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    sg_actor_sleep_for(latest + 1.0 - MPI_Wtime());
#endif
}

// ns of one call: the slowest rank's mean over the calls. split SHARD_SPLITS: the reduction alone.
static double sample(const ranks *k, shard_split split, shard_op op, size_t calls) {
    begin_together();
    const double begin = MPI_Wtime();
    for (size_t i = 0; i < calls; i++) {
        if (split == SHARD_SPLITS)
            reduce(k, op);
        else
            norm_once(k, split, op);
    }
    double took = (MPI_Wtime() - begin) / (double)calls * 1e9, slowest = took;
    MPI_Allreduce(&took, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return slowest;
}

// So many calls that a sample takes half a millisecond; the first warms up.
static size_t calls_for(const ranks *k, shard_split split, shard_op op) {
    if (SIMULATED)
        return CALLS;
    (void)sample(k, split, op, 1);
    const double calls = 5e5 / fmax(sample(k, split, op, 3), 1.0);
    return calls < 1.0 ? 1 : (size_t)fmin(calls, 1e5);
}

static void time_split(const ranks *k, shard_split split) {
    double times[SHARD_OPS][MOST_SAMPLES], ratios[MOST_SAMPLES];
    size_t calls[SHARD_OPS];
    double error[SHARD_OPS] = {0};
    if (!SIMULATED)
        fill(k, split);
    for (shard_op op = 0; op < SHARD_OPS; op++) {
        calls[op] = calls_for(k, split, op);
        if (!SIMULATED) {
            norm_once(k, split, op);
            double own = error_of(k, split, op);
            MPI_Allreduce(&own, &error[op], 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        }
    }
    for (size_t i = 0; i < k->samples; i++)
        for (size_t j = 0; j < SHARD_OPS; j++) {
            const shard_op op = (shard_op)((i + j) % SHARD_OPS); // in turn, so that none always comes first
            times[op][i] = sample(k, split, op, calls[op]);
        }
    for (shard_op op = 0; op < SHARD_OPS && k->rank == 0; op++) {
        for (size_t i = 0; i < k->samples; i++)
            ratios[i] = times[op][i] / times[SHARD_RMSNORM][i];
        printf("%s %s %.17g %.17g %.17g\n", shard_split_names[split], shard_op_names[op],
               stats_median(times[op], k->samples), stats_median(ratios, k->samples), error[op]);
    }
}

static void time_reduction(const ranks *k, shard_op op) {
    double times[MOST_SAMPLES];
    const size_t calls = calls_for(k, SHARD_SPLITS, op);
    for (size_t i = 0; i < k->samples; i++)
        times[i] = sample(k, SHARD_SPLITS, op, calls);
    if (k->rank == 0)
        printf("reduce %s %.17g\n", shard_op_names[op], stats_median(times, k->samples));
}

// ---- The rank

static float *floats(size_t count) {
    float *const made = calloc(count, sizeof(float));
    if (made == NULL)
        MPI_Abort(MPI_COMM_WORLD, 3);
    return made;
}

static bool find_impls(ranks *k) {
#ifndef SHARDED_SIMULATED
    static const char *const variants[SHARD_OPS] = {"std", "onepass", "u2"};
    for (shard_op op = 0; op < SHARD_OPS; op++)
        if ((k->impls[op] = norm_find(shard_op_names[op], variants[op], "fused", "best", "f32")) == NULL)
            return false;
#endif
    (void)k;
    return true;
}

static bool take(ranks *k, int argc, char **argv) {
    const int wanted = 5 + (SIMULATED ? (int)SHARD_SPLITS * (int)SHARD_OPS : 0);
    if (argc != wanted || !parse_size(argv[1], &k->rows) || !parse_size(argv[2], &k->cols) ||
        !parse_size(argv[3], &k->samples) || !parse_u64(argv[4], &k->seed) || k->samples < 1 ||
        k->samples > MOST_SAMPLES || k->rows < 1 || k->rows * k->cols > INT32_MAX || k->cols % (size_t)k->ranks != 0 ||
        k->rows % (size_t)k->ranks != 0)
        return false;
    for (int i = 5; i < wanted; i++)
        if (!parse_real(argv[i], &k->local[(i - 5) / SHARD_OPS][(i - 5) % SHARD_OPS]))
            return false;
    return true;
}

int main(int argc, char **argv) {
    ranks k = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &k.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &k.ranks);
    if (!take(&k, argc, argv) || !find_impls(&k)) {
        fprintf(stderr,
                "this is what `normbench sharded` starts: ROWS COLS SAMPLES SEED, both divisible by the ranks\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    const size_t whole = SIMULATED ? 1 : k.rows * k.cols;
    k.x = floats(whole);
    k.y = floats(whole);
    k.gamma = floats(SIMULATED ? 1 : k.cols);
    k.beta = floats(SIMULATED ? 1 : k.cols);
    k.mine = floats(3 * k.rows);
    k.all = floats(3 * k.rows);
    MPI_Type_contiguous(3, MPI_FLOAT, &k.moments);
    MPI_Type_commit(&k.moments);
    MPI_Op_create(merge_all, 1, &k.merge);
    for (shard_split split = 0; split < SHARD_SPLITS; split++)
        time_split(&k, split);
    for (shard_op op = 0; op < SHARD_OPS; op++)
        if (shard_floats(op) > 0)
            time_reduction(&k, op);
    return MPI_Finalize(); // what was allocated goes with the process
}
