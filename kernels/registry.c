// SPDX-License-Identifier: MIT
// registry.c: the table of implementations, the units of list.h crossed with the levels of levels.h and what programs
// add to them, and the names of everything.
#include <string.h>

#include "dtype.h"
#include "table.h"

const unsigned norm_abi = NORM_ABI;

// A unit that was not built for a level is an error of the linker, not a gap.
#define DECLARE(unit, level) extern const norm_table norm_##unit##_##level;
#define DECLARE_LEVEL(ID, level, features) NORM_UNIT_LIST(DECLARE, level)
NORM_LEVEL_LIST(DECLARE_LEVEL)

#define POINTER(unit, level) &norm_##unit##_##level,
#define POINTERS(ID, level, features) NORM_UNIT_LIST(POINTER, level)
static const norm_table *const tables[] = {NORM_LEVEL_LIST(POINTERS)};

enum { TABLES = sizeof tables / sizeof *tables, MOST_ADDED = 32 };
static norm_table added[MOST_ADDED];
static size_t added_count;
// The default of dyt in form framework, by dtype: the last of these that a program has registered and can run here, as
// PyTorch calls MKL's tanh rather than SLEEF's.
static const char *const framework_tanhs[] = {"u2", "sleef", "mkl"};
static size_t framework_tanh[NORM_DTYPES];

static void note_tanh(const norm_impl *impl) {
    if (impl->op != NORM_DYT || impl->form != NORM_FRAMEWORK || impl->lacks != NULL)
        return;
    for (size_t i = framework_tanh[impl->dtype] + 1; i < sizeof framework_tanhs / sizeof *framework_tanhs; i++)
        if (strcmp(impl->variant, framework_tanhs[i]) == 0)
            framework_tanh[impl->dtype] = i;
}

bool norm_register(const norm_impl *impls, size_t count) {
    if (added_count == MOST_ADDED)
        return false;
    for (size_t i = 0; i < count; i++)
        if (impls[i].op >= NORM_OPS || impls[i].variant == NULL || impls[i].base == NULL ||
            impls[i].form >= NORM_FORMS || impls[i].level >= NORM_ALL_LEVELS || impls[i].dtype >= NORM_DTYPES)
            return false;
    for (size_t i = 0; i < count; i++)
        note_tanh(&impls[i]);
    added[added_count++] = (norm_table){impls, count};
    return true;
}

// Nearly every caller runs through the indices one by one, so each thread goes on from the table that it found last.
const norm_impl *norm_at(size_t index) {
    static _Thread_local struct {
        size_t table, first; // the index of its first implementation
    } last;
    if (index < last.first)
        last.table = last.first = 0;
    for (; last.table < TABLES + added_count; last.table++) {
        const norm_table *const table = last.table < TABLES ? tables[last.table] : &added[last.table - TABLES];
        if (index - last.first < table->count)
            return &table->impls[index - last.first];
        last.first += table->count;
    }
    return NULL;
}

#define NAME(ID, name, ...) #name,
#define FORMULA(ID, name, parameters, formula) formula,
static const char *const op_names[] = {NORM_OP_LIST(NAME)};
static const char *const op_formulas[] = {NORM_OP_LIST(FORMULA)};
#define PARAMETERS(ID, name, parameters, formula) parameters,
static const unsigned op_params[] = {NORM_OP_LIST(PARAMETERS)};
static const char *const level_names[NORM_ALL_LEVELS] = {NORM_LEVEL_LIST(NAME) "library"};
static const char *const pass_names[] = {"forward", "backward"};
static const char *const form_names[] = {"fused", "eager", "add_fused", "framework"};
static const char *const dtype_names[] = {NORM_DTYPE_LIST(NAME)};

// A word for what is no name, so that a message about it can be printed.
static const char *name_of(const char *const *names, size_t count, unsigned index) {
    return index < count ? names[index] : "unknown";
}

// The index of a name; of what is no name, one that no implementation has.
static unsigned index_of(const char *const *names, size_t count, const char *name) {
    unsigned index = 0;
    while (index < count && strcmp(names[index], name) != 0)
        index++;
    return index;
}

const char *norm_op_name(norm_op op) { return name_of(op_names, NORM_OPS, (unsigned)op); }
const char *norm_op_formula(norm_op op) { return name_of(op_formulas, NORM_OPS, (unsigned)op); }
const char *norm_pass_name(norm_pass pass) { return name_of(pass_names, NORM_PASSES, (unsigned)pass); }
const char *norm_form_name(norm_form form) { return name_of(form_names, NORM_FORMS, (unsigned)form); }
const char *norm_level_name(norm_level level) { return name_of(level_names, NORM_ALL_LEVELS, (unsigned)level); }
const char *norm_dtype_name(norm_dtype dtype) { return name_of(dtype_names, NORM_DTYPES, (unsigned)dtype); }
size_t norm_dtype_bytes(norm_dtype dtype) { return dtype_size(dtype); }
norm_dtype norm_affine_dtype(const norm_impl *impl) {
    return impl == NULL || impl->params & NORM_F32_AFFINE ? NORM_F32 : impl->dtype;
}

const char *norm_default_variant(norm_op op, norm_form form, norm_dtype dtype) {
    switch (op) {
    case NORM_LAYERNORM:
        return form == NORM_EAGER ? "twopass" : form == NORM_FRAMEWORK ? "welford" : "onepass";
    case NORM_DYT:
        return form == NORM_FRAMEWORK && (unsigned)dtype < NORM_DTYPES ? framework_tanhs[framework_tanh[dtype]] : "u2";
    case NORM_DERF:
        return "u2";
    case NORM_SIGMOID:
        return "u3";
    default:
        return "std";
    }
}

bool norm_is_default(const norm_impl *impl) {
    return impl != NULL && impl->params == op_params[impl->op] &&
           strcmp(impl->base, norm_default_variant(impl->op, impl->form, impl->dtype)) == 0;
}

const norm_impl *norm_other_stores(const norm_impl *impl) {
    const norm_impl *other;
    for (size_t i = 0; impl != NULL && (other = norm_at(i)) != NULL; i++)
        if (other->streams != impl->streams && other->op == impl->op && other->form == impl->form &&
            other->level == impl->level && other->dtype == impl->dtype && other->params == impl->params &&
            strcmp(other->base, impl->base) == 0)
            return other;
    return NULL;
}

// As text, of what norm.h defines.
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define MOST_THREADS TEXT(NORM_MOST_THREADS)

const char *norm_error_text(norm_error error) {
    switch (error) {
    case NORM_OK:
        return "no error";
    case NORM_BAD_ARGUMENT:
        return "a wrong argument: give an implementation (norm_find has NULL for a name that it does not know) and a "
               "pass that it has, every pointer that the pass needs, cols of at least 1, strides of at least cols, and "
               "1 to " MOST_THREADS " threads";
    case NORM_CPU_LACKS:
        return "this CPU, its operating system or a library lacks what the implementation needs: norm_missing says "
               "what, and level best has all it needs";
    case NORM_NO_TEAM:
        return "OpenMP gave fewer threads than asked for: ask for fewer, raise OMP_THREAD_LIMIT, leave OMP_DYNAMIC "
               "unset, and ask for one thread inside a parallel region of your own";
    case NORM_NO_MEMORY:
        return "no memory for the result of an operation";
    }
    return "unknown error";
}

const char *norm_missing(const norm_impl *impl) {
    if (impl == NULL)
        return "a known implementation";
    const char *const missing = norm_level_missing(impl->level);
    return missing != NULL ? missing : impl->lacks;
}

const norm_impl *norm_best(norm_op op, const char *variant, norm_form form, norm_dtype dtype) {
    const norm_impl *best = NULL;
    const norm_impl *impl;
    for (size_t i = 0; variant != NULL && (impl = norm_at(i)) != NULL; i++)
        if (impl->op == op && impl->form == form && impl->dtype == dtype && strcmp(impl->variant, variant) == 0 &&
            impl->level < NORM_LEVELS && !norm_level_is_auto(impl->level) && norm_missing(impl) == NULL &&
            (best == NULL || impl->level > best->level))
            best = impl;
    return best;
}

const norm_impl *norm_find(const char *op, const char *variant, const char *form, const char *level,
                           const char *dtype) {
    const norm_impl *impl;
    if (op == NULL || variant == NULL || form == NULL || level == NULL || dtype == NULL)
        return NULL;
    const unsigned of_op = index_of(op_names, NORM_OPS, op), of_form = index_of(form_names, NORM_FORMS, form);
    const unsigned of_dtype = index_of(dtype_names, NORM_DTYPES, dtype);
    if (strcmp(level, "best") == 0)
        return norm_best((norm_op)of_op, variant, (norm_form)of_form, (norm_dtype)of_dtype);
    const unsigned of_level = index_of(level_names, NORM_ALL_LEVELS, level);
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (impl->op == of_op && impl->form == of_form && impl->level == of_level && impl->dtype == of_dtype &&
            strcmp(variant, impl->variant) == 0)
            return impl;
    return NULL;
}

unsigned norm_bytes_per_element(const norm_impl *impl, norm_pass pass) {
    unsigned bytes = 0;
    for (size_t i = 0; impl != NULL && (unsigned)pass < NORM_PASSES && i < impl->pass[pass].count; i++)
        bytes += impl->pass[pass].stages[i].bytes;
    return bytes;
}
