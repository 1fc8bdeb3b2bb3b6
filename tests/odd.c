// SPDX-License-Identifier: MIT
// odd.c: see odd.h.
#include "odd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "layer_checks.h"
#include "measure/inputs.h"

// dim is not heads * head_dim in some, as in Qwen 3 0.6B, and groups of heads are of three, so that neither division
// nor remainder by two passes for the other.
#define SHAPE(NAME, KIND, DIM, HEADS, KV, FFN, VOCAB, NATIVE, ...)                                                     \
    {                                                                                                                  \
        .name = NAME, .kind = KIND, .dim = DIM, .depth = 2, .heads = HEADS, .kv_heads = KV, .head_dim = 4, .ffn = FFN, \
        .vocab = VOCAB, .tokens = ODD_TOKENS, .native = NATIVE, .eps = 0.03f, .alpha = 0.75f,                          \
        .alpha_attention = 1.25f, __VA_ARGS__                                                                          \
    }
const model_shape odd_shapes[ODD_SHAPES] = {
    SHAPE("llama", MODEL_LLAMA, 13, 6, 2, 21, 19, NORM_RMSNORM, .theta = 50),
    SHAPE("qwen", MODEL_LLAMA, 12, 3, 1, 20, 19, NORM_RMSNORM, .theta = 50, .qk_norm = true, .tied_head = true),
    SHAPE("vit", MODEL_VIT, 12, 3, 3, 20, 11, NORM_LAYERNORM, ),
    SHAPE("dit", MODEL_DIT, 12, 3, 3, 20, 10, NORM_LAYERNORM, ),
    SHAPE("wav2vec post", MODEL_WAV2VEC, 12, 3, 3, 20, 9, NORM_LAYERNORM, .post_norm = true),
    SHAPE("wav2vec pre", MODEL_WAV2VEC, 12, 3, 3, 20, 9, NORM_LAYERNORM, ),
    SHAPE("gpt2", MODEL_GPT2, 12, 3, 3, 20, 19, NORM_LAYERNORM, .tied_head = true),
    SHAPE("esm", MODEL_ESM, 12, 3, 3, 20, 19, NORM_LAYERNORM, .theta = 50, .tied_head = true),
    SHAPE("convnext", MODEL_CONVNEXT, 7, 0, 0, 28, 5, NORM_LAYERNORM,
          .stages = {{8, 4, 1, 0}, {5, 6, 2, 0}, {2, 5, 1, 0}, {1, 7, 1, 0}}),
    SHAPE("swin", MODEL_SWIN, 12, 3, 3, 24, 5, NORM_LAYERNORM, .window = 2,
          .stages = {{8, 6, 1, 2}, {4, 9, 2, 3}, {2, 12, 1, 3}}),
    SHAPE("whisper", MODEL_WHISPER, 12, 3, 3, 20, 9, NORM_LAYERNORM, ),
    SHAPE("mobilevit", MODEL_MOBILEVIT, 9, 3, 3, 18, 5, NORM_LAYERNORM,
          .stages = {{6, 12, 1, 4}, {4, 6, 2, 2}, {2, 9, 1, 3}}),
    SHAPE("conformer", MODEL_CONFORMER, 8, 2, 2, 14, 9, NORM_LAYERNORM, ),
    SHAPE("pairformer", MODEL_PAIRFORMER, 8, 2, 2, 7, 5, NORM_LAYERNORM, ),
    SHAPE("caduceus", MODEL_CADUCEUS, 5, 0, 0, 10, 9, NORM_RMSNORM, .tied_head = true),
    SHAPE("hyena", MODEL_HYENA, 6, 0, 0, 14, 9, NORM_LAYERNORM, .filter = 5, .tied_head = true),
};

// What lacks a library is said once.
size_t odd_count(void) {
    static bool said;
    const char *const missing = layer_missing(&odd_shapes[ODD_SHAPES - 1]);
    if (missing != NULL && !said)
        print_message("SKIPPED %s: it needs %s\n", odd_shapes[ODD_SHAPES - 1].name, missing);
    said = missing != NULL;
    return ODD_SHAPES - (missing != NULL);
}

// As a whole, where each stage has half the side of the one before.
static const model_shape whole_convnext = SHAPE("convnext", MODEL_CONVNEXT, 7, 0, 0, 28, 5, NORM_LAYERNORM,
                                                .stages = {{8, 4, 1, 0}, {4, 6, 2, 0}, {2, 5, 1, 0}, {1, 7, 1, 0}});
const model_shape *odd_whole(const model_shape *m) { return m->kind == MODEL_CONVNEXT ? &whole_convnext : m; }

bool odd_decodes(const model_shape *m) { return m->kind == MODEL_LLAMA || m->kind == MODEL_GPT2; }

layer_config odd_config(const model_shape *m, model_part part, model_phase phase, norm_dtype dtype, int threads) {
    return (layer_config){.shape = m,
                          .part = part,
                          .phase = phase,
                          .dtype = dtype,
                          .depth = 1,
                          .batch = ODD_BATCH,
                          .tokens = phase == PHASE_DECODE ? 1 : ODD_TOKENS,
                          .context = phase == PHASE_DECODE ? ODD_CONTEXT : 0,
                          .stage = ODD_STAGE,
                          .threads = threads,
                          .seed = 7};
}

// What is drawn large is left alone, as is the network that makes filters: a sine of ten times its argument is far from
// linear as it is.
static bool is_left_alone(const char *name) {
    static const char *const parts[] = {"norm.",      "filter.", "mixer.conv.", "there.conv.",
                                        "back.conv.", ".skip",   ".log_rates"};
    bool found = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        found = found || strstr(name, parts[i]) != NULL;
    return found;
}

// Weights are drawn as small as those of models that are a hundred times wider, by which attention would be all but
// uniform and activations all but linear. Training reads them where they stand (inference has packed them already), so
// there they are multiplied, by powers of two, which are exact in every dtype, until products are as large as what goes
// in.
static void amplify(layer *l) {
    for (size_t i = 0; i < layer_tensors(l); i++) {
        const layer_tensor *const t = layer_tensor_at(l, i);
        const matrix *const m = &t->value;
        if (t->role != TENSOR_PARAMETER || is_left_alone(t->name))
            continue;
        const bool scale = checks_ends_with(t->name, "scale.weight");
        const bool steps = checks_ends_with(t->name, "steps.bias"); // of a scan, whose softplus is next to nothing
        const double by = scale ? 8 : steps ? 0.125 : m->rows > 1 ? exp2(round(log2(50 / sqrt((double)m->cols)))) : 16;
        for (size_t j = 0; j < m->rows * m->cols; j++)
            dtype_set(m->dtype, m->data, j, by * dtype_get(m->dtype, m->data, j));
    }
}

layer *odd_make(const layer_config *config) {
    layer *const l = checks_make(config);
    if (config->phase == PHASE_TRAIN)
        amplify(l);
    return l;
}

const model_shape *odd_named(const char *name) {
    size_t i = 0;
    while (i < ODD_SHAPES && strcmp(odd_shapes[i].name, name) != 0)
        i++;
    assert_true(i < ODD_SHAPES);
    return &odd_shapes[i];
}
