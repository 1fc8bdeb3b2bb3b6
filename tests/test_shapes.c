// SPDX-License-Identifier: MIT
// The table of models against the published figures, and the layers against the table.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "layer.h"
#include "tiny.h"

static const model_shape *find(const char *name) {
    const model_shape *const m = model_find(name);
    if (m == NULL)
        fail_msg("no model %s", name);
    return m;
}

// Weights per layer in millions: the paper's models as its code has them.
static void llamas_weigh_what_is_published(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t millions, norms;
    } published[] = {{"llama_7b", 202, 65}, {"llama_13b", 317, 81}, {"llama_34b", 692, 97}, {"llama_70b", 856, 161}};
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const model_shape *const m = find(published[i].name);
        assert_int_equal((model_layer_weights(m, 0) + 500000) / 1000000, published[i].millions);
        assert_int_equal(model_norms(m), published[i].norms);
        assert_int_equal(m->native, NORM_RMSNORM);
    }
}

// Products of one token in one layer, in tenths of a MFLOP.
static void encoders_work_as_published(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t work, norms, tokens;
    } published[] = {{"vit_s16", 35, 25, 197},       {"vit_b16", 142, 25, 197},       {"vit_l16", 252, 49, 197},
                     {"dit_b4", 142, 25, 64},        {"dit_l4", 252, 49, 64},         {"dit_xl2", 319, 57, 256},
                     {"wav2vec_base", 142, 26, 781}, {"wav2vec_large", 252, 50, 999}, {"esm2_8m", 25, 14, 1024},
                     {"esm2_35m", 55, 26, 1024},     {"esm2_150m", 98, 62, 1024},     {"esm2_650m", 393, 68, 1024},
                     {"whisper_tiny", 35, 9, 1500},  {"conformer_s", 10, 80, 250},    {"pairformer", 11, 384, 256},
                     {"hyena_dna", 16, 9, 1024},     {"hyena_dna_tiny", 4, 5, 1024}};
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const model_shape *const m = find(published[i].name);
        assert_int_equal((2 * model_layer_weights(m, 0) + 50000) / 100000, published[i].work);
        assert_int_equal(model_norms(m), published[i].norms);
        assert_int_equal(m->tokens, published[i].tokens);
        assert_int_equal(m->native, NORM_LAYERNORM);
    }
    assert_true(find("wav2vec_base")->post_norm && !find("wav2vec_large")->post_norm);
}

static void convnext_has_41_norms(void **state) {
    (void)state;
    static const char *const names[] = {"convnext_b", "convnext_l"};
    // Normed elements per image and block, in thousands.
    static const size_t elements[][MODEL_STAGES] = {{401, 201, 100, 50}, {602, 301, 151, 75}};
    for (size_t i = 0; i < 2; i++) {
        const model_shape *const m = find(names[i]);
        assert_int_equal(model_norms(m), 41);
        size_t blocks = 0;
        for (size_t s = 0; s < MODEL_STAGES; s++) {
            const size_t normed = m->stages[s].side * m->stages[s].side * m->stages[s].width;
            assert_int_equal((normed + 500) / 1000, elements[i][s]);
            blocks += m->stages[s].blocks;
        }
        assert_int_equal(blocks, m->depth);
    }
}

// Per stage: weights of a layer in thousands, normed elements of an image in a layer in hundreds.
static void images_shrink_as_published(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t norms, stages, blocks[MODEL_STAGES], weights[MODEL_STAGES], normed[MODEL_STAGES];
    } published[] = {{"swin_t", 29, 4, {2, 2, 6, 2}, {111, 442, 1769, 7078}, {6021, 3011, 1505, 753}},
                     {"mobilevit_s", 21, 3, {2, 4, 3}, {166, 295, 461}, {2949, 983, 307}}};
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const model_shape *const m = find(published[i].name);
        size_t blocks = 0;
        assert_int_equal(model_norms(m), published[i].norms);
        assert_int_equal(model_stages(m), published[i].stages);
        for (size_t s = 0; s < model_stages(m); s++) {
            const model_stage stage = model_stage_at(m, s);
            assert_int_equal(stage.blocks, published[i].blocks[s]);
            assert_int_equal((model_layer_weights(m, s) + 500) / 1000, published[i].weights[s]);
            assert_int_equal((2 * stage.side * stage.side * stage.width + 50) / 100, published[i].normed[s]);
            blocks += stage.blocks;
        }
        assert_int_equal(blocks, m->depth);
        assert_int_equal(m->dim, model_stage_at(m, model_stages(m) - 1).width);
    }
}

static void names_are_unique_and_found(void **state) {
    (void)state;
    const model_shape *m;
    size_t count = 0;
    for (; (m = model_at(count)) != NULL; count++)
        assert_ptr_equal(model_find(m->name), m);
    assert_int_equal(count, 32);
    assert_null(model_find("llama"));
}

static size_t forward_norms(const layer *l) {
    size_t norms = 0;
    for (size_t i = 0; i < layer_steps(l); i++)
        norms += layer_step_at(l, i)->kind == STEP_NORM && layer_step_at(l, i)->pass == NORM_FORWARD;
    return norms;
}

// Every kind of model, made small: as many norms and weights as the table's formulas say.
static void layers_are_what_the_table_says(void **state) {
    (void)state;
    for (size_t kind = 0; kind < tiny_count(); kind++) {
        const model_shape m = tiny_at(kind);
        norm_slot slot;
        assert_true(layer_slot(&m, m.native, NULL, NORM_FUSED, "best", NORM_F32, &slot));
        layer_config config = tiny_config(&m, PART_LAYER, PHASE_PREFILL, &slot, 1);
        config.depth = 1;
        char error[LAYER_ERROR_SIZE];
        layer *l = layer_make(&config, error);
        if (l == NULL)
            fail_msg("%s: %s", m.name, error);
        size_t weights = 0;
        for (size_t i = 0; i < layer_tensors(l); i++) {
            const layer_tensor *const t = layer_tensor_at(l, i);
            const bool product = strstr(t->name, ".weight") != NULL && strstr(t->name, "norm") == NULL &&
                                 strstr(t->name, "conv") == NULL && strstr(t->name, "scale") == NULL &&
                                 strstr(t->name, "modulation") == NULL && strstr(t->name, "filter") == NULL;
            const bool twice = strstr(t->name, "mixer") != NULL && m.kind == MODEL_CADUCEUS; // by both directions
            weights += product ? t->value.rows * t->value.cols * (twice ? 2 : 1) : 0;
        }
        assert_int_equal(weights, model_layer_weights(&m, config.stage));
        assert_int_equal(forward_norms(l), model_layer_norms(&m));
        layer_free(l);

        config.part = PART_MODEL;
        config.depth = 2;
        l = layer_make(&config, error);
        if (l == NULL)
            fail_msg("%s: %s", m.name, error);
        assert_int_equal(forward_norms(l), model_norms(&m));
        layer_free(l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llamas_weigh_what_is_published), cmocka_unit_test(encoders_work_as_published),
        cmocka_unit_test(convnext_has_41_norms),          cmocka_unit_test(names_are_unique_and_found),
        cmocka_unit_test(images_shrink_as_published),     cmocka_unit_test(layers_are_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
