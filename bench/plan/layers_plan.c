// SPDX-License-Identifier: MIT
// layers_plan.c: see layers_plan.h. Owns the presets of layers.
#include "layers_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins.h"

// ---- Sweeps

// The tokens of one sequence where none are asked for: enough that products and norms are what they are in a long
// prompt, few enough for a round of a 70B layer to take seconds. Shorter models have their own number.
enum { DEFAULT_TOKENS = 512, PRESET_TOKENS = 128, MAP_TOKENS = 256, DEFAULT_CONTEXT = 512, MANY = 24 };

// Ops that are no list of bits: every op, and the model's own norm alone, without identity.
enum { NATIVE = 1u << NORM_OPS, ALL = NATIVE - 1 };

// What is usual need not be said: single layers in inference, fused, in f32, of every op of the question.
typedef struct {
    unsigned presets;         // bit per preset
    const char *models[MANY]; // none: all
    size_t batch;             // sequences, or images
    size_t tokens;            // of a sequence; 0: as the preset has it
    unsigned parts, phases, dtypes, forms;
    unsigned ops; // NATIVE, ALL or a bit per op
} layers_sweep;

enum {
    Q = 1u << PRESET_QUICK,
    D = 1u << PRESET_DEFAULT,
    F = 1u << PRESET_FULL,
    M = 1u << PRESET_MAP,
    LAYER = 1u << PART_LAYER,
    PREFILL = 1u << PHASE_PREFILL,
    DECODE = 1u << PHASE_DECODE,
    TRAIN = 1u << PHASE_TRAIN,
    F32 = 1u << NORM_F32,
    BF16 = 1u << NORM_BF16,
    FUSED = 1u << NORM_FUSED,
    EAGER = 1u << NORM_EAGER,
    ADD_FUSED = 1u << NORM_ADD_FUSED,
    FRAMEWORK = 1u << NORM_FRAMEWORK,
    QUESTION = SELECT_QUESTION,
    CHANGE = 1u << NORM_DYT
};

#define LANGUAGE_MODELS                                                                                                \
    "llama_13b", "llama_34b", "llama_70b", "llama3_8b", "llama3_70b", "qwen3_0.6b", "qwen3_8b", "mistral_7b", "gpt2"

#define MAP_MODELS                                                                                                     \
    "llama_7b", "qwen3_0.6b", "vit_s16", "vit_b16", "dit_xl2", "wav2vec_base", "gpt2", "esm2_35m", "esm2_650m",        \
        "convnext_b", "swin_t", "whisper_tiny", "mobilevit_s", "conformer_s", "pairformer", "hyena_dna", "caduceus"

static unsigned usually(unsigned said, unsigned usual) { return said != 0 ? said : usual; }

static const layers_sweep sweeps[] = {
    // Figures `layer_steps` and `layer_delta`: every model in inference.
    {Q, .models = {"gpt2", "vit_s16", "dit_b4", "qwen3_0.6b"}, .batch = 1},
    {D | F, .models = {"llama_7b"}, .batch = 1, .forms = FUSED | EAGER | ADD_FUSED},
    {D | F, .models = {LANGUAGE_MODELS, "wav2vec_base", "wav2vec_large"}, .batch = 1},
    {D | F, .models = {"vit_b16"}, .batch = 8, .forms = FUSED | EAGER | ADD_FUSED | FRAMEWORK},
    {D | F, .models = {"vit_s16", "vit_l16", "dit_b4", "dit_l4", "dit_xl2", "convnext_b", "convnext_l"}, .batch = 8},
    // Figure `layer_share`: the other phases, where they differ most.
    {Q | D | F, .models = {"gpt2", "qwen3_0.6b"}, .batch = 1, .phases = DECODE},
    {D | F, .models = {"llama_7b", "llama3_8b"}, .batch = 1, .phases = DECODE},
    {D | F, .models = {"qwen3_0.6b", "gpt2"}, .batch = 1, .phases = TRAIN},
    {D | F, .models = {"vit_b16", "convnext_b"}, .batch = 2, .phases = TRAIN},
    // The paper timed bf16.
    {D | F, .models = {"llama_7b"}, .batch = 1, .dtypes = BF16, .forms = FUSED | EAGER | FRAMEWORK},
    // The share that the paper's claim rests on, closely. Not at PRESET_TOKENS: 128 rows of 4096 in f32 are, of each of
    // two threads, 1 MiB, and so is L2 of a Zen 4 and 5; a norm took 65 us in half of the launches there, 85 in others.
    {D | F, .models = {"llama_7b"}, .batch = 1, .tokens = DEFAULT_TOKENS, .dtypes = F32 | BF16, .ops = NATIVE},
    {F, {NULL}, 1, 0, LAYER, PREFILL | TRAIN, F32 | BF16, FUSED | EAGER | ADD_FUSED | FRAMEWORK, ALL},
    {F, {NULL}, 1, 0, LAYER, DECODE, F32 | BF16, FUSED, ALL},
    // Figure `law`: of each kind of model what spans its operations per normed element, with and without its norms and
    // with DyT for them, in all phases and dtypes.
    {M, {MAP_MODELS}, 1, MAP_TOKENS, LAYER, PREFILL | DECODE | TRAIN, F32 | BF16, FUSED, CHANGE},
};

// At most: what takes longest gets fewer, six at least (budget_allot), and seventeen where there is no preset, the
// fewest whose 95 % interval leaves out four launches at either end, as many as a neighbour spoils: of eight launches
// of LLaMA 7B at 512 tokens the norm's shares of two were 1.12 and 1.27 times the median, of six that of one 1.7 times,
// and an interval over six to eight launches is their range; the middle half of the eight lay within 4 %. (A share is a
// ratio within each sample already, so that pace cancels; what is left is of the norm's own memory traffic, launch by
// launch.)
const size_t layers_launches[PRESETS + 1] = {
    [PRESET_QUICK] = 9, [PRESET_DEFAULT] = 40, [PRESET_FULL] = 40, [PRESET_MAP] = 17, [PRESETS] = 17};
const double layers_budgets[PRESETS + 1] = {
    [PRESET_QUICK] = 50, [PRESET_DEFAULT] = 1080, [PRESET_FULL] = 7200, [PRESET_MAP] = 2400};

// ---- Making a plan

typedef struct {
    layers_plan *plan;
    const selection *selected;
    const layers_sizes *sizes;
} maker;

static bool add(maker *m, const layers_key *key, const norm_slot *slot) {
    const layers_arm arm = {*key, *slot};
    return schedule_add(&m->plan->schedule, &arm);
}

// One op in the slots of a layer: in every number of calls per site that was asked for. What the op does not have in
// this form, level and dtype, or the CPU cannot run, is left out.
static bool add_op(maker *m, const layers_key *key, norm_op op, const char *variant, norm_form form,
                   const char *level) {
    const layers_sizes *const sizes = m->sizes;
    norm_slot slot;
    // identity is no norm at all, whatever the form of the others.
    if (op == NORM_IDENTITY)
        form = NORM_FUSED;
    if (!layer_slot(key->model, op, variant, form, level, key->dtype, &slot))
        return true;
    const layers_arm arm = {*key, slot};
    if (key->phase == PHASE_TRAIN && layers_arm_impl(&arm)->pass[NORM_BACKWARD].count == 0)
        return true;
    slot.repeats = 1;
    const bool once = form == NORM_ADD_FUSED || (form == NORM_FRAMEWORK && key->phase == PHASE_TRAIN);
    if (op == NORM_IDENTITY || once || sizes->repeat_count == 0)
        return add(m, key, &slot);
    for (size_t i = 0; i < sizes->repeat_count; i++) {
        slot.repeats = sizes->repeats[i];
        if (!add(m, key, &slot))
            return false;
    }
    return true;
}

// Every level that the selection names: "best" where it names none, and that of a variant of other libraries, which is
// never the best.
static bool add_levels(maker *m, const layers_key *key, norm_op op, const char *variant, norm_form form) {
    const selection *const s = m->selected;
    if ((!s->given[SELECT_LEVEL] || s->best_level) && !add_op(m, key, op, variant, form, "best"))
        return false;
    for (norm_level level = 0; level < NORM_ALL_LEVELS; level++)
        if ((s->given[SELECT_LEVEL] ? s->level[level] : level == NORM_LEVEL_LIBRARY && variant != NULL) &&
            norm_level_missing(level) == NULL && !add_op(m, key, op, variant, form, norm_level_name(level)))
            return false;
    return true;
}

// What plug-ins have of an op.
static bool add_plugins(maker *m, const layers_key *key, norm_op op, norm_form form) {
    const kernel_library *l;
    const norm_impl *impl;
    for (size_t i = 0; (l = plugins_at(i)) != NULL; i++)
        for (size_t k = 0; (impl = kernel_library_at(l, k)) != NULL; k++)
            if (impl->op == op && impl->form == form && impl->dtype == key->dtype &&
                !add_levels(m, key, op, impl->variant, form))
                return false;
    return true;
}

static bool add_arms(maker *m, const layers_key *key, unsigned forms, unsigned ops) {
    const selection *const s = m->selected;
    for (norm_form form = 0; form < NORM_FORMS; form++) {
        if (s->given[SELECT_FORM] ? !s->form[form] : !(forms >> form & 1))
            continue;
        for (norm_op op = 0; op < NORM_OPS; op++) {
            const bool partner = op == key->model->native || (op == NORM_IDENTITY && ops != NATIVE);
            const bool chosen = ops != NATIVE && (s->given[SELECT_OP] ? s->op[op] : ops >> op & 1);
            if (!partner && !chosen)
                continue;
            for (size_t i = 0; chosen && s->given[SELECT_VARIANT] && i < s->variant_count; i++)
                if (!add_levels(m, key, op, s->variants[i], form))
                    return false;
            if ((partner || !s->given[SELECT_VARIANT]) && !add_levels(m, key, op, NULL, form))
                return false;
            if (chosen && !s->given[SELECT_VARIANT] && !add_plugins(m, key, op, form))
                return false;
        }
    }
    return true;
}

static layers_key key_of(const model_shape *model, const layers_sizes *sizes, model_part part, model_phase phase,
                         norm_dtype dtype, size_t batch, size_t most_tokens) {
    layers_key key = {.model = model, .part = part, .phase = phase, .dtype = dtype};
    key.batch = sizes->batch > 0 ? sizes->batch : batch;
    key.tokens = sizes->tokens > 0 ? sizes->tokens : model->tokens < most_tokens ? model->tokens : most_tokens;
    // Only language models have sequences of any length.
    if (sizes->tokens == 0 && model->kind != MODEL_LLAMA)
        key.tokens = model->tokens;
    key.context = 0;
    if (phase == PHASE_DECODE) {
        key.tokens = 1;
        key.context = sizes->context > 0 ? sizes->context : DEFAULT_CONTEXT;
    }
    key.depth = part == PART_ENDS ? 0 : 1;
    return key;
}

static bool add_key(maker *m, layers_key key, unsigned forms, unsigned ops) {
    const bool stages = layers_has_stages(key.model) && key.part == PART_LAYER;
    for (size_t stage = 0; stage < (stages ? model_stages(key.model) : 1); stage++) {
        if (stages && m->sizes->stage > 0 && stage + 1 != m->sizes->stage)
            continue;
        key.stage = stage;
        if (stages)
            key.tokens = model_rows(key.model, stage, 0);
        if (!add_arms(m, &key, forms, ops))
            return false;
    }
    return true;
}

static bool can_decode(const model_shape *m) { return m->kind == MODEL_LLAMA || m->kind == MODEL_GPT2; }

// Every depth that was asked for, of parts that have one.
static bool add_depths(maker *m, layers_key key, unsigned forms, unsigned ops) {
    const layers_sizes *const sizes = m->sizes;
    if (key.part == PART_ENDS || sizes->depth_count == 0)
        return add_key(m, key, forms, ops);
    for (size_t i = 0; i < sizes->depth_count; i++) {
        key.depth = sizes->depths[i];
        if (!add_key(m, key, forms, ops))
            return false;
    }
    return true;
}

// The teams and placements of a selection, or one thread per core.
static bool add_teams(maker *m, layers_key key, unsigned forms, unsigned ops, const topology *t) {
    const selection *const s = m->selected;
    const size_t cores = topology_cores(t);
    const placement usual = PLACEMENT_CORES;
    const size_t *const threads = s->thread_count > 0 ? s->threads : &cores;
    const placement *const places = s->placement_count > 0 ? s->placements : &usual;
    for (size_t i = 0; i < (s->thread_count > 0 ? s->thread_count : 1); i++)
        for (size_t k = 0; k < (s->placement_count > 0 ? s->placement_count : 1); k++) {
            key.threads = threads[i];
            key.place = places[k];
            if (!add_depths(m, key, forms, ops))
                return false;
        }
    return true;
}

// The layers of one row of the sweeps, or of a cross product, that the selection does not rule out.
static bool add_sweep(maker *m, const layers_sweep *w, size_t most_tokens, const topology *t) {
    const selection *const s = m->selected;
    const unsigned parts = usually(w->parts, LAYER), phases = usually(w->phases, PREFILL);
    const unsigned dtypes = usually(w->dtypes, F32), forms = usually(w->forms, FUSED);
    const model_shape *model;
    for (size_t i = 0; (model = model_at(i)) != NULL; i++) {
        size_t listed = 0;
        while (listed < MANY && w->models[listed] != NULL && strcmp(w->models[listed], model->name) != 0)
            listed++;
        if ((w->models[0] != NULL && (listed == MANY || w->models[listed] == NULL)) ||
            (s->given[SELECT_MODEL] && !s->model[i]))
            continue;
        if (!s->given[SELECT_MODEL] && layer_missing(model) != NULL) {
            m->plan->left_out = model;
            continue;
        }
        for (model_part part = 0; part < PARTS; part++)
            for (model_phase phase = 0; phase < PHASES; phase++)
                for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++) {
                    if (!(parts >> part & 1) || !(phases >> phase & 1) || !(dtypes >> dtype & 1) ||
                        (s->given[SELECT_PART] && !s->part[part]) || (s->given[SELECT_PHASE] && !s->phase[phase]) ||
                        (s->given[SELECT_DTYPE] && !s->dtype[dtype]) || (phase == PHASE_DECODE && !can_decode(model)))
                        continue;
                    const size_t tokens = w->tokens > 0 ? w->tokens : most_tokens;
                    if (!add_teams(m, key_of(model, m->sizes, part, phase, dtype, w->batch, tokens), forms,
                                   usually(w->ops, QUESTION), t))
                        return false;
                }
    }
    return true;
}

// Without a preset: every combination of what was selected, with one value for what was not.
static layers_sweep product_of(const selection *s) {
    const unsigned every = ~0u;
    return (layers_sweep){.batch = 1,
                          .parts = s->given[SELECT_PART] ? every : LAYER,
                          .phases = s->given[SELECT_PHASE] ? every : PREFILL,
                          .dtypes = s->given[SELECT_DTYPE] ? every : F32};
}

bool layers_plan_make(layers_plan *p, preset which, const selection *s, const layers_sizes *sizes, const topology *t) {
    maker m = {p, s, sizes};
    bool ok = true;
    *p = (layers_plan){.schedule.kind = &layers_plan_kind};
    if (which == PRESETS) {
        const layers_sweep product = product_of(s);
        ok = add_sweep(&m, &product, DEFAULT_TOKENS, t);
    } else {
        for (size_t i = 0; ok && i < sizeof sweeps / sizeof *sweeps; i++)
            if (sweeps[i].presets >> which & 1)
                ok = add_sweep(&m, &sweeps[i], PRESET_TOKENS, t);
    }
    ok = ok && schedule_arrange(&p->schedule);
    if (!ok)
        layers_plan_free(p);
    return ok;
}

void layers_plan_free(layers_plan *p) { schedule_free(&p->schedule); }

static layer_config config_of(const layers_key *k, const norm_slot *arms, size_t count, uint64_t seed) {
    return (layer_config){.shape = k->model,
                          .part = k->part,
                          .phase = k->phase,
                          .dtype = k->dtype,
                          .depth = k->depth,
                          .batch = k->batch,
                          .tokens = k->tokens,
                          .context = k->context,
                          .stage = k->stage,
                          .threads = (int)k->threads,
                          .packed_only = true,
                          .seed = seed,
                          .arms = arms,
                          .arm_count = count};
}

layer_config layers_plan_config(const layers_plan *p, size_t group, norm_slot *arms, uint64_t seed) {
    size_t begin, end;
    schedule_group(&p->schedule, group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        arms[i - begin] = layers_arm_at(p, i)->slot;
    return config_of(&layers_arm_at(p, begin)->key, arms, end - begin, seed);
}

bool layers_key_work(const layers_key *k, layer_work *work) {
    // Whatever stands in the slots, the model's own norm is what is counted.
    norm_slot own;
    char error[LAYER_ERROR_SIZE];
    if (!layer_slot(k->model, k->model->native, NULL, NORM_FUSED, norm_level_name(NORM_LEVEL_SCALAR), k->dtype, &own))
        return false;
    own.repeats = 1;
    const layer_config config = config_of(k, &own, 1, 0);
    return layer_count(&config, work, error) && work->flops > 0 && work->normed > 0;
}

double layers_norm_cost(double norm_ns, double normed, double gflops) {
    return norm_ns > 0 && gflops > 0 ? norm_ns / normed * gflops : (double)NAN;
}

double layers_share_pct(double intensity, double cost) { return 100 / (1 + intensity / cost); }

size_t layers_plan_partner(const layers_plan *p, size_t arm, norm_op op) {
    const layers_arm *const a = layers_arm_at(p, arm);
    norm_slot slot;
    size_t begin, end;
    // Another library's stands with those of the best level.
    const char *const level = strcmp(a->slot.level, norm_level_name(NORM_LEVEL_LIBRARY)) == 0 ? "best" : a->slot.level;
    if (!layer_slot(a->key.model, op, NULL, op == NORM_IDENTITY ? NORM_FUSED : a->slot.form, level, a->key.dtype,
                    &slot))
        return SIZE_MAX;
    schedule_group(&p->schedule, p->schedule.items[arm].group, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const norm_slot *const other = &layers_arm_at(p, i)->slot;
        if (other->op == op && other->repeats == 1 && strcmp(other->variant, slot.variant) == 0 &&
            (op == NORM_IDENTITY || (other->form == slot.form && strcmp(other->level, slot.level) == 0)))
            return i;
    }
    return SIZE_MAX;
}
