// SPDX-License-Identifier: MIT
// pointwise_rows.c: the pointwise functions of one row over the vector vocabulary, compiled once per level. All but
// rope, softmax and cross_entropy are a step, which takes n lanes from column c on; every load of a step comes before
// its stores, so that results may be operands.
#include "pointwise_rows.h"

#include <string.h>

#include "ops/kernel.h"
#include "simd/simd_math.h"

#include "gelu_table.h" // after SIMD_LOOKUP32

#define ONE v_set1(1.0f)

SIMD_INLINE void add(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    v_put(dtype, row[0], c, n, v_add(v_get(dtype, row[1], c, n), v_get(dtype, row[2], c, n)));
}

SIMD_INLINE void to_f32(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    v_put(NORM_F32, row[0], c, n, v_get(dtype, row[1], c, n));
}

SIMD_INLINE void from_f32(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    v_put(dtype, row[0], c, n, v_get(NORM_F32, row[1], c, n));
}

SIMD_INLINE void accumulate(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    v_put(NORM_F32, row[0], c, n, v_add(v_get(NORM_F32, row[0], c, n), v_get(dtype, row[1], c, n)));
}

// ---- Activations: value, and derivative where `derivative`.

// The logistic function s(z) = 1 / (1 + exp(-z)); where exp(-z) is infinite, 0.
SIMD_INLINE vf v_sigmoid(vf z) { return v_div(ONE, v_add(ONE, v_exp_u2(v_sub(v_zero(), z)))); }

// silu'(z) = s + z s (1 - s).
SIMD_INLINE vf silu(vf z, bool derivative) {
    const vf s = v_sigmoid(z), value = v_mul(z, s);
    return derivative ? v_fma(value, v_sub(ONE, s), s) : value;
}

// P(-a) for 0 <= a <= TAIL_LAST, from where on it is zero, P the normal distribution. A NaN comes out as one. In
// convolutional layers GELU has to be cheap: with ffn = 4 channels a multiplication and an addition of its two products
// are 16 channels for one element of it, so that at 128 channels and on two units of 16 lanes, 5 % of a layer are some
// ten cycles a vector. The lookup takes eleven instructions, GELU fifteen; by erf, which is to be right about zero as
// well, it takes twenty.
#ifdef SIMD_LOOKUP32
SIMD_INLINE vf normal_tail(vf a) {
    const vf magic = v_set1(0x1.8p23f), shifted = v_fma(a, v_set1(TAIL_STEPS), magic);
    const vf d = v_fnma(v_sub(shifted, magic), v_set1(TAIL_STEP), a);
    const vi slot = v_bits(shifted);
    vf t = v_fma(v_lookup32(slot, tail_lookup.c4), d, v_lookup32(slot, tail_lookup.c3));
    t = v_fma(t, d, v_lookup32(slot, tail_lookup.c2));
    t = v_fma(t, d, v_lookup32(slot, tail_lookup.c1));
    return v_fma(t, d, v_lookup32(slot, tail_lookup.c0));
}
#else
// An exponential of a polynomial, which is smooth over the whole range, where erf takes two formulas and the reduction
// of an exp to base e: 0.57 of the time of GELU by erf on AVX2, 11.5 cycles of eight elements, at a smaller error. In
// ConvNeXt's first stage that is 9 %; for 5 %, eight elements may take 6.4 cycles, thirteen instructions on two units:
// as many as the two polynomials alone have. Beyond a = 10 the power is held at -127, whose 2^n is zero by its bits.
SIMD_INLINE vf normal_tail(vf a) {
    vf p = v_fma(v_set1(TAIL_R7), a, v_set1(TAIL_R6));
    p = v_fma(p, a, v_set1(TAIL_R5));
    p = v_fma(p, a, v_set1(TAIL_R4));
    p = v_fma(p, a, v_set1(TAIL_R3));
    p = v_fma(p, a, v_set1(TAIL_R2));
    p = v_fma(p, a, v_set1(TAIL_R1));
    p = v_fma(p, a, v_set1(TAIL_R0));
    const vf power = v_max(v_set1(-127.0f), v_fma(p, a, v_set1(-1.0f)));
    const vf magic = v_set1(0x1.8p23f), shifted = v_add(power, magic), r = v_sub(power, v_sub(shifted, magic));
    vf q = v_fma(v_set1(TAIL_Q4), r, v_set1(TAIL_Q3));
    q = v_fma(q, r, v_set1(TAIL_Q2));
    q = v_fma(q, r, v_set1(TAIL_Q1));
    q = v_fma(q, r, v_set1(TAIL_Q0));
    return v_mul(v_exp_scale(v_bits(shifted)), v_fma(q, r, ONE));
}
#endif

// x P(x), P(x) = (1 + erf(x / sqrt 2)) / 2, which is max(x, 0) - |x| P(-|x|); derivative P(x) + x exp(-x^2 / 2) /
// sqrt(2 pi). a is clamped, for infinity times zero would be NaN. Left to the library, after the product before it,
// GELU took more than that product and this step together, 1.01 to 1.10 times (oneDNN 2.6, Granite Rapids).
SIMD_INLINE vf gelu_erf(vf x, bool derivative) {
    const vf a = v_min(v_set1(TAIL_LAST), v_abs(x)), tail = normal_tail(a);
    if (!derivative)
        return v_fnma(a, tail, v_max(v_zero(), x));
    const vf normal = v_select(v_less(x, v_zero()), tail, v_sub(ONE, tail));
    const vf density = v_mul(v_set1(0x1.9884533d43651p-2f), v_exp_u2(v_mul(v_mul(v_set1(-0.5f), x), x)));
    return v_fma(x, density, normal);
}

// x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), Hendrycks and Gimpel 2016 (arXiv 1606.08415);
// derivative (1 + t) / 2 + x (1 - t^2) u' / 2 with t = tanh u.
SIMD_INLINE vf gelu_tanh(vf x, bool derivative) {
    const float root = 0x1.9884533d43651p-1f, cubic = 0.044715f;
    const vf half = v_set1(0.5f), square = v_mul(x, x);
    const vf t = v_tanh_u2(v_mul(x, v_fma(v_set1(root * cubic), square, v_set1(root))));
    const vf factor = v_fma(half, t, half);
    if (!derivative)
        return v_mul(x, factor);
    const vf slope = v_mul(x, v_fma(v_set1(3 * root * cubic), square, v_set1(root)));
    return v_fma(v_mul(half, slope), v_fnma(t, t, ONE), factor);
}

#include "smooth_rows.h"

// Vectors that an activation takes abreast, or one where less is left: the chain of dependent instructions of one is
// longer than what a core's scheduler looks ahead. GELU's derivative takes 0.77 of its time one at a time, GELU 0.9
// (Granite Rapids, two threads).
#ifdef SIMD_PLAIN
enum { ABREAST = 1 };
#else
enum { ABREAST = 4 };
#endif
#define UNROLL_ABREAST _Pragma("GCC unroll 4")

SIMD_INLINE size_t abreast(size_t n) { return n > SIMD_WIDTH ? ABREAST : 1; }

SIMD_INLINE void get_abreast(norm_dtype dtype, const void *row, size_t c, size_t n, vf out[ABREAST]) {
    const size_t vectors = abreast(n), each = n < SIMD_WIDTH ? n : SIMD_WIDTH;
    UNROLL_ABREAST for (size_t i = 0; i < vectors; i++) out[i] = v_get(dtype, row, c + i * SIMD_WIDTH, each);
}
SIMD_INLINE void put_abreast(norm_dtype dtype, void *row, size_t c, size_t n, const vf a[ABREAST]) {
    const size_t vectors = abreast(n), each = n < SIMD_WIDTH ? n : SIMD_WIDTH;
    UNROLL_ABREAST for (size_t i = 0; i < vectors; i++) v_put(dtype, row, c + i * SIMD_WIDTH, each, a[i]);
}

#define ACTIVATION_STEPS(name)                                                                                         \
    SIMD_INLINE void activate_##name(norm_dtype dtype, void *const row[], size_t c, size_t n) {                        \
        const size_t vectors = abreast(n);                                                                             \
        vf x[ABREAST];                                                                                                 \
        get_abreast(dtype, row[1], c, n, x);                                                                           \
        UNROLL_ABREAST for (size_t i = 0; i < vectors; i++) x[i] = name(x[i], false);                                  \
        put_abreast(dtype, row[0], c, n, x);                                                                           \
    }                                                                                                                  \
    SIMD_INLINE void activate_##name##_backward(norm_dtype dtype, void *const row[], size_t c, size_t n) {             \
        const size_t vectors = abreast(n);                                                                             \
        vf x[ABREAST], dy[ABREAST];                                                                                    \
        get_abreast(dtype, row[1], c, n, x);                                                                           \
        get_abreast(dtype, row[2], c, n, dy);                                                                          \
        UNROLL_ABREAST for (size_t i = 0; i < vectors; i++) x[i] = v_mul(dy[i], name(x[i], true));                     \
        put_abreast(dtype, row[0], c, n, x);                                                                           \
    }
ACTIVATION_STEPS(silu)
ACTIVATION_STEPS(gelu_erf)
ACTIVATION_STEPS(gelu_tanh)
ACTIVATION_STEPS(sine)
ACTIVATION_STEPS(softplus)

SIMD_INLINE void swiglu(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    v_put(dtype, row[0], c, n, v_mul(silu(v_get(dtype, row[1], c, n), false), v_get(dtype, row[2], c, n)));
}

// Both gradients from one sigmoid.
SIMD_INLINE void swiglu_backward(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    const vf gate = v_get(dtype, row[2], c, n), up = v_get(dtype, row[3], c, n), dout = v_get(dtype, row[4], c, n);
    const vf s = v_sigmoid(gate), value = v_mul(gate, s);
    v_put(dtype, row[0], c, n, v_mul(v_mul(dout, up), v_fma(value, v_sub(ONE, s), s)));
    v_put(dtype, row[1], c, n, v_mul(dout, value));
}

SIMD_INLINE void glu(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    v_put(dtype, row[0], c, n, v_mul(v_get(dtype, row[1], c, n), v_sigmoid(v_get(dtype, row[2], c, n))));
}

SIMD_INLINE void glu_backward(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    const vf x = v_get(dtype, row[2], c, n), s = v_sigmoid(v_get(dtype, row[3], c, n)),
             dout = v_get(dtype, row[4], c, n);
    const vf dx = v_mul(dout, s);
    v_put(dtype, row[0], c, n, dx);
    v_put(dtype, row[1], c, n, v_mul(v_mul(dx, x), v_sub(ONE, s)));
}

// ---- Modulation

SIMD_INLINE void modulate(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    const vf shift = v_get(dtype, row[2], c, n), scale = v_get(dtype, row[3], c, n);
    v_put(dtype, row[0], c, n, v_fma(v_get(dtype, row[1], c, n), v_add(ONE, scale), shift));
}

SIMD_INLINE void modulate_backward(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    const vf x = v_get(dtype, row[3], c, n), scale = v_get(dtype, row[4], c, n), dout = v_get(dtype, row[5], c, n);
    v_put(NORM_F32, row[1], c, n, v_add(v_get(NORM_F32, row[1], c, n), dout));
    v_put(NORM_F32, row[2], c, n, v_fma(dout, x, v_get(NORM_F32, row[2], c, n)));
    v_put(dtype, row[0], c, n, v_mul(dout, v_add(ONE, scale)));
}

SIMD_INLINE void gate(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    v_put(dtype, row[0], c, n, v_mul(v_get(dtype, row[1], c, n), v_get(dtype, row[2], c, n)));
}

SIMD_INLINE void gate_backward(norm_dtype dtype, void *const row[], size_t c, size_t n) {
    const vf x = v_get(dtype, row[2], c, n), gate_value = v_get(dtype, row[3], c, n), dout = v_get(dtype, row[4], c, n);
    v_put(NORM_F32, row[1], c, n, v_fma(dout, x, v_get(NORM_F32, row[1], c, n)));
    v_put(dtype, row[0], c, n, v_mul(dout, gate_value));
}

// ---- Rotary embedding

// sign: 1, or -1 to rotate back.
SIMD_INLINE void rope_step(norm_dtype dtype, void *x, size_t first, size_t half, const float *angles, vf sign, size_t c,
                           size_t n) {
    const vf cosine = v_get(NORM_F32, angles, c, n), sine = v_mul(sign, v_get(NORM_F32, angles, half + c, n));
    const vf a = v_get(dtype, x, first + c, n), b = v_get(dtype, x, first + half + c, n);
    v_put(dtype, x, first + c, n, v_fnma(b, sine, v_mul(a, cosine)));
    v_put(dtype, x, first + half + c, n, v_fma(a, sine, v_mul(b, cosine)));
}

SIMD_INLINE void rope(norm_dtype dtype, void *x, size_t heads, size_t head_dim, const float *angles, bool inverse) {
    const size_t half = head_dim / 2;
    const vf sign = v_set1(inverse ? -1.0f : 1.0f);
    for (size_t head = 0; head < heads; head++) {
        const size_t first = head * head_dim;
        for_each_vector(half, rope_step(dtype, x, first, half, angles, sign, c, SIMD_WIDTH),
                        rope_step(dtype, x, first, half, angles, sign, c, half - c));
    }
}

// ---- Softmax

// The lanes below n of a, minus infinity elsewhere: what a maximum does not notice.
SIMD_INLINE vf v_keep_largest(vf a, size_t n) {
    float lanes[SIMD_WIDTH];
    v_store(lanes, v_set1(-INFINITY));
    v_store_part(lanes, a, n);
    return v_load(lanes);
}

SIMD_INLINE float row_largest(norm_dtype dtype, const void *x, size_t cols) {
    vf most[ACCUMULATORS];
    UNROLL_ACCUMULATORS for (size_t k = 0; k < ACCUMULATORS; k++) most[k] = v_set1(-INFINITY);
    size_t c = 0;
    for (; c + STEP <= cols; c += STEP)
        UNROLL_ACCUMULATORS for (size_t k = 0; k < ACCUMULATORS; k++) most[k] =
            v_max(most[k], v_get(dtype, x, c + k * SIMD_WIDTH, SIMD_WIDTH));
    for (; c + SIMD_WIDTH <= cols; c += SIMD_WIDTH)
        most[0] = v_max(most[0], v_get(dtype, x, c, SIMD_WIDTH));
    if (c < cols)
        most[1] = v_max(most[1], v_keep_largest(v_get(dtype, x, c, cols - c), cols - c));
    UNROLL_ACCUMULATORS for (size_t k = 1; k < ACCUMULATORS; k++) most[0] = v_max(most[0], most[k]);
    return v_largest(most[0]);
}

// exp(scale x - most), kept in x if `keep`; most is the maximum of scale x, however rounded: a common factor that the
// division by the sum takes out again.
SIMD_INLINE void exp_step(norm_dtype dtype, void *x, vf scale, vf most, bool keep, vf *sum, size_t c, size_t n) {
    const vf e = v_keep(v_exp_u2(v_sub(v_mul(v_get(dtype, x, c, n), scale), most)), n);
    if (keep)
        v_put(dtype, x, c, n, e);
    *sum = v_add(*sum, e);
}

// Its sum over the row. exp takes longer than the addition that waits for it, so one accumulator is enough; so that a
// row of a whole vocabulary is summed as exactly as a short one, it goes into a double every BLOCK_VECTORS additions.
enum { BLOCK_VECTORS = 64 };
SIMD_INLINE double exp_sum(norm_dtype dtype, void *x, size_t cols, float scale, float most, bool keep) {
    const vf factor = v_set1(scale), offset = v_set1(most);
    double total = 0;
    for (size_t begin = 0; begin < cols; begin += BLOCK_VECTORS * SIMD_WIDTH) {
        const size_t left = cols - begin;
        const size_t end = begin + (left < BLOCK_VECTORS * SIMD_WIDTH ? left : BLOCK_VECTORS * SIMD_WIDTH);
        vf sum = v_zero();
        size_t c = begin;
        for (; c + SIMD_WIDTH <= end; c += SIMD_WIDTH)
            exp_step(dtype, x, factor, offset, keep, &sum, c, SIMD_WIDTH);
        if (c < end)
            exp_step(dtype, x, factor, offset, keep, &sum, c, end - c);
        total += (double)v_sum(sum);
    }
    return total;
}

SIMD_INLINE void scale_step(float *x, vf factor, size_t c, size_t n) {
    v_put(NORM_F32, x, c, n, v_mul(v_get(NORM_F32, x, c, n), factor));
}

static void softmax(float *x, size_t length, size_t cols, float scale) {
    const float most = row_largest(NORM_F32, x, length) * scale;
    const vf factor = v_set1((float)(1 / exp_sum(NORM_F32, x, length, scale, most, true)));
    for_each_vector(length, scale_step(x, factor, c, SIMD_WIDTH), scale_step(x, factor, c, length - c));
    memset(x + length, 0, (cols - length) * sizeof *x);
}

SIMD_INLINE void loss_gradient_step(norm_dtype dtype, void *x, vf most, vf factor, size_t c, size_t n) {
    v_put(dtype, x, c, n, v_mul(v_exp_u2(v_sub(v_get(dtype, x, c, n), most)), factor));
}

// exp is computed twice: kept in bf16, it would be rounded twice.
SIMD_INLINE double cross_entropy(norm_dtype dtype, size_t cols, void *x, size_t label, float weight, float *picked) {
    const float most = row_largest(dtype, x, cols);
    const double sum = exp_sum(dtype, x, cols, 1.0f, most, false);
    const float factor = (float)((double)weight / sum);
    const vf offset = v_set1(most), scale = v_set1(factor);
    const vf logit = v_sub(v_get(dtype, x, label, 1), offset);
    float lanes[SIMD_WIDTH];
    v_store(lanes, logit);
    *picked = lanes[0];
    for_each_vector(cols, loss_gradient_step(dtype, x, offset, scale, c, SIMD_WIDTH),
                    loss_gradient_step(dtype, x, offset, scale, c, cols - c));
    v_put(dtype, x, label, 1, v_sub(v_mul(v_exp_u2(logit), scale), v_set1(weight)));
    return sum;
}

// ---- The table

// The pointers are copied, lest a compiler fear that a store changes them.
#define LOCAL_ROWS                                                                                                     \
    { row[0], row[1], row[2], row[3], row[4], row[5] }

#define PART_FUNCTION(step, name, DTYPE, vectors)                                                                      \
    SIMD_SHARED void step##_part(norm_dtype dtype, void *const row[POINTWISE_OPERANDS], size_t c, size_t cols) {       \
        for_each_left(cols, step(dtype, row, c, n));                                                                   \
    }
#define STEP_FUNCTION(step, name, DTYPE, vectors)                                                                      \
    static void step##_##name(size_t cols, void *const row[POINTWISE_OPERANDS]) {                                      \
        void *const local[POINTWISE_OPERANDS] = LOCAL_ROWS;                                                            \
        for_each_span((vectors)*SIMD_WIDTH, cols, step(DTYPE, local, c, (vectors)*SIMD_WIDTH),                         \
                      step##_part(DTYPE, row, c, cols));                                                               \
    }
// The last is the vectors that a step takes at once.
#define STEPS(X, name, DTYPE)                                                                                          \
    X(add, name, DTYPE, 1)                                                                                             \
    X(to_f32, name, DTYPE, 1)                                                                                          \
    X(from_f32, name, DTYPE, 1)                                                                                        \
    X(accumulate, name, DTYPE, 1)                                                                                      \
    X(swiglu, name, DTYPE, 1)                                                                                          \
    X(swiglu_backward, name, DTYPE, 1)                                                                                 \
    X(glu, name, DTYPE, 1)                                                                                             \
    X(glu_backward, name, DTYPE, 1)                                                                                    \
    X(activate_silu, name, DTYPE, ABREAST)                                                                             \
    X(activate_silu_backward, name, DTYPE, ABREAST)                                                                    \
    X(activate_gelu_erf, name, DTYPE, ABREAST)                                                                         \
    X(activate_gelu_erf_backward, name, DTYPE, ABREAST)                                                                \
    X(activate_gelu_tanh, name, DTYPE, ABREAST)                                                                        \
    X(activate_gelu_tanh_backward, name, DTYPE, ABREAST)                                                               \
    X(activate_sine, name, DTYPE, ABREAST)                                                                             \
    X(activate_sine_backward, name, DTYPE, ABREAST)                                                                    \
    X(activate_softplus, name, DTYPE, ABREAST)                                                                         \
    X(activate_softplus_backward, name, DTYPE, ABREAST)                                                                \
    X(modulate, name, DTYPE, 1)                                                                                        \
    X(modulate_backward, name, DTYPE, 1)                                                                               \
    X(gate, name, DTYPE, 1)                                                                                            \
    X(gate_backward, name, DTYPE, 1)

#define DEFINE(name, DTYPE)                                                                                            \
    static void copy_##name(size_t cols, void *const row[POINTWISE_OPERANDS]) {                                        \
        memmove(row[0], row[1], cols *DTYPE##_BYTES);                                                                  \
    }                                                                                                                  \
    STEPS(STEP_FUNCTION, name, DTYPE)                                                                                  \
    static void rope_##name(void *x, size_t heads, size_t head_dim, const float *angles, bool inverse) {               \
        rope(DTYPE, x, heads, head_dim, angles, inverse);                                                              \
    }                                                                                                                  \
    static double cross_entropy_##name(size_t cols, void *x, size_t label, float weight, float *picked) {              \
        return cross_entropy(DTYPE, cols, x, label, weight, picked);                                                   \
    }
STEPS(PART_FUNCTION, , )
DEFINE(f32, NORM_F32)
DEFINE(bf16, NORM_BF16)
DEFINE(f16, NORM_F16)

#define ROWS(name)                                                                                                     \
    {                                                                                                                  \
        .copy = copy_##name, .to_f32 = to_f32_##name, .from_f32 = from_f32_##name, .add = add_##name,                  \
        .accumulate = accumulate_##name, .swiglu = swiglu_##name, .swiglu_backward = swiglu_backward_##name,           \
        .glu = glu_##name, .glu_backward = glu_backward_##name,                                                        \
        .activation = {[ACTIVATION_GELU_ERF] = activate_gelu_erf_##name,                                               \
                       [ACTIVATION_GELU_TANH] = activate_gelu_tanh_##name,                                             \
                       [ACTIVATION_SILU] = activate_silu_##name,                                                       \
                       [ACTIVATION_SINE] = activate_sine_##name,                                                       \
                       [ACTIVATION_SOFTPLUS] = activate_softplus_##name},                                              \
        .activation_backward = {[ACTIVATION_GELU_ERF] = activate_gelu_erf_backward_##name,                             \
                                [ACTIVATION_GELU_TANH] = activate_gelu_tanh_backward_##name,                           \
                                [ACTIVATION_SILU] = activate_silu_backward_##name,                                     \
                                [ACTIVATION_SINE] = activate_sine_backward_##name,                                     \
                                [ACTIVATION_SOFTPLUS] = activate_softplus_backward_##name},                            \
        .modulate = modulate_##name, .modulate_backward = modulate_backward_##name, .gate = gate_##name,               \
        .gate_backward = gate_backward_##name, .rope = rope_##name, .softmax = softmax,                                \
        .cross_entropy = cross_entropy_##name                                                                          \
    }

extern const pointwise_rows NORM_PASTE3(pointwise_, rows, NORM_LEVEL_NAME)[MODEL_DTYPES];
const pointwise_rows NORM_PASTE3(pointwise_, rows, NORM_LEVEL_NAME)[MODEL_DTYPES] = {
    [NORM_F32] = ROWS(f32), [NORM_BF16] = ROWS(bf16), [NORM_F16] = ROWS(f16)};
