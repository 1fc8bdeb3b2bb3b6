// SPDX-License-Identifier: MIT
// scan_rows.c: a chunk of the scan over the vector vocabulary, compiled once per level. Lanes are channels, so that no
// state waits for another lane, and half of the states are in registers at a time: with all of them, the constants of
// exp would be read from memory again and again.
#include "scan_rows.h"

#include <string.h>

#include "ops/kernel.h"
#include "simd/simd_math.h"

enum { PART = SCAN_STATES / 2 };
#define UNROLL_PART _Pragma("GCC unroll 8")
_Static_assert(PART == 8, "UNROLL_PART unrolls eight");
_Static_assert(SIMD_WIDTH <= SCAN_LANES, "SCAN_WORK has room for the lanes of every level");

// exp(x), x <= 0; at -87 and below exp(-87), a normal number, which is as good as nothing. So it takes neither the
// comparisons nor the selections of v_exp_u2.
SIMD_INLINE vf v_decay(vf x) {
    vi shifted;
    const vf e = v_exp_parts(v_max(v_set1(-87.0f), x), &shifted), scale = v_exp_scale(shifted);
    return v_fma(scale, e, scale);
}

SIMD_INLINE vf at(norm_dtype dtype, const void *data, size_t t, size_t stride, size_t c, size_t n) {
    return v_get(dtype, row_of(dtype, data, t, stride), c, n);
}
SIMD_INLINE void put(norm_dtype dtype, void *data, size_t t, size_t stride, size_t c, size_t n, vf a) {
    v_put(dtype, row_of_mut(dtype, data, t, stride), c, n, a);
}

SIMD_INLINE void load_part(const float *rows, size_t stride, size_t c, size_t n, vf out[PART]) {
    UNROLL_PART for (size_t i = 0; i < PART; i++) out[i] = v_get(NORM_F32, rows + i * stride, c, n);
}
SIMD_INLINE void store_part(float *rows, size_t stride, size_t c, size_t n, const vf a[PART]) {
    UNROLL_PART for (size_t i = 0; i < PART; i++) v_put(NORM_F32, rows + i * stride, c, n, a[i]);
}

// n channels from c on. sums: of y over the states so far.
SIMD_INLINE void scan_vector(norm_dtype dtype, const scan_chunk *k, float *sums, size_t c, size_t n) {
    const vf skip = v_get(NORM_F32, k->skip, c, n);
    for (size_t first = 0; first < SCAN_STATES; first += PART) {
        vf h[PART], rates[PART];
        load_part(k->states + first * SCAN_SPAN, SCAN_SPAN, c, n, h);
        load_part(k->rates + first * k->rates_stride, k->rates_stride, c, n, rates);
        for (size_t t = 0; t < k->tokens; t++) {
            const vf x = at(dtype, k->x, t, k->x_stride, c, n), step = at(dtype, k->step, t, k->step_stride, c, n);
            const float *const in = k->in + t * k->in_stride + first, *const out = k->out + t * k->out_stride + first;
            const vf taken = v_mul(step, x);
            vf y = first == 0 ? v_mul(skip, x) : v_load(sums + t * SIMD_WIDTH);
            UNROLL_PART for (size_t i = 0; i < PART; i++) {
                h[i] = v_fma(v_decay(v_mul(step, rates[i])), h[i], v_mul(taken, v_set1(in[i])));
                y = v_fma(h[i], v_set1(out[i]), y);
            }
            if (first + PART < SCAN_STATES)
                v_store(sums + t * SIMD_WIDTH, y);
            else
                put(dtype, k->y, t, k->y_stride, c, n, y);
        }
        store_part(k->states + first * SCAN_SPAN, SCAN_SPAN, c, n, h);
    }
}

// Parts of work, as vectors: the states and decays of a part of the states, (tokens, PART); sums over lanes so far,
// (tokens, SCAN_STATES) each; of dx and dstep over the states so far, (tokens).
typedef struct {
    float *h, *decay, *din, *dout, *dx, *dstep;
} backward_work;

SIMD_INLINE backward_work place(float *work) {
    enum { STATES = SCAN_CHUNK * PART * SIMD_WIDTH, ALL = SCAN_CHUNK * SCAN_STATES * SIMD_WIDTH };
    const backward_work w = {.h = work,
                             .decay = work + STATES,
                             .din = work + 2 * STATES,
                             .dout = work + 2 * STATES + ALL,
                             .dx = work + 2 * STATES + 2 * ALL,
                             .dstep = work + 2 * STATES + 2 * ALL + SCAN_CHUNK * SIMD_WIDTH};
    return w;
}

// The states of a part again, all of them kept.
SIMD_INLINE void keep_states(norm_dtype dtype, const scan_chunk *k, const backward_work *w, const vf rates[PART],
                             size_t first, size_t c, size_t n) {
    vf h[PART];
    load_part(k->states + first * SCAN_SPAN, SCAN_SPAN, c, n, h);
    for (size_t t = 0; t < k->tokens; t++) {
        const vf x = at(dtype, k->x, t, k->x_stride, c, n), step = at(dtype, k->step, t, k->step_stride, c, n);
        const float *const in = k->in + t * k->in_stride + first;
        const vf taken = v_mul(step, x);
        UNROLL_PART for (size_t i = 0; i < PART; i++) {
            const vf decay = v_decay(v_mul(step, rates[i]));
            h[i] = v_fma(decay, h[i], v_mul(taken, v_set1(in[i])));
            v_store(w->h + (t * PART + i) * SIMD_WIDTH, h[i]);
            v_store(w->decay + (t * PART + i) * SIMD_WIDTH, decay);
        }
    }
}

SIMD_INLINE void add_product(float *sum, vf a, vf b) { v_store(sum, v_fma(a, b, v_load(sum))); }

// With g the gradient by h[t], p what of h[t] came from h[t - 1]: dstep = g (in x + rate p), dx = g in step, din = g
// step x, dout = dy h, drate = g step p; and g decay reaches h[t - 1].
SIMD_INLINE void scan_vector_backward(norm_dtype dtype, const scan_chunk *k, size_t c, size_t n) {
    const backward_work w = place(k->work);
    const vf skip = v_get(NORM_F32, k->skip, c, n);
    vf dskip = v_get(NORM_F32, k->drates + SCAN_STATES * SCAN_SPAN, c, n);
    for (size_t first = 0; first < SCAN_STATES; first += PART) {
        vf g[PART], rates[PART], drates[PART];
        load_part(k->rates + first * k->rates_stride, k->rates_stride, c, n, rates);
        keep_states(dtype, k, &w, rates, first, c, n);
        load_part(k->carried + first * SCAN_SPAN, SCAN_SPAN, c, n, g);
        load_part(k->drates + first * SCAN_SPAN, SCAN_SPAN, c, n, drates);
        for (size_t t = k->tokens; t-- > 0;) {
            const vf x = at(dtype, k->x, t, k->x_stride, c, n), step = at(dtype, k->step, t, k->step_stride, c, n),
                     dy = at(dtype, k->dy, t, k->dy_stride, c, n), taken = v_mul(step, x);
            const float *const in = k->in + t * k->in_stride + first, *const out = k->out + t * k->out_stride + first;
            vf by_in = v_zero(), by_rate = v_zero();
            UNROLL_PART for (size_t i = 0; i < PART; i++) {
                const size_t kept = (t * PART + i) * SIMD_WIDTH, summed = (t * SCAN_STATES + first + i) * SIMD_WIDTH;
                const vf h = v_load(w.h + kept), into = v_set1(in[i]);
                g[i] = v_fma(v_set1(out[i]), dy, g[i]);
                add_product(w.dout + summed, dy, h);
                add_product(w.din + summed, g[i], taken);
                by_in = v_fma(g[i], into, by_in);
                const vf pulled = v_mul(g[i], v_fnma(taken, into, h));
                by_rate = v_fma(pulled, rates[i], by_rate);
                drates[i] = v_fma(pulled, step, drates[i]);
                g[i] = v_mul(g[i], v_load(w.decay + kept));
            }
            float *const dx_sum = w.dx + t * SIMD_WIDTH, *const dstep_sum = w.dstep + t * SIMD_WIDTH;
            const vf dx = v_fma(step, by_in, first == 0 ? v_mul(skip, dy) : v_load(dx_sum));
            const vf dstep = v_fma(x, by_in, first == 0 ? by_rate : v_add(by_rate, v_load(dstep_sum)));
            if (first == 0)
                dskip = v_fma(dy, x, dskip);
            if (first + PART < SCAN_STATES) {
                v_store(dx_sum, dx);
                v_store(dstep_sum, dstep);
            } else {
                put(dtype, k->dx, t, k->dx_stride, c, n, dx);
                put(dtype, k->dstep, t, k->dstep_stride, c, n, dstep);
            }
        }
        store_part(k->carried + first * SCAN_SPAN, SCAN_SPAN, c, n, g);
        store_part(k->drates + first * SCAN_SPAN, SCAN_SPAN, c, n, drates);
    }
    v_put(NORM_F32, k->drates + SCAN_STATES * SCAN_SPAN, c, n, dskip);
}

// The sums over the lanes of a vector for each state.
static void sum_lanes(const float *vectors, float sums[SCAN_STATES]) {
#ifdef SIMD_SUMS
    _Static_assert(SCAN_STATES % SIMD_WIDTH == 0, "all states are summed");
    for (size_t i = 0; i < SCAN_STATES; i += SIMD_WIDTH) {
        vf rows[SIMD_WIDTH];
        for (size_t j = 0; j < SIMD_WIDTH; j++)
            rows[j] = v_load(vectors + (i + j) * SIMD_WIDTH);
        v_store(sums + i, v_sums(rows));
    }
#else
    for (size_t i = 0; i < SCAN_STATES; i++)
        sums[i] = v_sum(v_load(vectors + i * SIMD_WIDTH));
#endif
}

static void give_sums(const scan_chunk *k) {
    const backward_work w = place(k->work);
    for (size_t t = 0; t < k->tokens; t++) {
        const size_t first = t * SCAN_STATES * SIMD_WIDTH;
        sum_lanes(w.din + first, k->dinout + t * 2 * SCAN_STATES);
        sum_lanes(w.dout + first, k->dinout + t * 2 * SCAN_STATES + SCAN_STATES);
    }
}

static void clear_sums(const scan_chunk *k) {
    const backward_work w = place(k->work);
    const size_t bytes = k->tokens * SCAN_STATES * SIMD_WIDTH * sizeof(float);
    memset(w.din, 0, bytes);
    memset(w.dout, 0, bytes);
}

#define DEFINE(name, DTYPE)                                                                                            \
    static void scan_##name(const scan_chunk *k) {                                                                     \
        float sums[SCAN_CHUNK * SIMD_WIDTH];                                                                           \
        for_each_vector(k->channels, scan_vector(DTYPE, k, sums, c, SIMD_WIDTH),                                       \
                        scan_vector(DTYPE, k, sums, c, k->channels - c));                                              \
    }                                                                                                                  \
    static void scan_backward_##name(const scan_chunk *k) {                                                            \
        clear_sums(k);                                                                                                 \
        for_each_vector(k->channels, scan_vector_backward(DTYPE, k, c, SIMD_WIDTH),                                    \
                        scan_vector_backward(DTYPE, k, c, k->channels - c));                                           \
        give_sums(k);                                                                                                  \
    }
DEFINE(f32, NORM_F32)
DEFINE(bf16, NORM_BF16)
DEFINE(f16, NORM_F16)

#define ROWS(name)                                                                                                     \
    { .scan = scan_##name, .scan_backward = scan_backward_##name }

extern const scan_rows NORM_PASTE3(scan_, rows, NORM_LEVEL_NAME)[MODEL_DTYPES];
const scan_rows NORM_PASTE3(scan_, rows, NORM_LEVEL_NAME)[MODEL_DTYPES] = {
    [NORM_F32] = ROWS(f32), [NORM_BF16] = ROWS(bf16), [NORM_F16] = ROWS(f16)};
