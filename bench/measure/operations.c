// SPDX-License-Identifier: MIT
// operations.c: see operations.h.
#include "operations.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "buffers.h"
#include "counted.h"
#include "machine/peak.h"
#include "table.h"

operations_sum operations_counted;

// The vocabularies that make another number: SIMD_LOOKUP32 (simd.h) takes the place of arithmetic.
#define VOCABULARIES(X) X(plain) X(lookup32)
enum { PLAIN, LOOKUP32, KINDS };

// Weak, for a unit without lookups has the same number either way and is compiled once.
#define DECLARE_UNIT(unit, kind) extern const norm_table norm_##unit##_counted_##kind __attribute__((weak));
#define DECLARE(kind) NORM_UNIT_LIST(DECLARE_UNIT, kind)
VOCABULARIES(DECLARE)
#define COUNT_UNIT(unit, kind) +1
enum { UNITS = NORM_UNIT_LIST(COUNT_UNIT, ) };
#define POINTER(unit, kind) &norm_##unit##_counted_##kind,
#define POINTERS(kind) {NORM_UNIT_LIST(POINTER, kind)},
static const norm_table *const tables[KINDS][UNITS] = {VOCABULARIES(POINTERS)};

// What a level's vocabulary has follows from its features: in AVX-512 permutes of two registers, but at width one
// (auto_*) no lookup.
#define IS_AVX512(name) || strcmp(#name, "avx512f") == 0
static int vocabulary(norm_level level) {
#define LEVEL(ID, name, features)                                                                                      \
    if (level == NORM_LEVEL_##ID)                                                                                      \
        return (false features(IS_AVX512)) && !norm_level_is_auto(level) ? LOOKUP32 : PLAIN;
    NORM_LEVEL_LIST(LEVEL)
    return PLAIN;
}

// The counting twin. Where results go makes no arithmetic, so a variant that stores past the caches has its other's,
// and neither does the dtype.
static const norm_impl *counting(const norm_impl *impl) {
    const norm_impl *const regular = impl->streams ? norm_other_stores(impl) : impl;
    const int kind = vocabulary(impl->level);
    for (size_t unit = 0; regular != NULL && unit < UNITS; unit++) {
        const norm_table *const table = tables[kind][unit] != NULL ? tables[kind][unit] : tables[PLAIN][unit];
        for (size_t i = 0; i < table->count; i++) {
            const norm_impl *const twin = &table->impls[i];
            if (twin->op == impl->op && twin->form == impl->form && strcmp(twin->variant, regular->variant) == 0)
                return twin;
        }
    }
    return NULL;
}

static operations_sum count(const norm_impl *twin, norm_pass pass, size_t rows, size_t cols) {
    static const operations_sum none = {NAN, NAN, NAN, NAN};
    const cell c = {twin, pass, rows, cols, 1, PLACEMENT_NONE, CACHE_WARM, 0};
    buffers b = {0};
    bool ran = false;
    if (buffers_make(&b, &c, 1, 0, 1)) {
        // Backward needs what forward leaves.
        ran = pass == NORM_FORWARD || norm_run(twin, NORM_FORWARD, buffers_before_backward(&b, twin), 1) == NORM_OK;
        operations_counted = (operations_sum){0};
        ran = ran && norm_run(twin, pass, buffers_sets(&b, twin, pass), 1) == NORM_OK;
    }
    buffers_free(&b);
    return ran ? operations_counted : none;
}

// A call of R rows and C columns does a R C + b R + c C + d operations, of which a is asked for. Whole blocks of rows
// and whole steps over columns, whatever their number, and none longer than what is summed in one piece, so that all
// four shapes take the same paths. What a block of rows adds to a gradient at once is a fraction of an operation for
// each of them, and left out.
operation_counts operations_per_element(const norm_impl *impl, norm_pass pass) {
    enum { ROWS = 16, COLS = 64 };
    const norm_impl *const twin = counting(impl);
    if (twin == NULL)
        return (operation_counts){NAN, NAN, NAN};
    const operations_sum all = count(twin, pass, 2 * ROWS, 2 * COLS), half = count(twin, pass, ROWS, 2 * COLS),
                         narrow = count(twin, pass, 2 * ROWS, COLS), least = count(twin, pass, ROWS, COLS);
#define EACH(kind) ((all.kind - half.kind - narrow.kind + least.kind) / (ROWS * COLS))
    const double added = EACH(added), multiplied = EACH(multiplied), fused = EACH(fused), looked_up = EACH(looked_up);
#undef EACH
    const double times = peak_fuses(impl->level) ? 1 : 2;
    return (operation_counts){.operations = floor(added + multiplied + 2 * fused),
                              .instructions = floor(added + multiplied + times * fused + looked_up),
                              .multiplies = floor(multiplied + fused)};
}
