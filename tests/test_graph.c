// SPDX-License-Identifier: MIT
// What holds of layers whatever they compute: stacks are layers one after another, arms do not disturb each other,
// forms and phases agree, gradients add up. (What they compute is held against references elsewhere.)
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

#include "layer_checks.h"
#include "math/draw.h"
#include "products.h"
#include "tiny.h"

static void copy(matrix to, matrix from) {
    assert_int_equal(to.rows, from.rows);
    assert_int_equal(to.cols, from.cols);
    for (size_t r = 0; r < to.rows; r++)
        for (size_t c = 0; c < to.cols; c++)
            matrix_set(to, r, c, matrix_get(from, r, c));
}

// Outputs, and gradients of inputs and parameters that both have.
static void same_results(const layer *a, const layer *b, double tolerance) {
    size_t compared = 0;
    for (size_t i = 0; i < layer_tensors(a); i++) {
        const layer_tensor *const x = layer_tensor_at(a, i), *const y = checks_tensor(b, x->name);
        if (y == NULL || (checks_is_noise(x->name) && tolerance > 0.0))
            continue;
        if (x->role == TENSOR_OUTPUT)
            checks_same(x->name, x->value, y->value, tolerance);
        else if (x->gradient.data != NULL)
            checks_same(x->name, x->gradient, y->gradient, tolerance);
        compared += x->role == TENSOR_OUTPUT || x->gradient.data != NULL;
    }
    assert_true(compared > 0);
}

// ---- Stacks

static void take_parameters(layer *single, const layer *stack, const char *prefix) {
    for (size_t i = 0; i < layer_tensors(single); i++) {
        const layer_tensor *const t = layer_tensor_at(single, i);
        if (t->role != TENSOR_PARAMETER)
            continue;
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, strchr(t->name, '.'));
        const layer_tensor *const from = checks_tensor(stack, name);
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
            checks_same(name, t->gradient, checks_tensor(stack, name)->gradient, 0.0);
    }
}

static void two_layers_are_a_stack_of_two(void **state) {
    (void)state;
    static const char *const flows[] = {"stream", "branch"};
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        model_shape m = tiny_at(kind);
        m.window = m.stages[1].side; // one window: the second layer of a stack moves no image round
        const norm_slot slot = checks_slot(&m, m.native, NORM_FUSED, NORM_F32);
        layer_config config = tiny_config(&m, PART_LAYER, PHASE_TRAIN, &slot, 1);
        layer *const stack = checks_make(&config);
        config.depth = 1;
        layer *const first = checks_make(&config), *const second = checks_make(&config);
        take_parameters(first, stack, "layer0");
        take_parameters(second, stack, "layer1");
        checks_run(stack);
        checks_run(first);
        char in[32], out[32];
        for (size_t i = 0; i < 2; i++) {
            snprintf(in, sizeof in, "input.%s", flows[i]);
            snprintf(out, sizeof out, "output.%s", flows[i]);
            if (checks_tensor(stack, in) == NULL)
                continue;
            checks_same(in, checks_tensor(first, in)->value, checks_tensor(stack, in)->value, 0.0);
            copy(checks_tensor(second, in)->value, checks_tensor(first, out)->value);
        }
        if (m.kind == MODEL_PAIRFORMER) // has a second output
            copy(checks_tensor(second, "output.bias0")->gradient, checks_tensor(stack, "output.bias1")->gradient);
        checks_run(second);
        for (size_t i = 0; i < 2; i++) {
            snprintf(in, sizeof in, "input.%s", flows[i]);
            snprintf(out, sizeof out, "output.%s", flows[i]);
            if (checks_tensor(stack, in) == NULL)
                continue;
            checks_same(out, checks_tensor(second, out)->value, checks_tensor(stack, out)->value, 0.0);
            copy(checks_tensor(first, out)->gradient, checks_tensor(second, in)->gradient);
        }
        layer_zero_gradients(first);
        checks_run(first);
        for (size_t i = 0; i < 2; i++) {
            snprintf(in, sizeof in, "input.%s", flows[i]);
            if (checks_tensor(stack, in) != NULL)
                checks_same(in, checks_tensor(first, in)->gradient, checks_tensor(stack, in)->gradient, 0.0);
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
        const norm_slot slots[] = {checks_slot(&m, m.native, NORM_FUSED, NORM_F32),
                                   checks_slot(&m, m.native, NORM_ADD_FUSED, NORM_F32)};
        for (size_t phase = 0; phase < PHASES; phase++) {
            if (phase == PHASE_DECODE && m.kind != MODEL_LLAMA && m.kind != MODEL_GPT2)
                continue;
            layer_config config = tiny_config(&m, PART_MODEL, (model_phase)phase, slots, 2);
            layer *const model = checks_make(&config);
            config.part = PART_ENDS;
            layer *const ends = checks_make(&config);
            config.part = PART_LAYER;
            config.depth = 1;
            layer *const one = checks_make(&config);
            for (size_t arm = 0; arm < 2; arm++) {
                layer_select(model, arm);
                layer_select(ends, arm);
                layer_select(one, arm);
                // The embedding's stream has no branch: the first add of a layer moves to the last norm, as many in
                // all. In training one gradient more is added where form add_fused has no add to join, and a step for
                // every layer that shares a condition or has a loss.
                const size_t layers = model_stages(&m) > 0 ? m.depth : 2;
                const bool train = phase == PHASE_TRAIN, pre_norm = model_has_branch(&m);
                const size_t sums =
                    train ? (arm == 1 && pre_norm) + (m.kind == MODEL_DIT || m.kind == MODEL_PAIRFORMER) * layers : 0;
                assert_int_equal(layer_steps(model), layer_steps(ends) + layers * layer_steps(one) + sums);
                checks_run(model);
                checks_run(ends);
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

static void arms_do_not_disturb_each_other(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++)
        for (int dtype = 0; dtype < MODEL_DTYPES; dtype++)
            for (int phase = 0; phase < PHASES; phase += 2) { // prefill and train
                const model_shape m = tiny_at(kind);
                norm_slot arms[MOST_ARMS];
                const size_t count = checks_arms(&m, (norm_dtype)dtype, arms);
                assert_true(count >= NORM_OPS * 2);
                layer_config config = tiny_config(&m, PART_LAYER, (model_phase)phase, arms, count);
                config.dtype = (norm_dtype)dtype;
                layer *const mixed = checks_make(&config), *fresh[MOST_ARMS] = {NULL};
                // Models that came later are larger, and arms are of one make: of theirs a few take turns.
                const size_t turns = m.kind > MODEL_CONVNEXT ? 10 : 2 * count;
                for (size_t turn = 0; turn < turns; turn++) {
                    const size_t arm = turn * 7 % count; // each twice, unless 7 divides the count; never in order
                    layer_select(mixed, arm);
                    layer_zero_gradients(mixed);
                    checks_run(mixed);
                    if (fresh[arm] == NULL) {
                        layer_config alone = config;
                        alone.arms = &arms[arm];
                        alone.arm_count = 1;
                        fresh[arm] = checks_make(&alone);
                        checks_run(fresh[arm]);
                    }
                    same_results(fresh[arm], mixed, 0.0);
                }
                for (size_t arm = 0; arm < count; arm++)
                    layer_free(fresh[arm]);
                layer_free(mixed);
            }
}

static void add_fused_is_add_and_norm(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        const norm_op ops[] = {NORM_LAYERNORM, NORM_RMSNORM, NORM_DYT};
        for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
            const norm_slot apart = checks_slot(&m, ops[i], NORM_FUSED, NORM_F32),
                            joined = checks_slot(&m, ops[i], NORM_ADD_FUSED, NORM_F32);
            for (int part = PART_LAYER; part <= PART_MODEL; part++) {
                layer_config config = tiny_config(&m, (model_part)part, PHASE_TRAIN, &apart, 1);
                layer *const a = checks_make(&config);
                config.arms = &joined;
                layer *const b = checks_make(&config);
                checks_run(a);
                checks_run(b);
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
            arms[i] = checks_slot(&m, NORM_DYT, NORM_FUSED, NORM_F32);
            arms[i].repeats = repeats[i];
        }
        arms[4] = checks_slot(&m, NORM_IDENTITY, NORM_FUSED, NORM_F32);
        const layer_config config = tiny_config(&m, PART_LAYER, PHASE_TRAIN, arms, 5);
        layer *const once = checks_make(&config), *const other = checks_make(&config);
        checks_run(once);
        for (size_t arm = 2; arm < 4; arm++) {
            layer_select(other, arm);
            layer_zero_gradients(other);
            checks_run(other);
            same_results(other, once, 0.0);
        }
        layer_select(once, 1);
        layer_select(other, 4);
        layer_zero_gradients(once);
        layer_zero_gradients(other);
        checks_run(once);
        checks_run(other);
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
        const norm_slot slot = checks_slot(&m, NORM_DYT, NORM_FUSED, NORM_F32);
        const layer_config config = tiny_config(&m, PART_MODEL, PHASE_TRAIN, &slot, 1);
        layer *const once = checks_make(&config), *const twice = checks_make(&config);
        checks_run(once);
        checks_run(twice);
        checks_run(twice);
        size_t parameters = 0;
        for (size_t i = 0; i < layer_tensors(once); i++) {
            const layer_tensor *const t = layer_tensor_at(once, i), *const u = layer_tensor_at(twice, i);
            if (t->role != TENSOR_PARAMETER || checks_is_noise(t->name))
                continue;
            assert_int_equal(u->gradient.dtype, NORM_F32);
            for (size_t r = 0; r < t->gradient.rows; r++)
                for (size_t c = 0; c < t->gradient.cols; c++)
                    matrix_set(t->gradient, r, c, 2.0f * matrix_get(t->gradient, r, c));
            checks_same(t->name, u->gradient, t->gradient, 1e-5);
            parameters++;
        }
        assert_true(parameters > 0);
        layer_zero_gradients(twice);
        for (size_t i = 0; i < layer_tensors(twice); i++)
            if (layer_tensor_at(twice, i)->role == TENSOR_PARAMETER)
                assert_true(checks_largest(layer_tensor_at(twice, i)->gradient) == 0.0);
        layer_free(once);
        layer_free(twice);
    }
}

static void prefill_is_the_forward_pass_of_training(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        if (m.kind == MODEL_CONFORMER) // whose batch norm is another in training
            continue;
        const norm_slot slot = checks_slot(&m, m.native, NORM_FUSED, NORM_F32);
        layer_config config = tiny_config(&m, PART_LAYER, PHASE_TRAIN, &slot, 1);
        layer *const train = checks_make(&config);
        config.phase = PHASE_PREFILL;
        layer *const prefill = checks_make(&config);
        config.packed_only = true;
        layer *const lean = checks_make(&config);
        checks_run(train);
        checks_run(prefill);
        checks_run(lean);
        for (size_t i = 0; i < layer_tensors(prefill); i++) {
            const layer_tensor *const t = layer_tensor_at(prefill, i), *const u = layer_tensor_at(lean, i);
            assert_null(t->gradient.data);
            assert_non_null(t->value.data);
            assert_true(u->value.data != NULL || strstr(u->name, ".weight") != NULL);
            if (t->role == TENSOR_OUTPUT) {
                checks_same(t->name, t->value, checks_tensor(train, t->name)->value, 1e-5);
                checks_same(t->name, u->value, t->value, 0.0);
            } else {
                checks_same(t->name, t->value, checks_tensor(train, t->name)->value, 0.0);
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
        const norm_slot slot = checks_slot(&m, m.native, NORM_FUSED, NORM_F32);
        layer_config config = tiny_config(&m, PART_MODEL, PHASE_DECODE, &slot, 1);
        config.context = 0;
        layer *const decode = checks_make(&config);
        config.phase = PHASE_PREFILL;
        layer *const prefill = checks_make(&config);
        checks_run(decode);
        checks_run(prefill);
        checks_same("logits", checks_tensor(decode, "output.logits")->value,
                    checks_tensor(prefill, "output.logits")->value, 1e-5);
        layer_free(decode);
        layer_free(prefill);
    }
}

static void steps_are_timed_and_named(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        norm_slot arms[MOST_ARMS];
        const size_t count = checks_arms(&m, NORM_F32, arms);
        layer_config config = tiny_config(&m, PART_LAYER, PHASE_TRAIN, arms, count);
        config.depth = 1;
        layer *const l = checks_make(&config);
        for (size_t arm = 0; arm < count; arm++) {
            layer_select(l, arm);
            const size_t steps = layer_steps(l);
            double *const ns = malloc(steps * sizeof *ns);
            assert_non_null(ns);
            assert_true(layer_run(l, ns));
            for (size_t i = 0; i < steps; i++) {
                const layer_step *const s = layer_step_at(l, i);
                assert_true(ns[i] >= 0.0);
                assert_true((s->flops > 0.0) ==
                            (s->kind == STEP_MATMUL || s->kind == STEP_ATTENTION || s->kind == STEP_CONV));
                for (size_t k = 0; k < i; k++)
                    assert_string_not_equal(s->name, layer_step_at(l, k)->name);
            }
            free(ns);
        }
        layer_free(l);
    }
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
        cmocka_unit_test(steps_are_timed_and_named),
    };
    return cmocka_run_group_tests(tests, set_team, NULL);
}
