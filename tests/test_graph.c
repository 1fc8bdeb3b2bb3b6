// SPDX-License-Identifier: MIT
// What holds of layers whatever they compute: stacks are layers one after another, arms do not disturb each other,
// forms and phases agree, gradients add up, nonsense is refused. (What they compute is held against references
// elsewhere.)
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/compile.h"
#include "layer.h"
#include "math/draw.h"
#include "products.h"
#include "tiny.h"

static layer *make(const layer_config *config) {
    char error[LAYER_ERROR_SIZE] = "";
    layer *const l = layer_make(config, error);
    if (l == NULL)
        fail_msg("%s: %s", config->shape->name, error);
    return l;
}

static void run(layer *l) { assert_true(layer_run(l, NULL)); }

static const layer_tensor *find(const layer *l, const char *name) {
    for (size_t i = 0; i < layer_tensors(l); i++)
        if (strcmp(layer_tensor_at(l, i)->name, name) == 0)
            return layer_tensor_at(l, i);
    return NULL;
}

static void copy(matrix to, matrix from) {
    assert_int_equal(to.rows, from.rows);
    assert_int_equal(to.cols, from.cols);
    for (size_t r = 0; r < to.rows; r++)
        for (size_t c = 0; c < to.cols; c++)
            matrix_set(to, r, c, matrix_get(from, r, c));
}

static double largest(matrix m) {
    double most = 0.0;
    for (size_t r = 0; r < m.rows; r++)
        for (size_t c = 0; c < m.cols; c++)
            most = fmax(most, fabs((double)matrix_get(m, r, c)));
    return most;
}

// Within `tolerance` of the largest element; 0: equal.
static void same(const char *what, matrix a, matrix b, double tolerance) {
    assert_non_null(a.data);
    assert_non_null(b.data);
    assert_int_equal(a.rows, b.rows);
    assert_int_equal(a.cols, b.cols);
    const double bound = tolerance * largest(b);
    for (size_t r = 0; r < a.rows; r++)
        for (size_t c = 0; c < a.cols; c++) {
            const double x = (double)matrix_get(a, r, c), y = (double)matrix_get(b, r, c);
            if (!(fabs(x - y) <= bound))
                fail_msg("%s (%zu, %zu): %.9g instead of %.9g", what, r, c, x, y);
        }
}

// A key's bias adds the same to all of a query's scores, which softmax does not see: its gradient is the rounding
// errors of zero.
static bool is_noise(const char *name) { return strstr(name, "attention.k.bias") != NULL; }

// Outputs, and gradients of inputs and parameters that both have.
static void same_results(const layer *a, const layer *b, double tolerance) {
    size_t compared = 0;
    for (size_t i = 0; i < layer_tensors(a); i++) {
        const layer_tensor *const x = layer_tensor_at(a, i), *const y = find(b, x->name);
        if (y == NULL || (is_noise(x->name) && tolerance > 0.0))
            continue;
        if (x->role == TENSOR_OUTPUT)
            same(x->name, x->value, y->value, tolerance);
        else if (x->gradient.data != NULL)
            same(x->name, x->gradient, y->gradient, tolerance);
        compared += x->role == TENSOR_OUTPUT || x->gradient.data != NULL;
    }
    assert_true(compared > 0);
}

static norm_slot slot_of(const model_shape *m, norm_op op, norm_form form, norm_dtype dtype) {
    norm_slot slot;
    if (!layer_slot(m, op, NULL, form, "best", dtype, &slot))
        fail_msg("%s has no %s, form %s", m->name, norm_op_name(op), norm_form_name(form));
    return slot;
}

// ---- Stacks

static void take_parameters(layer *single, const layer *stack, const char *prefix) {
    for (size_t i = 0; i < layer_tensors(single); i++) {
        const layer_tensor *const t = layer_tensor_at(single, i);
        if (t->role != TENSOR_PARAMETER)
            continue;
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, strchr(t->name, '.'));
        const layer_tensor *const from = find(stack, name);
        if (from == NULL)
            fail_msg("no %s", name);
        copy(t->value, from->value);
    }
}

static void same_gradients(const layer *single, const layer *stack, const char *prefix) {
    for (size_t i = 0; i < layer_tensors(single); i++) {
        const layer_tensor *const t = layer_tensor_at(single, i);
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, strchr(t->name, '.'));
        if (t->role == TENSOR_PARAMETER)
            same(name, t->gradient, find(stack, name)->gradient, 0.0);
    }
}

static void two_layers_are_a_stack_of_two(void **state) {
    (void)state;
    static const char *const flows[] = {"stream", "branch"};
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        const norm_slot slot = slot_of(&m, m.native, NORM_FUSED, NORM_F32);
        layer_config config = tiny_config(&m, PART_LAYER, PHASE_TRAIN, &slot, 1);
        layer *const stack = make(&config);
        config.depth = 1;
        layer *const first = make(&config), *const second = make(&config);
        take_parameters(first, stack, "layer0");
        take_parameters(second, stack, "layer1");
        run(stack);
        run(first);
        char in[32], out[32];
        for (size_t i = 0; i < 2; i++) {
            snprintf(in, sizeof in, "input.%s", flows[i]);
            snprintf(out, sizeof out, "output.%s", flows[i]);
            if (find(stack, in) == NULL)
                continue;
            same(in, find(first, in)->value, find(stack, in)->value, 0.0);
            copy(find(second, in)->value, find(first, out)->value);
        }
        run(second);
        for (size_t i = 0; i < 2; i++) {
            snprintf(in, sizeof in, "input.%s", flows[i]);
            snprintf(out, sizeof out, "output.%s", flows[i]);
            if (find(stack, in) == NULL)
                continue;
            same(out, find(second, out)->value, find(stack, out)->value, 0.0);
            copy(find(first, out)->gradient, find(second, in)->gradient);
        }
        layer_zero_gradients(first);
        run(first);
        for (size_t i = 0; i < 2; i++) {
            snprintf(in, sizeof in, "input.%s", flows[i]);
            if (find(stack, in) != NULL)
                same(in, find(first, in)->gradient, find(stack, in)->gradient, 0.0);
        }
        same_gradients(first, stack, "layer0");
        same_gradients(second, stack, "layer1");
        layer_free(stack);
        layer_free(first);
        layer_free(second);
    }
}

// A model is its ends and its layers, step by step.
static void a_model_is_ends_and_layers(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        const norm_slot slots[] = {slot_of(&m, m.native, NORM_FUSED, NORM_F32),
                                   slot_of(&m, m.native, NORM_ADD_FUSED, NORM_F32)};
        for (size_t phase = 0; phase < PHASES; phase++) {
            if (phase == PHASE_DECODE && m.kind != MODEL_LLAMA && m.kind != MODEL_GPT2)
                continue;
            layer_config config = tiny_config(&m, PART_MODEL, (model_phase)phase, slots, 2);
            layer *const model = make(&config);
            config.part = PART_ENDS;
            layer *const ends = make(&config);
            config.part = PART_LAYER;
            config.depth = 1;
            layer *const one = make(&config);
            for (size_t arm = 0; arm < 2; arm++) {
                layer_select(model, arm);
                layer_select(ends, arm);
                layer_select(one, arm);
                // The embedding's stream has no branch: the first add of a layer moves to the last norm, as many in
                // all. In training one gradient more is added where form add_fused has no add to join, and one for
                // every layer that shares a condition.
                const size_t layers = m.kind == MODEL_CONVNEXT ? 7 : 2;
                const bool train = phase == PHASE_TRAIN, pre_norm = !m.post_norm && m.kind != MODEL_CONVNEXT;
                const size_t sums = (train && arm == 1 && pre_norm) + (train && m.kind == MODEL_DIT ? layers : 0);
                assert_int_equal(layer_steps(model), layer_steps(ends) + layers * layer_steps(one) + sums);
                run(model);
                run(ends);
                assert_true(isnan(layer_loss(ends)) == (phase != PHASE_TRAIN));
                assert_true(phase != PHASE_TRAIN || layer_loss(model) > 0.0);
            }
            layer_free(model);
            layer_free(ends);
            layer_free(one);
        }
    }
}

// ---- Arms

enum { MOST_ARMS = (int)NORM_OPS * (int)NORM_FORMS };

static size_t all_arms(const model_shape *m, norm_dtype dtype, norm_slot arms[MOST_ARMS]) {
    size_t count = 0;
    for (int form = 0; form < NORM_FORMS; form++)
        for (int op = 0; op < NORM_OPS; op++)
            if (layer_slot(m, (norm_op)op, NULL, (norm_form)form, "best", dtype, &arms[count]))
                count++;
    return count;
}

static void arms_do_not_disturb_each_other(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++)
        for (int dtype = 0; dtype < NORM_DTYPES; dtype++)
            for (int phase = 0; phase < PHASES; phase += 2) { // prefill and train
                const model_shape m = tiny_at(kind);
                norm_slot arms[MOST_ARMS];
                const size_t count = all_arms(&m, (norm_dtype)dtype, arms);
                assert_true(count >= NORM_OPS * 2);
                layer_config config = tiny_config(&m, PART_LAYER, (model_phase)phase, arms, count);
                config.dtype = (norm_dtype)dtype;
                layer *const mixed = make(&config);
                for (size_t turn = 0; turn < 2 * count; turn++) {
                    const size_t arm = turn * 7 % count; // each twice, unless 7 divides the count; never in order
                    layer_select(mixed, arm);
                    layer_zero_gradients(mixed);
                    run(mixed);
                    layer_config alone = config;
                    alone.arms = &arms[arm];
                    alone.arm_count = 1;
                    layer *const fresh = make(&alone);
                    run(fresh);
                    same_results(fresh, mixed, 0.0);
                    layer_free(fresh);
                }
                layer_free(mixed);
            }
}

static void add_fused_is_add_and_norm(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        const norm_op ops[] = {NORM_LAYERNORM, NORM_RMSNORM, NORM_DYT};
        for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
            const norm_slot apart = slot_of(&m, ops[i], NORM_FUSED, NORM_F32),
                            joined = slot_of(&m, ops[i], NORM_ADD_FUSED, NORM_F32);
            for (int part = PART_LAYER; part <= PART_MODEL; part++) {
                layer_config config = tiny_config(&m, (model_part)part, PHASE_TRAIN, &apart, 1);
                layer *const a = make(&config);
                config.arms = &joined;
                layer *const b = make(&config);
                run(a);
                run(b);
                same_results(b, a, 1e-4);
                if (part != PART_ENDS && m.kind != MODEL_CONVNEXT)
                    assert_true(layer_steps(b) < layer_steps(a));
                layer_free(a);
                layer_free(b);
            }
        }
    }
}

static void identity_is_no_step_and_repeats_change_nothing(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        norm_slot arms[5];
        for (size_t i = 0; i < 4; i++) {
            static const unsigned repeats[] = {1, 0, 2, 4};
            arms[i] = slot_of(&m, NORM_DYT, NORM_FUSED, NORM_F32);
            arms[i].repeats = repeats[i];
        }
        arms[4] = slot_of(&m, NORM_IDENTITY, NORM_FUSED, NORM_F32);
        const layer_config config = tiny_config(&m, PART_LAYER, PHASE_TRAIN, arms, 5);
        layer *const once = make(&config), *const other = make(&config);
        run(once);
        for (size_t arm = 2; arm < 4; arm++) {
            layer_select(other, arm);
            layer_zero_gradients(other);
            run(other);
            same_results(other, once, 0.0);
        }
        layer_select(once, 1);
        layer_select(other, 4);
        layer_zero_gradients(once);
        layer_zero_gradients(other);
        run(once);
        run(other);
        same_results(other, once, 0.0);
        for (size_t i = 0; i < layer_steps(once); i++)
            assert_true(layer_step_at(once, i)->kind != STEP_NORM);
        layer_free(once);
        layer_free(other);
    }
}

// ---- Phases

static void gradients_add_up(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        const norm_slot slot = slot_of(&m, NORM_DYT, NORM_FUSED, NORM_F32);
        const layer_config config = tiny_config(&m, PART_MODEL, PHASE_TRAIN, &slot, 1);
        layer *const once = make(&config), *const twice = make(&config);
        run(once);
        run(twice);
        run(twice);
        size_t parameters = 0;
        for (size_t i = 0; i < layer_tensors(once); i++) {
            const layer_tensor *const t = layer_tensor_at(once, i), *const u = layer_tensor_at(twice, i);
            if (t->role != TENSOR_PARAMETER || is_noise(t->name))
                continue;
            assert_int_equal(u->gradient.dtype, NORM_F32);
            for (size_t r = 0; r < t->gradient.rows; r++)
                for (size_t c = 0; c < t->gradient.cols; c++)
                    matrix_set(t->gradient, r, c, 2.0f * matrix_get(t->gradient, r, c));
            same(t->name, u->gradient, t->gradient, 1e-5);
            parameters++;
        }
        assert_true(parameters > 0);
        layer_zero_gradients(twice);
        for (size_t i = 0; i < layer_tensors(twice); i++)
            if (layer_tensor_at(twice, i)->role == TENSOR_PARAMETER)
                assert_true(largest(layer_tensor_at(twice, i)->gradient) == 0.0);
        layer_free(once);
        layer_free(twice);
    }
}

static void prefill_is_the_forward_pass_of_training(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        const norm_slot slot = slot_of(&m, m.native, NORM_FUSED, NORM_F32);
        layer_config config = tiny_config(&m, PART_LAYER, PHASE_TRAIN, &slot, 1);
        layer *const train = make(&config);
        config.phase = PHASE_PREFILL;
        layer *const prefill = make(&config);
        config.packed_only = true;
        layer *const lean = make(&config);
        run(train);
        run(prefill);
        run(lean);
        for (size_t i = 0; i < layer_tensors(prefill); i++) {
            const layer_tensor *const t = layer_tensor_at(prefill, i), *const u = layer_tensor_at(lean, i);
            assert_null(t->gradient.data);
            assert_non_null(t->value.data);
            assert_true(u->value.data != NULL || strstr(u->name, ".weight") != NULL);
            if (t->role == TENSOR_OUTPUT) {
                same(t->name, t->value, find(train, t->name)->value, 1e-5);
                same(t->name, u->value, t->value, 0.0);
            } else {
                same(t->name, t->value, find(train, t->name)->value, 0.0);
            }
        }
        layer_free(train);
        layer_free(prefill);
        layer_free(lean);
    }
}

// A new token with nothing in the cache is a sequence of one.
static void decoding_from_nothing_is_a_prefill_of_one(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        if (m.kind != MODEL_LLAMA && m.kind != MODEL_GPT2)
            continue;
        const norm_slot slot = slot_of(&m, m.native, NORM_FUSED, NORM_F32);
        layer_config config = tiny_config(&m, PART_MODEL, PHASE_DECODE, &slot, 1);
        config.context = 0;
        layer *const decode = make(&config);
        config.phase = PHASE_PREFILL;
        layer *const prefill = make(&config);
        run(decode);
        run(prefill);
        same("logits", find(decode, "output.logits")->value, find(prefill, "output.logits")->value, 1e-5);
        layer_free(decode);
        layer_free(prefill);
    }
}

// 64 MiB of logits are 4 chunks of a head this wide; gradients are what one chunk would give.
static void logits_come_in_chunks(void **state) {
    (void)state;
    model_shape m = tiny_at(0);
    m.vocab = 1 << 17;
    const norm_slot slot = slot_of(&m, m.native, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(&m, PART_ENDS, PHASE_PREFILL, &slot, 1);
    config.tokens = 129; // 258 rows of half a mebibyte
    layer *const l = make(&config);
    size_t heads = 0;
    for (size_t i = 0; i < layer_steps(l); i++)
        heads += strncmp(layer_step_at(l, i)->name, "head", 4) == 0;
    assert_int_equal(heads, 3);
    run(l);
    assert_int_equal(find(l, "output.logits")->value.rows, 86);
    layer_free(l);
    config.phase = PHASE_TRAIN;
    layer *const train = make(&config);
    run(train);
    // Untrained, every class is nearly as likely as any other.
    assert_true(fabs(layer_loss(train) - log((double)m.vocab)) < 0.2);
    layer_free(train);
}

static void steps_are_timed_and_named(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        norm_slot arms[MOST_ARMS];
        const size_t count = all_arms(&m, NORM_F32, arms);
        layer_config config = tiny_config(&m, PART_LAYER, PHASE_TRAIN, arms, count);
        config.depth = 1;
        layer *const l = make(&config);
        for (size_t arm = 0; arm < count; arm++) {
            layer_select(l, arm);
            const size_t steps = layer_steps(l);
            double *const ns = malloc(steps * sizeof *ns);
            assert_non_null(ns);
            assert_true(layer_run(l, ns));
            for (size_t i = 0; i < steps; i++) {
                const layer_step *const s = layer_step_at(l, i);
                assert_true(ns[i] >= 0.0);
                assert_true((s->flops > 0.0) == (s->kind == STEP_MATMUL || s->kind == STEP_ATTENTION));
                for (size_t k = 0; k < i; k++)
                    assert_string_not_equal(s->name, layer_step_at(l, k)->name);
            }
            free(ns);
        }
        layer_free(l);
    }
}

// ---- Configs

static void refuse(const layer_config *config, const char *because) {
    char error[LAYER_ERROR_SIZE] = "";
    layer *const l = layer_make(config, error);
    assert_null(l);
    assert_int_equal(layer_bytes(config), 0);
    if (strstr(error, because) == NULL)
        fail_msg("no \"%s\" in: %s", because, error);
}

static void nonsense_is_refused_with_a_reason(void **state) {
    (void)state;
    const model_shape *const llama = model_find("llama_7b"), *const vit = model_find("vit_b16");
    const model_shape tiny = tiny_at(0);
    norm_slot slot = slot_of(&tiny, NORM_RMSNORM, NORM_FUSED, NORM_F32);
    const layer_config good = tiny_config(&tiny, PART_LAYER, PHASE_PREFILL, &slot, 1);
    assert_true(layer_bytes(&good) > 0);
#define REFUSE(field, value, because)                                                                                  \
    do {                                                                                                               \
        layer_config bad = good;                                                                                       \
        bad.field = value;                                                                                             \
        refuse(&bad, because);                                                                                         \
    } while (0)
    REFUSE(shape, NULL, "model");
    REFUSE(arm_count, 0, "arm");
    REFUSE(threads, 0, "threads");
    REFUSE(batch, 0, "batch");
    REFUSE(batch, SIZE_MAX / 2, "tokens");
    REFUSE(tokens, 0, "4096");
    REFUSE(tokens, SIZE_MAX, "tokens");
    REFUSE(depth, 0, "depth");
    REFUSE(depth, 100000, "layers");
    REFUSE(phase, PHASE_DECODE, "tokens to 1");
    layer_config decode = tiny_config(vit, PART_LAYER, PHASE_DECODE, &slot, 1);
    refuse(&decode, "llama_7b");
    const model_shape convnext = tiny_at(tiny_count() - 1);
    layer_config stage = tiny_config(&convnext, PART_LAYER, PHASE_PREFILL, &slot, 1);
    stage.stage = 4;
    refuse(&stage, "stages 0 to 3");
    slot.variant = "fast";
    refuse(&good, "fast");
    slot = slot_of(&tiny, NORM_RMSNORM, NORM_ADD_FUSED, NORM_F32);
    slot.repeats = 2;
    refuse(&good, "add_fused");
    assert_non_null(llama);
}

// Bytes of full-size layers, without making them: the weights of one, activations and little else.
static void sizes_are_known_beforehand(void **state) {
    (void)state;
    const model_shape *const m = model_find("llama_7b");
    const norm_slot slot = slot_of(m, NORM_RMSNORM, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;
    config.batch = 1;
    config.tokens = 512;
    config.packed_only = true;
    const double weights = 4.0 * (double)model_layer_weights(m, 0);
    const double lean = (double)layer_bytes(&config);
    assert_true(lean > weights && lean < weights + 300e6);
    config.packed_only = false;
    const double both = (double)layer_bytes(&config);
    assert_true(both > 2.0 * weights && both < 2.0 * weights + 300e6);
    config.packed_only = true;
    config.depth = 32;
    const double deep = (double)layer_bytes(&config);
    assert_true(deep > 32.0 * weights && deep < 32.0 * weights + 310e6); // activations do not grow with depth
    config.phase = PHASE_TRAIN;
    config.depth = 1;
    // Weights and their gradients; activations of 512 tokens: about 20 of the width and 8 of the FFN.
    assert_true((double)layer_bytes(&config) > 2.0 * weights);
    assert_true((double)layer_bytes(&config) < 2.0 * weights + 512.0 * 4.0 * (24.0 * 4096.0 + 10.0 * 11008.0) + 100e6);
}

// Of every model, a layer in inference at the tokens that are its default takes its weights and at most 300 MB.
static void inference_is_lean(void **state) {
    (void)state;
    const model_shape *m;
    for (size_t i = 0; (m = model_at(i)) != NULL; i++)
        for (norm_dtype dtype = NORM_F32; dtype < NORM_DTYPES; dtype++) {
            const norm_slot slot = slot_of(m, m->native, NORM_FUSED, dtype);
            layer_config config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
            config.dtype = dtype;
            config.depth = 1;
            config.batch = m->kind == MODEL_VIT || m->kind == MODEL_CONVNEXT ? 8 : 1;
            config.tokens = m->kind == MODEL_VIT ? 197 : 512;
            config.stage = 0;
            config.packed_only = true;
            const double weights = (double)norm_dtype_bytes(dtype) * (double)model_layer_weights(m, 0);
            assert_true((double)layer_bytes(&config) < weights + 300e6);
        }
}

// In inference an activation takes the place of what it reads, and of what lies between the products of many rows there
// is a tile.
static void activations_take_little_memory(void **state) {
    (void)state;
    const model_shape *const m = model_find("convnext_b");
    const norm_slot slot = slot_of(m, NORM_LAYERNORM, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;
    config.batch = 8;
    config.packed_only = true;
    for (config.stage = 0; config.stage < MODEL_STAGES; config.stage++) {
        const double width = (double)m->stages[config.stage].width, side = (double)m->stages[config.stage].side;
        const double narrow = 4.0 * (double)config.batch * side * side * width, wide = 4.0 * narrow;
        const double weights = 4.0 * (double)model_layer_weights(m, config.stage), tile = 4 << 20;
        const double between = config.stage < 2 ? tile : wide;
        assert_true((double)layer_bytes(&config) < weights + 5.0 * narrow + between + 0.1e6);
    }
}

// Tiles of rows compute what all rows at once do, and are shown as one step each.
static void feed_forward_goes_by_tiles(void **state) {
    (void)state;
    model_shape m = *model_find("convnext_b");
    m.stages[0].side = 83; // 6889 rows, which six tiles do not divide
    m.stages[0].width = 192;
    const norm_slot slot = slot_of(&m, NORM_LAYERNORM, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(&m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;
    config.batch = 1;
    config.stage = 0;
    layer *const tiled = make(&config);
    config.phase = PHASE_TRAIN;
    layer *const whole = make(&config);
    assert_int_equal(layer_steps(tiled), 7);
    assert_int_equal(layer_readings(tiled), 7 + 5 * 3);
    double ns[7] = {-1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0};
    assert_true(layer_run(tiled, ns));
    run(whole);
    same("output", find(tiled, "output.stream")->value, find(whole, "output.stream")->value, 1e-6);
    for (size_t i = 0; i < 7; i++) {
        assert_true(ns[i] > 0.0);
        assert_string_equal(layer_step_at(tiled, i)->name, layer_step_at(whole, i)->name);
    }
    // The last tile begins early, so that a few rows are computed twice.
    assert_true(layer_step_at(tiled, 2)->flops >= layer_step_at(whole, 2)->flops);
    assert_true(layer_step_at(tiled, 2)->flops < 1.01 * layer_step_at(whole, 2)->flops);
    layer_free(tiled);
    layer_free(whole);
}

static bool disjoint(const storage *a, const storage *b) {
    return a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
}

// Memory is shared by storages of one size whose lives do not meet, and by no others.
static void storages_share_by_size(void **state) {
    (void)state;
    storage s[] = {{.bytes = 4096, .first = 0, .last = 1},      {.bytes = 4096, .first = 2, .last = 3},
                   {.bytes = 4096, .first = 3, .last = 4},      {.bytes = 1024, .first = 4, .last = 5},
                   {.bytes = 8192, .first = 2, .last = 2},      {.bytes = 1024, .first = 0, .last = 2},
                   {.bytes = 4096, .first = ALWAYS, .last = -1}};
    enum { COUNT = sizeof s / sizeof *s };
    const size_t total = arena_place(s, COUNT);
    for (size_t i = 0; i < COUNT - 1; i++) {
        assert_true(s[i].offset + s[i].bytes <= total);
        for (size_t k = 0; k < i; k++)
            assert_true(disjoint(&s[i], &s[k]) ||
                        (s[i].bytes == s[k].bytes && (s[i].first > s[k].last || s[k].first > s[i].last)));
    }
    assert_int_equal(s[0].offset, s[1].offset);
    assert_int_equal(s[3].offset, s[5].offset);
}

static void slots_have_what_the_model_has(void **state) {
    (void)state;
    norm_slot s;
    assert_true(layer_slot(model_find("llama_7b"), NORM_DYT, "u2", NORM_FUSED, "best", NORM_F32, &s));
    assert_string_equal(s.variant, "u2_nobeta");
    assert_true(layer_slot(model_find("vit_b16"), NORM_DYT, "u2_nobeta", NORM_FUSED, "best", NORM_F32, &s));
    assert_string_equal(s.variant, "u2");
    assert_true(layer_slot(model_find("dit_b4"), NORM_LAYERNORM, NULL, NORM_FUSED, "best", NORM_F32, &s));
    assert_string_equal(s.variant, "onepass_noaffine");
    assert_true(layer_slot(model_find("vit_b16"), NORM_RMSNORM, NULL, NORM_EAGER, "scalar", NORM_BF16, &s));
    assert_string_equal(s.variant, "std");
    assert_true(layer_slot(model_find("llama_7b"), NORM_LAYERNORM, NULL, NORM_FUSED, "best", NORM_F32, &s));
    assert_false(layer_slot(model_find("vit_b16"), NORM_DYT, "u9", NORM_FUSED, "best", NORM_F32, &s));
    assert_false(layer_slot(model_find("vit_b16"), NORM_DYT, "u2", NORM_FUSED, "mmx", NORM_F32, &s));
}

static int set_team(void **state) {
    (void)state;
    omp_set_num_threads(2); // the products run on the caller's team
    return 0;
}

int main(void) {
    skip_without_products();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_layers_are_a_stack_of_two),
        cmocka_unit_test(a_model_is_ends_and_layers),
        cmocka_unit_test(arms_do_not_disturb_each_other),
        cmocka_unit_test(add_fused_is_add_and_norm),
        cmocka_unit_test(identity_is_no_step_and_repeats_change_nothing),
        cmocka_unit_test(gradients_add_up),
        cmocka_unit_test(prefill_is_the_forward_pass_of_training),
        cmocka_unit_test(decoding_from_nothing_is_a_prefill_of_one),
        cmocka_unit_test(logits_come_in_chunks),
        cmocka_unit_test(steps_are_timed_and_named),
        cmocka_unit_test(nonsense_is_refused_with_a_reason),
        cmocka_unit_test(sizes_are_known_beforehand),
        cmocka_unit_test(inference_is_lean),
        cmocka_unit_test(activations_take_little_memory),
        cmocka_unit_test(feed_forward_goes_by_tiles),
        cmocka_unit_test(storages_share_by_size),
        cmocka_unit_test(slots_have_what_the_model_has),
    };
    return cmocka_run_group_tests(tests, set_team, NULL);
}
