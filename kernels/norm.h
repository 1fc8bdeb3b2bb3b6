// SPDX-License-Identifier: MIT
// norm.h: LayerNorm, RMSNorm, Dynamic Tanh (DyT) and other squashing functions for CPUs, every variant callable by
// name. The one public header.
//
// An *implementation* is one op in one variant, form, level and dtype, with a forward and a backward pass. It is found
// by name, never chosen behind the caller's back:
//
//     const norm_impl *impl = norm_find("dyt", "u2", "fused", "best", "f32");
//     norm_args args = {.rows = 64, .cols = 768, .x_stride = 768, .y_stride = 768, .x = x, .y = y,
//                       .gamma = gamma, .beta = beta, .alpha = 0.5f};
//     int error = norm_run(impl, NORM_FORWARD, &args, 1);
//
// Formulas: LayerNorm, Ba et al. 2016 (arXiv 1607.06450), eq. 4; RMSNorm, Zhang and Sennrich 2019 (arXiv 1910.07467),
// eq. 4; DyT, Zhu et al. 2025 (arXiv 2503.10622), section 4, and hardtanh and sigmoid in its place, table 7; Derf, 2025
// (arXiv 2512.10938); ISRU, 2025 (arXiv 2503.21708). The gradients are theirs, by the chain rule.
#ifndef NORM_H
#define NORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "levels.h"
#include "list.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NORM_API __attribute__((visibility("default")))
#else
#define NORM_API
#endif

// Raised when a struct or a number of an enum that programs and plug-ins were compiled with changes (tests/test_abi.c):
// what was compiled with another is compiled again, and never called.
#define NORM_ABI 2
NORM_API extern const unsigned norm_abi; // what this library was compiled with

// The parameters an implementation reads and, backward, whose gradients it writes. NORM_F32_AFFINE: gamma and beta are
// f32 though the tensors have 16 bits, as serving engines and mixed precision keep them (variants `*_f32affine`).
enum { NORM_GAMMA = 1, NORM_BETA = 2, NORM_ALPHA = 4, NORM_SHIFT = 8, NORM_F32_AFFINE = 16 };

#define NORM_ROW(ID, ...) NORM_##ID,
typedef enum { NORM_OP_LIST(NORM_ROW) NORM_OPS } norm_op;
#undef NORM_ROW
#define NORM_ROW(ID, ...) NORM_LEVEL_##ID,
// NORM_LEVELS: how many are compiled here. `library` is none of them: the code of another library, which chooses its
// own instructions.
typedef enum { NORM_LEVEL_LIST(NORM_ROW) NORM_LEVELS, NORM_LEVEL_LIBRARY = NORM_LEVELS, NORM_ALL_LEVELS } norm_level;
#undef NORM_ROW

typedef enum { NORM_FORWARD, NORM_BACKWARD, NORM_PASSES } norm_pass;

// fused: each tensor is read once from memory and written once. eager: ideal op by op: one sweep over the whole tensor
// per elementary operation, through temporaries that are kept from call to call and with our own tanh, so that a device
// bound by its memory shows. add_fused: the residual addition before the norm is part of it: sum = x + branch, rounded
// to the dtype, and y = norm(sum) in one sweep; what the two steps would give one after the other, bit for bit.
// framework: op by op as PyTorch's eager mode runs it on a CPU: each operation allocates its result, which is freed
// after its last user; a team begins and ends with each, and only where there is enough for two; layernorm is one
// kernel. Its levels end at avx512: those kernels convert bf16 without the instruction for it.
typedef enum { NORM_FUSED, NORM_EAGER, NORM_ADD_FUSED, NORM_FRAMEWORK, NORM_FORMS } norm_form;

// The storage type of every matrix, and of gamma and beta but in variants `*_f32affine`. Arithmetic is f32 in all of
// them, but that 16 bits op by op are rounded where a framework does it. What is too large for f16 becomes an infinity.
typedef enum { NORM_F32, NORM_BF16, NORM_F16, NORM_DTYPES } norm_dtype;

// The most threads of one call: OpenMP's runtime ends the process where it cannot start those that it is asked for.
#define NORM_MOST_THREADS 1024

// With an error nothing was computed. norm_error_text says how to put it right.
typedef enum {
    NORM_OK,
    NORM_BAD_ARGUMENT, // cols of zero, a stride below cols, a matrix that no address space holds, a pointer missing
                       // that the pass needs, threads < 1 or > NORM_MOST_THREADS; no implementation, no arguments, or
                       // a pass that the implementation has not
    NORM_CPU_LACKS,    // norm_missing
    NORM_NO_TEAM,      // OpenMP gave fewer threads than asked for, or may not by OMP_THREAD_LIMIT
    NORM_NO_MEMORY,    // form framework: an operation's result could not be allocated
} norm_error;

// How a kernel goes over rows and columns. What is fastest differs from CPU to CPU, the bits of results never do. All
// zero is good anywhere. Forms fused and add_fused read it, of which norms know no tiles, and elementwise ops nothing
// of rows that are summed; `library` does as it likes.
typedef struct norm_schedule {
    size_t overlap_bytes; // norms, forward: the longest row that is summed while another one is written; 0: none
    unsigned rows_summed; // norms, forward: rows that are summed before they are written: 1 or 4; 0: by their length,
                          // of rows to 256 columns as many as a vector has lanes
    unsigned fetch_bytes; // rows so far ahead, or just beyond those at work, are fetched; 0: left to the hardware
    unsigned fetch_asks;  // how often each line is asked for, for some CPUs drop fetches: 1 or 4
    unsigned tile_cols, tile_rows; // elementwise ops, forward: columns and rows of a tile, whose gamma and beta stay in
                                   // the nearest cache; 0: rows are written whole
} norm_schedule;

// The tensors of one call. Matrices have `rows` rows of `cols` elements of the implementation's dtype, row i beginning
// at i * stride elements. No pointer to a tensor needs any alignment beyond that of its
// element; saved and workspace are aligned as malloc aligns. Outputs may overlap neither inputs nor each other, except
// that one may be one of these inputs, pointer and stride:
//   fused       y: x. dx: dy
//   add_fused   sum: x or branch. y: x or branch, if sum is not the same one. dx: dsum or dy
// Other inputs are never written.
//
// Inputs may be any finite numbers. A row of layernorm or rmsnorm whose variance or mean square, with eps, is no normal
// f32 (about 1.2e-38 to 3.4e38: of an eps of zero, rows beyond 1.08e-19 to 1.84e19) is computed in double, in both
// passes and all forms but `framework` and level `library`, tens of times slower than other rows; so is one with a NaN
// or an infinity. A row of one value, with an eps of zero, has no norm: a NaN or, as its mean may be rounded, anything.
typedef struct {
    size_t rows, cols; // cols >= 1. With no rows nothing is read or written but the sums of none: zero in dgamma, ...
    size_t x_stride, y_stride, dy_stride, dx_stride; // elements from a row to the next, >= cols
    size_t branch_stride, sum_stride, dsum_stride;   // the same, form add_fused only
    const void *x;      // (rows, cols); backward of add_fused: the sum that forward wrote, what was normalised
    void *y;            // (rows, cols), written forward; backward only reads it, if the implementation `reads_y`
    const void *dy;     // (rows, cols), gradient of y; backward only
    void *dx;           // (rows, cols), gradient of x, and in add_fused of branch, which has the same; backward only
    const void *branch; // (rows, cols), added to x, the residual stream; forward of add_fused only
    void *sum;          // (rows, cols), x + branch; forward of add_fused only
    const void *dsum;   // (rows, cols), gradient of sum from its other uses, added to dx; backward of add_fused only
    const void *gamma, *beta; // (cols); read if the implementation has the parameter
    float alpha, shift;       // each read if the implementation has it; for bf16, values that bf16 can hold
    float eps; // added to the variance or mean square; layernorm and rmsnorm only, the same in both passes
    // (cols), (cols), 1, 1: overwritten with the gradients summed over all rows; f32 in every dtype
    float *dgamma, *dbeta, *dalpha, *dshift;
    void *saved;     // norm_saved_bytes(): what forward leaves for backward. Forward takes NULL, when no backward will
                     // follow. Form framework: zeros before its first use, norm_release() after its last
    void *workspace; // norm_workspace_bytes(): scratch of one call; may be shared between calls that do not overlap in
                     // time. Forward reads it in form eager without `saved` alone
    // Form framework: not NULL, and y (backward: dx) is allocated as the result of any operation, its rows without
    // gaps, and left here for the caller to free(); the pointer and stride of y (dx) are not read then.
    void **fresh;
    bool batch_invariant; // rows are never cut into columns, see norm_run
    // Form framework: nanoseconds that each of norm_operations() waits before its work: what a framework's interpreter
    // and dispatcher take for one.
    unsigned dispatch_ns;
    const norm_schedule *schedule; // NULL: what norm_schedule_of says
} norm_args;

// A part of a stage's work: rows or columns [begin, end) as part `index` of `count`.
typedef struct {
    size_t begin, end, index, count;
    const norm_schedule *schedule; // norm_run's; NULL, as norm_part leaves it: what is good anywhere
} norm_slice;

typedef enum { NORM_SPLIT_ROWS, NORM_SPLIT_COLS } norm_split;

// A stage is a single-threaded function over a slice. Stages of a pass run in order, and every slice of one is done
// before the next begins. A slice may be empty; it must still be run, since a slice may own scratch that a later stage
// reads.
typedef struct {
    void (*run)(const norm_args *args, const norm_slice *slice);
    norm_split split;
    unsigned bytes; // traffic per element of the (rows, cols) tensor that this stage cannot avoid; row- and
                    // column-sized vectors ignored
} norm_stage;

// Form framework: the tensor that an operation allocates, 0 for none, with its bytes per element, row and column; those
// that are freed behind it, a bit each; the elements that a thread must have, or fewer threads work; and how many
// operations it is to the framework's dispatcher: 0 if it is a part of the one before or after it.
typedef struct {
    unsigned char makes, per_element, per_row, per_col;
    unsigned frees, grain;
    unsigned calls;
} norm_life;

// What a piece of a row, some of its columns, knows of the row's statistics: their mean, and the mean of the squares of
// their deviations from it; of rmsnorm zero, and the mean of their squares.
typedef struct {
    double mean, variance;
} norm_moments;

// Bytes that a buffer needs: per row, per element, per column of each slice and per slice, each part aligned to 64; and
// whatever the shape.
typedef struct {
    unsigned per_row, per_element, per_slice_col, per_slice, fixed;
} norm_size;

typedef struct norm_impl norm_impl;
struct norm_impl {
    norm_op op;
    const char *variant; // the algorithm inside the op, accuracy in its name; "std" where there is no choice
    norm_form form;
    norm_level level;
    norm_dtype dtype;
    unsigned params;  // the parameters it has: those of the op, or fewer (`*_nobeta`, `*_noaffine`); NORM_F32_AFFINE
    bool reads_y;     // backward reads y: forward's result is what a framework would have saved for it
    bool elementwise; // forward computes each element of y from that of x alone, so that a row can be split
    bool streams; // forward writes y with non-temporal stores, past the caches (variants `*_nt`), where its rows begin
                  // at a vector's alignment; elsewhere, and backward, it is the variant without the suffix
    struct {
        const norm_stage *stages;
        size_t count;
    } pass[NORM_PASSES];
    // Forward of a piece of one row, of an op that sums over it: args are the piece's, as if its columns were all.
    // All pieces are summed before one is applied. NULL: rows are not cut, or there is no sum (elementwise).
    struct {
        void (*sum)(const norm_args *piece, size_t row, norm_moments *out);
        void (*apply)(const norm_args *piece, size_t row, const norm_moments *whole);
    } piece;
    norm_size saved, workspace;
    const char *lacks; // what it lacks to run here beside the features of its level: a library's dtype; NULL: nothing
    bool op_by_op;     // the result of every elementary operation is rounded to its dtype
    const norm_life *lives[NORM_PASSES]; // form framework: what each stage of a pass makes and frees
    unsigned keeps;                      // form framework: the tensors that backward needs, a bit each
    bool flushes; // what it rounds to bf16 becomes zero where it is denormal, below 2^-126 before rounding: so does the
                  // hardware's rounding at level avx512bf16, whatever MXCSR says. avx512 and all others keep denormals
    const char *base; // the variant without what params and streams say of it: `u2` of `u2_nobeta` and of `u2_nt`
    // The norm_run of the library that it came from, where that is another copy of this one, loaded beside it: its
    // kernels go with its own way of running them. NULL: the norm_run that is called
    norm_error (*run)(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads);
};

// All implementations that were built, in the order of levels.h and then list.h, and behind them those that were
// registered; NULL beyond the last.
NORM_API const norm_impl *norm_at(size_t index);

// Adds implementations from outside, of level `library` or of one that they were compiled for: found by name, listed
// and run like those that were built, and never a default, but for dyt in form framework; of level `library`
// never the best. impls must live as long as the program. Call it before anything else here, from one thread. false if
// there were too many calls, or an implementation of no level.
NORM_API bool norm_register(const norm_impl *impls, size_t count);

// The implementation with these names, or NULL. level "best" is the strongest level, auto_* and `library` aside, that
// this CPU can run and that has the op, variant, form and dtype; of bf16 it may be one that `flushes`.
NORM_API const norm_impl *norm_find(const char *op, const char *variant, const char *form, const char *level,
                                    const char *dtype);
NORM_API const norm_impl *norm_best(norm_op op, const char *variant, norm_form form, norm_dtype dtype);

// The variant that an op's name alone stands for: layernorm `onepass`, in form eager, which has it op by op, `twopass`,
// in form framework `welford`; dyt and derf `u2`, and dyt in form framework, where they were registered and can run,
// `mkl` in f32, else `sleef`; sigmoid `u3`; `std` elsewhere.
NORM_API const char *norm_default_variant(norm_op op, norm_form form, norm_dtype dtype);
// Whether an implementation is that variant, with stores of either kind.
NORM_API bool norm_is_default(const norm_impl *impl);
// The same implementation with stores of the other kind; NULL if there is none.
NORM_API const norm_impl *norm_other_stores(const norm_impl *impl);

// Names, as the command line and the CSV spell them.
NORM_API const char *norm_op_name(norm_op op);
NORM_API const char *norm_op_formula(norm_op op);
NORM_API const char *norm_pass_name(norm_pass pass);
NORM_API const char *norm_form_name(norm_form form);
NORM_API const char *norm_level_name(norm_level level);
NORM_API const char *norm_dtype_name(norm_dtype dtype);
NORM_API const char *norm_error_text(norm_error error);
NORM_API size_t norm_dtype_bytes(norm_dtype dtype);
// The storage type of gamma and beta.
NORM_API norm_dtype norm_affine_dtype(const norm_impl *impl);

// The first CPU feature of the level that this CPU or its operating system lacks; NULL if it can run the level.
NORM_API const char *norm_level_missing(norm_level level);
// What an implementation lacks to run here, of its level or of its own; NULL if it can run.
NORM_API const char *norm_missing(const norm_impl *impl);
// Whether the level is the compiler's work (auto_*), which `best` never picks.
NORM_API bool norm_level_is_auto(norm_level level);

// Buffer sizes in bytes for these shapes; 0 if none is needed, SIZE_MAX if the size overflows.
NORM_API size_t norm_saved_bytes(const norm_impl *impl, size_t rows, size_t cols);
NORM_API size_t norm_workspace_bytes(const norm_impl *impl, size_t rows, size_t cols, int threads);

// Form framework: what a forward and a backward allocate together, more than lives at once; 0 in other forms.
NORM_API size_t norm_fresh_bytes(const norm_impl *impl, size_t rows, size_t cols);

// Form framework: how many operations a framework dispatches in the pass; 0 in other forms.
NORM_API size_t norm_operations(const norm_impl *impl, norm_pass pass);

// Traffic per element that the pass cannot avoid: the sum over its stages.
NORM_API unsigned norm_bytes_per_element(const norm_impl *impl, norm_pass pass);

// Runs a pass on an OpenMP team of `threads` threads, at most NORM_MOST_THREADS, of which thread i works on the i-th
// part of the rows; or, forward with fewer rows than threads, fused or add_fused, on the i-th part of the columns of
// each, if there are enough of them (norm_whole_cols) and, where a row is summed, at most 64 threads; a single shorter
// row is the caller's own work. Backward needs the saved buffer of a forward call on the same x (in form add_fused, on
// what had this x as its sum), gamma and shape; in form framework it frees what it has used, so that each takes a
// forward of its own. With one thread no parallel region is opened; nor is one, whatever `threads` is, in a child that
// was forked from a process of several threads, whose OpenMP would wait for threads that the child has not.
//
// Bits: a row of y, sum and dx depends on that row, gamma, beta and the scalars alone, not on rows, threads, strides,
// alignment or its place in the batch, whatever the implementation. Two things do depend on rows and threads: y and dx
// of layernorm and rmsnorm where rows are cut into columns, which args->batch_invariant forbids, so that a few long
// rows take longer; and the gradients of parameters, which are sums over all rows. Of level `library` nothing is known.
//
// An implementation with a `run` of another copy of this library is handed to that.
//
// Each thread computes in the default floating-point state, whatever the caller's: rounding to nearest, denormals kept,
// no traps. The caller's state, exception flags included, is afterwards as it was; so is that of the team's threads.
NORM_API norm_error norm_run(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads);

// Form framework: norm_run, and what each of its steps took: the allocation of its result, the team, its work and what
// is freed behind it. A step is `calls` of norm_operations(); none: it is a part of the step before. *count is how many
// fit in times, and becomes how many there are.
typedef struct {
    unsigned calls;
    double ns;
} norm_operation;
NORM_API norm_error norm_run_operations(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads,
                                        norm_operation *times, size_t *count);

// What norm_run goes by where args ask for nothing: what was loaded for this call, or NULL and with it what is known of
// CPUs of this kind.
NORM_API const norm_schedule *norm_schedule_of(const norm_impl *impl, norm_pass pass, size_t rows, size_t cols,
                                               int threads);

// A schedule in one word, which norm_schedule_parse reads back: "default" of NULL, "plain" of all zero, else some of
// `overlap` or `overlapBYTES`, `sumROWS`, `fetchBYTES` or `fetchBYTESxASKS` and `tileCOLSxROWS`, joined by `+`.
enum { NORM_SCHEDULE_TEXT = 96 };
NORM_API const char *norm_schedule_text(const norm_schedule *schedule, char text[NORM_SCHEDULE_TEXT]);
// false if it is none: a word that is unknown or comes twice, a tile of zero, a number that no schedule has.
// "default" is none.
NORM_API bool norm_schedule_parse(const char *text, norm_schedule *out);

// Classes of calls, each of which has its own schedule in a file: by what the tensors of the pass take (x and y; x, dy
// and dx; with one or two more in form add_fused) against caches, and by the bytes of a row: to 8 KiB or longer, and,
// but in memory, whether they are whole pages of 4 KiB, so that all rows begin at the same place of a cache.
#define NORM_SIZE_CLASS_LIST(X) X(L1, l1) X(L2, l2) X(L3, l3) X(MEMORY, memory)
#define NORM_WIDTH_CLASS_LIST(X) X(NARROW, narrow) X(NARROW_PAGES, narrow_pages) X(WIDE, wide) X(WIDE_PAGES, wide_pages)
#define NORM_ROW(ID, name) NORM_SIZE_##ID,
typedef enum { NORM_SIZE_CLASS_LIST(NORM_ROW) NORM_SIZE_CLASSES } norm_size_class;
#undef NORM_ROW
#define NORM_ROW(ID, name) NORM_WIDTH_##ID,
typedef enum { NORM_WIDTH_CLASS_LIST(NORM_ROW) NORM_WIDTH_CLASSES } norm_width_class;
#undef NORM_ROW
NORM_API const char *norm_size_class_name(norm_size_class size);
NORM_API const char *norm_width_class_name(norm_width_class width);
typedef struct {
    size_t bytes[NORM_SIZE_MEMORY]; // of L1, L2 and L3; 0: there is none
} norm_caches;
NORM_API norm_size_class norm_size_class_of(const norm_impl *impl, norm_pass pass, size_t rows, size_t cols,
                                            const norm_caches *caches);
NORM_API norm_width_class norm_width_class_of(const norm_impl *impl, norm_size_class size, size_t cols);

// Takes the schedules that `normbench tune` found on this machine (its tune.csv): from now on norm_run goes by them
// where a call has one thread and asks for nothing. false, with the reason and what to do in `why`, if the file is not
// whole, of another kind of CPU, build of this library or version, or holds what no schedule is: then nothing changes.
// Call it, and norm_schedules_forget, while no other thread runs a kernel.
enum { NORM_SCHEDULES_WHY = 512 };
NORM_API bool norm_schedules_load(const char *path, char why[NORM_SCHEDULES_WHY]);
NORM_API void norm_schedules_forget(void);
// What such a file is held against: the CPU, and the compiler and sources of this library, each in a word.
NORM_API const char *norm_cpu(void);
NORM_API const char *norm_build(void);

// Form framework: frees what a forward left in `saved` for a backward that does not follow; nothing in other forms.
NORM_API void norm_release(const norm_impl *impl, void *saved);

// How many columns a row must exceed for norm_run to cut it: where on two cores a team first takes less time.
NORM_API size_t norm_whole_cols(const norm_impl *impl);

// The part of [0, total) that norm_run gives to thread `index` of `count`; also what first touch must follow.
NORM_API norm_slice norm_part(norm_split split, size_t total, size_t index, size_t count);

// The reference: double precision, two-pass, libm; shares no code with the implementations. Each output comes with its
// *scale*, the magnitude to which the rounding error of an ideal implementation is proportional: it forgives what the
// subtraction of a rounded mean must lose, and nothing else.
typedef struct {
    double *dgamma, *dgamma_scale; // (cols) each, added to by every row
    double *dbeta, *dbeta_scale;
    double dalpha, dalpha_scale;
    double dshift, dshift_scale;
} norm_reference_sums;

// One row of y and its scale, (cols) each, from the inputs in args. params: which parameters to apply. This and
// backward know nothing of form add_fused: there x is the sum that was computed, so that the norm is judged on its own.
NORM_API void norm_reference_forward(norm_op op, unsigned params, norm_dtype dtype, const norm_args *args, size_t row,
                                     double *y, double *scale);
// One row of dx and its scale, (cols) each (both NULL: sums only); adds the row's part of the parameter gradients to
// sums (NULL: dx only).
NORM_API void norm_reference_backward(norm_op op, unsigned params, norm_dtype dtype, const norm_args *args, size_t row,
                                      double *dx, double *scale, norm_reference_sums *sums);
// Form add_fused: one row of x + branch and its scale; and dsum added to a row of dx and to its scale.
NORM_API void norm_reference_sum(norm_dtype dtype, const norm_args *args, size_t row, double *sum, double *scale);
NORM_API void norm_reference_add_dsum(norm_dtype dtype, const norm_args *args, size_t row, double *dx, double *scale);

// The largest scaled error, |got - reference| / (scale * epsilon of the dtype), that a correct implementation of this
// form may show in this output; grows with the length of the sums behind it, up to 64 rows and 8192 columns, beyond
// which sums go on in double, but those of level `library`. A parameter gradient is within 2e-6 of the sum of its
// terms' magnitudes at any number of rows and threads, beside what each term is off by. Derived beside each reference.
typedef enum {
    NORM_OUT_Y,
    NORM_OUT_SUM,
    NORM_OUT_DX,
    NORM_OUT_DGAMMA,
    NORM_OUT_DBETA,
    NORM_OUT_DALPHA,
    NORM_OUT_DSHIFT,
    NORM_OUTPUTS
} norm_output;
NORM_API const char *norm_output_name(norm_output output);
NORM_API double norm_error_bound(const norm_impl *impl, norm_output output, size_t rows, size_t cols);

#ifdef __cplusplus
}
#endif

#endif
