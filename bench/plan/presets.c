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

// What is usual need not be said: forward, fused, in f32, on warm caches; of dyt variant u2, of the other ops the
// default.
typedef struct {
    unsigned presets; // bit per preset
    level_kind levels;
    team_kind team;
    unsigned passes, forms, dtypes, caches; // forms: STREAMED, too, if the variants store past the caches
    const char *variants[8];                // of dyt; not of LIBRARY
    shape shapes[MANY];
} sweep;

enum {
    Q = 1u << PRESET_QUICK,
    D = 1u << PRESET_DEFAULT,
    F = 1u << PRESET_FULL,
    N = 1u << PRESET_NARROW,
    FORWARD = 1u << NORM_FORWARD,
    BACKWARD = 1u << NORM_BACKWARD,
    BOTH = FORWARD | BACKWARD,
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

#define NOBETAS FRAMEWORK_TANH "_nobeta", "mkl_nobeta"

// Every height at a width, from one row to 4096.
#define HEIGHTS(cols)                                                                                                  \
    {1, cols}, {16, cols}, {64, cols}, {256, cols}, {1024, cols}, { 4096, cols }

// Narrow rows, as heads, pairs of residues and the first stages of images have them: as many elements as 64x768, and,
// of some, what no cache holds.
#define NARROW                                                                                                         \
    {6144, 8}, {3072, 16}, {2048, 24}, {1536, 32}, {1024, 48}, {768, 64}, {512, 96}, {384, 128}, {341, 144},           \
        {256, 192}, {                                                                                                  \
        192, 256                                                                                                       \
    }

// 64x768: the rows of DiT-B/4 (64 tokens of width 768), 384 KiB of f32 in and out, which fit the L2 of every recent
// core. 4096x4096: one sequence of LLaMA 7B, the shape that the paper timed.
static const sweep sweeps[] = {
    // Figure `levels`: every level, where memory is no limit.
    {Q, EVERY, .shapes = {{64, 768}}},
    {D, EVERY, .passes = BOTH, .shapes = {{64, 768}}},
    {D, EVERY, .dtypes = BF16, .variants = {"u2", "lp"}, .shapes = {{64, 768}}},
    {Q | D, .variants = {"u2", "u2_nobeta", "mvec", "sleef", "libm"}, .shapes = {{64, 768}}},
    // Figure `sizes`: from L1 to memory at one width.
    {Q, .shapes = {{4, 768}, {64, 768}, {1024, 768}, {16384, 768}}},
    {D, .shapes = {HEIGHTS(768), {4, 768}, {16384, 768}, {65536, 768}}},
    // Figure `threads`.
    {Q, .team = SCALING, .shapes = {{512, 4096}}},
    {D, .team = SCALING, .shapes = {{1, 4096}, {1, 16384}, {64, 768}, {512, 4096}, {4096, 4096}}},
    // Figure `map`.
    {Q, .shapes = {{1, 1024}, {1, 4096}, {64, 1024}, {64, 4096}, {1024, 1024}, {1024, 4096}}},
    {D, .shapes = {HEIGHTS(256), HEIGHTS(1024), HEIGHTS(4096)}},
    {D, .shapes = {{1, 16384}, {16, 16384}, {64, 16384}, {256, 16384}, {1024, 16384}}},
    // Figure `forms`: ideal op by op against fused.
    {Q, BEST, ALL_CORES, FORWARD, FUSED | EAGER, F32 | BF16, WARM, {"u2", "u2_nobeta", "lp"}, {{512, 4096}}},
    {D, BEST, ALL_CORES, BOTH, FUSED | EAGER, F32 | BF16, WARM, {"u2", "u2_nobeta", "lp"}, {{4096, 4096}}},
    // The same as a framework runs it, and what its pages cost at the paper's shape.
    {Q | D, BEST, ALL_CORES, FORWARD, FRAMEWORK, F32 | BF16, WARM, {FRAMEWORK_TANH, "mkl", NOBETAS}, {{512, 4096}}},
    {D, BEST, ALL_CORES, BACKWARD, FRAMEWORK, F32 | BF16, WARM, {FRAMEWORK_TANH "_nobeta"}, {{512, 4096}}},
    {D, BEST, ALL_CORES, FORWARD, FRAMEWORK, F32 | BF16, WARM, {NOBETAS}, {{4096, 4096}}},
    // Stores past the caches, where the result is larger than a cache of the levels below memory may be.
    {D | F, .forms = FUSED | STREAMED, .variants = {"u2_nt"}, .shapes = {{16384, 768}, {65536, 768}}},
    {D | F, BEST, ALL_CORES, FORWARD, FUSED | STREAMED, F32 | BF16, WARM, {"u2_nt", "lp_nt"}, {{4096, 4096}}},
    // Figure `libraries`: what a program without these kernels would call.
    {Q, LIBRARY, .shapes = {{64, 768}}},
    {D | F, LIBRARY, .dtypes = F32 | BF16, .shapes = {{1, 4096}, {64, 768}, {512, 4096}}},
    {D | F, LIBRARY, ALL_CORES, BOTH, .dtypes = F32 | BF16, .shapes = {{4096, 4096}}},
    // Figure `narrow`.
    {N, .dtypes = F32 | BF16, .shapes = {NARROW}},
    {N, .shapes = {{3145728, 16}, {786432, 64}, {393216, 128}, {196608, 256}}},
    {N, LIBRARY, .shapes = {{3072, 16}, {768, 64}, {384, 128}}},
    // Inputs that come from memory although they would fit a cache.
    {D, .caches = COLD, .shapes = {{64, 768}}},
    {F,
     EVERY,
     SCALING,
     BOTH,
     FUSED | EAGER | ADD_FUSED | FRAMEWORK,
     F32 | BF16,
     WARM | COLD,
     {"u2", "u2_nobeta", "lp", "mvec", "sleef", "libm"},
     {{1, 4096}, {64, 768}, {197, 768}, {512, 4096}, {4096, 4096}}},
};

static unsigned usually(unsigned said, unsigned usual) { return said != 0 ? said : usual; }

// ---- Their cells

// f16, which moves what bf16 moves, would only make a preset longer: it stands where bf16 does if --dtype names it, and
// in preset full.
static bool sweep_has_dtype(const sweep *w, preset which, const selection *s, norm_dtype dtype) {
    const unsigned dtypes = usually(w->dtypes, F32);
    return dtype != NORM_F16 ? dtypes >> dtype & 1 : dtypes & BF16 && (which == PRESET_FULL || s->given[SELECT_DTYPE]);
}

static bool sweep_has(const sweep *w, const norm_impl *impl) {
    static const char *const usual[] = {"u2", NULL};
    const char *const *variant = w->variants[0] != NULL ? w->variants : usual;
    if (!(usually(w->forms, FUSED) >> impl->form & 1))
        return false;
    if (w->levels == LIBRARY || impl->level == NORM_LEVEL_LIBRARY)
        return w->levels == LIBRARY && impl->level == NORM_LEVEL_LIBRARY;
    if (w->levels == BEST && !select_is_best(impl))
        return false;
    if (impl->op != NORM_DYT)
        return impl->streams == ((w->forms & STREAMED) != 0) && norm_is_default(impl);
    while (*variant != NULL && strcmp(impl->variant, *variant) != 0)
        variant++;
    return *variant != NULL;
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
    const unsigned passes = usually(w->passes, FORWARD), caches = usually(w->caches, WARM);
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++) {
        if (!sweep_has(w, impl) || !sweep_has_dtype(w, which, s, impl->dtype) || !selection_has(s, impl) ||
            !(SELECT_QUESTION >> impl->op & 1 || which == PRESET_FULL || s->given[SELECT_OP]))
            continue;
        for (unsigned pass = 0; pass < NORM_PASSES; pass++)
            for (unsigned cache = 0; cache < CACHES; cache++)
                for (size_t k = 0; k < MANY && w->shapes[k].rows > 0; k++)
                    for (size_t n = 0; n < thread_count; n++) {
                        const cell c = {impl,       (norm_pass)pass, w->shapes[k].rows,  w->shapes[k].cols,
                                        threads[n], PLACEMENT_CORES, (cache_state)cache, 0};
                        if (passes >> pass & 1 && caches >> cache & 1 && selection_has_pass(s, c.pass) &&
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
