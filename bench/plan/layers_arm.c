// SPDX-License-Identifier: MIT
// layers_arm.c: one arm of a layer: its order among others, the columns that name it, and its name in words.
#include <stdio.h>
#include <string.h>

#include "base/order.h"
#include "base/parse.h"
#include "layers_plan.h"

bool layers_has_stages(const model_shape *m) { return model_stages(m) > 0; }

static int model_order(const model_shape *a, const model_shape *b) { return (a > b) - (a < b); }

static int compare_keys(const layers_key *a, const layers_key *b) {
    return ORDER_BY(model_order(a->model, b->model), order_size(a->stage, b->stage), order_size(a->part, b->part),
                    order_size(a->phase, b->phase), order_size(a->dtype, b->dtype), order_size(a->batch, b->batch),
                    order_size(a->tokens, b->tokens), order_size(a->context, b->context),
                    order_size(a->depth, b->depth), order_size(a->threads, b->threads), order_size(a->place, b->place));
}

int layers_arm_compare(const void *left, const void *right) {
    const layers_arm *const a = left, *const b = right;
    return ORDER_BY(compare_keys(&a->key, &b->key), order_size(a->slot.form, b->slot.form),
                    strcmp(a->slot.level, b->slot.level), order_size(a->slot.op, b->slot.op),
                    strcmp(a->slot.variant, b->slot.variant), order_size(a->slot.repeats, b->slot.repeats));
}

bool layers_arm_equal(const layers_arm *a, const layers_arm *b) { return layers_arm_compare(a, b) == 0; }

bool layers_key_equal(const layers_key *a, const layers_key *b) { return compare_keys(a, b) == 0; }

size_t layers_width(const layers_key *k) { return model_stage_at(k->model, k->stage).width; }
size_t layers_rows(const layers_key *k) { return k->batch * model_rows(k->model, k->stage, k->tokens); }

static const char *part_word(size_t index) { return selector_name(SELECT_PART, index); }
static const char *phase_word(size_t index) { return selector_name(SELECT_PHASE, index); }
static const column_type column_model_part = {.word = part_word}, column_phase = {.word = phase_word};
COLUMN_WORDS(passes, "forward", "both")

static bool is_scaled(const layers_key *k) {
    return k->phase != PHASE_DECODE && !layers_has_stages(k->model) && k->tokens < k->model->tokens;
}

#define ROW layers_arm
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, op, name, NULL, value_text(norm_op_name(r->slot.op)),                                                  \
      "The norm in the slot, as `normbench list ops` spells it; identity: no norm at all, as in the paper's third "    \
      "arm.")                                                                                                          \
    X(REQUIRED, variant, name, NULL, value_text(r->slot.variant), CELL_VARIANT)                                        \
    X(REQUIRED, pass, passes, NULL, value_text(passes_word(r->key.phase == PHASE_TRAIN)),                              \
      "forward; both in training: forward and backward.")                                                              \
    X(REQUIRED, form, form, NULL, value_text(norm_form_name(r->slot.form)),                                            \
      CELL_FORMS " add_fused: the residual add and the norm in one sweep.")                                            \
    X(REQUIRED, level, name, NULL, value_text(r->slot.level), "The SIMD level the code was compiled for.")             \
    X(REQUIRED, dtype, dtype, NULL, value_text(norm_dtype_name(r->key.dtype)),                                         \
      "Storage type of weights and activations.")                                                                      \
    X(REQUIRED, rows, ordinal, "{row}", value_size(layers_rows(&r->key)),                                              \
      "Rows of the residual stream: sequences times tokens.")                                                          \
    X(REQUIRED, cols, ordinal, "{column}", value_size(layers_width(&r->key)),                                          \
      "Columns of the residual stream: hidden size, or channels.")                                                     \
    X(REQUIRED, threads, ordinal, "{thread}", value_size(r->key.threads), CELL_THREADS)                                \
    X(REQUIRED, placement, placement, NULL, value_text(placement_name(r->key.place)), CELL_PLACEMENT)                  \
    X(OPTIONAL, cache, cache, NULL, value_empty(), "Empty: what the caches hold is the layer's own doing.")            \
    X(REQUIRED, model, name, NULL, value_text(r->key.model->name), "The model, as normbench list models spells it.")   \
    X(REQUIRED, phase, phase, NULL, value_text(model_phase_name(r->key.phase)),                                        \
      "prefill; decode: one token against a cache of context tokens; train: forward and backward of everything, "      \
      "gradients accumulated, no optimizer step.")                                                                     \
    X(REQUIRED, batch, ordinal, "{sequence}", value_size(r->key.batch), "Sequences, or images.")                       \
    X(REQUIRED, tokens, ordinal, "{token}", value_size(r->key.tokens),                                                 \
      "Tokens of each sequence; positions of an image.")                                                               \
    X(OPTIONAL, context, count, "{token}", value_if(r->key.phase == PHASE_DECODE, value_size(r->key.context)),         \
      "decode: tokens already in the cache of each sequence; else empty or 0.")                                        \
    X(REQUIRED, part, model_part, NULL, value_text(part_name(r->key.part)),                                            \
      "layer; ends: what a model has but its layers, that is embedding, final norm, head, and in training the loss; "  \
      "model: ends and depth layers.")                                                                                 \
    X(OPTIONAL, depth, count, "{layer}", value_size(r->key.depth),                                                     \
      "Layers of distinct weights that were run one after another. Times are of all of them; in steps.csv each has "   \
      "its own steps.")                                                                                                \
    X(OPTIONAL, stage, count, NULL,                                                                                    \
      value_if(layers_has_stages(r->key.model) && r->key.part == PART_LAYER, value_size(r->key.stage + 1)),            \
      "Models with stages: which of them the layer is of, from 1; else empty.")                                        \
    X(OPTIONAL, scaled, flag, NULL, value_size(is_scaled(&r->key)),                                                    \
      "1 if it was run with fewer tokens than published for the model, else 0.")                                       \
    X(REQUIRED, repeats, count, "{call}", value_size(r->slot.repeats),                                                 \
      "Norm calls per site: 1; 0, 2 and 4 in a dose-response check.")
COLUMN_LIST(layers_arm_columns, COLUMNS)

const norm_impl *layers_arm_impl(const layers_arm *a) { return layer_slot_impl(&a->slot, a->slot.form, a->key.dtype); }

// The text of a row's column; NULL if there is no such column.
static const char *field(const csv_table *t, size_t row, const char *name) {
    const int column = csv_column(t, name);
    return column < 0 ? NULL : t->rows[row][column];
}

static bool field_name(const csv_table *t, size_t row, const char *name, selector which, size_t *index) {
    const char *const text = field(t, row, name);
    return text != NULL && selector_index(which, text, index);
}

// An empty field is 0.
static bool field_size(const csv_table *t, size_t row, const char *name, size_t *value) {
    const char *const text = field(t, row, name);
    *value = 0;
    return text != NULL && (text[0] == '\0' || parse_size(text, value));
}

bool layers_arm_read(const csv_table *t, size_t row, layers_arm *a) {
    size_t op, form, dtype, place, phase, part, repeats;
    const char *const model = field(t, row, "model"), *const variant = field(t, row, "variant"),
                      *const level = field(t, row, "level");
    layers_key k = {.model = model == NULL ? NULL : model_find(model)};
    *a = (layers_arm){0};
    if (k.model == NULL || variant == NULL || level == NULL || !field_name(t, row, "op", SELECT_OP, &op) ||
        !field_name(t, row, "form", SELECT_FORM, &form) || !field_name(t, row, "dtype", SELECT_DTYPE, &dtype) ||
        !field_name(t, row, "placement", SELECT_PLACEMENT, &place) ||
        !field_name(t, row, "phase", SELECT_PHASE, &phase) || !field_name(t, row, "part", SELECT_PART, &part) ||
        !field_size(t, row, "threads", &k.threads) || !field_size(t, row, "batch", &k.batch) ||
        !field_size(t, row, "tokens", &k.tokens) || !field_size(t, row, "context", &k.context) ||
        !field_size(t, row, "depth", &k.depth) || !field_size(t, row, "stage", &k.stage) ||
        !field_size(t, row, "repeats", &repeats))
        return false;
    // What nobody can ask for (cmd_layers.c) is damage.
    enum { MOST = 1 << 24 };
    if (k.threads < 1 || k.threads > CELL_MOST_THREADS || k.batch < 1 || k.batch > MOST || k.tokens < 1 ||
        k.tokens > MOST || k.context > MOST || k.depth > MOST || (k.depth == 0 && part != PART_ENDS) ||
        k.stage > MODEL_STAGES || repeats > 16)
        return false;
    k.stage -= k.stage > 0; // in words and files the first stage is 1
    k.part = (model_part)part;
    k.phase = (model_phase)phase;
    k.dtype = (norm_dtype)dtype;
    k.place = (placement)place;
    a->key = k;
    if (!layer_slot(k.model, (norm_op)op, variant, (norm_form)form, level, k.dtype, &a->slot))
        return false;
    a->slot.repeats = (unsigned)repeats;
    return true;
}

void layers_key_describe(const layers_key *k, char *text, size_t size) {
    char stage[24] = "", where[48] = "";
    if (layers_has_stages(k->model) && k->part == PART_LAYER)
        snprintf(stage, sizeof stage, " stage %zu", k->stage + 1);
    if (k->phase == PHASE_DECODE)
        snprintf(where, sizeof where, " after %zu", k->context);
    snprintf(text, size, "%s%s%s%s %s %s, %zu x %zu token%s%s, %zu thread%s", k->model->name, stage,
             k->part == PART_LAYER ? "" : " ", k->part == PART_LAYER ? "" : part_name(k->part),
             model_phase_name(k->phase), norm_dtype_name(k->dtype), k->batch, k->tokens, k->tokens == 1 ? "" : "s",
             where, k->threads, k->threads == 1 ? "" : "s");
}
