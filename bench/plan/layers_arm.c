// SPDX-License-Identifier: MIT
// layers_arm.c: one arm of a layer: its order among others, the columns that name it, and its name in words.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "layers_plan.h"

bool layers_has_stages(const model_shape *m) { return m->kind == MODEL_CONVNEXT; }

static int order(size_t a, size_t b) { return (a > b) - (a < b); }

static int model_order(const model_shape *a, const model_shape *b) { return (a > b) - (a < b); }

static int compare_keys(const layers_key *a, const layers_key *b) {
    const int by[] = {
        model_order(a->model, b->model), order(a->stage, b->stage),     order(a->part, b->part),
        order(a->phase, b->phase),       order(a->dtype, b->dtype),     order(a->batch, b->batch),
        order(a->tokens, b->tokens),     order(a->context, b->context), order(a->depth, b->depth),
        order(a->threads, b->threads),   order(a->place, b->place),
    };
    size_t i = 0;
    while (i + 1 < sizeof by / sizeof *by && by[i] == 0)
        i++;
    return by[i];
}

int layers_arm_compare(const void *left, const void *right) {
    const layers_arm *const a = left, *const b = right;
    const int by[] = {
        compare_keys(&a->key, &b->key),           order(a->slot.form, b->slot.form),
        strcmp(a->slot.level, b->slot.level),     order(a->slot.op, b->slot.op),
        strcmp(a->slot.variant, b->slot.variant), order(a->slot.repeats, b->slot.repeats),
    };
    size_t i = 0;
    while (i + 1 < sizeof by / sizeof *by && by[i] == 0)
        i++;
    return by[i];
}

bool layers_arm_equal(const layers_arm *a, const layers_arm *b) { return layers_arm_compare(a, b) == 0; }

bool layers_key_equal(const layers_key *a, const layers_key *b) { return compare_keys(a, b) == 0; }

// The columns of every file, in three runs: the common ones, the model's, and those that came later.
static const char *const common[] = {"op",   "variant", "form",    "level",     "dtype",
                                     "rows", "cols",    "threads", "placement", "cache"};
static const char *const model_columns[] = {"model", "phase", "batch", "tokens", "context"};
static const char *const part_columns[] = {"part", "depth", "stage", "scaled"};
enum { COMMON = sizeof common / sizeof *common };

static void write_names(csv_writer *w, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        csv_text(w, names[i]);
}
void layers_common_header(csv_writer *w, bool pass) {
    write_names(w, common, 2);
    if (pass)
        csv_text(w, "pass");
    write_names(w, common + 2, COMMON - 2);
}
void layers_model_header(csv_writer *w) { write_names(w, model_columns, sizeof model_columns / sizeof *model_columns); }
void layers_part_header(csv_writer *w) { write_names(w, part_columns, sizeof part_columns / sizeof *part_columns); }

static void write_if(csv_writer *w, bool known, size_t value) {
    if (known)
        csv_size(w, value);
    else
        csv_empty(w);
}

static size_t width_of(const layers_key *k) {
    return layers_has_stages(k->model) ? k->model->stages[k->stage].width : k->model->dim;
}

void layers_common_write(csv_writer *w, const layers_arm *a, bool pass) {
    const layers_key *const k = &a->key;
    csv_text(w, norm_op_name(a->slot.op));
    csv_text(w, a->slot.variant);
    if (pass)
        csv_text(w, k->phase == PHASE_TRAIN ? "both" : norm_pass_name(NORM_FORWARD));
    csv_text(w, norm_form_name(a->slot.form));
    csv_text(w, a->slot.level);
    csv_text(w, norm_dtype_name(k->dtype));
    csv_size(w, k->batch * k->tokens);
    csv_size(w, width_of(k));
    csv_size(w, k->threads);
    csv_text(w, placement_name(k->place));
    csv_empty(w); // what the caches hold is the layer's own doing
}

void layers_model_write(csv_writer *w, const layers_arm *a) {
    const layers_key *const k = &a->key;
    csv_text(w, k->model->name);
    csv_text(w, model_phase_name(k->phase));
    csv_size(w, k->batch);
    csv_size(w, k->tokens);
    write_if(w, k->phase == PHASE_DECODE, k->context);
}

void layers_part_write(csv_writer *w, const layers_arm *a) {
    const layers_key *const k = &a->key;
    csv_text(w, part_name(k->part));
    csv_size(w, k->depth);
    write_if(w, layers_has_stages(k->model) && k->part == PART_LAYER, k->stage + 1);
    csv_int(w, k->phase != PHASE_DECODE && !layers_has_stages(k->model) && k->tokens < k->model->tokens);
}

void layers_arm_header(csv_writer *w) {
    layers_common_header(w, true);
    layers_model_header(w);
    layers_part_header(w);
    csv_text(w, "repeats");
}

void layers_arm_write(csv_writer *w, const layers_arm *a) {
    layers_common_write(w, a, true);
    layers_model_write(w, a);
    layers_part_write(w, a);
    csv_size(w, a->slot.repeats);
}

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
    *a = (layers_arm){.max_error = NAN};
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
