// SPDX-License-Identifier: MIT
// Every kind of layer, with every norm in its slot, against the double reference of layer_reference.h: outputs in every
// phase, and in training the gradient of every element. Each comparison is also made against references with a mistake,
// which it must notice.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer_checks.h"
#include "layer_errors.h"
#include "layer_mistakes.h"
#include "layer_reference.h"
#include "measure/inputs.h"
#include "odd.h"
#include "products.h"
#include "thin.h"

static bool has_phase(const model_shape *m, model_phase phase) { return phase != PHASE_DECODE || odd_decodes(m); }

static void assert_equal_matrix(const matrix *m, const double *want, const char *name) {
    for (size_t i = 0; i < m->rows * m->cols; i++)
        if (dtype_get(m->dtype, m->data, i / m->cols * m->stride + i % m->cols) != want[i])
            fail_msg("%s differs at %zu", name, i);
}

// The first ODD_CONTEXT rows of each sequence of ODD_CONTEXT + 1; the last, which the layer must write, is spoilt.
static void fill_cache(const layer *l, const char *name, const double *values) {
    const layer_tensor *const t = checks_tensor(l, name);
    assert_non_null(t);
    const matrix *const m = &t->value;
    assert_int_equal(m->rows, ODD_BATCH * (ODD_CONTEXT + 1));
    for (size_t i = 0; i < m->rows; i++)
        for (size_t j = 0; j < m->cols; j++)
            dtype_set(m->dtype, m->data, i * m->stride + j,
                      i % (ODD_CONTEXT + 1) == ODD_CONTEXT ? (double)NAN : values[i * m->cols + j]);
}

// The last row of each sequence of ODD_CONTEXT + 1.
static void copy_last(const matrix *m, const double *values) {
    for (size_t b = 0; b < m->rows; b++)
        for (size_t j = 0; j < m->cols; j++)
            dtype_set(m->dtype, m->data, b * m->stride + j, values[((b + 1) * (ODD_CONTEXT + 1) - 1) * m->cols + j]);
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
static double seen[MODEL_DTYPES][2];

// ---- Outputs

static void outputs_of(const layer_config *c) {
    layer *const l = odd_make(c);
    for (size_t arm = 0; arm < c->arm_count; arm++) {
        layer_select(l, arm);
        layer_reference *const r = errors_reference(l, c, arm);
        const double objective = layer_reference_forward(r, MISTAKE_NONE);
        errors_run(l, c, arm);
        assert_int_equal(isnan(layer_loss(l)), c->part == PART_LAYER || c->phase != PHASE_TRAIN);
        const worst w = errors_of_outputs(l, r, objective, c->dtype);
        errors_within(&w, errors_bound(c->dtype, false), c, arm);
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
    for (size_t s = 0; s < odd_count(); s++)
        for (norm_dtype dtype = 0; dtype < MODEL_DTYPES; dtype++)
            for (model_phase phase = 0; phase < PHASES; phase++)
                for (int threads = 1; threads <= 2 && has_phase(&odd_shapes[s], phase); threads++)
                    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
                        if (thinned_out(s + dtype + phase + (size_t)threads + p))
                            continue;
                        norm_slot arms[MOST_ARMS];
                        const model_shape *const m =
                            parts[p].part == PART_LAYER ? &odd_shapes[s] : odd_whole(&odd_shapes[s]);
                        layer_config c = odd_config(m, parts[p].part, phase, dtype, threads);
                        c.depth = parts[p].depth;
                        c.arms = arms;
                        c.arm_count = checks_arms(c.shape, dtype, arms);
                        assert_int_equal(c.arm_count, checks_expected_arms());
                        outputs_of(&c);
                    }
}

// Decoding with a cache that holds what a prefill computed goes on as the prefill does: both layers have drawn the same
// parameters, and the new token is the prefill's last.
static void decode_goes_on_where_prefill_ends(void **state) {
    (void)state;
    for (size_t s = 0; s < odd_count(); s++)
        for (norm_dtype dtype = 0; dtype < MODEL_DTYPES && odd_decodes(&odd_shapes[s]); dtype++) {
            norm_slot arms[MOST_ARMS];
            layer_config before = odd_config(&odd_shapes[s], PART_LAYER, PHASE_PREFILL, dtype, 1);
            before.tokens = ODD_CONTEXT + 1;
            before.arms = arms;
            before.arm_count = checks_arms(before.shape, dtype, arms);
            layer_config after = odd_config(&odd_shapes[s], PART_LAYER, PHASE_DECODE, dtype, 1);
            after.arms = arms;
            after.arm_count = before.arm_count;
            layer *const prefill = odd_make(&before), *const decode = odd_make(&after);
            for (size_t arm = 0; arm < before.arm_count; arm++) {
                layer_select(prefill, arm);
                layer_select(decode, arm);
                layer_reference *const r = errors_reference(prefill, &before, arm);
                const double *k, *v;
                (void)layer_reference_forward(r, MISTAKE_NONE);
                layer_reference_keys(r, &k, &v);
                fill_cache(decode, "layer0.attention.heads.cache.k", k);
                fill_cache(decode, "layer0.attention.heads.cache.v", v);
                for (size_t i = 0; i < layer_tensors(decode); i++) {
                    const layer_tensor *const t = layer_tensor_at(decode, i);
                    const reference_tensor *const from = layer_reference_named(r, t->name);
                    if (from == NULL) // the caches
                        continue;
                    if (t->role == TENSOR_INPUT)
                        copy_last(&t->value, from->value);
                    else if (t->role == TENSOR_PARAMETER)
                        assert_equal_matrix(&t->value, from->value, t->name);
                }
                errors_run(decode, &after, arm);
                worst w = {0};
                for (size_t i = 0; i < layer_tensors(decode); i++) {
                    const layer_tensor *const t = layer_tensor_at(decode, i);
                    if (t->role != TENSOR_OUTPUT)
                        continue;
                    double last[ODD_BATCH * ODD_MOST_COLS];
                    const double *const all = checks_ends_with(t->name, "cache.k.added") ? k
                                              : checks_ends_with(t->name, "cache.v.added")
                                                  ? v
                                                  : layer_reference_named(r, t->name)->value;
                    assert_true(t->value.cols <= ODD_MOST_COLS);
                    for (size_t b = 0; b < ODD_BATCH; b++)
                        memcpy(last + b * t->value.cols, all + ((b + 1) * (ODD_CONTEXT + 1) - 1) * t->value.cols,
                               t->value.cols * sizeof *last);
                    errors_compare(&t->value, last, 0, dtype, t->name, "", &w);
                }
                errors_within(&w, errors_bound(dtype, false), &after, arm);
                layer_reference_free(r);
            }
            layer_free(prefill);
            layer_free(decode);
        }
}

// Calls beyond the first of a site are there to be timed; none at all is no norm.
static void repeats_change_nothing(void **state) {
    (void)state;
    for (size_t s = 0; s < odd_count(); s++) {
        const model_shape *const m = &odd_shapes[s];
        norm_slot arms[4];
        assert_true(layer_slot(m, m->native, NULL, NORM_FUSED, "best", NORM_F32, &arms[0]));
        assert_true(layer_slot(m, NORM_IDENTITY, NULL, NORM_FUSED, "best", NORM_F32, &arms[1]));
        arms[2] = arms[3] = arms[0];
        arms[2].repeats = 4;
        arms[3].repeats = 0;
        layer_config c = odd_config(m, PART_LAYER, PHASE_TRAIN, NORM_F32, 1);
        c.arms = arms;
        c.arm_count = 4;
        layer *const l = odd_make(&c);
        for (size_t pair = 0; pair < 2; pair++) {
            double *values[2];
            size_t count[2];
            for (size_t i = 0; i < 2; i++) {
                layer_select(l, pair + 2 * i);
                layer_zero_gradients(l);
                errors_run(l, &c, pair + 2 * i);
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
        c[i] = odd_config(m, part, PHASE_TRAIN, dtype, i + 1);
        c[i].depth = depth;
        c[i].arms = arms;
        c[i].arm_count = checks_arms(m, dtype, arms);
        l[i] = odd_make(&c[i]);
    }
    for (size_t arm = 0; arm < c[0].arm_count; arm++) {
        // What a model adds to its layers, ends and order, knows no norm: one will do. So it is with the steps that
        // came with the kinds behind ConvNeXt, whose outputs are seen with every norm.
        if ((part == PART_MODEL || m->kind > MODEL_CONVNEXT) && arms[arm].op != m->native)
            continue;
        if (r == NULL || arms[arm].op != arms[arm - 1].op) {
            layer_reference_free(r);
            layer_select(l[0], arm);
            r = errors_reference(l[0], &c[0], arm);
            layer_reference_gradients(r, MISTAKE_NONE);
        }
        for (int i = 0; i < 2; i++) {
            layer_select(l[i], arm);
            layer_zero_gradients(l[i]);
            for (int times = 1; times <= 2; times++) {
                errors_run(l[i], &c[i], arm);
                const worst w = errors_of_gradients(l[i], r, dtype, times);
                errors_within(&w, errors_bound(dtype, true), &c[i], arm);
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
    for (size_t s = 0; s < odd_count(); s++)
        for (norm_dtype dtype = 0; dtype < MODEL_DTYPES; dtype++)
            if (!thinned_out(s + dtype))
                gradients_of(&odd_shapes[s], PART_LAYER, 1, dtype);
}

// In f32 alone, for the same reason as one norm will do; differences of whole models take most of this program's time.
static void gradients_of_models_equal_differences(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    print_message("left to the build without sanitizers, which slow the reference down to minutes\n");
    skip();
#endif
    for (size_t s = 0; s < odd_count(); s++)
        gradients_of(odd_whole(&odd_shapes[s]), PART_MODEL, 2, NORM_F32);
}

// ---- The tests tested

// Not by a hair: ten times the bound, so that a seed's luck does not decide.
static void mistakes_are_noticed(void **state) {
    (void)state;
    for (size_t i = 0; i < mistake_case_count; i++) {
        if (thinned_out(i) || layer_missing(odd_named(mistake_cases[i].shape)) != NULL)
            continue;
        norm_slot slot;
        const model_part part = mistake_cases[i].mistake == MISTAKE_SUMMED_LOSS ? PART_ENDS : PART_LAYER;
        layer_config c = odd_config(odd_named(mistake_cases[i].shape), part, mistake_cases[i].phase, NORM_F32, 1);
        assert_true(layer_slot(c.shape, mistake_cases[i].op, NULL, NORM_FUSED, "best", NORM_F32, &slot));
        c.arms = &slot;
        c.arm_count = 1;
        c.depth = mistake_cases[i].mistake == MISTAKE_NO_SEAM ? 2 : 1; // every other layer moves its image round
        layer *const l = odd_make(&c);
        layer_reference *const r = errors_reference(l, &c, 0);
        errors_run(l, &c, 0);
        const double objective = layer_reference_forward(r, mistake_cases[i].mistake);
        const worst outputs = errors_of_outputs(l, r, objective, NORM_F32);
        if (!(outputs.error > 10 * errors_bound(NORM_F32, false)))
            fail_msg("%s: \"%s\" goes unnoticed in the outputs: %s", c.shape->name,
                     mistake_name(mistake_cases[i].mistake), outputs.where);
        if (mistake_cases[i].phase == PHASE_TRAIN)
            layer_reference_gradients(r, mistake_cases[i].mistake);
        const worst gradients =
            mistake_cases[i].phase == PHASE_TRAIN ? errors_of_gradients(l, r, NORM_F32, 1) : (worst){INFINITY, ""};
        if (!(gradients.error > 10 * errors_bound(NORM_F32, true)))
            fail_msg("%s: \"%s\" goes unnoticed in the gradients: %s", c.shape->name,
                     mistake_name(mistake_cases[i].mistake), gradients.where);
        layer_reference_free(r);
        layer_free(l);
    }
}

// A comparison proves little about a parameter of all zeros or all ones, or about a branch that is next to nothing.
static void nothing_drawn_is_degenerate(void **state) {
    (void)state;
    for (size_t s = 0; s < odd_count(); s++)
        for (norm_dtype dtype = 0; dtype < MODEL_DTYPES; dtype++) {
            norm_slot arms[MOST_ARMS];
            layer_config c = odd_config(&odd_shapes[s], PART_LAYER, PHASE_TRAIN, dtype, 1);
            c.arms = arms;
            c.arm_count = checks_arms(c.shape, dtype, arms);
            layer *const l = odd_make(&c);
            errors_run(l, &c, 0);
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
    for (norm_dtype dtype = 0; dtype < MODEL_DTYPES; dtype++)
        print_message("largest errors in %s: outputs %.3g units of %g, gradients %.3g of %g\n", norm_dtype_name(dtype),
                      seen[dtype][0], errors_bound(dtype, false), seen[dtype][1], errors_bound(dtype, true));
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
