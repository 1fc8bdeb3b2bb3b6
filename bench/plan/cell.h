// SPDX-License-Identifier: MIT
// cell.h: what one row of kernels.csv measures, and the columns by which every CSV of a run names it.
#ifndef CELL_H
#define CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/columns.h"
#include "base/csv.h"
#include "machine/topology.h"
#include "norm.h"
#include "select.h"

typedef struct {
    const norm_impl *impl;
    norm_pass pass;
    size_t rows, cols, threads;
    placement place;
    cache_state cache;
    unsigned dispatch_ns; // norm_args.dispatch_ns, of form framework alone; else 0
} cell;

// Cells of a group are compared with each other, so they are sampled interleaved: same shape, dtype, threads,
// placement, cache, pass and kind of stores, for stores past the caches evict what the next cell would find there.
bool cell_same_group(const cell *a, const cell *b);
bool cell_equal(const cell *a, const cell *b);
// Cells of a family are those of a group whose ratios are reported: same form and cell_level, and either all with a
// time of dispatch or all without.
bool cell_same_family(const cell *a, const cell *b);
// The level of the cells that it is compared with: its own; a library's stands with those of the best level of rmsnorm.
norm_level cell_level(const norm_impl *impl);
// Orders cells by group, then by form, cell_level, op and variant.
int cell_compare(const void *a, const void *b);

// How many (rows, cols) tensors the cell's buffers hold: x and y, backward also dy and dx; form add_fused also branch
// and sum, backward dsum.
size_t cell_tensors(const cell *c);

// What a pass is called with, of tensors that forward and backward share: backward of form add_fused has for x what
// forward wrote as sum.
norm_args cell_pass_args(norm_form form, norm_pass pass, const norm_args *args);

// A call of the cell, whose result goes where args say; in form framework, where it is a new tensor each time, to
// *result, which the caller frees: NULL in other forms.
norm_error cell_run(const cell *c, norm_pass pass, const norm_args *args, void **result);

// The columns by which every table names a cell: op, variant, pass, form, level, dtype, rows, cols, threads, placement,
// cache. The first of them, to dtype, name an implementation and a pass.
enum { CELL_NAMES = 6, CELL_COLUMNS = 11 };
extern const table_column cell_columns[CELL_COLUMNS];
// What else there is to say of an implementation, at the end of tables: params, streams, base. Their row is a
// norm_impl, or NULL.
enum { CELL_IMPL_COLUMNS = 3 };
const char *cell_params(unsigned params); // "gamma beta"
extern const table_column cell_impl_columns[CELL_IMPL_COLUMNS];
// And behind what older tables have: libc, affine_dtype. Likewise of a norm_impl, or NULL.
enum { CELL_IMPL_LATER_COLUMNS = 2 };
extern const table_column cell_impl_later_columns[CELL_IMPL_LATER_COLUMNS];
// Whether an implementation is its op's default, but that gamma and beta are stored as `own` has them: what own's time
// is held against.
bool cell_is_partner(const norm_impl *impl, const norm_impl *own);
// What they may hold, and what they mean in the tables of layers as well.
extern const column_type column_op, column_pass, column_form, column_dtype, column_placement, column_cache;
#define CELL_VARIANT "The algorithm inside the op; std where there is no choice."
#define CELL_FORMS                                                                                                     \
    "fused: each tensor is read and written once. eager: ideal op by op, one sweep over the tensor per elementary "    \
    "operation, through temporaries that are kept. framework: op by op as PyTorch's eager mode runs it on a CPU."
#define CELL_THREADS "Threads in the team. A single row below norm_whole_cols of norm.h runs on one of them."
#define CELL_PLACEMENT                                                                                                 \
    "How threads were bound: compact, cores (one per core, nearest first), scatter (spread over packages, memory "     \
    "nodes and caches), or none."
// What else tells cells apart, at the end of tables, which older ones lack: dispatch_ns.
enum { CELL_LATER_COLUMNS = 1 };
extern const table_column cell_later_columns[CELL_LATER_COLUMNS];

// The cell of a row of a CSV with those columns; false if it names something that this program does not have.
enum { CELL_MOST_THREADS = 1 << 16, CELL_MOST_DISPATCH_NS = 1000000 }; // of what is read
bool cell_read(const csv_table *t, size_t row, cell *c);
// norm_find as a norm_finder, whose source is nothing.
const norm_impl *cell_find_here(const void *source, const char *op, const char *variant, const char *form,
                                const char *level, const char *dtype);
// The same of implementations of another source; its level is never "best".
bool cell_read_from(const csv_table *t, size_t row, norm_finder *find, const void *source, cell *c);

// What tells a cell from all others, in one word: "dyt/u2/forward/fused/avx512/f32/64x768/2/cores/warm". Returns text.
enum { CELL_NAME_SIZE = 192 };
const char *cell_name(const cell *c, char text[CELL_NAME_SIZE]);
// "dyt/u2 forward fused avx512 f32 64x768, 2 threads cores, warm"
void cell_describe(const cell *c, char *text, size_t size);
// "f32 forward 64x768, 2 threads, warm"
void cell_describe_group(const cell *c, char *text, size_t size);

#endif
