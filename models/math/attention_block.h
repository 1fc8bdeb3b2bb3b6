// SPDX-License-Identifier: MIT
// attention_block.h: a block of queries of one head against its keys, which attention.c and attention_backward.c are
// made of. For these alone.
#ifndef ATTENTION_BLOCK_H
#define ATTENTION_BLOCK_H

#include "attention.h"

// Keys of a tile: its product's operands stay in a second-level cache.
enum { ATTENTION_TILE = 512 };

struct attention {
    attention_spec spec;
    // With one query per sequence, the query heads that share a key head are the rows of one block.
    bool stacked;
    size_t rows;          // of a block, at most
    size_t blocks, block; // of tokens: their number, and the tokens of each but the last
    size_t threads;
    size_t chunk; // sequences whose gradients of scores are kept, for that of the bias; 0: no bias, or no backward
    size_t each;  // bytes of a thread's scratch
    size_t bytes; // of scratch
};

// What one thread works in, all f32. Copies are there for bf16 alone.
typedef struct {
    float *scores, *dscores; // (rows, context)
    float *q, *out, *dq;     // (rows, head_dim)
    float *tile;             // (TILE, head_dim) of keys or values
    float *dk, *dv;          // (context, head_dim)
    size_t bytes;
} workspace;

// A block of queries and the keys that it attends to.
typedef struct {
    size_t sequence, kv_head;
    size_t row, head; // its first row in q and out, and its head there
    size_t first;     // position of its first query among the keys; stacked: the last
    size_t token;     // its first query's place in its sequence
    size_t rows, keys;
} block;

int attention_team(const attention *a);
workspace attention_place(const attention *a, char *base); // base NULL: its bytes alone
workspace attention_workspace(const attention *a);         // the calling thread's
// head: of the queries, or of the keys if stacked.
block attention_block(const attention *a, size_t sequence, size_t head, size_t index);
float attention_scale(const attention *a);

// The block's part of q, out or one of their gradients; keys [begin, end) of its head, or values, or one of their
// gradients; its scores.
matrix block_queries(const attention *a, const block *b, matrix m);
matrix block_keys(const attention *a, const block *b, matrix m, size_t begin, size_t end);
matrix block_scores(const attention *a, const block *b, float *data);
// Rows from `row` on, columns from `col` on.
matrix block_part(matrix m, size_t row, size_t col, size_t rows, size_t cols);
// The matrix as f32: itself, or the copy made of it. Where an f32 result for m is computed: in m itself, or in a copy
// that block_narrow rounds into it.
matrix block_widened(matrix m, float *copy);
matrix block_wide_result(matrix m, float *copy);
void block_narrow(matrix m, matrix wide);

// c = op(a) op(b), or c += that; all f32.
bool block_multiply(matrix c, matrix a, bool transpose_a, matrix b, bool transpose_b, bool accumulate);
// to = factor rows (rows, head_dim) m^T, or that is added to it, m being keys or values.
bool block_against_keys(const attention *a, const block *b, workspace *w, matrix to, float factor, matrix rows,
                        matrix m, bool accumulate);
// to (rows, head_dim) = weights (rows, keys) m, m being keys or values.
bool block_over_keys(const attention *a, const block *b, workspace *w, matrix to, matrix weights, matrix m);
bool block_probabilities(const attention *a, const block *b, workspace *w, matrix q, matrix k, matrix bias, matrix *p);

#endif
