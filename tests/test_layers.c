// SPDX-License-Identifier: MIT
// Every kind of layer, with every norm in its slot, against the double reference of layer_reference.h: outputs in every
// phase, and in training the gradient of every element. The shapes are small and odd, so that gradients can be had from
// differences and no size hides behind another; eps, alpha and theta are far from the usual values, so that leaving one
// out shows. Each comparison is also made against references with a mistake, which it must notice.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer.h"
#include "layer_reference.h"
#include "measure/inputs.h"
#include "products.h"

// dim is not heads * head_dim in some, as in Qwen 3 0.6B, and groups of heads are of three, so that neither division
// nor remainder by two passes for the other.
#define SHAPE(NAME, KIND, DIM, HEADS, KV, FFN, VOCAB, NATIVE, ...)                                                     \
    {                                                                                                                  \
        .name = NAME, .kind = KIND, .dim = DIM, .depth = 2, .heads = HEADS, .kv_heads = KV, .head_dim = 4, .ffn = FFN, \
        .vocab = VOCAB, .tokens = TOKENS, .native = NATIVE, .eps = 0.03f, .alpha = 0.75f, .alpha_attention = 1.25f,    \
        __VA_ARGS__                                                                                                    \
    }
enum { BATCH = 2, TOKENS = 5, CONTEXT = 4, STAGE = 1, MOST_COLS = 32 };
static const model_shape shapes[] = {
    SHAPE("llama", MODEL_LLAMA, 13, 6, 2, 21, 19, NORM_RMSNORM, .theta = 50),
    SHAPE("qwen", MODEL_LLAMA, 12, 3, 1, 20, 19, NORM_RMSNORM, .theta = 50, .qk_norm = true, .tied_head = true),
    SHAPE("vit", MODEL_VIT, 12, 3, 3, 20, 11, NORM_LAYERNORM, ),
    SHAPE("dit", MODEL_DIT, 12, 3, 3, 20, 10, NORM_LAYERNORM, ),
    SHAPE("wav2vec post", MODEL_WAV2VEC, 12, 3, 3, 20, 9, NORM_LAYERNORM, .post_norm = true),
    SHAPE("wav2vec pre", MODEL_WAV2VEC, 12, 3, 3, 20, 9, NORM_LAYERNORM, ),
    SHAPE("gpt2", MODEL_GPT2, 12, 3, 3, 20, 19, NORM_LAYERNORM, .tied_head = true),
    SHAPE("convnext", MODEL_CONVNEXT, 7, 0, 0, 28, 5, NORM_LAYERNORM,
          .stages = {{8, 4, 1}, {5, 6, 2}, {2, 5, 1}, {1, 7, 1}}),
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

// As a whole, where each stage has half the side of the one before.
static const model_shape whole_convnext = SHAPE("convnext", MODEL_CONVNEXT, 7, 0, 0, 28, 5, NORM_LAYERNORM,
                                                .stages = {{8, 4, 1}, {4, 6, 2}, {2, 5, 1}, {1, 7, 1}});
static const model_shape *whole(const model_shape *m) { return m->kind == MODEL_CONVNEXT ? &whole_convnext : m; }

static bool decodes(const model_shape *m) { return m->kind == MODEL_LLAMA || m->kind == MODEL_GPT2; }
static bool has_phase(const model_shape *m, model_phase phase) { return phase != PHASE_DECODE || decodes(m); }

static layer_config config_of(const model_shape *m, model_part part, model_phase phase, norm_dtype dtype, int threads) {
    return (layer_config){.shape = m,
                          .part = part,
                          .phase = phase,
                          .dtype = dtype,
                          .depth = 1,
                          .batch = BATCH,
                          .tokens = phase == PHASE_DECODE ? 1 : TOKENS,
                          .context = phase == PHASE_DECODE ? CONTEXT : 0,
                          .stage = STAGE,
                          .threads = threads,
                          .seed = 7};
}

static bool ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

// Weights are drawn as small as those of models that are a hundred times wider, by which attention would be all but
// uniform and activations all but linear. Training reads them where they stand (inference has packed them already), so
// there they are multiplied, by powers of two, which are exact in every dtype, until products are as large as what goes
// in.
static void amplify(layer *l) {
    for (size_t i = 0; i < layer_tensors(l); i++) {
        const layer_tensor *const t = layer_tensor_at(l, i);
        const matrix *const m = &t->value;
        if (t->role != TENSOR_PARAMETER || strstr(t->name, "norm.") != NULL)
            continue;
        const bool scale = ends_with(t->name, "scale.weight");
        const double by = scale ? 8 : m->rows > 1 ? exp2(round(log2(50 / sqrt((double)m->cols)))) : 16;
        for (size_t j = 0; j < m->rows * m->cols; j++)
            dtype_set(m->dtype, m->data, j, by * dtype_get(m->dtype, m->data, j));
    }
}

static layer *make(const layer_config *config) {
    char error[LAYER_ERROR_SIZE];
    layer *const l = layer_make(config, error);
    if (l == NULL)
        fail_msg("%s %s %s: %s", config->shape->name, model_phase_name(config->phase), norm_dtype_name(config->dtype),
                 error);
    if (config->phase == PHASE_TRAIN)
        amplify(l);
    return l;
}

// Every op in every form that has it, in the order op, form.
enum { MOST_ARMS = (int)NORM_OPS * (int)NORM_FORMS };
static size_t all_arms(const model_shape *m, norm_dtype dtype, norm_slot arms[MOST_ARMS]) {
    size_t count = 0;
    for (norm_op op = 0; op < NORM_OPS; op++)
        for (norm_form form = 0; form < NORM_FORMS; form++)
            if (layer_slot(m, op, NULL, form, "best", dtype, &arms[count]))
                count++;
    return count;
}

// How many there must be: one for each op and form that has implementations.
static size_t expected_arms(void) {
    bool has[NORM_OPS][NORM_FORMS] = {0};
    const norm_impl *impl;
    size_t count = 0;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        has[impl->op][impl->form] = true;
    for (norm_op op = 0; op < NORM_OPS; op++)
        for (norm_form form = 0; form < NORM_FORMS; form++)
            count += has[op][form] || op == NORM_IDENTITY; // no norm at all, whatever the form of the others
    return count;
}

// ---- Comparing

// Errors are in units of the dtype's rounding, u = 2^-24 or 2^-9, times the largest magnitude of the tensor, since an
// element that is small by cancellation carries the error of what cancelled. A layer is a path of a dozen steps (add,
// norm, product, rotation, scores and softmax, product, add, norm, product, activation, product), whose errors add up
// as a random walk, of which a tensor of a hundred elements shows three deviations; where a small vector is normed, and
// where softmax turns absolute errors of scores of up to 4 into relative ones, they grow by a factor of about three. In
// bf16 sums are f32, so that a step errs by its one rounding, of deviation 1 / sqrt(3): sqrt(12 / 3) * 3 * 3 = 18. In
// f32 a dot product of K <= 28 terms errs by about sqrt(K / 3) of them: sqrt(12) * 3 * 3 = 31. Bounds are a good half
// above that; gradients take the path there and back, and a model of two layers both of its layers'.
static double bound_of(norm_dtype dtype, bool gradient) { return (dtype == NORM_F32 ? 50 : 30) * (gradient ? 2 : 1); }
static double unit_of(norm_dtype dtype) { return ldexp(1, dtype == NORM_F32 ? -24 : -9); }

typedef struct {
    double error; // the largest, in units as above
    char where[200];
} worst;

static double largest_of(const double *values, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(values[i]));
    return largest;
}

// floor: what the magnitude of the tensor is not taken to be below.
static void compare(const matrix *got, const double *want, double floor, norm_dtype dtype, const char *name,
                    const char *what, worst *w) {
    const double scale = fmax(largest_of(want, got->rows * got->cols), floor);
    for (size_t i = 0; i < got->rows; i++)
        for (size_t j = 0; j < got->cols; j++) {
            const double value = dtype_get(got->dtype, got->data, i * got->stride + j);
            const double off = fabs(value - want[i * got->cols + j]);
            const double error = off == 0 ? 0 : off / (scale * unit_of(dtype));
            if (!(error <= w->error)) { // also for a NaN
                w->error = isnan(error) ? INFINITY : error;
                snprintf(w->where, sizeof w->where, "%s%s (%zu, %zu): %.9g, want %.9g, magnitude %.3g: %.3g units",
                         name, what, i, j, value, want[i * got->cols + j], scale, error);
            }
        }
}

// objective: what the reference's forward pass returned.
static worst compare_outputs(const layer *l, const layer_reference *r, double objective, norm_dtype dtype) {
    worst w = {0};
    if (!isnan(layer_loss(l))) {
        float loss = (float)layer_loss(l);
        const matrix one = {NORM_F32, 1, 1, 1, &loss};
        compare(&one, &objective, 0, dtype, "loss", "", &w);
    }
    for (size_t i = 0; i < layer_tensors(l); i++) {
        const layer_tensor *const t = layer_tensor_at(l, i);
        if (t->role == TENSOR_OUTPUT)
            compare(&t->value, layer_reference_at(r, i)->value, 0, dtype, t->name, "", &w);
    }
    return w;
}

// Of the gradients of every tensor so called.
static double largest_gradient(const layer_reference *r, const char *end) {
    double largest = 0;
    for (size_t i = 0; i < layer_reference_tensors(r); i++) {
        const reference_tensor *const t = layer_reference_at(r, i);
        if (ends_with(t->name, end))
            largest = fmax(largest, largest_of(t->gradient, t->rows * t->cols));
    }
    return largest;
}

// times: how many runs were added up in the gradients of parameters. Two gradients are small by cancellation as a
// whole: that of the bias of k vanishes, for softmax does not see what all keys share, and is made of the products that
// make that of q; those of alpha and shift are each one sum over all rows and columns, whose terms are those of the
// gradients of gamma or, in models without one, of other alphas.
static worst compare_gradients(const layer *l, const layer_reference *r, norm_dtype dtype, double times) {
    worst w = {0};
    for (size_t i = 0; i < layer_tensors(l); i++) {
        const layer_tensor *const t = layer_tensor_at(l, i);
        const reference_tensor *const want = layer_reference_at(r, i);
        const size_t n = want->rows * want->cols;
        if (!layer_reference_differentiates(want))
            continue;
        if (t->gradient.data == NULL)
            fail_msg("%s has no gradient", t->name);
        double floor = 0;
        if (ends_with(t->name, "attention.k.bias"))
            floor = largest_gradient(r, "attention.q.bias");
        if (ends_with(t->name, ".alpha"))
            floor = fmax(largest_gradient(r, ".alpha"), largest_gradient(r, "norm.weight"));
        if (ends_with(t->name, ".shift"))
            floor = fmax(largest_gradient(r, ".shift"), largest_gradient(r, "norm.weight"));
        double *const scaled = malloc(n * sizeof *scaled);
        assert_non_null(scaled);
        for (size_t j = 0; j < n; j++)
            scaled[j] = want->gradient[j] * (t->role == TENSOR_PARAMETER ? times : 1);
        compare(&t->gradient, scaled, floor * times, dtype, t->name, ".gradient", &w);
        free(scaled);
    }
    return w;
}

static void say_arm(char text[160], const layer_config *c, size_t arm) {
    snprintf(text, 160, "%s %s %s, %s %s, %d threads", c->shape->name, model_phase_name(c->phase),
             norm_dtype_name(c->dtype), norm_op_name(c->arms[arm].op), norm_form_name(c->arms[arm].form), c->threads);
}

static void run(layer *l, const layer_config *c, size_t arm) {
    char text[160];
    say_arm(text, c, arm);
    if (!layer_run(l, NULL))
        fail_msg("%s: failed to run", text);
}

static void assert_within(const worst *w, double bound, const layer_config *c, size_t arm) {
    char text[160];
    say_arm(text, c, arm);
    if (!(w->error <= bound))
        fail_msg("%s: %s, bound %.3g", text, w->where, bound);
}

static layer_reference *reference_of(const layer *l, const layer_config *c, size_t arm) {
    layer_reference *const r = layer_reference_make(l, c, arm);
    assert_non_null(r);
    return r;
}

static const reference_tensor *reference_named(const layer_reference *r, const char *name) {
    for (size_t i = 0; i < layer_reference_tensors(r); i++)
        if (strcmp(layer_reference_at(r, i)->name, name) == 0)
            return layer_reference_at(r, i);
    return NULL;
}

static const layer_tensor *tensor_named(const layer *l, const char *name) {
    for (size_t i = 0; i < layer_tensors(l); i++)
        if (strcmp(layer_tensor_at(l, i)->name, name) == 0)
            return layer_tensor_at(l, i);
    fail_msg("there is no tensor %s", name);
    return NULL;
}

static void assert_equal_matrix(const matrix *m, const double *want, const char *name) {
    for (size_t i = 0; i < m->rows * m->cols; i++)
        if (dtype_get(m->dtype, m->data, i / m->cols * m->stride + i % m->cols) != want[i])
            fail_msg("%s differs at %zu", name, i);
}

// The first CONTEXT rows of each sequence of CONTEXT + 1; the last, which the layer must write, is spoilt.
static void fill_cache(const layer *l, const char *name, const double *values) {
    const matrix *const m = &tensor_named(l, name)->value;
    assert_int_equal(m->rows, BATCH * (CONTEXT + 1));
    for (size_t i = 0; i < m->rows; i++)
        for (size_t j = 0; j < m->cols; j++)
            dtype_set(m->dtype, m->data, i * m->stride + j,
                      i % (CONTEXT + 1) == CONTEXT ? (double)NAN : values[i * m->cols + j]);
}

// The last row of each sequence of CONTEXT + 1.
static void copy_last(const matrix *m, const double *values) {
    for (size_t b = 0; b < m->rows; b++)
        for (size_t j = 0; j < m->cols; j++)
            dtype_set(m->dtype, m->data, b * m->stride + j, values[((b + 1) * (CONTEXT + 1) - 1) * m->cols + j]);
}

// Outputs and gradients one after another, for the caller to free.
static double *all_results(const layer *l, size_t *count) {
    double *values = NULL;
    *count = 0;
    for (size_t i = 0; i < 2 * layer_tensors(l); i++) {
        const layer_tensor *const t = layer_tensor_at(l, i / 2);
        const matrix *const m = i % 2 == 0 ? &t->value : &t->gradient;
        if (m->data == NULL || (i % 2 == 0 && t->role != TENSOR_OUTPUT))
            continue;
        double *const larger = realloc(values, (*count + m->rows * m->cols) * sizeof *values);
        assert_non_null(larger);
        values = larger;
        for (size_t j = 0; j < m->rows * m->cols; j++)
            values[(*count)++] = dtype_get(m->dtype, m->data, j / m->cols * m->stride + j % m->cols);
    }
    return values;
}

// The largest errors seen, for whoever wants to tighten a bound.
static double seen[NORM_DTYPES][2];

// ---- Outputs

static void outputs_of(const layer_config *c) {
    layer *const l = make(c);
    for (size_t arm = 0; arm < c->arm_count; arm++) {
        layer_select(l, arm);
        layer_reference *const r = reference_of(l, c, arm);
        const double objective = layer_reference_forward(r, MISTAKE_NONE);
        run(l, c, arm);
        assert_int_equal(isnan(layer_loss(l)), c->part == PART_LAYER || c->phase != PHASE_TRAIN);
        const worst w = compare_outputs(l, r, objective, c->dtype);
        assert_within(&w, bound_of(c->dtype, false), c, arm);
        seen[c->dtype][0] = fmax(seen[c->dtype][0], w.error);
        layer_reference_free(r);
    }
    layer_free(l);
}

// Of the layer and of two of them, of the ends, and of a model with two layers of distinct weights.
static void outputs_equal_the_formulas(void **state) {
    (void)state;
    static const struct {
        model_part part;
        size_t depth;
    } parts[] = {{PART_LAYER, 1}, {PART_LAYER, 2}, {PART_ENDS, 0}, {PART_MODEL, 2}};
    for (size_t s = 0; s < SHAPES; s++)
        for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++)
            for (model_phase phase = 0; phase < PHASES; phase++)
                for (int threads = 1; threads <= 2 && has_phase(&shapes[s], phase); threads++)
                    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
                        norm_slot arms[MOST_ARMS];
                        const model_shape *const m = parts[p].part == PART_LAYER ? &shapes[s] : whole(&shapes[s]);
                        layer_config c = config_of(m, parts[p].part, phase, dtype, threads);
                        c.depth = parts[p].depth;
                        c.arms = arms;
                        c.arm_count = all_arms(c.shape, dtype, arms);
                        assert_int_equal(c.arm_count, expected_arms());
                        outputs_of(&c);
                    }
}

// Decoding with a cache that holds what a prefill computed goes on as the prefill does: both layers have drawn the same
// parameters, and the new token is the prefill's last.
static void decode_goes_on_where_prefill_ends(void **state) {
    (void)state;
    for (size_t s = 0; s < SHAPES; s++)
        for (norm_dtype dtype = 0; dtype < NORM_DTYPES && decodes(&shapes[s]); dtype++) {
            norm_slot arms[MOST_ARMS];
            layer_config before = config_of(&shapes[s], PART_LAYER, PHASE_PREFILL, dtype, 1);
            before.tokens = CONTEXT + 1;
            before.arms = arms;
            before.arm_count = all_arms(before.shape, dtype, arms);
            layer_config after = config_of(&shapes[s], PART_LAYER, PHASE_DECODE, dtype, 1);
            after.arms = arms;
            after.arm_count = before.arm_count;
            layer *const prefill = make(&before), *const decode = make(&after);
            for (size_t arm = 0; arm < before.arm_count; arm++) {
                layer_select(prefill, arm);
                layer_select(decode, arm);
                layer_reference *const r = reference_of(prefill, &before, arm);
                const double *k, *v;
                (void)layer_reference_forward(r, MISTAKE_NONE);
                layer_reference_keys(r, &k, &v);
                fill_cache(decode, "layer0.attention.heads.cache.k", k);
                fill_cache(decode, "layer0.attention.heads.cache.v", v);
                for (size_t i = 0; i < layer_tensors(decode); i++) {
                    const layer_tensor *const t = layer_tensor_at(decode, i);
                    const reference_tensor *const from = reference_named(r, t->name);
                    if (from == NULL) // the caches
                        continue;
                    if (t->role == TENSOR_INPUT)
                        copy_last(&t->value, from->value);
                    else if (t->role == TENSOR_PARAMETER)
                        assert_equal_matrix(&t->value, from->value, t->name);
                }
                run(decode, &after, arm);
                worst w = {0};
                for (size_t i = 0; i < layer_tensors(decode); i++) {
                    const layer_tensor *const t = layer_tensor_at(decode, i);
                    if (t->role != TENSOR_OUTPUT)
                        continue;
                    double last[BATCH * MOST_COLS];
                    const double *const all = ends_with(t->name, "cache.k.added") ? k
                                              : ends_with(t->name, "cache.v.added")
                                                  ? v
                                                  : reference_named(r, t->name)->value;
                    assert_true(t->value.cols <= MOST_COLS);
                    for (size_t b = 0; b < BATCH; b++)
                        memcpy(last + b * t->value.cols, all + ((b + 1) * (CONTEXT + 1) - 1) * t->value.cols,
                               t->value.cols * sizeof *last);
                    compare(&t->value, last, 0, dtype, t->name, "", &w);
                }
                assert_within(&w, bound_of(dtype, false), &after, arm);
                layer_reference_free(r);
            }
            layer_free(prefill);
            layer_free(decode);
        }
}

// Calls beyond the first of a site are there to be timed; none at all is no norm.
static void repeats_change_nothing(void **state) {
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        const model_shape *const m = &shapes[s];
        norm_slot arms[4];
        assert_true(layer_slot(m, m->native, NULL, NORM_FUSED, "best", NORM_F32, &arms[0]));
        assert_true(layer_slot(m, NORM_IDENTITY, NULL, NORM_FUSED, "best", NORM_F32, &arms[1]));
        arms[2] = arms[3] = arms[0];
        arms[2].repeats = 4;
        arms[3].repeats = 0;
        layer_config c = config_of(m, PART_LAYER, PHASE_TRAIN, NORM_F32, 1);
        c.arms = arms;
        c.arm_count = 4;
        layer *const l = make(&c);
        for (size_t pair = 0; pair < 2; pair++) {
            double *values[2];
            size_t count[2];
            for (size_t i = 0; i < 2; i++) {
                layer_select(l, pair + 2 * i);
                layer_zero_gradients(l);
                run(l, &c, pair + 2 * i);
                values[i] = all_results(l, &count[i]);
            }
            assert_int_equal(count[0], count[1]);
            if (memcmp(values[0], values[1], count[0] * sizeof *values[0]) != 0)
                fail_msg("%s: %u calls of a norm differ from %s", m->name, arms[pair + 2].repeats,
                         pair == 0 ? "one" : "none");
            free(values[0]);
            free(values[1]);
        }
        layer_free(l);
    }
}

// ---- Gradients

// Differences cost thousands of forward passes, so they are taken once for all forms and numbers of threads: what they
// share is the function that is differentiated.
static void gradients_of(const model_shape *m, model_part part, size_t depth, norm_dtype dtype) {
    norm_slot arms[MOST_ARMS];
    layer_config c[2];
    layer *l[2];
    layer_reference *r = NULL;
    for (int i = 0; i < 2; i++) {
        c[i] = config_of(m, part, PHASE_TRAIN, dtype, i + 1);
        c[i].depth = depth;
        c[i].arms = arms;
        c[i].arm_count = all_arms(m, dtype, arms);
        l[i] = make(&c[i]);
    }
    for (size_t arm = 0; arm < c[0].arm_count; arm++) {
        // What a model adds to its layers, ends and order, knows no norm: one will do.
        if (part == PART_MODEL && arms[arm].op != m->native)
            continue;
        if (r == NULL || arms[arm].op != arms[arm - 1].op) {
            layer_reference_free(r);
            layer_select(l[0], arm);
            r = reference_of(l[0], &c[0], arm);
            layer_reference_gradients(r, MISTAKE_NONE);
        }
        for (int i = 0; i < 2; i++) {
            layer_select(l[i], arm);
            layer_zero_gradients(l[i]);
            for (int times = 1; times <= 2; times++) {
                run(l[i], &c[i], arm);
                const worst w = compare_gradients(l[i], r, dtype, times);
                assert_within(&w, bound_of(dtype, true), &c[i], arm);
                seen[dtype][1] = fmax(seen[dtype][1], w.error);
            }
        }
    }
    layer_reference_free(r);
    layer_free(l[0]);
    layer_free(l[1]);
}

// Also after a second call, by which gradients of parameters have doubled and all others are as they were.
static void gradients_of_layers_equal_differences(void **state) {
    (void)state;
    for (size_t s = 0; s < SHAPES; s++)
        for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++)
            gradients_of(&shapes[s], PART_LAYER, 1, dtype);
}

// In f32 alone, for the same reason as one norm will do; differences of whole models take most of this program's time.
static void gradients_of_models_equal_differences(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    print_message("left to the build without sanitizers, which slow the reference down to minutes\n");
    skip();
#endif
    for (size_t s = 0; s < SHAPES; s++)
        gradients_of(whole(&shapes[s]), PART_MODEL, 2, NORM_F32);
}

// ---- The tests tested

static const struct {
    mistake mistake;
    const char *shape;
    norm_op op;
    model_phase
        phase; // train, but where only a cache shows it: all that RoPE lets through are differences of positions
} mistakes[] = {
    {MISTAKE_ROPE_PAIRS, "llama", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_ROPE_POSITION, "llama", NORM_RMSNORM, PHASE_DECODE},
    {MISTAKE_ROPE_VALUES, "llama", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_NO_MASK, "llama", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_NO_MASK, "gpt2", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_HEAD_MODULO, "llama", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_NO_SCALE, "llama", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_NO_SCALE, "vit", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_UNBIASED, "vit", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_UNBIASED, "llama", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_NO_EPS, "vit", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_NO_EPS, "llama", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_OTHER_GELU, "vit", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_OTHER_GELU, "dit", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_OTHER_GELU, "gpt2", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_OTHER_GELU, "wav2vec post", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_OTHER_GELU, "convnext", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_GATE_UP, "llama", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_QK_NORM_LAST, "qwen", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_QK_NORM_LAST, "qwen", NORM_DYT, PHASE_TRAIN},
    {MISTAKE_NO_PLUS_ONE, "dit", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_FLIPPED_CONV, "convnext", NORM_LAYERNORM, PHASE_TRAIN},
    {MISTAKE_SUMMED_LOSS, "llama", NORM_RMSNORM, PHASE_TRAIN},
    {MISTAKE_SUMMED_LOSS, "dit", NORM_LAYERNORM, PHASE_TRAIN},
};

static const model_shape *shape_named(const char *name) {
    size_t i = 0;
    while (i < SHAPES && strcmp(shapes[i].name, name) != 0)
        i++;
    assert_true(i < SHAPES);
    return &shapes[i];
}

// Not by a hair: ten times the bound, so that a seed's luck does not decide.
static void mistakes_are_noticed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        norm_slot slot;
        const model_part part = mistakes[i].mistake == MISTAKE_SUMMED_LOSS ? PART_ENDS : PART_LAYER;
        layer_config c = config_of(shape_named(mistakes[i].shape), part, mistakes[i].phase, NORM_F32, 1);
        assert_true(layer_slot(c.shape, mistakes[i].op, NULL, NORM_FUSED, "best", NORM_F32, &slot));
        c.arms = &slot;
        c.arm_count = 1;
        layer *const l = make(&c);
        layer_reference *const r = reference_of(l, &c, 0);
        run(l, &c, 0);
        const double objective = layer_reference_forward(r, mistakes[i].mistake);
        const worst outputs = compare_outputs(l, r, objective, NORM_F32);
        if (!(outputs.error > 10 * bound_of(NORM_F32, false)))
            fail_msg("%s: \"%s\" goes unnoticed in the outputs: %s", c.shape->name, mistake_name(mistakes[i].mistake),
                     outputs.where);
        if (mistakes[i].phase == PHASE_TRAIN)
            layer_reference_gradients(r, mistakes[i].mistake);
        const worst gradients =
            mistakes[i].phase == PHASE_TRAIN ? compare_gradients(l, r, NORM_F32, 1) : (worst){INFINITY, ""};
        if (!(gradients.error > 10 * bound_of(NORM_F32, true)))
            fail_msg("%s: \"%s\" goes unnoticed in the gradients: %s", c.shape->name, mistake_name(mistakes[i].mistake),
                     gradients.where);
        layer_reference_free(r);
        layer_free(l);
    }
}

// A comparison proves little about a parameter of all zeros or all ones, or about a branch that is next to nothing.
static void nothing_drawn_is_degenerate(void **state) {
    (void)state;
    for (size_t s = 0; s < SHAPES; s++)
        for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++) {
            norm_slot arms[MOST_ARMS];
            layer_config c = config_of(&shapes[s], PART_LAYER, PHASE_TRAIN, dtype, 1);
            c.arms = arms;
            c.arm_count = all_arms(c.shape, dtype, arms);
            layer *const l = make(&c);
            run(l, &c, 0);
            for (size_t i = 0; i < layer_tensors(l); i++) {
                const layer_tensor *const t = layer_tensor_at(l, i);
                for (int gradient = 0; gradient < 2; gradient++) {
                    // Gradients of what is not an output are the run's, and those of other arms are zero.
                    const matrix *const m = gradient ? &t->gradient : &t->value;
                    if (gradient && t->role != TENSOR_OUTPUT)
                        continue;
                    double least = INFINITY, most = -INFINITY;
                    for (size_t j = 0; j < m->rows * m->cols; j++) {
                        const double value = dtype_get(m->dtype, m->data, j / m->cols * m->stride + j % m->cols);
                        least = fmin(least, value);
                        most = fmax(most, value);
                    }
                    if (!(fmax(-least, most) > 0.01) || (m->rows * m->cols > 1 && !(most > least)))
                        fail_msg("%s: %s%s lies in [%g, %g]", c.shape->name, t->name, gradient ? ".gradient" : "",
                                 least, most);
                }
            }
            layer_free(l);
        }
}

static int print_seen(void **state) {
    (void)state;
    for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++)
        print_message("largest errors in %s: outputs %.3g units of %g, gradients %.3g of %g\n", norm_dtype_name(dtype),
                      seen[dtype][0], bound_of(dtype, false), seen[dtype][1], bound_of(dtype, true));
    return 0;
}

int main(void) {
    skip_without_products();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_equal_the_formulas),
        cmocka_unit_test(decode_goes_on_where_prefill_ends),
        cmocka_unit_test(repeats_change_nothing),
        cmocka_unit_test(gradients_of_layers_equal_differences),
        cmocka_unit_test(gradients_of_models_equal_differences),
        cmocka_unit_test(mistakes_are_noticed),
        cmocka_unit_test(nothing_drawn_is_degenerate),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, print_seen);
}
