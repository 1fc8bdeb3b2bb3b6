// SPDX-License-Identifier: MIT
// needs.c: see needs.h.
#include "needs.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/names.h"
#include "base/parse.h"
#include "base/refuse.h"
#include "math/onednn.h"
#include "plan/layers_plan.h"
#include "published.h"

static const char *text_of(const question *q, const char *column) { return row_text(q->row, column); }
static bool is_of_layers(const question *q) { return strcmp(text_of(q, "table"), "layers") == 0; }

// ---- The command

__attribute__((format(printf, 2, 3))) static void add(claim_need *n, const char *format, ...) {
    const size_t used = strlen(n->command);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(n->command + used, sizeof n->command - used, format, arguments);
    va_end(arguments);
}

static void add_option(claim_need *n, const char *option, const char *values) {
    if (*values != '\0')
        add(n, " --%s %s", option, values);
}

// What one side of a claim says of a column, or else what both have in common.
static const char *side_value(const question *q, const filter *side, const char *column) {
    const char *const own = filter_value(side, column);
    return *own != '\0' ? own : filter_value(&q->where, column);
}

static size_t index_of(selector s, const char *word) {
    size_t index;
    return selector_index(s, word, &index) ? index : 0;
}

// The variant of a side: that which it names, or else the one that stands for its op; "": the side is none.
static const char *variant_of(const question *q, const filter *side) {
    const char *const own = side_value(q, side, "variant");
    if (*own != '\0' || side->count == 0)
        return own;
    return norm_default_variant((norm_op)index_of(SELECT_OP, side_value(q, side, "op")),
                                (norm_form)index_of(SELECT_FORM, side_value(q, side, "form")),
                                (norm_dtype)index_of(SELECT_DTYPE, side_value(q, side, "dtype")));
}

// "dyt,rmsnorm", or one word where both are the same.
static void add_both(claim_need *n, const char *option, const char *of_subject, const char *of_baseline) {
    char both[160];
    const bool one = *of_baseline == '\0' || strcmp(of_subject, of_baseline) == 0;
    snprintf(both, sizeof both, "%s%s%s", of_subject, one ? "" : ",", one ? "" : of_baseline);
    add_option(n, option, both);
}
static void add_sides(claim_need *n, const question *q, const char *column) {
    add_both(n, column, side_value(q, &q->subject, column),
             q->baseline.count > 0 ? side_value(q, &q->baseline, column) : "");
}

static const model_shape *model_of(const question *q) { return model_find(filter_value(&q->where, "model")); }
static bool is_phase(const question *q, model_phase phase) {
    return strcmp(filter_value(&q->where, "phase"), selector_name(SELECT_PHASE, phase)) == 0;
}

// A language model's sequence may be of any length, others have their own: 0.
static size_t tokens_of(const question *q, const needs_sizes *sizes) {
    const model_shape *const model = model_of(q);
    if (model == NULL || model->kind != MODEL_LLAMA)
        return 0;
    return sizes->tokens < model->tokens ? sizes->tokens : model->tokens;
}

// The stage of a claim that names a width, from 1; 0: the model has none, or each is meant.
static size_t stage_of(const question *q) {
    const model_shape *const model = model_of(q);
    size_t cols, stage = 0;
    if (model == NULL || !layers_has_stages(model) || !parse_size(filter_value(&q->where, "cols"), &cols))
        return 0;
    while (stage < MODEL_STAGES && model->stages[stage].width != cols)
        stage++;
    return stage < MODEL_STAGES ? stage + 1 : 0;
}

static void layers_command(claim_need *n, const question *q, const needs_sizes *sizes) {
    const size_t tokens = tokens_of(q, sizes);
    add(n, "layers");
    add_option(n, "model", filter_value(&q->where, "model"));
    add_option(n, "phase", filter_value(&q->where, "phase"));
    add_option(n, "part", q->extent.is_model ? "layer,ends" : "layer");
    add_sides(n, q, "op");
    if (*side_value(q, &q->subject, "variant") != '\0')
        add_both(n, "variant", variant_of(q, &q->subject), variant_of(q, &q->baseline));
    add_sides(n, q, "form");
    add_sides(n, q, "dtype");
    add(n, " --batch 1");
    if (stage_of(q) > 0)
        add(n, " --stage %zu", stage_of(q));
    if (tokens > 0)
        add(n, " --%s %zu", is_phase(q, PHASE_DECODE) ? "context" : "tokens", tokens);
}

static const char *level_of(const question *q, const filter *side) {
    const char *const own = side_value(q, side, "level");
    return *own != '\0' ? own : "best";
}

static void kernels_command(claim_need *n, const question *q) {
    char size[64];
    snprintf(size, sizeof size, "%.24sx%.24s", filter_value(&q->where, "rows"), filter_value(&q->where, "cols"));
    add(n, "kernels");
    add_sides(n, q, "op");
    add_both(n, "variant", variant_of(q, &q->subject), variant_of(q, &q->baseline));
    add_sides(n, q, "form");
    add_both(n, "level", level_of(q, &q->subject), q->baseline.count > 0 ? level_of(q, &q->baseline) : "");
    add_sides(n, q, "dtype");
    add_option(n, "shape", size);
    add_option(n, "pass", filter_value(&q->where, "pass"));
    add(n, " --threads cores --placement cores --cache warm --launches 17");
}

// ---- How long

// A kernel's four cells, with the copy and the norm that it is held against, take a few milliseconds a call at these
// shapes: half a minute is sixteen rounds in each of seventeen launches, whose interval leaves out four at either end.
enum { LEAST_SECONDS = 60, LAUNCHES = 10 }; // with the pilot
// So many operations a second, roughly, are what products do on two cores of a server of 2020 to 2026; and what it
// takes to draw and pack a weight. Nothing but the budget hangs on them.
#define ROUGH_RATE 150e9
#define ROUGH_WEIGHT_S 12e-9

static double part_seconds(const question *q, size_t tokens, model_part part, size_t stage, double arms) {
    const bool decode = is_phase(q, PHASE_DECODE), train = is_phase(q, PHASE_TRAIN);
    layers_key key = {.model = model_of(q), .part = part, .batch = 1, .threads = 1, .stage = stage};
    layer_work work;
    key.phase = decode ? PHASE_DECODE : train ? PHASE_TRAIN : PHASE_PREFILL;
    key.dtype = (norm_dtype)index_of(SELECT_DTYPE, side_value(q, &q->subject, "dtype"));
    key.tokens = decode ? 1 : tokens > 0 ? tokens : key.model->tokens;
    key.context = decode ? tokens : 0;
    key.depth = part == PART_ENDS ? 0 : 1;
    if (layers_has_stages(key.model))
        key.tokens = key.model->stages[stage].side * key.model->stages[stage].side;
    if (!layers_key_work(&key, &work))
        return 0;
    // Two samples of each arm: one to warm up, and one.
    const double weights = work.flops / (2 * (double)key.tokens * (train ? 3 : 1));
    return (double)LAUNCHES * (2 * arms * work.flops / ROUGH_RATE + ROUGH_WEIGHT_S * weights);
}

// In whole minutes. The arms are those that are asked about, the model's own norm and none.
static size_t seconds_of(const question *q, size_t tokens) {
    if (!is_of_layers(q) || model_of(q) == NULL)
        return LEAST_SECONDS;
    const char *const subject = filter_value(&q->subject, "op"), *const baseline = filter_value(&q->baseline, "op");
    const char *const native = norm_op_name(model_of(q)->native), *const none = norm_op_name(NORM_IDENTITY);
    const double arms = 2 + (strcmp(subject, native) != 0 && strcmp(subject, none) != 0) +
                        (*baseline != '\0' && strcmp(baseline, native) != 0);
    double seconds = q->extent.is_model ? part_seconds(q, tokens, PART_ENDS, 0, arms) : 0;
    for (size_t stage = 0; stage < (layers_has_stages(model_of(q)) ? MODEL_STAGES : 1); stage++)
        if (stage_of(q) == 0 || stage + 1 == stage_of(q))
            seconds += part_seconds(q, tokens, PART_LAYER, stage, arms);
    return LEAST_SECONDS * (size_t)fmax(1, ceil(seconds / (double)LEAST_SECONDS));
}

// ---- Whether it can be judged here

// Whether any implementation of a side runs here; if not, what the last of them lacks.
static bool side_runs(const question *q, const filter *side, char lacks[NEEDS_LACKS]) {
    const char *const op = side_value(q, side, "op"), *const variant = variant_of(q, side);
    const char *const form = side_value(q, side, "form"), *const dtype = side_value(q, side, "dtype");
    const char *const level = side_value(q, side, "level");
    const norm_impl *impl;
    snprintf(lacks, NEEDS_LACKS, "%s %s in form %s, dtype %s%s%s, which this program was built without", op, variant,
             form, dtype, *level != '\0' ? " and level " : "", level);
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (strcmp(norm_op_name(impl->op), op) != 0 || strcmp(impl->variant, variant) != 0 ||
            strcmp(norm_form_name(impl->form), form) != 0 || strcmp(norm_dtype_name(impl->dtype), dtype) != 0 ||
            (*level != '\0' && strcmp(norm_level_name(impl->level), level) != 0))
            continue;
        const char *const missing = norm_missing(impl);
        if (missing == NULL)
            return true;
        snprintf(lacks, NEEDS_LACKS, "%s", missing);
    }
    return false;
}

static void set_lacks(claim_need *n, const question *q) {
    if (is_of_layers(q) && onednn_refusal() != NULL) {
        snprintf(n->lacks, sizeof n->lacks, "%s", onednn_refusal());
        return;
    }
    if (side_runs(q, &q->subject, n->lacks) && (q->baseline.count == 0 || side_runs(q, &q->baseline, n->lacks)))
        n->lacks[0] = '\0';
}

// ---- All of them

static claim_need need_of(const question *q, const needs_sizes *sizes) {
    claim_need n = {.asked = q, .seconds = seconds_of(q, tokens_of(q, sizes))};
    if (is_of_layers(q))
        layers_command(&n, q, sizes);
    else
        kernels_command(&n, q);
    add(&n, " --no-tune"); // as the runs that it will be held against
    if (sizes->budget != NULL)
        add(&n, " --budget %s", sizes->budget);
    else
        add(&n, " --budget %zus", n.seconds);
    set_lacks(&n, q);
    return n;
}

static bool refuse_unknown(const questions *q, const char *id, char message[TABLES_MESSAGE]) {
    const char **const names = calloc(q->count, sizeof *names);
    char near[TABLES_MESSAGE];
    for (size_t i = 0; names != NULL && i < q->count; i++)
        names[i] = text_of(&q->items[i], "id");
    if (names == NULL)
        return refuse(message, TABLES_MESSAGE, "out of memory");
    names_nearest(near, 400, id, names, q->count);
    free(names);
    return refuse(message, TABLES_MESSAGE, "\"%.60s\" is no claim; %s; `normbench list claims` names all %zu", id, near,
                  q->count);
}

bool claim_needs_make(claim_needs *n, const char *only, const needs_sizes *sizes, char message[TABLES_MESSAGE]) {
    *n = (claim_needs){0};
    if (!questions_read(&n->asked, NULL, (const char *)published_claims, message))
        return false;
    n->items = calloc(n->asked.count + 1, sizeof *n->items);
    bool ok = n->items != NULL || refuse(message, TABLES_MESSAGE, "out of memory");
    for (size_t i = 0; ok && i < n->asked.count; i++)
        if (only == NULL || strcmp(text_of(&n->asked.items[i], "id"), only) == 0)
            n->items[n->count++] = need_of(&n->asked.items[i], sizes);
    ok = ok && (n->count > 0 || refuse_unknown(&n->asked, only, message));
    if (!ok)
        claim_needs_free(n);
    return ok;
}

void claim_needs_free(claim_needs *n) {
    questions_free(&n->asked);
    free(n->items);
    *n = (claim_needs){0};
}
