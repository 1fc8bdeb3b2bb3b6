// SPDX-License-Identifier: MIT
// library_table.c: see library_file.h.
#include "library_file.h"

#include <stdio.h>
#include <string.h>

#include "base/refuse.h"

// What no kernel needs more of: beyond these a number is an error, and a buffer of that size none that memory holds.
enum { MOST_STAGES = 64, MOST_STAGE_BYTES = 1 << 10, MOST_PER_ELEMENT = 1 << 10, MOST_PER_ROW = 1 << 16 };
enum { MOST_FIXED = 1 << 26, MOST_VARIANT = 64 };

#define PARAMETERS(ID, name, parameters, formula) parameters,
static const unsigned op_params[] = {NORM_OP_LIST(PARAMETERS)};

bool library_table_is_name(const char *text, size_t most) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const size_t length = text == NULL ? 0 : strnlen(text, most + 1);
    return length > 0 && length <= most && strspn(text, letters) == length;
}

void library_table_adopt(norm_impl *impl, const char *name) {
    impl->level = NORM_LEVEL_LIBRARY;
    impl->variant = impl->variant != NULL ? impl->variant : name;
    impl->base = impl->base != NULL ? impl->base : impl->variant;
    impl->run = NULL; // for a libnorm alone
}

static bool is_of(const char *variant, const char *own) {
    const size_t length = strlen(own);
    return strncmp(variant, own, length) == 0 && (variant[length] == '\0' || variant[length] == '_');
}

static const char *names_wrong(const norm_impl *impl, const char *own) {
    if (impl->op >= NORM_OPS || impl->form >= NORM_FORMS || impl->dtype >= NORM_DTYPES ||
        impl->level >= NORM_ALL_LEVELS)
        return "op, form, level and dtype are those of norm.h";
    if (!library_table_is_name(impl->variant, MOST_VARIANT) || !library_table_is_name(impl->base, MOST_VARIANT))
        return "variant and base are letters, digits and underscores, 64 at most";
    if (own != NULL && (!is_of(impl->variant, own) || !is_of(impl->base, own)))
        return "variant and base are the plug-in's name, or that, an underscore and more";
    if (own != NULL && impl->form == NORM_FRAMEWORK)
        return "form framework is PyTorch's eager mode, which a plug-in has not";
    const unsigned known = op_params[impl->op] | (impl->dtype != NORM_F32 ? NORM_F32_AFFINE : 0);
    return impl->params & ~known ? "params are among those of the op (list.h), NORM_F32_AFFINE of 16 bits alone" : NULL;
}

static const char *pass_wrong(const norm_impl *impl, norm_pass pass) {
    const size_t count = impl->pass[pass].count;
    const norm_stage *const stages = impl->pass[pass].stages;
    if (count > MOST_STAGES || (count > 0 && stages == NULL))
        return "a pass has at most 64 stages, and `stages` points to them";
    for (size_t i = 0; i < count; i++)
        if (stages[i].run == NULL || stages[i].bytes > MOST_STAGE_BYTES ||
            (stages[i].split != NORM_SPLIT_ROWS && stages[i].split != NORM_SPLIT_COLS))
            return "a stage has a function, a split, and at most 1024 bytes per element";
    return count > 0 && impl->form == NORM_FRAMEWORK && impl->lives[pass] == NULL
               ? "form framework says what each stage makes"
               : NULL;
}

static const char *size_wrong(const norm_size *size) {
    return size->per_row > MOST_PER_ROW || size->per_element > MOST_PER_ELEMENT ||
                   size->per_slice_col > MOST_PER_ELEMENT || size->per_slice_col % sizeof(float) != 0 ||
                   size->per_slice > MOST_PER_ROW || size->fixed > MOST_FIXED
               ? "buffers take at most 64 KiB per row and slice, 1 KiB per element and column, the last in whole "
                 "floats, and 64 MiB whatever the shape"
               : NULL;
}

// What an implementation should be and is not.
static const char *wrong_with(const norm_impl *impl, const char *own) {
    const char *wrong = names_wrong(impl, own);
    for (norm_pass pass = 0; wrong == NULL && pass < NORM_PASSES; pass++)
        wrong = pass_wrong(impl, pass);
    if (wrong == NULL && impl->pass[NORM_FORWARD].count == 0)
        wrong = "every implementation has a forward pass";
    if (wrong == NULL && (impl->piece.sum == NULL) != (impl->piece.apply == NULL))
        wrong = "a piece has both of its functions, or neither";
    if (wrong == NULL)
        wrong = size_wrong(&impl->saved);
    return wrong != NULL ? wrong : size_wrong(&impl->workspace);
}

static bool same_names(const norm_impl *a, const norm_impl *b) {
    return a->op == b->op && a->form == b->form && a->level == b->level && a->dtype == b->dtype &&
           strcmp(a->variant, b->variant) == 0;
}

bool library_table_check(const norm_impl *impls, size_t count, const char *own, char *why, size_t size) {
    for (size_t i = 0; i < count; i++) {
        const char *const wrong = wrong_with(&impls[i], own);
        if (wrong != NULL)
            return refuse(why, size, "has an implementation, number %zu of %zu, that is none: %s", i + 1, count, wrong);
        // What lacks something says so in words that are read here, so that a pointer to nowhere shows now.
        if (impls[i].lacks != NULL && strnlen(impls[i].lacks, size) == size)
            return refuse(why, size, "has an implementation, number %zu of %zu, that lacks something without end",
                          i + 1, count);
        for (size_t k = 0; k < i; k++)
            if (same_names(&impls[i], &impls[k]))
                return refuse(why, size, "has two implementations of one name: %s %s %s %s", norm_op_name(impls[i].op),
                              impls[i].variant, norm_form_name(impls[i].form), norm_dtype_name(impls[i].dtype));
    }
    return true;
}
