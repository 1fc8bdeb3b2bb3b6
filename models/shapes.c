// SPDX-License-Identifier: MIT
// shapes.c: the one table of models. Every figure is the published one; where the paper differs from its own code, the
// code counts, because it is what was timed.
#include "shapes.h"

#include <string.h>

// LLaMA as in the paper's training code (fms-fsdp through DyT's config_utils.py: 34B and 70B are 8192 wide, where the
// paper prints 8196). Llama 3, Qwen 3 and Mistral: litgpt's config. alpha: tables 10 and 11 of the paper, by width;
// Mistral's sliding window is 4096 tokens, so that at 4096 its attention is the usual one.
#define LLAMA(NAME, TITLE, DIM, DEPTH, HEADS, KV, FFN, VOCAB, TOKENS, EPS, THETA, QK, TIED, ALPHA_A, ALPHA)            \
    {                                                                                                                  \
        .name = NAME, .title = TITLE, .kind = MODEL_LLAMA, .dim = DIM, .depth = DEPTH, .heads = HEADS, .kv_heads = KV, \
        .head_dim = 128, .ffn = FFN, .vocab = VOCAB, .tokens = TOKENS, .native = NORM_RMSNORM, .eps = EPS,             \
        .theta = THETA, .qk_norm = QK, .tied_head = TIED, .alpha = ALPHA, .alpha_attention = ALPHA_A                   \
    }

// Vision: timm's vit_*_patch16_224, class token included; DiT's models.py, latents of 32 x 32 x 4 and twice as many
// values out (mean and variance). GPT-2: litgpt. wav2vec 2.0: fairseq's configs; 781 tokens are a crop of 250 000
// samples, 999 of 320 000. ESM-2: fair-esm's esm2_t*_UR50D, trained on crops of 1024 residues. alpha is 0.5 wherever
// the paper does not tune it; GPT-2, which it has not, takes that of its narrowest LLaMA.
#define ENCODER(NAME, TITLE, KIND, DIM, DEPTH, HEADS, VOCAB, TOKENS, EPS, ALPHA, ...)                                  \
    {                                                                                                                  \
        .name = NAME, .title = TITLE, .kind = KIND, .dim = DIM, .depth = DEPTH, .heads = HEADS, .kv_heads = HEADS,     \
        .head_dim = DIM / HEADS, .ffn = 4 * DIM, .vocab = VOCAB, .tokens = TOKENS, .native = NORM_LAYERNORM,           \
        .eps = EPS, .alpha = ALPHA, .alpha_attention = ALPHA, __VA_ARGS__                                              \
    }

// Conformer-S: its paper's, with a kernel of 31 as implementations have it; a frame of 40 ms, 250 are 10 s; its input
// is 144 channels of 20 frequencies. Whisper: openai's tiny, 30 s of sound.
//
// Swin-T: timm's swin_tiny_patch4_window7_224. MobileViT-S: ml-cvnets' mobilevit_s at 256 pixels, the Transformers of
// its three last stages; the stages' blocks are its layers there. Their stages: side, width, blocks, heads.
#define STAGED(NAME, TITLE, KIND, DIM, DEPTH, HEADS, FFN, TOKENS, EPS, ...)                                            \
    {                                                                                                                  \
        .name = NAME, .title = TITLE, .kind = KIND, .dim = DIM, .depth = DEPTH, .heads = HEADS, .kv_heads = HEADS,     \
        .head_dim = (DIM) / (HEADS), .ffn = FFN, .vocab = 1000, .tokens = TOKENS, .native = NORM_LAYERNORM,            \
        .eps = EPS, .alpha = 0.5f, .alpha_attention = 0.5f, __VA_ARGS__                                                \
    }
#define SWIN_T_STAGES                                                                                                  \
    {                                                                                                                  \
        {56, 96, 2, 3}, {28, 192, 2, 6}, {14, 384, 6, 12}, { 7, 768, 2, 24 }                                           \
    }
#define MOBILEVIT_S_STAGES                                                                                             \
    {                                                                                                                  \
        {32, 144, 2, 4}, {16, 192, 4, 4}, { 8, 240, 3, 4 }                                                             \
    }

// timm's convnext_base and convnext_large at 224 pixels.
#define CONVNEXT(NAME, TITLE, W)                                                                                       \
    {                                                                                                                  \
        .name = NAME, .title = TITLE, .kind = MODEL_CONVNEXT, .dim = 8 * (W), .depth = 36, .ffn = 32 * (W),            \
        .vocab = 1000, .tokens = 56 * 56, .native = NORM_LAYERNORM, .eps = 1e-6f, .alpha = 0.5f,                       \
        .alpha_attention = 0.5f, .stages = {                                                                           \
            {56, W, 3, 0},                                                                                             \
            {28, 2 * (W), 3, 0},                                                                                       \
            {14, 4 * (W), 27, 0},                                                                                      \
            {7, 8 * (W), 3, 0}                                                                                         \
        }                                                                                                              \
    }

// The pair track of Boltz-1's Pairformer, of a complex of 256 residues and ligand atoms. vocab: bins of distances.
#define PAIRFORMER(NAME, TITLE, DIM, DEPTH, HEADS, VOCAB, TOKENS)                                                      \
    {                                                                                                                  \
        .name = NAME, .title = TITLE, .kind = MODEL_PAIRFORMER, .dim = DIM, .depth = DEPTH, .heads = HEADS,            \
        .kv_heads = HEADS, .head_dim = DIM / HEADS, .ffn = 4 * DIM, .vocab = VOCAB, .tokens = TOKENS,                  \
        .native = NORM_LAYERNORM, .eps = 1e-5f, .alpha = 0.5f, .alpha_attention = 0.5f                                 \
    }

// HyenaDNA: HazyResearch's hyena-dna, of order 2; as DyT pretrains it, and the one of GenomicBenchmarks.
#define HYENA(NAME, TITLE, DIM, DEPTH)                                                                                 \
    {                                                                                                                  \
        .name = NAME, .title = TITLE, .kind = MODEL_HYENA, .dim = DIM, .depth = DEPTH, .ffn = 4 * DIM, .vocab = 16,    \
        .tokens = 1024, .filter = 64, .native = NORM_LAYERNORM, .eps = 1e-5f, .alpha = 0.5f, .alpha_attention = 0.5f,  \
        .tied_head = true                                                                                              \
    }

// Caduceus-PS as DyT and Derf pretrain it, with sequences of 131072; its work is linear in them, so that a sixty-fourth
// is enough to time. ffn: the channels of its scans.
#define CADUCEUS(NAME, TITLE, DIM, DEPTH)                                                                              \
    {                                                                                                                  \
        .name = NAME, .title = TITLE, .kind = MODEL_CADUCEUS, .dim = DIM, .depth = DEPTH, .ffn = 2 * DIM, .vocab = 16, \
        .tokens = 2048, .native = NORM_RMSNORM, .eps = 1e-5f, .alpha = 0.5f, .alpha_attention = 0.5f,                  \
        .tied_head = true                                                                                              \
    }

static const model_shape models[] = {
    LLAMA("llama_7b", "LLaMA 7B", 4096, 32, 32, 32, 11008, 32000, 4096, 1e-5f, 1e4, false, false, 0.8f, 0.2f),
    LLAMA("llama_13b", "LLaMA 13B", 5120, 40, 40, 40, 13824, 32000, 4096, 1e-5f, 1e4, false, false, 0.6f, 0.15f),
    LLAMA("llama_34b", "LLaMA 34B", 8192, 48, 64, 8, 22016, 32000, 4096, 1e-5f, 1e4, false, false, 0.2f, 0.05f),
    LLAMA("llama_70b", "LLaMA 70B", 8192, 80, 64, 8, 28672, 32000, 4096, 1e-5f, 1e4, false, false, 0.2f, 0.05f),
    LLAMA("llama3_8b", "Llama 3 8B", 4096, 32, 32, 8, 14336, 128256, 8192, 1e-5f, 5e5, false, false, 0.8f, 0.2f),
    LLAMA("llama3_70b", "Llama 3 70B", 8192, 80, 64, 8, 28672, 128256, 8192, 1e-5f, 5e5, false, false, 0.2f, 0.05f),
    LLAMA("qwen3_0.6b", "Qwen 3 0.6B", 1024, 28, 16, 8, 3072, 151936, 4096, 1e-6f, 1e6, true, true, 1.0f, 1.0f),
    LLAMA("qwen3_8b", "Qwen 3 8B", 4096, 36, 32, 8, 12288, 151936, 4096, 1e-6f, 1e6, true, false, 0.8f, 0.2f),
    LLAMA("mistral_7b", "Mistral 7B", 4096, 32, 32, 8, 14336, 32000, 4096, 1e-5f, 1e4, false, false, 0.8f, 0.2f),
    ENCODER("vit_s16", "ViT-S/16", MODEL_VIT, 384, 12, 6, 1000, 197, 1e-6f, 0.5f, ),
    ENCODER("vit_b16", "ViT-B/16", MODEL_VIT, 768, 12, 12, 1000, 197, 1e-6f, 0.5f, ),
    ENCODER("vit_l16", "ViT-L/16", MODEL_VIT, 1024, 24, 16, 1000, 197, 1e-6f, 0.5f, ),
    ENCODER("dit_b4", "DiT-B/4", MODEL_DIT, 768, 12, 12, 4 * 4 * 8, 64, 1e-6f, 0.5f, ),
    ENCODER("dit_l4", "DiT-L/4", MODEL_DIT, 1024, 24, 16, 4 * 4 * 8, 64, 1e-6f, 0.5f, ),
    ENCODER("dit_xl2", "DiT-XL/2", MODEL_DIT, 1152, 28, 16, 2 * 2 * 8, 256, 1e-6f, 0.5f, ),
    ENCODER("wav2vec_base", "wav2vec 2.0 Base", MODEL_WAV2VEC, 768, 12, 12, 512, 781, 1e-5f, 0.5f, .post_norm = true),
    ENCODER("wav2vec_large", "wav2vec 2.0 Large", MODEL_WAV2VEC, 1024, 24, 16, 512, 999, 1e-5f, 0.5f, ),
    ENCODER("gpt2", "GPT-2", MODEL_GPT2, 768, 12, 12, 50257, 1024, 1e-5f, 1.0f, .tied_head = true),
    ENCODER("esm2_8m", "ESM-2 8M", MODEL_ESM, 320, 6, 20, 33, 1024, 1e-5f, 0.5f, .theta = 1e4, .tied_head = true),
    ENCODER("esm2_35m", "ESM-2 35M", MODEL_ESM, 480, 12, 20, 33, 1024, 1e-5f, 0.5f, .theta = 1e4, .tied_head = true),
    ENCODER("esm2_150m", "ESM-2 150M", MODEL_ESM, 640, 30, 20, 33, 1024, 1e-5f, 0.5f, .theta = 1e4, .tied_head = true),
    ENCODER("esm2_650m", "ESM-2 650M", MODEL_ESM, 1280, 33, 20, 33, 1024, 1e-5f, 0.5f, .theta = 1e4, .tied_head = true),
    CONVNEXT("convnext_b", "ConvNeXt-B", 128),
    CONVNEXT("convnext_l", "ConvNeXt-L", 192),
    STAGED("swin_t", "Swin-T", MODEL_SWIN, 768, 12, 24, 3072, 56 * 56, 1e-5f, .window = 7, .stages = SWIN_T_STAGES),
    ENCODER("whisper_tiny", "Whisper tiny", MODEL_WHISPER, 384, 4, 6, 384, 1500, 1e-5f, 0.5f, ),
    STAGED("mobilevit_s", "MobileViT-S", MODEL_MOBILEVIT, 240, 9, 4, 480, 32 * 32, 1e-5f, .stages = MOBILEVIT_S_STAGES),
    ENCODER("conformer_s", "Conformer-S", MODEL_CONFORMER, 144, 16, 4, 144 * 20, 250, 1e-5f, 0.5f, ),
    PAIRFORMER("pairformer", "Pairformer", 128, 48, 4, 64, 256),
    HYENA("hyena_dna", "HyenaDNA", 256, 4),
    HYENA("hyena_dna_tiny", "HyenaDNA tiny", 128, 2),
    CADUCEUS("caduceus", "Caduceus", 256, 8),
};

const model_shape *model_at(size_t index) { return index < sizeof models / sizeof *models ? &models[index] : NULL; }

const model_shape *model_find(const char *name) {
    const model_shape *m;
    for (size_t i = 0; (m = model_at(i)) != NULL; i++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

const char *model_kind_name(model_kind kind) {
    static const char *const names[MODEL_KINDS] = {"llama",     "vit",        "dit",   "wav2vec", "gpt2",
                                                   "esm",       "convnext",   "swin",  "whisper", "mobilevit",
                                                   "conformer", "pairformer", "hyena", "caduceus"};
    return names[kind];
}

size_t model_stages(const model_shape *m) {
    size_t count = 0;
    while (count < MODEL_STAGES && m->stages[count].side > 0)
        count++;
    return count;
}

model_stage model_stage_at(const model_shape *m, size_t stage) {
    if (model_stages(m) == 0)
        return (model_stage){0, m->dim, m->depth, m->heads, m->head_dim, m->ffn};
    const size_t width = m->stages[stage].width, heads = m->stages[stage].heads;
    return (model_stage){.side = m->stages[stage].side,
                         .width = width,
                         .blocks = m->stages[stage].blocks,
                         .heads = heads,
                         .head_dim = heads > 0 ? width / heads : 0,
                         .ffn = width * m->ffn / m->dim};
}

bool model_has_branch(const model_shape *m) {
    return model_stages(m) == 0 && !m->post_norm && m->kind != MODEL_CONFORMER && m->kind != MODEL_PAIRFORMER;
}

size_t model_rows(const model_shape *m, size_t stage, size_t tokens) {
    if (model_stages(m) > 0)
        return m->stages[stage].side * m->stages[stage].side;
    if (m->kind == MODEL_CADUCEUS)
        return MODEL_STRANDS * tokens;
    return m->kind == MODEL_PAIRFORMER ? tokens * tokens : tokens;
}

size_t model_step_rank(const model_shape *m) { return (m->dim + 15) / 16; }

size_t model_layer_norms(const model_shape *m) {
    if (m->kind == MODEL_CONVNEXT || m->kind == MODEL_CADUCEUS)
        return 1;
    if (m->kind == MODEL_CONFORMER)
        return 5;
    if (m->kind == MODEL_PAIRFORMER)
        return 8;
    return m->qk_norm ? 4 : 2;
}

// Beside the layers: the final norm; wav2vec also norms the features; ESM-2 has one in its head; ConvNeXt and Swin have
// stem, three downsamplings and head; MobileViT has one behind the layers of each stage; Conformer's layers end in one,
// Pairformer's have theirs.
size_t model_norms(const model_shape *m) {
    static const size_t ends[MODEL_KINDS] = {
        [MODEL_LLAMA] = 1, [MODEL_VIT] = 1,     [MODEL_DIT] = 1,   [MODEL_WAV2VEC] = 2, [MODEL_GPT2] = 1,
        [MODEL_ESM] = 2,   [MODEL_WHISPER] = 1, [MODEL_HYENA] = 1, [MODEL_CADUCEUS] = 1};
    const size_t stages = model_stages(m), staged = m->kind == MODEL_MOBILEVIT ? stages : stages + 1;
    return m->depth * model_layer_norms(m) + (stages > 0 ? staged : ends[m->kind]);
}

size_t model_layer_weights(const model_shape *m, size_t stage) {
    const model_stage s = model_stage_at(m, stage);
    const size_t dim = s.width;
    const size_t kv_heads = model_stages(m) > 0 ? s.heads : m->kv_heads;
    const size_t attention = 2 * dim * (s.heads + kv_heads) * s.head_dim;
    if (m->kind == MODEL_CONFORMER) // two feed-forwards, and products to twice the channels and back
        return attention + 4 * dim * s.ffn + 3 * dim * dim;
    if (m->kind == MODEL_PAIRFORMER) // two sums over triangles, two gated attentions with a bias, SwiGLU, one more bias
        return 2 * 6 * dim * dim + 2 * (5 * dim + m->heads) * dim + 3 * dim * s.ffn + MODEL_PAIR_HEADS * dim;
    if (m->kind == MODEL_HYENA) // three products and one back; those that make the filter are no token's
        return 4 * dim * dim + 2 * dim * s.ffn;
    if (m->kind == MODEL_CADUCEUS) { // there and back, of which the first and the last have the same weights
        const size_t rank = model_step_rank(m);
        return 2 * (3 * dim * s.ffn + (rank + 2 * MODEL_SCAN_STATES) * s.ffn + rank * s.ffn);
    }
    return attention + (m->kind == MODEL_LLAMA ? 3 : 2) * dim * s.ffn; // convnext has no heads
}
