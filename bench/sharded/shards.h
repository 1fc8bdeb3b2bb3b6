// SPDX-License-Identifier: MIT
// shards.h: a norm whose tensor lies on several ranks: how it is divided, and what a rank does alone where every rank
// has some columns of each row. The ranks meet in ranks.c, which MPI starts.
#ifndef SHARDS_H
#define SHARDS_H

#include <stdbool.h>
#include <stddef.h>

// hidden: each rank has cols / ranks columns of all rows, and a norm needs a sum over all ranks; tokens: rows / ranks
// whole rows, as sequence parallelism; whole: every rank has all of it and does the same, as tensor parallelism without
// sequence parallelism.
#define SHARD_SPLIT_LIST(X) X(HIDDEN, hidden) X(TOKENS, tokens) X(WHOLE, whole)
#define SHARD_OP_LIST(X) X(RMSNORM, rmsnorm) X(LAYERNORM, layernorm) X(DYT, dyt)
#define SHARD_SPLIT_ROW(ID, name) SHARD_##ID,
typedef enum { SHARD_SPLIT_LIST(SHARD_SPLIT_ROW) SHARD_SPLITS } shard_split;
typedef enum { SHARD_OP_LIST(SHARD_SPLIT_ROW) SHARD_OPS } shard_op;
#undef SHARD_SPLIT_ROW
extern const char *const shard_split_names[SHARD_SPLITS], *const shard_op_names[SHARD_OPS];

// What goes over the network for each row: of rmsnorm the sum of squares; of layernorm count, mean and the sum of
// squared distances from it, of some columns.
typedef struct {
    float count, mean, m2;
} shard_moments;
// Floats for each row; 0: op needs nothing of the other ranks.
size_t shard_floats(shard_op op);

// What this rank's columns, rows x cols with the given stride, contribute: rows times shard_floats.
void shard_contribute(shard_op op, size_t rows, size_t cols, size_t stride, const float *x, float *contributions);
// Of all columns of a row from those of two disjoint parts of it (Chan, Golub and LeVeque, 1983): exact sums would lose
// what rows far from zero differ by.
shard_moments shard_merge(shard_moments a, shard_moments b);
// y of this rank's columns, from the contributions of all ranks: dense, as are gamma and beta (NULL: none, rmsnorm).
// all_cols: the row's, over all ranks.
void shard_apply(shard_op op, size_t rows, size_t cols, size_t all_cols, const float *x, const float *totals,
                 const float *gamma, const float *beta, float eps, float *y);

#endif
