// SPDX-License-Identifier: MIT
// presets.c: see presets.h.
#include "presets.h"

#include <string.h>

#include "peers/peers.h"

#define NAME(ID, name, launches, seconds) #name,
static const char *const names[] = {PRESET_LIST(NAME)};
const char *preset_name(preset p) { return names[p]; }

// ---- Sweeps

enum { MANY = 48 };
typedef enum { ONE_THREAD, ALL_CORES, SCALING } team_kind;
typedef enum { BEST, EVERY, LIBRARY } level_kind; // of our levels the best or each; of other libraries all
typedef struct {
    unsigned presets; // bit per preset
    level_kind levels;
    team_kind team;
    unsigned passes, forms, dtypes, caches; // forms: STREAMED, too, if the variants store past the caches
    const char *variants[8];                // of dyt; of the other ops the default; not of LIBRARY
    shape shapes[MANY];
} sweep;

enum {
    Q = 1u << PRESET_QUICK,
    D = 1u << PRESET_DEFAULT,
    F = 1u << PRESET_FULL,
    FORWARD = 1u << NORM_FORWARD,
    BACKWARD = 1u << NORM_BACKWARD,
    FUSED = 1u << NORM_FUSED,
    EAGER = 1u << NORM_EAGER,
    ADD_FUSED = 1u << NORM_ADD_FUSED,
    FRAMEWORK = 1u << NORM_FRAMEWORK,
    STREAMED = 1u << NORM_FORMS,
    F32 = 1u << NORM_F32,
    BF16 = 1u << NORM_BF16,
    WARM = 1u << CACHE_WARM,
    COLD = 1u << CACHE_COLD
};

// 64x768: the rows of DiT-B/4 (64 tokens of width 768), 384 KiB of f32 in and out, which fit the L2 of every recent
// core. 4096x4096: one sequence of LLaMA 7B, the shape that the paper timed.
static const sweep sweeps[] = {
    // Figure `levels`: every level, where memory is no limit.
    {Q, EVERY, ONE_THREAD, FORWARD, FUSED, F32, WARM, {"u2"}, {{64, 768}}},
    {D, EVERY, ONE_THREAD, FORWARD | BACKWARD, FUSED, F32, WARM, {"u2"}, {{64, 768}}},
    {D, EVERY, ONE_THREAD, FORWARD, FUSED, BF16, WARM, {"u2", "lp"}, {{64, 768}}},
    {Q | D, BEST, ONE_THREAD, FORWARD, FUSED, F32, WARM, {"u2", "u2_nobeta", "mvec", "sleef", "libm"}, {{64, 768}}},
    // Figure `sizes`: from L1 to memory at one width.
    {Q, BEST, ONE_THREAD, FORWARD, FUSED, F32, WARM, {"u2"}, {{4, 768}, {64, 768}, {1024, 768}, {16384, 768}}},
    {D,
     BEST,
     ONE_THREAD,
     FORWARD,
     FUSED,
     F32,
     WARM,
     {"u2"},
     {{1, 768}, {4, 768}, {16, 768}, {64, 768}, {256, 768}, {1024, 768}, {4096, 768}, {16384, 768}, {65536, 768}}},
    // Figure `threads`.
    {Q, BEST, SCALING, FORWARD, FUSED, F32, WARM, {"u2"}, {{512, 4096}}},
    {D,
     BEST,
     SCALING,
     FORWARD,
     FUSED,
     F32,
     WARM,
     {"u2"},
     {{1, 4096}, {1, 16384}, {64, 768}, {512, 4096}, {4096, 4096}}},
    // Figure `map`.
    {Q,
     BEST,
     ONE_THREAD,
     FORWARD,
     FUSED,
     F32,
     WARM,
     {"u2"},
     {{1, 1024}, {1, 4096}, {64, 1024}, {64, 4096}, {1024, 1024}, {1024, 4096}}},
    {D, BEST, ONE_THREAD, FORWARD, FUSED, F32, WARM, {"u2"}, {{1, 256},    {1, 1024},    {1, 4096},    {1, 16384},
                                                              {16, 256},   {16, 1024},   {16, 4096},   {16, 16384},
                                                              {64, 256},   {64, 1024},   {64, 4096},   {64, 16384},
                                                              {256, 256},  {256, 1024},  {256, 4096},  {256, 16384},
                                                              {1024, 256}, {1024, 1024}, {1024, 4096}, {1024, 16384},
                                                              {4096, 256}, {4096, 1024}, {4096, 4096}}},
    // Figure `forms`: ideal op by op against fused.
    {Q, BEST, ALL_CORES, FORWARD, FUSED | EAGER, F32 | BF16, WARM, {"u2", "u2_nobeta", "lp"}, {{512, 4096}}},
    {D,
     BEST,
     ALL_CORES,
     FORWARD | BACKWARD,
     FUSED | EAGER,
     F32 | BF16,
     WARM,
     {"u2", "u2_nobeta", "lp"},
     {{4096, 4096}}},
    // The same as a framework runs it, and what its pages cost at the paper's shape.
    {Q | D,
     BEST,
     ALL_CORES,
     FORWARD,
     FRAMEWORK,
     F32 | BF16,
     WARM,
     {FRAMEWORK_TANH, FRAMEWORK_TANH "_nobeta", "mkl", "mkl_nobeta"},
     {{512, 4096}}},
    {D, BEST, ALL_CORES, BACKWARD, FRAMEWORK, F32 | BF16, WARM, {FRAMEWORK_TANH "_nobeta"}, {{512, 4096}}},
    {D,
     BEST,
     ALL_CORES,
     FORWARD,
     FRAMEWORK,
     F32 | BF16,
     WARM,
     {FRAMEWORK_TANH "_nobeta", "mkl_nobeta"},
     {{4096, 4096}}},
    // Stores past the caches, where the result is larger than a cache of the levels below memory may be.
    {D | F, BEST, ONE_THREAD, FORWARD, FUSED | STREAMED, F32, WARM, {"u2_nt"}, {{16384, 768}, {65536, 768}}},
    {D | F, BEST, ALL_CORES, FORWARD, FUSED | STREAMED, F32 | BF16, WARM, {"u2_nt", "lp_nt"}, {{4096, 4096}}},
    // Figure `libraries`: what a program without these kernels would call.
    {Q, LIBRARY, ONE_THREAD, FORWARD, FUSED, F32, WARM, {""}, {{64, 768}}},
    {D | F, LIBRARY, ONE_THREAD, FORWARD, FUSED, F32 | BF16, WARM, {""}, {{1, 4096}, {64, 768}, {512, 4096}}},
    {D | F, LIBRARY, ALL_CORES, FORWARD | BACKWARD, FUSED, F32 | BF16, WARM, {""}, {{4096, 4096}}},
    // Inputs that come from memory although they would fit a cache.
    {D, BEST, ONE_THREAD, FORWARD, FUSED, F32, COLD, {"u2"}, {{64, 768}}},
    {F,
     EVERY,
     SCALING,
     FORWARD | BACKWARD,
     FUSED | EAGER | ADD_FUSED | FRAMEWORK,
     F32 | BF16,
     WARM | COLD,
     {"u2", "u2_nobeta", "lp", "mvec", "sleef", "libm"},
     {{1, 4096}, {64, 768}, {197, 768}, {512, 4096}, {4096, 4096}}},
};

// ---- Their cells

static bool sweep_has(const sweep *w, const norm_impl *impl) {
    if (!(w->forms >> impl->form & 1) || !(w->dtypes >> impl->dtype & 1))
        return false;
    if (w->levels == LIBRARY || impl->level == NORM_LEVEL_LIBRARY)
        return w->levels == LIBRARY && impl->level == NORM_LEVEL_LIBRARY;
    if (w->levels == BEST && !select_is_best(impl))
        return false;
    if (impl->op != NORM_DYT)
        return impl->streams == ((w->forms & STREAMED) != 0) && norm_is_default(impl);
    for (size_t i = 0; i < sizeof w->variants / sizeof *w->variants && w->variants[i] != NULL; i++)
        if (strcmp(impl->variant, w->variants[i]) == 0)
            return true;
    return false;
}

// Thread counts: 1, 2, 4 ... all cores, and then all PUs if cores have several.
static size_t team_threads(team_kind team, const topology *t, size_t *threads) {
    const size_t cores = topology_cores(t), pus = topology_pus(t);
    size_t count = 0;
    if (team != ALL_CORES)
        threads[count++] = 1;
    for (size_t n = 2; team == SCALING && n < cores && count < MANY - 2; n *= 2)
        threads[count++] = n;
    if (team != ONE_THREAD && (cores > 1 || team == ALL_CORES))
        threads[count++] = cores;
    if (team == SCALING && pus > cores)
        threads[count++] = pus;
    return count;
}

static bool wants_threads(const selection *s, size_t threads) {
    bool found = s->thread_count == 0;
    for (size_t i = 0; i < s->thread_count; i++)
        found |= s->threads[i] == threads;
    return found;
}
static bool wants_shape(const selection *s, shape what) {
    bool found = s->shape_count == 0;
    for (size_t i = 0; i < s->shape_count; i++)
        found |= s->shapes[i].rows == what.rows && s->shapes[i].cols == what.cols;
    return found;
}
static bool wants_placement(const selection *s, placement p) {
    bool found = s->placement_count == 0;
    for (size_t i = 0; i < s->placement_count; i++)
        found |= s->placements[i] == p;
    return found;
}

static bool take_sweep(const sweep *w, preset which, const selection *s, const topology *t, preset_taker *take,
                       void *context) {
    size_t threads[MANY];
    const size_t thread_count = team_threads(w->team, t, threads);
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (!sweep_has(w, impl) || !selection_has(s, impl) ||
            !(SELECT_QUESTION >> impl->op & 1 || which == PRESET_FULL || s->given[SELECT_OP]))
            continue;
        for (unsigned pass = 0; pass < NORM_PASSES; pass++)
            for (unsigned cache = 0; cache < CACHES; cache++)
                for (size_t k = 0; k < MANY && w->shapes[k].rows > 0; k++)
                    for (size_t n = 0; n < thread_count; n++) {
                        const cell c = {impl,       (norm_pass)pass, w->shapes[k].rows,  w->shapes[k].cols,
                                        threads[n], PLACEMENT_CORES, (cache_state)cache, 0};
                        if (w->passes >> pass & 1 && w->caches >> cache & 1 && selection_has_pass(s, c.pass) &&
                            (!s->given[SELECT_CACHE] || s->cache[cache]) && wants_shape(s, w->shapes[k]) &&
                            wants_threads(s, threads[n]) && wants_placement(s, PLACEMENT_CORES) && !take(context, &c))
                            return false;
                    }
    }
    return true;
}

bool preset_cells(preset which, const selection *s, const topology *t, preset_taker *take, void *context) {
    for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++)
        if (sweeps[i].presets >> which & 1 && !take_sweep(&sweeps[i], which, s, t, take, context))
            return false;
    return true;
}
