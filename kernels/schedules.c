// SPDX-License-Identifier: MIT
// schedules.c: the schedules by kind of CPU, each named by where it was measured (docs/tuning.md), which kind this is,
// and how a schedule is written.
#include "schedules.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

// ---- By kind of CPU

typedef enum { OTHER, AMD, AMD_ZEN_5, INTEL, CPUS } cpu_kind;

// Kernels that a CPU wants different schedules for: norms in f32 with vectors of 512 or 256 bits, in forms fused and
// add_fused; what streams; and all others.
typedef enum {
    REST,
    NORM_WIDE,
    NORM_NARROW,
    ADDED_WIDE,
    ADDED_NARROW,
    STREAMED_NORM_F32,
    STREAMED_NORM_BF16,
    STREAMED_ELEMENTWISE,
    KINDS
} kernel_kind;

enum { UP_TO_1536 = 6144, UP_TO_2048 = 8192, AHEAD = 32768, OFTEN = 4 }; // columns of f32; bytes
#define ANY SIZE_MAX
#define OVERLAP(bytes)                                                                                                 \
    { .overlap_bytes = (bytes) }
#define FETCH(asks)                                                                                                    \
    { .fetch_bytes = AHEAD, .fetch_asks = (asks) }
// What streams waits for memory, so all CPUs fetch. Between the fetches of elementwise ops there is enough to compute.
static const norm_schedule choices[CPUS][KINDS] = {
    [OTHER] = {[STREAMED_NORM_F32] = FETCH(1), [STREAMED_NORM_BF16] = FETCH(1), [STREAMED_ELEMENTWISE] = FETCH(OFTEN)},
    // By Zen 3 and Zen 4.
    [AMD] = {[STREAMED_NORM_F32] = FETCH(OFTEN),
             [STREAMED_NORM_BF16] = FETCH(OFTEN),
             [STREAMED_ELEMENTWISE] = FETCH(OFTEN)},
    [AMD_ZEN_5] = {[NORM_WIDE] = OVERLAP(UP_TO_1536),
                   [STREAMED_NORM_F32] = FETCH(OFTEN),
                   [STREAMED_NORM_BF16] = FETCH(OFTEN),
                   [STREAMED_ELEMENTWISE] = FETCH(OFTEN)},
    // By Emerald Rapids and Granite Rapids.
    [INTEL] = {[NORM_WIDE] = OVERLAP(UP_TO_2048),
               [NORM_NARROW] = OVERLAP(ANY),
               [ADDED_WIDE] = OVERLAP(UP_TO_2048),
               [ADDED_NARROW] = OVERLAP(ANY),
               [STREAMED_NORM_F32] = FETCH(1),
               [STREAMED_NORM_BF16] = {.overlap_bytes = ANY, .fetch_bytes = AHEAD, .fetch_asks = 1},
               [STREAMED_ELEMENTWISE] = FETCH(OFTEN)},
};

static cpu_kind look(void) {
#if defined(__x86_64__)
    enum { BASE = 8, EXTENDED = 20, ZEN_5 = 26 };
    unsigned a = 0, b, c, d;
    const int told = __get_cpuid(1, &a, &b, &c, &d);
    const unsigned family = (a >> BASE & 0xf) + (a >> EXTENDED & 0xff);
    if (__builtin_cpu_is("amd"))
        return told && family == ZEN_5 ? AMD_ZEN_5 : AMD;
    return __builtin_cpu_is("intel") ? INTEL : OTHER;
#else
    return OTHER;
#endif
}

// CPUID is asked once: in a virtual machine it leaves the guest, which costs more than a small call of a kernel.
static const norm_schedule *choices_here(void) {
    static _Atomic(const norm_schedule *) here;
    const norm_schedule *known = atomic_load_explicit(&here, memory_order_relaxed);
    if (known == NULL) {
        known = choices[look()];
        atomic_store_explicit(&here, known, memory_order_relaxed);
    }
    return known;
}

static kernel_kind kind_of(const norm_impl *impl) {
    if (impl->streams)
        return impl->elementwise         ? STREAMED_ELEMENTWISE
               : impl->dtype == NORM_F32 ? STREAMED_NORM_F32
                                         : STREAMED_NORM_BF16;
    if (impl->elementwise || impl->dtype != NORM_F32)
        return REST;
    const bool adds = impl->form == NORM_ADD_FUSED;
#if defined(__x86_64__)
    if (impl->level == NORM_LEVEL_AVX512)
        return adds ? ADDED_WIDE : NORM_WIDE;
    if (impl->level == NORM_LEVEL_AVX2)
        return adds ? ADDED_NARROW : NORM_NARROW;
#else
    (void)adds;
#endif
    return REST;
}

// ---- Of a call

const norm_schedule *norm_schedule_of(const norm_impl *impl, norm_pass pass, size_t rows, size_t cols, int threads) {
    return impl == NULL || !schedules_loaded ? NULL : schedules_loaded_for(impl, pass, rows, cols, threads);
}

const norm_schedule *schedules_find(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads) {
    if (schedules_loaded) {
        const norm_schedule *const loaded = schedules_loaded_for(impl, pass, args->rows, args->cols, threads);
        if (loaded != NULL)
            return loaded;
    }
    return &choices_here()[kind_of(impl)];
}

// ---- As a word

enum { MOST_BYTES = 1 << 24, MOST_TILE = 1 << 20, LEAST_FETCH = 64 };

const char *norm_schedule_text(const norm_schedule *s, char text[NORM_SCHEDULE_TEXT]) {
    size_t used = 0;
#define ADD(...)                                                                                                       \
    used += (size_t)snprintf(text + used, NORM_SCHEDULE_TEXT - used, "%s", used > 0 ? "+" : "");                       \
    used += (size_t)snprintf(text + used, NORM_SCHEDULE_TEXT - used, __VA_ARGS__)
    if (s == NULL)
        return "default";
    text[0] = '\0';
    if (s->overlap_bytes == SIZE_MAX) {
        ADD("overlap");
    } else if (s->overlap_bytes > 0) {
        ADD("overlap%zu", s->overlap_bytes);
    }
    if (s->rows_summed > 0) {
        ADD("sum%u", s->rows_summed);
    }
    if (s->fetch_bytes > 0 && s->fetch_asks > 1) {
        ADD("fetch%ux%u", s->fetch_bytes, s->fetch_asks);
    } else if (s->fetch_bytes > 0) {
        ADD("fetch%u", s->fetch_bytes);
    }
    if (s->tile_cols > 0) {
        ADD("tile%ux%u", s->tile_cols, s->tile_rows);
    }
#undef ADD
    return used > 0 ? text : "plain";
}

// A number of 1 to `most` at *at, of digits alone, none of them a zero in front; *at then stands behind it.
static bool take_number(const char **at, size_t most, size_t *out) {
    size_t number = 0;
    if (**at < '1' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        number = 10 * number + (size_t)(**at - '0');
        if (number > most)
            return false;
    }
    *out = number;
    return true;
}

static bool take_word(const char **at, const char *word) {
    const size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool at_end(const char *at) { return *at == '\0' || *at == '+'; }

static bool take_overlap(const char **at, norm_schedule *s) {
    const bool first = s->overlap_bytes == 0;
    s->overlap_bytes = SIZE_MAX;
    return first && (at_end(*at) || take_number(at, MOST_BYTES, &s->overlap_bytes));
}
static bool take_sum(const char **at, norm_schedule *s) {
    size_t rows = 0;
    const bool first = s->rows_summed == 0, ok = take_number(at, OFTEN, &rows) && (rows == 1 || rows == OFTEN);
    s->rows_summed = (unsigned)rows;
    return first && ok;
}
static bool take_fetch(const char **at, norm_schedule *s) {
    size_t bytes = 0, asks = 1;
    const bool first = s->fetch_bytes == 0;
    if (!first || !take_number(at, MOST_BYTES, &bytes) || bytes < LEAST_FETCH)
        return false;
    if (take_word(at, "x") && (!take_number(at, OFTEN, &asks) || asks != OFTEN))
        return false;
    s->fetch_bytes = (unsigned)bytes;
    s->fetch_asks = (unsigned)asks;
    return true;
}
static bool take_tile(const char **at, norm_schedule *s) {
    size_t cols = 0, rows = 0;
    if (s->tile_cols > 0 || !take_number(at, MOST_TILE, &cols) || !take_word(at, "x") ||
        !take_number(at, MOST_TILE, &rows))
        return false;
    s->tile_cols = (unsigned)cols;
    s->tile_rows = (unsigned)rows;
    return true;
}

bool norm_schedule_parse(const char *text, norm_schedule *out) {
    static const struct {
        const char *word;
        bool (*take)(const char **at, norm_schedule *s);
    } words[] = {{"overlap", take_overlap}, {"sum", take_sum}, {"fetch", take_fetch}, {"tile", take_tile}};
    *out = (norm_schedule){0};
    if (strcmp(text, "plain") == 0)
        return true;
    for (const char *at = text;;) {
        size_t i = 0;
        while (i < sizeof words / sizeof *words && !take_word(&at, words[i].word))
            i++;
        if (i == sizeof words / sizeof *words || !words[i].take(&at, out) || !at_end(at))
            return false;
        if (*at++ == '\0')
            return true;
    }
}
