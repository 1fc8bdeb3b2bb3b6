// SPDX-License-Identifier: MIT
// Small shapes of every structure.
#include "tiny.h"

#include <stdio.h>

static const char *const names[] = {"llama_7b",    "qwen3_8b",     "vit_b16",       "gpt2",
                                    "esm2_8m",     "wav2vec_base", "wav2vec_large", "dit_b4",
                                    "convnext_b",  "swin_t",       "whisper_tiny",  "mobilevit_s",
                                    "conformer_s", "pairformer",   "caduceus",      "hyena_dna_tiny"};

// What lacks a library is said once; it comes last.
size_t tiny_count(void) {
    static bool said;
    const size_t count = sizeof names / sizeof *names;
    const char *const missing = layer_missing(model_find(names[count - 1]));
    if (missing != NULL && !said)
        printf("SKIPPED %s: it needs %s\n", names[count - 1], missing);
    said = missing != NULL;
    return count - (missing != NULL);
}

model_shape tiny_at(size_t index) {
    model_shape m = *model_find(names[index]);
    const size_t stages = model_stages(&m);
    m.depth = stages > 0 ? 2 * stages - 1 : 2; // one layer in the first stage, two in the others
    m.dim = 24;
    m.heads = m.head_dim == 0 ? 0 : 3;
    m.kv_heads = m.kind == MODEL_LLAMA ? 1 : m.heads;
    m.head_dim = m.head_dim == 0 ? 0 : 8;
    m.ffn = 40;
    m.vocab = m.kind == MODEL_DIT ? 20 : 37;
    for (size_t i = 0; i < stages; i++) {
        m.stages[i].side = (size_t)16 >> i;
        m.stages[i].width = (size_t)9 << i;
        m.stages[i].blocks = i == 0 ? 1 : 2;
        m.stages[i].heads = m.heads;
        m.dim = m.stages[i].width;
        m.ffn = 4 * m.dim;
    }
    m.window = 2;
    return m;
}

layer_config tiny_config(const model_shape *m, model_part part, model_phase phase, const norm_slot *arms,
                         size_t count) {
    return (layer_config){.shape = m,
                          .part = part,
                          .phase = phase,
                          .dtype = NORM_F32,
                          .depth = 2,
                          .batch = 2,
                          .tokens = phase == PHASE_DECODE ? 1 : 5,
                          .context = phase == PHASE_DECODE ? 6 : 0,
                          .stage = 1,
                          .threads = 2,
                          .seed = 20260101,
                          .arms = arms,
                          .arm_count = count};
}
