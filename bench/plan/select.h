// SPDX-License-Identifier: MIT
// select.h: the selectors that commands share (--op dyt --shape 64x768,...): one list of them, their parsing, and what
// a selection holds.
#ifndef SELECT_H
#define SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "layer.h"
#include "machine/topology.h"
#include "norm.h"

// warm: the same buffers at every call. cold: each call takes the next of several buffer sets, together over twice the
// last-level cache.
#define CACHE_LIST(X) X(WARM, warm) X(COLD, cold)
#define CACHE_ROW(ID, name) CACHE_##ID,
typedef enum { CACHE_LIST(CACHE_ROW) CACHES } cache_state;
#undef CACHE_ROW
const char *cache_name(cache_state cache);

// The parts of a model that can be run by themselves, in the order of model_part.
#define PART_LIST(X) X(LAYER, layer) X(ENDS, ends) X(MODEL, model)
#define PARTS ((model_part)(PART_MODEL + 1))
const char *part_name(model_part part);

// X(ID, option, argument, help)
#define SELECTOR_LIST(X)                                                                                               \
    X(OP, op, "LIST", "ops (normbench list ops), or all")                                                              \
    X(VARIANT, variant, "LIST", "variants (normbench list variants), or all")                                          \
    X(PASS, pass, "LIST", "forward, backward, or all")                                                                 \
    X(FORM, form, "LIST", "fused, eager, add_fused, framework, or all")                                                \
    X(LEVEL, level, "LIST", "levels (normbench list levels), best, or all")                                            \
    X(DTYPE, dtype, "LIST", "f32, bf16, f16, or all")                                                                  \
    X(SHAPE, shape, "LIST", "ROWSxCOLS, as in 64x768,4096x4096")                                                       \
    X(THREADS, threads, "LIST", "numbers, cores (one per core), all (every PU)")                                       \
    X(PLACEMENT, placement, "LIST", "placements (normbench list placements), or all")                                  \
    X(CACHE, cache, "LIST", "warm, cold, or all")                                                                      \
    X(MODEL, model, "LIST", "models (normbench list models), or all")                                                  \
    X(PART, part, "LIST", "layer, ends (what a model has but its layers), model, or all")                              \
    X(PHASE, phase, "LIST", "prefill, decode, train, or all")                                                          \
    X(PLUGIN, plugin, "FILE", "kernels of others, as variants of their own: shared libraries (norm_plugin.h)")         \
    X(PATIENCE, patience, "TIME", "how long such a kernel may take before it counts as hanging; 60s unless given")

#define SELECTOR_ROW(ID, ...) SELECT_##ID,
typedef enum { SELECTOR_LIST(SELECTOR_ROW) SELECTORS } selector;
#undef SELECTOR_ROW
const char *selector_option(selector s); // "op"
const char *selector_argument(selector s);
const char *selector_help(selector s);

// The ops that presets measure where none is named, as bits: those of the question. The other squashing functions are
// in preset full alone, for their time would come off the budget of these.
enum { SELECT_QUESTION = 1u << NORM_LAYERNORM | 1u << NORM_RMSNORM | 1u << NORM_DYT | 1u << NORM_IDENTITY };

enum {
    SELECT_MAX_VARIANTS = 64,
    SELECT_MAX_NAMES = 64,
    SELECT_MAX_SHAPES = 256,
    SELECT_MAX_THREADS = 256,
    SELECT_ERROR_SIZE = 1024,
    SELECT_MAX_IMPLS = 4096
};

// The names that a selector takes, besides `all` and `best`, in the order of their enum (variants: as they appear in
// the registry). Returns how many; 0 for those that take numbers.
size_t selector_names(selector which, const char *names[SELECT_MAX_NAMES]);
const char *selector_name(selector which, size_t index); // NULL behind the last
// The place of one of them among them. false if it is none.
bool selector_index(selector which, const char *text, size_t *index);

typedef struct {
    size_t rows, cols;
} shape;

// What was asked for. A selector that was not given holds nothing, and matches everything.
typedef struct {
    bool given[SELECTORS];
    bool op[NORM_OPS], pass[NORM_PASSES], form[NORM_FORMS], level[NORM_ALL_LEVELS], best_level, dtype[NORM_DTYPES],
        cache[CACHES], model[SELECT_MAX_NAMES], part[PARTS], phase[PHASES];
    const char *variants[SELECT_MAX_VARIANTS]; // the implementations' own strings
    size_t variant_count;
    shape shapes[SELECT_MAX_SHAPES];
    size_t shape_count;
    size_t threads[SELECT_MAX_THREADS];
    size_t thread_count;
    placement placements[PLACEMENTS];
    size_t placement_count;
} selection;

// Takes the value of one selector, which replaces an earlier one. value is cut up. false with a message that lists what
// is valid.
bool selection_set(selection *s, selector which, char *value, const topology *t, char error[SELECT_ERROR_SIZE]);

// Whether it is what level `best` stands for.
bool select_is_best(const norm_impl *impl);

// Whether the implementation is among what op, variant, form, level and dtype select.
bool selection_has(const selection *s, const norm_impl *impl);
// All of those, the levels of an op, form, variant and dtype together, weakest first. Returns how many.
size_t selection_take(const selection *s, const norm_impl *impls[SELECT_MAX_IMPLS]);
bool selection_has_pass(const selection *s, norm_pass pass);

#endif
