// SPDX-License-Identifier: MIT
// squash.h: the ops that squash each element on its own, fused and add_fused: y = gamma f(z) + beta, z = alpha x, or
// alpha x + shift where there is one. One sweep, no reduction over the row. Backward recomputes f(z) rather than read
// it back: with u = gamma dy f'(z), dx = alpha u, dalpha = sum of u x, dshift = sum of u, dgamma = sum of dy f(z),
// dbeta = sum of dy.
//
// An op's file defines OP and PARAMS, the parameters that the op can have, includes this, and defines squash(), which
// is all that the ops differ in, and its table. It may define FOLDS(algorithm), whether forward has alpha folded into
// the constants of that one, and then does so in fold() and squash_folded().
#ifndef SQUASH_H
#define SQUASH_H

#include "gradients.h"
#include "schedule.h"
#include "simd/simd_math.h"

// f(z), and in *slope f'(z), unless it is NULL, as forward has it. A NaN gives a NaN.
SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope);

// Of an algorithm's own. fold() is false where alpha, zero for one, cannot be folded: rows then go vector by vector.
typedef union {
    tanh_u2_folded u2;
    tanh_lp_folded lp;
} folded_alpha;
#ifdef FOLDS
SIMD_INLINE bool fold(kernel_spec spec, float alpha, folded_alpha *out);
SIMD_INLINE vf squash_folded(kernel_spec spec, const folded_alpha *folded, vf x);
#else
#define FOLDS(algorithm) false
#define fold(spec, alpha, out) ((void)(out), false)
#define squash_folded(spec, folded, x) (x)
#endif

typedef struct {
    vf alpha, shift;
} squash_scalars;

SIMD_INLINE void get_scalars(const norm_args *a, squash_scalars *k) {
    k->alpha = v_set1(a->alpha);
    k->shift = PARAMS & NORM_SHIFT ? v_set1(a->shift) : v_zero();
}

SIMD_INLINE vf inner(const squash_scalars *k, vf x) {
    return PARAMS & NORM_SHIFT ? v_fma(k->alpha, x, k->shift) : v_mul(k->alpha, x);
}

// Vectors that are squashed abreast, of a row in forward, of the rows of a block in backward: the chain of dependent
// instructions of one is longer than what a core's scheduler looks ahead. All are loaded before one is stored, for a
// compiler cannot know that they are not the same memory.
enum { ABREAST = BLOCK };
#define UNROLL_ABREAST UNROLL_BLOCK

// `vectors` of them, in spans of n elements; `folded` is NULL where alpha is not.
SIMD_INLINE void apply(kernel_spec spec, const void *gamma, const void *beta, const row_source *row, row_fetch ahead,
                       void *y, const squash_scalars *k, const folded_alpha *folded, size_t vectors, size_t c,
                       size_t n) {
    const size_t span = span_vectors(n);
    vf t[ABREAST];
    UNROLL_ABREAST for (size_t i = 0; i < vectors; i += span) {
        fetch_ahead(spec, ahead, c + i * SIMD_WIDTH, n);
        row_first(spec, row, c + i * SIMD_WIDTH, n, t + i);
    }
    UNROLL_ABREAST for (size_t i = 0; i < vectors; i++) t[i] =
        folded != NULL ? squash_folded(spec, folded, t[i]) : squash(spec, inner(k, t[i]), NULL);
    UNROLL_ABREAST for (size_t i = 0; i < vectors; i += span) {
        const size_t at = c + i * SIMD_WIDTH;
        affine_span with;
        get_affine(spec, gamma, beta, at, n, &with);
        UNROLL_SPAN for (size_t h = 0; h < span; h++) t[i + h] = affine(spec, &with, h, t[i + h]);
        put_result(spec, y, at, n, t + i);
    }
}

// The columns from c on, fewer than ABREAST vectors, or all of them where alpha cannot be folded.
SIMD_SHARED void apply_left(kernel_spec spec, const norm_args *a, size_t row, size_t c, size_t right) {
    const row_source source = row_source_at(spec, a, row);
    void *const y = row_of_mut(spec.dtype, a->y, row, a->y_stride);
    squash_scalars k;
    get_scalars(a, &k);
    folded_alpha lookup;
    const folded_alpha *const folded = FOLDS(spec.algorithm) && fold(spec, a->alpha, &lookup) ? &lookup : NULL;
    const row_fetch none = {source.x, false};
    for_each_left(right, apply(spec, a->gamma, a->beta, &source, none, y, &k, folded, 1, c, n));
}

// The same of ABREAST rows: a vector of each abreast, with gamma and beta for all.
SIMD_INLINE void apply_rows(kernel_spec spec, const norm_args *a, const row_source rows[ABREAST], size_t row,
                            const squash_scalars *k, const folded_alpha *folded, size_t c, size_t n) {
    vf t[ABREAST][SPAN];
    affine_span with;
    UNROLL_ABREAST for (size_t i = 0; i < ABREAST; i++) row_first(spec, &rows[i], c, n, t[i]);
    UNROLL_ABREAST for (size_t i = 0; i < ABREAST; i++) t[i][0] =
        folded != NULL ? squash_folded(spec, folded, t[i][0]) : squash(spec, inner(k, t[i][0]), NULL);
    get_affine(spec, a->gamma, a->beta, c, n, &with);
    UNROLL_ABREAST for (size_t i = 0; i < ABREAST; i++) {
        t[i][0] = affine(spec, &with, 0, t[i][0]);
        put_result(spec, row_of_mut(spec.dtype, a->y, row + i, a->y_stride), c, n, t[i]);
    }
}
SIMD_SHARED void apply_left_of_rows(kernel_spec spec, const norm_args *a, size_t row, size_t c, size_t right) {
    row_source rows[ABREAST];
    for (size_t i = 0; i < ABREAST; i++)
        rows[i] = row_source_at(spec, a, row + i);
    squash_scalars k;
    get_scalars(a, &k);
    folded_alpha lookup;
    const folded_alpha *const folded = FOLDS(spec.algorithm) && fold(spec, a->alpha, &lookup) ? &lookup : NULL;
    for_each_left(right, apply_rows(spec, a, rows, row, &k, folded, c, n));
}

// Rows whose last vectors go together: of narrow rows, where these are much of the row. Streams go row by row.
SIMD_INLINE size_t rows_abreast(kernel_spec spec, size_t cols) {
    enum { NARROW = 256 };
    return ABREAST > 1 && !spec.streams && cols <= NARROW && cols % (ABREAST * SIMD_WIDTH) != 0 ? ABREAST : 1;
}

// Columns [left, right) of a slice's rows: a tile, or whole rows.
typedef struct {
    norm_slice rows;
    size_t left, right;
} tile;

SIMD_INLINE void forward_tile(kernel_spec spec, const norm_schedule *how, const norm_args *a, const tile *t) {
    const void *const gamma = a->gamma, *const beta = a->beta;
    const size_t left = t->left, right = t->right;
    squash_scalars k;
    get_scalars(a, &k);
    folded_alpha lookup;
    const folded_alpha *const folded = FOLDS(spec.algorithm) ? &lookup : NULL;
    const bool abreast = !FOLDS(spec.algorithm) || fold(spec, a->alpha, &lookup);
    const size_t together = rows_abreast(spec, a->cols);
    size_t waiting = 0; // rows before this one whose last vectors are still to be done
    for (size_t row = t->rows.begin; row < t->rows.end; row++) {
        const row_source source = row_source_at(spec, a, row);
        const row_fetch ahead = row_ahead(spec, how, a, &t->rows, row, 1);
        void *const y = row_of_mut(spec.dtype, a->y, row, a->y_stride);
        size_t c = left;
        for (; abreast && c + ABREAST * SIMD_WIDTH <= right; c += ABREAST * SIMD_WIDTH)
            apply(spec, gamma, beta, &source, ahead, y, &k, folded, ABREAST, c, span_of(spec.dtype));
        if (c == right)
            continue;
        if (together == 1 || (waiting == 0 && t->rows.end - row < together)) {
            apply_left(spec, a, row, c, right);
        } else if (++waiting == together) {
            apply_left_of_rows(spec, a, row + 1 - together, c, right);
            waiting = 0;
        }
    }
}

// Tiles begin where four vectors do, so that each but the last of a row is a whole number of them.
SIMD_INLINE void forward_tiles(kernel_spec spec, const norm_schedule *how, const norm_args *a,
                               const norm_slice *slice) {
    const bool tiled = how->tile_cols > 0 && how->tile_rows > 0;
    const size_t unit = ABREAST * SIMD_WIDTH, cols = a->cols;
    const size_t wide = tiled ? (how->tile_cols + unit - 1) / unit * unit : cols;
    tile t = {.rows = *slice};
    for (t.rows.begin = slice->begin; t.rows.begin < slice->end; t.rows.begin = t.rows.end) {
        t.rows.end = tiled && how->tile_rows < slice->end - t.rows.begin ? t.rows.begin + how->tile_rows : slice->end;
        for (t.left = 0; t.left < cols; t.left = t.right) {
            t.right = wide < cols - t.left ? t.left + wide : cols;
            forward_tile(spec, how, a, &t);
        }
    }
}

SIMD_INLINE void forward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    const norm_schedule *const how = schedule_of(spec, slice);
    const tile whole = {*slice, 0, a->cols};
    if (spec.fetches && !spec.streams)
        forward_tiles(spec, how, a, slice);
    else
        forward_tile(spec, how, a, &whole);
}

// dalpha and dshift sum over the whole tensor: over a run of vectors, and runs in doubles, so that their error does not
// grow with the tensor. In f32 what the rows of a block have at a vector is added up first; in 16 bits, where that
// takes 1.07 times as long (Granite Rapids), each row has a sum of its own. Equal terms of a run: 16 units at most.
SIMD_INLINE bool sums_apart(kernel_spec spec) { return spec.dtype != NORM_F32; }
SIMD_INLINE size_t sum_run(kernel_spec spec) { return sums_apart(spec) ? 32 : 16; }

typedef struct {
    vf dalpha[ABREAST], dshift[ABREAST]; // in f32 the first alone
} run_sums;

// A vector of columns through `count` rows, a block's or one: the partial gradients are loaded and stored once for all.
// In bf16, too, where spans of two vectors would leave registers for two rows alone.
SIMD_INLINE void backward_step(kernel_spec spec, const void *gamma_row, const squash_scalars *k, const row_pair *rows,
                               const pair_fetch *ahead, size_t count, const partials *partial, run_sums *run, size_t c,
                               size_t n) {
    const vf gamma = spec.params & NORM_GAMMA ? v_get(affine_dtype(spec), gamma_row, c, n) : v_set1(1.0f);
    partial_span sums;
    partial_begin(spec, partial, c, n, &sums);
    vf x[ABREAST], dy[ABREAST], t[ABREAST], slope[ABREAST];
    // Of equal terms four are added almost exactly, 64 one after the other are not.
    vf dalpha = v_zero(), dshift = v_zero();
    UNROLL_ABREAST for (size_t i = 0; i < count; i++) {
        fetch_pair(spec, ahead == NULL ? NULL : ahead + i, c, n);
        x[i] = v_get(spec.dtype, rows[i].x, c, n);
        dy[i] = v_get(spec.dtype, rows[i].dy, c, n);
    }
    UNROLL_ABREAST for (size_t i = 0; i < count; i++) t[i] = squash(spec, inner(k, x[i]), &slope[i]);
    UNROLL_ABREAST for (size_t i = 0; i < count; i++) {
        const vf u[SPAN] = {v_mul(v_mul(gamma, dy[i]), slope[i])};
        if (sums_apart(spec)) {
            run->dalpha[i] = v_fma(u[0], x[i], run->dalpha[i]);
            if (PARAMS & NORM_SHIFT) // padding adds nothing, for there dy is zero
                add_to(&run->dshift[i], u[0]);
        } else {
            dalpha = i == 0 ? v_mul(u[0], x[i]) : v_fma(u[0], x[i], dalpha);
            dshift = i == 0 ? u[0] : v_add(dshift, u[0]);
        }
        partial_add(&sums, i, 0, dy[i], t[i]);
        put_dx(spec, &rows[i], k->alpha, u, c, n);
    }
    if (!sums_apart(spec)) {
        add_to(&run->dalpha[0], dalpha);
        if (PARAMS & NORM_SHIFT)
            add_to(&run->dshift[0], dshift);
    }
    partial_end(spec, partial, c, n, &sums);
}

SIMD_INLINE void get_pairs(kernel_spec spec, const norm_args *a, size_t row, size_t count, row_pair *rows) {
    for (size_t i = 0; i < count; i++)
        rows[i] = row_pair_at(spec, a, row + i);
}

SIMD_INLINE void clear_run(run_sums *run) {
    v_clear(run->dalpha, ABREAST);
    v_clear(run->dshift, ABREAST);
}
SIMD_INLINE vf run_sum(kernel_spec spec, const vf sums[ABREAST]) {
    return !sums_apart(spec) || ABREAST == 1
               ? sums[0]
               : v_add(v_add(sums[0], sums[1]), v_add(sums[ABREAST - 2], sums[ABREAST - 1]));
}
SIMD_INLINE void add_run(kernel_spec spec, const run_sums *run, tensor_sums *total) {
    v_add_to_doubles(total->dalpha, run_sum(spec, run->dalpha));
    if (PARAMS & NORM_SHIFT)
        v_add_to_doubles(total->dshift, run_sum(spec, run->dshift));
}

// The whole vectors of a block of rows, or of one.
SIMD_INLINE void backward_whole(kernel_spec spec, const norm_args *a, size_t row, size_t count, partials partial,
                                tensor_sums *total) {
    const void *const gamma = a->gamma;
    const size_t cols = a->cols;
    squash_scalars k;
    get_scalars(a, &k);
    row_pair rows[BLOCK];
    get_pairs(spec, a, row, count, rows);
    pair_fetch ahead[BLOCK];
    for (size_t i = 0; spec.fetches && i < count; i++)
        ahead[i] = pair_ahead(spec, a, row + i, total->rows_ahead);
    const size_t step = sum_run(spec) * SIMD_WIDTH;
    for (size_t first = 0; first + SIMD_WIDTH <= cols; first += step) {
        const size_t end = cols - first < step ? cols : first + step;
        run_sums run;
        clear_run(&run);
        for (size_t c = first; c + SIMD_WIDTH <= end; c += SIMD_WIDTH)
            backward_step(spec, gamma, &k, rows, spec.fetches ? ahead : NULL, count, &partial, &run, c, SIMD_WIDTH);
        add_run(spec, &run, total);
    }
}

// Their columns from c on, less than a vector.
SIMD_SHARED void backward_part(kernel_spec spec, const norm_args *a, size_t row, size_t count, partials partial,
                               tensor_sums *total, size_t c) {
    squash_scalars k;
    get_scalars(a, &k);
    row_pair rows[BLOCK];
    get_pairs(spec, a, row, count, rows);
    run_sums run;
    clear_run(&run);
    if (count == BLOCK)
        backward_step(spec, a->gamma, &k, rows, NULL, BLOCK, &partial, &run, c, a->cols - c);
    for (size_t i = count == BLOCK ? BLOCK : 0; i < count; i++)
        backward_step(spec, a->gamma, &k, rows + i, NULL, 1, &partial, &run, c, a->cols - c);
    add_run(spec, &run, total);
}

// Rows that do not fill a block.
SIMD_SHARED void backward_rest(kernel_spec spec, const norm_args *a, size_t row, size_t count, partials partial,
                               tensor_sums *total) {
    for (size_t i = 0; i < count; i++)
        backward_whole(spec, a, row + i, 1, partial, total);
}

SIMD_INLINE void backward(kernel_spec spec, const norm_args *a, size_t row, size_t count, partials partial,
                          tensor_sums *total) {
    if (count == BLOCK)
        backward_whole(spec, a, row, BLOCK, partial, total);
    else
        backward_rest(spec, a, row, count, partial, total);
    const size_t left = a->cols % SIMD_WIDTH;
    if (left != 0)
        backward_part(spec, a, row, count, partial, total, a->cols - left);
}

#define ELEMENTWISE true
#define PIECES(name, ...)
#define PIECES_OF(name)                                                                                                \
    { NULL, NULL }
#define SAVED_PER_ROW 0
#define EXTREME_ROWS NULL

#endif
