// SPDX-License-Identifier: MIT
// `normbench dump`: one run of one layer, everything that went in and came out as files with a manifest, so that
// anyone can hold it against their own framework.
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json_file.h"
#include "base/parse.h"
#include "commands.h"
#include "layer.h"
#include "machine/memory.h"
#include "measure/run.h"
#include "plan/cli.h"
#include "report/exporters.h"

enum { TEXT_SIZE = 1024 };
enum {
    MODEL,
    OP,
    PHASE,
    FORM,
    DTYPE,
    FORMAT,
    NAMED,
    TOKENS = NAMED,
    BATCH,
    CONTEXT,
    STAGE,
    SEED,
    OUT,
    VARIANT,
    OPTIONS
};
#define EXPORTER_ROW(name, help) " " #name
#define FORMATS "one of" EXPORTER_LIST(EXPORTER_ROW)
static const cli_option options[OPTIONS] = {
    [MODEL] = {"model", "NAME", "whose layer (normbench list models)"},
    [OP] = {"op", "NAME", "what stands in its norm slots (normbench list ops)"},
    [PHASE] = {"phase", "NAME", "prefill, decode, or train: forward and backward"},
    [FORM] = {"form", "NAME", "of the norms (normbench list forms); fused unless given"},
    [DTYPE] = {"dtype", "NAME", "f32 or bf16; f32 unless given"},
    [FORMAT] = {"format", "NAME", "of the files of tensors: " FORMATS "; the first unless given"},
    [TOKENS] = {"tokens", "N", "of each sequence; needed in prefill and train but for models with stages"},
    [BATCH] = {"batch", "N", "sequences or images; 1 unless given"},
    [CONTEXT] = {"context", "N", "decode: tokens already in the cache of each sequence; 16 unless given"},
    [STAGE] = {"stage", "N", "the stage whose layer is run, of models that have several; 1 unless given"},
    [SEED] = {"seed", "N", "of weights, inputs and gradients of outputs; 1 unless given"},
    [OUT] = {"out", "DIR", "the folder to write to; made if need be"},
    [VARIANT] = {"variant", "NAME", "of the norms (normbench list variants); the op's default unless given"},
};
static const cli_command command = {
    .name = "dump",
    .about =
        "Runs one layer once and writes every input, parameter and output, and in training every gradient, as files\n"
        "that frameworks read, with a manifest.json that says what each is. Nothing is timed.",
    .options = options,
    .option_count = OPTIONS,
    .selectors = 1 << SELECT_PLUGIN,
    .needed = 1u << MODEL | 1u << OP | 1u << PHASE | 1u << OUT,
    .examples = {"dump --model vit_s16 --op dyt --phase train --tokens 8 --out vit",
                 "dump --model gpt2 --op layernorm --phase decode --out gpt2"},
};

// ---- The command line

// The index of the option's value among its names. false after a message.
static bool choose(size_t option, const char *value, size_t *index) {
    static const selector lists[FORMAT] = {SELECT_MODEL, SELECT_OP, SELECT_PHASE, SELECT_FORM, SELECT_DTYPE};
    const char *names[SELECT_MAX_NAMES];
    size_t count = option < FORMAT ? selector_names(lists[option], names) : 0;
    char before[32];
    if (option == DTYPE)
        count = MODEL_DTYPES;
    for (; option == FORMAT && exporter_at(count) != NULL; count++)
        names[count] = exporter_at(count)->name;
    snprintf(before, sizeof before, "--%s: ", options[option].name);
    return cli_choose(&command, before, value, options[option].name, names, count, index);
}

static bool count_of(size_t option, const char *value, size_t most, size_t *count) {
    if (!parse_size(value, count) || *count < 1)
        return cli_complain(&command, "--%s: \"%.40s\" is no whole number from 1", options[option].name, value);
    if (*count > most)
        cli_complain(&command, "--%s: %zu is beyond %zu", options[option].name, *count, most);
    return *count <= most;
}

typedef struct {
    layer_config config;
    norm_slot slot;
    const exporter *format;
    const char *folder;
} request;

// What stands in the slots: at the best level, or as another library or a plug-in has it. false after a message.
static bool choose_slot(const char *variant, norm_op op, norm_form form, request *r) {
    const layer_config *const c = &r->config;
    const char *const levels[] = {"best", norm_level_name(NORM_LEVEL_LIBRARY)};
    if (variant == NULL)
        variant = norm_default_variant(op, form, c->dtype);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (layer_slot(c->shape, op, variant, form, levels[i], c->dtype, &r->slot))
            return true;
    return cli_complain(&command, "there is no %s %s, variant %.40s, for %s in %s", norm_form_name(form),
                        norm_op_name(op), variant, c->shape->name, norm_dtype_name(c->dtype));
}

// false after a message.
static bool understand(char *const given[OPTIONS], request *r) {
    size_t chosen[NAMED] = {0}, stage = 1;
    for (size_t i = 0; i < NAMED; i++)
        if (given[i] != NULL && !choose(i, given[i], &chosen[i]))
            return false;
    layer_config *const c = &r->config;
    *c = (layer_config){.shape = model_at(chosen[MODEL]),
                        .part = PART_LAYER,
                        .phase = (model_phase)chosen[PHASE],
                        .dtype = (norm_dtype)chosen[DTYPE],
                        .depth = 1,
                        .batch = 1,
                        .tokens = 1,
                        .threads = 1, // what is summed in which order must not depend on the machine
                        .seed = 1,
                        .arms = &r->slot,
                        .arm_count = 1};
    const size_t stages = model_stages(c->shape);
    const bool staged = stages > 0, decode = c->phase == PHASE_DECODE;
    c->context = decode ? 16 : 0;
    r->folder = given[OUT];
    r->format = exporter_at(chosen[FORMAT]);
    if (given[TOKENS] == NULL && !staged && !decode)
        return cli_complain(&command, "--tokens is needed: %s", options[TOKENS].help);
    if (given[SEED] != NULL && !parse_u64(given[SEED], &c->seed))
        return cli_complain(&command, "--seed: \"%.40s\" is no whole number from 0 to 2^64 - 1", given[SEED]);
    if ((given[TOKENS] != NULL && !count_of(TOKENS, given[TOKENS], SIZE_MAX, &c->tokens)) ||
        (given[BATCH] != NULL && !count_of(BATCH, given[BATCH], SIZE_MAX, &c->batch)) ||
        (given[CONTEXT] != NULL && !count_of(CONTEXT, given[CONTEXT], SIZE_MAX, &c->context)) ||
        (given[STAGE] != NULL && !count_of(STAGE, given[STAGE], staged ? stages : 1, &stage)))
        return false;
    // What would be ignored is refused.
    const char *const refusal = given[STAGE] != NULL && !staged     ? "--stage is for models with stages"
                                : given[CONTEXT] != NULL && !decode ? "--context is for --phase decode"
                                : decode && c->tokens != 1          ? "--tokens: decode has one token per sequence"
                                : staged && given[TOKENS] != NULL   ? "--tokens: those of this model are its --stage's"
                                                                    : NULL;
    if (refusal != NULL)
        return cli_complain(&command, "%s", refusal);
    c->stage = stage - 1;
    return choose_slot(given[VARIANT], (norm_op)chosen[OP], (norm_form)chosen[FORM], r);
}

// ---- Files

static const struct {
    const char *end, *meaning;
} meanings[] = {
    {"input.stream",
     "the residual stream; row b * tokens + t is token t of sequence b (of images: position t of image b)"},
    {"input.branch", "what the branch before adds to the stream: the layer begins with stream + branch"},
    {"input.condition", "the embedding of time step and class, one row per image"},
    {"output.stream", "the residual stream; where there is an output.branch, that is still to be added to it"},
    {"output.branch", "what the layer's last branch adds to the stream"},
    {"cache.k", "keys as attention reads them, row b * (context + 1) + t; the last row of each sequence is the "
                "layer's to write: cache.k.added"},
    {"cache.v", "values as attention reads them, row b * (context + 1) + t; the last row of each sequence is the "
                "layer's to write: cache.v.added"},
    {"cache.k.added", "keys of the new token, one row per sequence: what the layer adds to cache.k"},
    {"cache.v.added", "values of the new token, one row per sequence: what the layer adds to cache.v"},
    {"batchnorm.weight", "the scale of batch norm, whose mean and variance are those of a column"},
    {"batchnorm.bias", "the shift of batch norm"},
    {"norm.weight", "gamma, the scale of the norm"},
    {"norm.bias", "beta, the shift of the norm"},
    {"norm.alpha", "alpha, what x is multiplied by before the squashing function"},
    {"norm.shift", "what derf adds to alpha * x"},
    {"attention.q.weight", "(heads * head_dim, dim): y = x W^T"},
    {"attention.k.weight", "(kv_heads * head_dim, dim): y = x W^T"},
    {"attention.v.weight", "(kv_heads * head_dim, dim): y = x W^T"},
    {"attention.qkv.weight", "(3 * dim, dim): y = x W^T, the rows of q, then k, then v"},
    {"attention.o.weight", "(dim, heads * head_dim): y = x W^T"},
    {"modulation.weight", "(6 * dim, dim), of silu(condition): shift, scale, gate of attention, then of the MLP"},
    {"ffn.gate.weight", "(ffn, dim): y = x W^T, then silu"},
    {"ffn.up.weight", "(ffn, dim): y = x W^T"},
    {"ffn.down.weight", "(dim, ffn): y = x W^T"},
    {"distance.table", "one row for each distance of two positions in a window, one column per head: added to scores"},
    {"output.bias0", "what the single track adds to the scores of its attention, a row for each of its heads"},
    {"values.weight", "(2 * dim, dim): y = x W^T; its halves are the two sides of triangles"},
    {"gates.weight", "(2 * dim, dim): y = x W^T, whose logistic function gates the values"},
    {".z.weight", "(dim, dim): y = x W^T, whose logistic function gates the result"},
    {".o.weight", "(dim, dim): y = x W^T"},
    {"s.q.weight", "(dim, dim): y = x W^T"},
    {"s.k.weight", "(dim, dim): y = x W^T"},
    {"s.v.weight", "(dim, dim): y = x W^T"},
    {"s.g.weight", "(dim, dim): y = x W^T, whose logistic function gates what attention mixes"},
    {"s.bias.weight", "(heads, dim): y = x W^T, added to scores: that of pair (j, k) to key k of query j in every row"},
    {"bias.weight", "(16, dim): y = x W^T, for the single track"},
    {"mix.conv.weight", "(channels, 31): depthwise along the sequence, correlated as frameworks do, padded by 15"},
    {"mix.up.weight", "(2 * dim, dim): y = x W^T; its second half gates the first"},
    {"mix.down.weight", "(dim, dim): y = x W^T"},
    {"ffn1.up.weight", "(ffn, dim): y = x W^T"},
    {"ffn1.down.weight", "(dim, ffn): y = x W^T"},
    {"ffn2.up.weight", "(ffn, dim): y = x W^T"},
    {"ffn2.down.weight", "(dim, ffn): y = x W^T"},
    {"input.positions", "what filters are made of, a row for each position: place, cosines, sines"},
    {"input.window", "how filters fade, a row for each position: times what the network makes"},
    {"filter.frequencies.weight", "times what each of the network's three sines is of"},
    {"filter.1.weight", "(64, 5): y = x W^T"},
    {"filter.2.weight", "(64, 64): y = x W^T"},
    {"filter.3.weight", "(64, 64): y = x W^T"},
    {"filter.out.weight", "(dim, 64): y = x W^T, the filter of each channel before it fades"},
    {"mixer.in.weight",
     "(columns, dim): y = x W^T; of Hyena the last gate, the first, and what is gated, of Caduceus what "
     "is scanned and its gate"},
    {"mixer.out.weight", "(dim, columns): y = x W^T"},
    {"there.conv.weight", "(channels, 4): depthwise along the sequence, the last of them the token's own"},
    {"back.conv.weight", "(channels, 4): depthwise along the sequence from its end, the last of them the token's own"},
    {".x.weight",
     "(rank + 32, channels): y = x W^T, of which steps are made, what goes into states and comes out of them"},
    {".steps.weight", "(channels, rank): y = x W^T, whose softplus with the bias is a step"},
    {"scan.log_rates", "(channels, 16): a state decays by exp(-exp(log_rate) step)"},
    {"scan.skip", "what the token itself counts in the scan besides"},
    {"mixer.conv.weight", "(channels, 3): depthwise along the sequence, the last of them the token's own"},
    {"mixer.long.skip", "what the token itself counts in the long convolution besides"},
    {"conv.weight", "(channels, 7 * 7): depthwise, correlated as frameworks do, padded by 3"},
    {"scale.weight", "layer scale: times the branch, column by column"},
    {".bias", "added to what the weight of the same name gives"},
};

// What a tensor is, by the last part of its name that says so; "" if nobody wrote it down, which a test forbids.
static const char *meaning_of(const char *name) {
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        const size_t end = strlen(meanings[i].end);
        if (length >= end && strcmp(name + length - end, meanings[i].end) == 0)
            return meanings[i].meaning;
    }
    return "";
}

// A parameter that is a vector is kept as one row.
static bool is_vector(const layer_tensor *t) { return t->role == TENSOR_PARAMETER && t->value.rows == 1; }

typedef struct {
    exporter_write *write;
    const matrix *matrix;
    bool vector;
} tensor_order;
static int tensor_file(const void *what, const char *path) {
    const tensor_order *const order = what;
    return order->write(path, order->matrix, order->vector);
}

// false after a message.
static bool replace(const request *r, const char *file, files_writer *write, const void *what) {
    char path[PATH_MAX];
    const bool fits = snprintf(path, sizeof path, "%s/%s", r->folder, file) < (int)sizeof path;
    return cli_wrote(&command, fits ? files_replace(path, write, what) : ENAMETOOLONG, path);
}

// Writes the file and adds it to the manifest. false after a message.
static bool write_tensor(const request *r, json_t *list, const layer_tensor *t, bool gradient) {
    static const char *const roles[] = {
        [TENSOR_INPUT] = "input", [TENSOR_PARAMETER] = "parameter", [TENSOR_OUTPUT] = "output"};
    const matrix *const m = gradient ? &t->gradient : &t->value;
    char file[NAME_MAX];
    snprintf(file, sizeof file, "%s%s.%s", t->name, gradient ? ".gradient" : "", r->format->name);
    const tensor_order order = {r->format->write, m, is_vector(t)};
    if (!replace(r, file, tensor_file, &order))
        return false;
    const char *const meaning = !gradient                  ? meaning_of(t->name)
                                : t->role == TENSOR_OUTPUT ? "where backward begins: drawn, standing for the gradient "
                                                             "of a loss by this output"
                                                           : "of the sum of outputs times their gradients, by this";
    json_t *const sizes = is_vector(t) ? json_pack("[I]", (json_int_t)m->cols)
                                       : json_pack("[II]", (json_int_t)m->rows, (json_int_t)m->cols);
    json_t *const entry = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "name", t->name, "file", file, "kind",
                                    gradient ? "gradient" : "value", "role", roles[t->role], "shape", sizes, "dtype",
                                    norm_dtype_name(m->dtype), "meaning", meaning);
    if (json_array_append_new(list, entry) == 0)
        return true;
    return cli_complain(&command, "out of memory");
}

static bool write_role(const request *r, json_t *list, const layer *l, tensor_role role) {
    for (size_t i = 0; i < layer_tensors(l); i++)
        if (layer_tensor_at(l, i)->role == role && !write_tensor(r, list, layer_tensor_at(l, i), false))
            return false;
    return true;
}

static bool write_gradients(const request *r, json_t *list, const layer *l) {
    for (size_t i = 0; i < layer_tensors(l); i++)
        if (layer_tensor_at(l, i)->gradient.data != NULL && !write_tensor(r, list, layer_tensor_at(l, i), true))
            return false;
    return true;
}

// The manifest, with its list of tensors still empty; NULL: out of memory.
static json_t *describe(const request *r) {
    const layer_config *const c = &r->config;
    const model_shape *const m = c->shape;
    const bool staged = model_stages(m) > 0;
    const model_stage s = model_stage_at(m, c->stage);
    char seed[32];
    snprintf(seed, sizeof seed, "%" PRIu64, c->seed); // as text: JSON's numbers are signed, or not whole
    json_t *const numbers = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:b, s:b}", "dim", (json_int_t)s.width, "ffn",
        (json_int_t)s.ffn, "heads", (json_int_t)s.heads, "kv_heads", (json_int_t)(staged ? s.heads : m->kv_heads),
        "head_dim", (json_int_t)s.head_dim, "side", (json_int_t)s.side, "window", (json_int_t)m->window, "eps",
        (double)m->eps, "alpha", (double)m->alpha, "theta", m->theta, "qk_norm", m->qk_norm, "post_norm", m->post_norm);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:o, s:[]}", "model",
                     m->name, "kind", model_kind_name(m->kind), "op", norm_op_name(r->slot.op), "formula",
                     norm_op_formula(r->slot.op), "variant", r->slot.variant, "form", norm_form_name(r->slot.form),
                     "dtype", norm_dtype_name(c->dtype), "phase", model_phase_name(c->phase), "batch",
                     (json_int_t)c->batch, "tokens", (json_int_t)(staged ? s.side * s.side : c->tokens), "context",
                     (json_int_t)c->context, "stage", (json_int_t)(staged ? c->stage + 1 : 0), "seed", seed, "files",
                     r->format->help, "shape", numbers, "tensors");
}

// false after a message.
static bool write_all(const request *r, layer *l) {
    json_t *const manifest = describe(r), *const list = json_object_get(manifest, "tensors");
    bool done = list != NULL;
    if (!done)
        cli_complain(&command, "out of memory");
    // What went in is written before it can be touched; the manifest comes last, and says by being there that all is.
    done = done && write_role(r, list, l, TENSOR_INPUT) && write_role(r, list, l, TENSOR_PARAMETER);
    if (done && r->config.phase == PHASE_TRAIN)
        layer_zero_gradients(l);
    if (done && !layer_run(l, NULL)) {
        cli_complain(&command, "the layer failed to run");
        done = false;
    }
    done = done && write_role(r, list, l, TENSOR_OUTPUT) && write_gradients(r, list, l);
    done = done && replace(r, "manifest.json", json_file_write, manifest);
    json_decref(manifest);
    return done;
}

int cmd_dump(int argc, char **argv) {
    char *given[OPTIONS] = {NULL}, error[LAYER_ERROR_SIZE], text[TEXT_SIZE];
    request r;
    size_t words;
    const int end = cli_take(&command, argc, argv, given, &words);
    if (end >= 0)
        return end;
    if (!understand(given, &r))
        return EXIT_USAGE;
    if (!memory_fits(layer_bytes(&r.config), text, sizeof text))
        return cli_refuse(&command, "a layer of %s %s", r.config.shape->name, text);
    layer *const l = layer_make(&r.config, error);
    if (l == NULL)
        return cli_refuse(&command, "%s", error);
    int result = EXIT_USAGE, lock = -1, failure = run_make_folders(r.folder);
    if (failure == 0)
        failure = files_lock(r.folder, &lock);
    if (failure != 0)
        cli_complain(&command, "cannot make the folder %.200s: %s", r.folder, files_reason(failure));
    else
        result = write_all(&r, l) ? EXIT_DONE : EXIT_FAILED;
    if (result == EXIT_DONE)
        fprintf(stderr, "wrote %s/manifest.json and the tensors that it names\n", r.folder);
    if (lock >= 0)
        (void)close(lock);
    layer_free(l);
    return result;
}
