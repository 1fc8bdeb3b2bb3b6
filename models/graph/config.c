// SPDX-License-Identifier: MIT
// config.c: which configs make sense, what stands in their norm slots, and the names that go with them.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compile.h"

const char *model_phase_name(model_phase phase) {
    static const char *const names[PHASES] = {"prefill", "decode", "train"};
    return names[phase];
}

const char *step_kind_name(step_kind kind) {
    static const char *const names[STEP_KINDS] = {[STEP_NORM] = "norm",           [STEP_MATMUL] = "matmul",
                                                  [STEP_ATTENTION] = "attention", [STEP_ACTIVATION] = "activation",
                                                  [STEP_RESIDUAL] = "residual",   [STEP_ROPE] = "rope",
                                                  [STEP_CONV] = "conv",           [STEP_FFT] = "fft",
                                                  [STEP_SCAN] = "scan",           [STEP_OTHER] = "other"};
    return names[kind];
}

const model_parts *model_parts_of(model_kind kind) {
    static const model_parts *const parts[MODEL_KINDS] = {[MODEL_LLAMA] = &llama_parts,
                                                          [MODEL_VIT] = &vit_parts,
                                                          [MODEL_DIT] = &dit_parts,
                                                          [MODEL_WAV2VEC] = &wav2vec_parts,
                                                          [MODEL_GPT2] = &gpt2_parts,
                                                          [MODEL_ESM] = &esm_parts,
                                                          [MODEL_CONVNEXT] = &convnext_parts,
                                                          [MODEL_SWIN] = &swin_parts,
                                                          [MODEL_WHISPER] = &whisper_parts,
                                                          [MODEL_MOBILEVIT] = &mobilevit_parts,
                                                          [MODEL_CONFORMER] = &conformer_parts,
                                                          [MODEL_PAIRFORMER] = &pairformer_parts,
                                                          [MODEL_HYENA] = &hyena_parts,
                                                          [MODEL_CADUCEUS] = &caduceus_parts};
    return parts[kind];
}

__attribute__((format(printf, 2, 3))) static bool refuse(char error[LAYER_ERROR_SIZE], const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(error, LAYER_ERROR_SIZE, format, list);
    va_end(list);
    return false;
}

// ---- The slot

// What the norms of a model have of an op's parameters.
static unsigned model_params(const model_shape *m) {
    switch (m->kind) {
    case MODEL_LLAMA:
        return NORM_GAMMA | NORM_ALPHA | NORM_SHIFT;
    case MODEL_DIT:
        return NORM_ALPHA | NORM_SHIFT;
    default:
        return NORM_GAMMA | NORM_BETA | NORM_ALPHA | NORM_SHIFT;
    }
}

// An implementation that a variant names, of whatever form, level and dtype. NULL: none is called so.
static const norm_impl *any_of(norm_op op, const char *variant) {
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (impl->op == op && strcmp(impl->variant, variant) == 0)
            break;
    return impl;
}

// The same algorithm with these parameters. NULL: there is none.
static const norm_impl *with_params(const norm_impl *named, unsigned params, norm_form form, const char *level,
                                    norm_dtype dtype) {
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (impl->op != named->op || impl->form != form || impl->dtype != dtype || impl->params != params ||
            impl->streams != named->streams || strcmp(impl->base, named->base) != 0)
            continue;
        const norm_impl *const found =
            norm_find(norm_op_name(named->op), impl->variant, norm_form_name(form), level, norm_dtype_name(dtype));
        if (found != NULL)
            return found;
    }
    return NULL;
}

#define PARAMETERS(ID, name, parameters, formula) parameters,
static const unsigned op_params[NORM_OPS] = {NORM_OP_LIST(PARAMETERS)};

bool layer_slot(const model_shape *shape, norm_op op, const char *variant, norm_form form, const char *level,
                norm_dtype dtype, norm_slot *slot) {
    *slot = (norm_slot){.op = op, .variant = "std", .form = form, .level = level, .repeats = 1};
    if (op == NORM_IDENTITY) {
        const norm_impl *const copy =
            norm_find(norm_op_name(op), "std", norm_form_name(NORM_FUSED), level, norm_dtype_name(dtype));
        slot->level = copy != NULL ? norm_level_name(copy->level) : norm_level_name(NORM_LEVEL_SCALAR);
        return true;
    }
    const norm_impl *const named = any_of(op, variant != NULL ? variant : norm_default_variant(op, form, dtype));
    if (named != NULL && named->params & NORM_F32_AFFINE) // a layer's parameters are of its dtype
        return false;
    const unsigned wanted = model_params(shape) & op_params[op];
    // A variant may come with its beta alone, as another library's does: there it is allowed.
    const unsigned allowed = wanted & NORM_GAMMA ? wanted | (op_params[op] & NORM_BETA) : wanted;
    const norm_impl *impl = named != NULL ? with_params(named, wanted, form, level, dtype) : NULL;
    if (impl == NULL && named != NULL)
        impl = with_params(named, allowed, form, level, dtype);
    if (impl == NULL)
        return false;
    slot->variant = impl->variant;
    slot->level = norm_level_name(impl->level);
    return true;
}

const norm_impl *layer_slot_impl(const norm_slot *s, norm_form form, norm_dtype dtype) {
    const char *const op = norm_op_name(s->op), *const formed = norm_form_name(form),
                      *const stored = norm_dtype_name(dtype);
    return s->find != NULL ? s->find(s->source, op, s->variant, formed, s->level, stored)
                           : norm_find(op, s->variant, formed, s->level, stored);
}

static const norm_impl *find(const norm_slot *s, norm_form form, norm_dtype dtype, char error[LAYER_ERROR_SIZE]) {
    const norm_impl *const impl = layer_slot_impl(s, form, dtype);
    const char *const missing = impl != NULL ? norm_missing(impl) : NULL;
    if (impl == NULL)
        refuse(error, "there is no %s, variant %s, form %s, level %s, in %s; `normbench list implementations` has all",
               norm_op_name(s->op), s->variant, norm_form_name(form), s->level, norm_dtype_name(dtype));
    else if (missing != NULL)
        refuse(error, "level %s needs %s, which this CPU or its operating system lacks; choose level best",
               norm_level_name(impl->level), missing);
    return missing == NULL ? impl : NULL;
}

bool config_arm(const layer_config *config, size_t index, arm_impls *a, char error[LAYER_ERROR_SIZE]) {
    const norm_slot *const s = &config->arms[index];
    *a = (arm_impls){.repeats = s->repeats};
    if (s->op == NORM_IDENTITY || s->repeats == 0)
        return true;
    if (s->form == NORM_ADD_FUSED && s->repeats > 1)
        return refuse(error, "form add_fused cannot be repeated, for the residual add in it would be too: take form "
                             "fused to repeat norms");
    if (s->form == NORM_FRAMEWORK && s->repeats > 1 && config->phase == PHASE_TRAIN)
        return refuse(error, "form framework cannot be repeated in training, for a backward frees what its forward has "
                             "kept: take form eager to repeat norms");
    // Where no add stands before a norm, the same norm without one.
    a->plain = find(s, s->form == NORM_ADD_FUSED ? NORM_FUSED : s->form, config->dtype, error);
    if (a->plain == NULL)
        return false;
    a->add = s->form == NORM_ADD_FUSED ? find(s, NORM_ADD_FUSED, config->dtype, error) : NULL;
    return s->form != NORM_ADD_FUSED || a->add != NULL;
}

// ---- The rest

bool config_valid(const layer_config *k, char error[LAYER_ERROR_SIZE]) {
    const model_shape *const m = k->shape;
    if (m == NULL || k->part > PART_MODEL || k->phase >= PHASES || k->dtype >= NORM_DTYPES)
        return refuse(error, "a layer needs a model, a part, a phase and a dtype");
    if ((unsigned)k->dtype >= MODEL_DTYPES)
        return refuse(error,
                      "a layer has no products, attention and activations in %s, of which there are kernels alone",
                      norm_dtype_name(k->dtype));
    const size_t stages = model_stages(m);
    const bool image = stages > 0;
    if (k->arm_count == 0 || k->arms == NULL)
        return refuse(error, "a layer needs at least one arm: an implementation for its norm slots");
    if (k->threads < 1)
        return refuse(error, "%d threads: at least one must run", k->threads);
    if (k->batch == 0)
        return refuse(error, "a batch of 0 sequences: at least one is needed");
    if (k->depth == 0 && k->part != PART_ENDS)
        return refuse(error, "0 layers: give a depth of at least 1, or ask for the ends alone");
    if (image && k->part == PART_LAYER && k->stage >= stages)
        return refuse(error, "%s has stages 0 to %zu, not %zu", m->name, stages - 1, k->stage);
    // Bounds far beyond any memory, which keep every size below from overflowing and the notes few.
    enum { MOST_LAYERS = 1024, MOST_ROWS = 1 << 24 };
    const size_t row_count = model_rows(m, 0, k->tokens) + (image ? 0 : k->context);
    if (k->depth > MOST_LAYERS)
        return refuse(error, "%zu layers: %d are the most", k->depth, MOST_LAYERS);
    if (k->tokens > MOST_ROWS || k->context > MOST_ROWS || k->batch > MOST_ROWS || row_count * k->batch > MOST_ROWS)
        return refuse(error, "more than %d tokens in all sequences together: choose fewer or shorter ones", MOST_ROWS);
    if (k->phase == PHASE_DECODE && !model_parts_of(m->kind)->decode) {
        char names[LAYER_ERROR_SIZE / 2] = "";
        const model_shape *other;
        for (size_t i = 0; (other = model_at(i)) != NULL; i++)
            if (model_parts_of(other->kind)->decode)
                snprintf(names + strlen(names), sizeof names - strlen(names), " %s", other->name);
        return refuse(error, "%s does not generate token by token, so it has no phase decode; these have:%s", m->name,
                      names);
    }
    if (k->phase == PHASE_DECODE && k->tokens != 1)
        return refuse(error,
                      "decode takes one new token per sequence, not %zu: set tokens to 1, and context to what "
                      "the cache holds",
                      k->tokens);
    if (!image && k->tokens == 0)
        return refuse(error, "sequences of 0 tokens: %s was published with %zu", m->name, m->tokens);
    if (k->part != PART_LAYER && m->kind == MODEL_VIT && k->tokens < 2)
        return refuse(error, "the ends of %s need its class token and at least one patch: 2 tokens or more", m->name);
    return true;
}
