// SPDX-License-Identifier: MIT
// vocabulary.c: see vocabulary.h. The only place where a name is given a colour or a mark.
#include "vocabulary.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "layer.h"
#include "machine/topology.h"
#include "norm.h"
#include "plan/cell.h"

// A row: what a kind of name does not have is NULL or 0, an empty field.
typedef struct {
    const char *kind, *name;
    int order;         // within its kind; of variants: within op and form
    const char *label; // what a figure calls it
    char colour[8], pale[8];
    int mark; // gnuplot's number of a point; of ops the filled one, before which the open one stands
    int dash;
    int stands;            // not 0: what a name alone, or `best`, may stand for; of variants the largest one does
    const char *op, *form; // of variants; of models the op is their own norm
    size_t bytes;          // of an element
    const char *help;
    const char *params; // of ops, all that they can have
} word;

static void put_number(csv_writer *w, size_t value) {
    if (value > 0)
        csv_size(w, value);
    else
        csv_empty(w);
}

static void put(csv_writer *w, const word *r) {
    csv_text(w, r->kind);
    csv_text(w, r->name);
    csv_int(w, r->order);
    csv_text(w, r->label != NULL ? r->label : r->name);
    csv_text(w, r->colour);
    csv_text(w, r->pale);
    put_number(w, (size_t)r->mark);
    put_number(w, (size_t)r->dash);
    csv_int(w, r->stands);
    csv_text(w, r->op);
    csv_text(w, r->form);
    put_number(w, r->bytes);
    csv_text(w, r->help);
    csv_text(w, r->params);
    (void)csv_end(w);
}

// Three fifths of the way to white.
static void make_pale(const char colour[8], char pale[8]) {
    unsigned red, green, blue;
    if (sscanf(colour, "#%2x%2x%2x", &red, &green, &blue) == 3)
        snprintf(pale, 8, "#%02X%02X%02X", (2 * red + 3 * 255 + 2) / 5 & 255, (2 * green + 3 * 255 + 2) / 5 & 255,
                 (2 * blue + 3 * 255 + 2) / 5 & 255);
}

// ---- Ops

// The order of list.h gives an op its colour, of Okabe and Ito's, which the colour-blind can tell apart, and a few
// more; and its mark, for print without colour: no two of 30 ops share both.
static const char *const colours[] = {"#009E73", "#D55E00", "#0072B2", "#CC79A7", "#E69F00",
                                      "#56B4E9", "#000000", "#8C6D31", "#882255", "#F0E442"};
static const int marks[] = {5, 9, 7, 13, 15, 11};
enum { COLOURS = sizeof colours / sizeof *colours, MARKS = sizeof marks / sizeof *marks };

void vocabulary_colour(size_t turn, char colour[8]) { snprintf(colour, 8, "%s", colours[turn % COLOURS]); }

// A copy is what others are held against, not one of them.
static bool copies(norm_op op) { return op == NORM_IDENTITY; }
static size_t turn_of(norm_op op) { return (size_t)op - (op > NORM_IDENTITY); }

void vocabulary_op_colour(norm_op op, char colour[8]) {
    if (copies(op))
        snprintf(colour, 8, "#666666");
    else
        vocabulary_colour(turn_of(op), colour);
}

static bool is_elementwise(norm_op op) {
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (impl->op == op && impl->form == NORM_FUSED)
            return impl->elementwise;
    return false;
}

static void put_ops(csv_writer *w) {
#define PARAMS(ID, name, parameters, formula) parameters,
    static const unsigned params[] = {NORM_OP_LIST(PARAMS)};
#undef PARAMS
    for (norm_op op = 0; op < NORM_OPS; op++) {
        char label[64];
        const char *const variant = norm_default_variant(op, NORM_FUSED, NORM_F32);
        // The accuracy of a function is a matter of its variant, and says which of them is shown.
        const bool says = is_elementwise(op) && strcmp(variant, "std") != 0;
        snprintf(label, sizeof label, says ? "%s (%s)" : "%s", norm_op_name(op), variant);
        word r = {.kind = "op",
                  .name = norm_op_name(op),
                  .order = (int)op + 1,
                  .label = label,
                  .stands = 1,
                  .help = norm_op_formula(op),
                  .params = cell_params(params[op])};
        vocabulary_op_colour(op, r.colour);
        r.mark = copies(op) ? 11 : marks[turn_of(op) % MARKS];
        r.dash = copies(op) ? 2 : 1;
        make_pale(r.colour, r.pale);
        put(w, &r);
    }
}

// ---- Levels

#define COUNT_FEATURE(name) +1
#define NAME_FEATURE(name) " " #name
#define LEVEL_ROW(ID, name, features) {#name, 0 features(COUNT_FEATURE), "needs" features(NAME_FEATURE)},
static const struct {
    const char *name;
    int features;
    const char *needs;
} levels[] = {NORM_ANY_LEVEL_LIST(LEVEL_ROW)};
enum { LEVELS = sizeof levels / sizeof *levels };

static bool is_auto(size_t level) { return strncmp(levels[level].name, "auto_", 5) == 0; }

// Weaker: with fewer features, or of as many the compiler's work.
static bool is_weaker(size_t a, size_t b) {
    return levels[a].features != levels[b].features ? levels[a].features < levels[b].features
                                                    : is_auto(a) && !is_auto(b);
}

static void put_levels(csv_writer *w) {
    for (int order = 0; order < LEVELS; order++)
        for (size_t level = 0; level < LEVELS; level++) {
            int before = 0;
            for (size_t other = 0; other < LEVELS; other++)
                before += is_weaker(other, level) || (other < level && !is_weaker(level, other));
            if (before == order)
                put(w, &(word){.kind = "level",
                               .name = levels[level].name,
                               .order = order + 1,
                               .stands = !is_auto(level),
                               .help = levels[level].features > 0 ? levels[level].needs : ""});
        }
    put(w, &(word){.kind = "level",
                   .name = norm_level_name(NORM_LEVEL_LIBRARY),
                   .order = LEVELS + 1,
                   .help = "another library's code"});
}

// ---- What an implementation has besides

// A form changes an op's mark: filled, open, and then marks of its own.
static void put_forms(csv_writer *w) {
    static const struct {
        const char *label;
        int mark;
    } looks[] = {{"filled", 0}, {"open", 0}, {"cross", 2}, {"star", 3}, {"plus", 1}, {"dot", 6}};
    enum { LOOKS = sizeof looks / sizeof *looks };
    static_assert((int)LOOKS >= (int)NORM_FORMS, "each form has a look of its own");
    for (norm_form form = 0; form < NORM_FORMS; form++)
        put(w, &(word){.kind = "form",
                       .name = norm_form_name(form),
                       .order = (int)form + 1,
                       .label = looks[form].label,
                       .mark = looks[form].mark,
                       .stands = form == NORM_FUSED});
}

// By how well a variant stands for its op, in runs of any machine and version, whatever is registered here: which tanh
// a framework calls is a matter of the libraries that the run had, and before `onepass` there was `twopass` alone.
static const struct {
    norm_op op;
    norm_form form;
    const char *base;
    int stands;
} variants[] = {{NORM_LAYERNORM, NORM_FUSED, "twopass", 1},
                {NORM_LAYERNORM, NORM_ADD_FUSED, "twopass", 1},
                {NORM_DYT, NORM_FRAMEWORK, "mkl", 3},
                {NORM_DYT, NORM_FRAMEWORK, "sleef", 2},
                {NORM_DYT, NORM_FRAMEWORK, "u2", 1}};
enum { VARIANTS = sizeof variants / sizeof *variants, STANDS = 2 };

static const char *default_of(norm_op op, norm_form form) {
    return op == NORM_DYT && form == NORM_FRAMEWORK ? "" : norm_default_variant(op, form, NORM_F32);
}

int vocabulary_stands(norm_op op, norm_form form, const char *base) {
    for (size_t i = 0; i < VARIANTS; i++)
        if (variants[i].op == op && variants[i].form == form && strcmp(variants[i].base, base) == 0)
            return variants[i].stands;
    return strcmp(default_of(op, form), base) == 0 ? STANDS : 0;
}

static void put_variant(csv_writer *w, norm_op op, norm_form form, const char *name, int order) {
    if (*name != '\0')
        put(w, &(word){.kind = "variant",
                       .name = name,
                       .order = order,
                       .stands = vocabulary_stands(op, form, name),
                       .op = norm_op_name(op),
                       .form = norm_form_name(form)});
}

// Those that may stand for their op.
static void put_variants(csv_writer *w) {
    for (norm_op op = 0; op < NORM_OPS; op++)
        for (norm_form form = 0; form < NORM_FORMS; form++) {
            int order = 1;
            put_variant(w, op, form, default_of(op, form), order);
            for (size_t i = 0; i < VARIANTS; i++)
                if (variants[i].op == op && variants[i].form == form)
                    put_variant(w, op, form, variants[i].base, ++order);
        }
}

static void put_kinds_of_rows(csv_writer *w) {
    for (norm_pass pass = 0; pass < NORM_PASSES; pass++)
        put(w, &(word){.kind = "pass", .name = norm_pass_name(pass), .order = (int)pass + 1, .stands = 1});
    for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++)
        put(w, &(word){.kind = "dtype",
                       .name = norm_dtype_name(dtype),
                       .order = (int)dtype + 1,
                       .stands = 1,
                       .bytes = norm_dtype_bytes(dtype)});
    for (placement p = 0; p < PLACEMENTS; p++)
        put(w, &(word){.kind = "placement",
                       .name = placement_name(p),
                       .order = (int)p + 1,
                       .stands = 1,
                       .help = placement_help(p)});
}

// ---- Layers

static void put_models(csv_writer *w) {
    const model_shape *m;
    for (model_phase phase = 0; phase < PHASES; phase++)
        put(w, &(word){.kind = "phase", .name = model_phase_name(phase), .order = (int)phase + 1, .stands = 1});
    for (size_t i = 0; (m = model_at(i)) != NULL; i++)
        put(w, &(word){.kind = "model",
                       .name = m->name,
                       .order = (int)i + 1,
                       .label = m->title,
                       .stands = 1,
                       .op = norm_op_name(m->native)});
}

// What a layer does besides its norms, what is like them first.
static void put_steps(csv_writer *w) {
    static const struct {
        step_kind kind;
        const char *colour;
        int mark;
    } looks[] = {{STEP_RESIDUAL, "#E69F00", 13}, {STEP_ACTIVATION, "#F0E442", 11}, {STEP_ROPE, "#56B4E9", 15},
                 {STEP_OTHER, "#5C4B37", 3},     {STEP_CONV, "#7F7F7F", 9},        {STEP_ATTENTION, "#A6A6A6", 7},
                 {STEP_FFT, "#009E73", 12},      {STEP_SCAN, "#CC79A7", 10},       {STEP_MATMUL, "#D0D0D0", 5}};
    enum { LOOKS = sizeof looks / sizeof *looks };
    static_assert((int)LOOKS == (int)STEP_KINDS - 1, "each kind of step but the norms has a look of its own");
    for (int i = 0; i < LOOKS; i++) {
        word r = {.kind = "step", .name = step_kind_name(looks[i].kind), .order = i + 1, .mark = looks[i].mark};
        snprintf(r.colour, sizeof r.colour, "%s", looks[i].colour);
        make_pale(r.colour, r.pale);
        put(w, &r);
    }
}

int vocabulary_write(csv_writer *w) {
    static const char *const columns[] = {"kind", "name",   "order", "label", "colour", "pale", "mark",
                                          "dash", "stands", "op",    "form",  "bytes",  "help", "params"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        csv_text(w, columns[i]);
    (void)csv_end(w);
    put_ops(w);
    put_levels(w);
    put_forms(w);
    put_variants(w);
    put_kinds_of_rows(w);
    put_models(w);
    put_steps(w);
    return w->error;
}
