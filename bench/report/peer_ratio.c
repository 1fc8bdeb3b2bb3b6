// SPDX-License-Identifier: MIT
// peer_ratio.c: see peer_ratio.h.
#include "peer_ratio.h"

#include <stdio.h>
#include <string.h>

#include "base/interval.h"
#include "filter.h"

static bool is(table_row row, const char *column, const char *word) { return strcmp(row_text(row, column), word) == 0; }

// ---- Which system

// What of PyTorch runs as a form does; NULL: nothing. Its LayerNorm is one kernel op by op, too, so that a fused one of
// ours stands for it there.
static const char *system_of(table_row row, table_row subject) {
    const char *const form = row_text(row, "form");
    if (strcmp(form, "eager") == 0 || strcmp(form, "framework") == 0)
        return "pytorch_eager";
    if (strcmp(form, "fused") != 0)
        return NULL;
    return is(row, "op", "layernorm") && !is(subject, "form", "fused") ? "pytorch_eager" : "torch_compile";
}

// Whether what a row timed is a module that `make peers` times: the default variant with all its parameters, of dyt
// without beta, too.
static bool is_module(table_row row) {
    const char *const suffix = strchr(row_text(row, "variant"), '_');
    return filter_default(row) > 0 && (suffix == NULL || (is(row, "op", "dyt") && strcmp(suffix, "_nobeta") == 0));
}
static bool has_beta(table_row row) { return is(row, "op", "dyt") && strchr(row_text(row, "variant"), '_') == NULL; }

// ---- Which row

// The pass that is timed; "": none alone. A table of layers has phases.
static const char *pass_of(table_row row) {
    const char *const phase = row_text(row, "phase");
    return *phase == '\0' ? row_text(row, "pass") : strcmp(phase, "train") == 0 ? "" : "forward";
}

static bool fits(table_row peer, table_row subject, table_row baseline) {
    static const char *const shared[] = {"machine_id", "dtype", "rows", "cols", "threads"};
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if (!is(peer, shared[i], row_text(subject, shared[i])))
            return false;
    const char *const below = row_text(peer, "against_system"); // one of an earlier version is all of one system
    return is(peer, "op", row_text(subject, "op")) && is(peer, "against", row_text(baseline, "op")) &&
           is(peer, "beta", has_beta(subject) ? "1" : "0") && is(peer, "pass", pass_of(subject)) &&
           is(peer, "system", system_of(subject, subject)) &&
           strcmp(*below == '\0' ? row_text(peer, "system") : below, system_of(baseline, subject)) == 0;
}

// The states of the heap, the most usual first, as a run meets it.
static size_t rank_of(table_row peer) {
    static const char *const heaps[] = {"settled", "kept", "fresh"};
    size_t i = 0;
    while (i < sizeof heaps / sizeof *heaps && !is(peer, "heap", heaps[i]))
        i++;
    return i;
}

// Whether scripts/peers_table.py has the ratio of such a pair: each system's own, and of rmsnorm over itself two's.
static bool is_pair(table_row subject, table_row baseline) {
    const char *const above = system_of(subject, subject), *const below = system_of(baseline, subject);
    const bool itself = is(subject, "op", "rmsnorm") && is(baseline, "op", "rmsnorm");
    return is_module(subject) && is_module(baseline) && above != NULL && below != NULL &&
           (is(subject, "dtype", "f32") || is(subject, "dtype", "bf16")) &&
           (is(subject, "op", "dyt") || is(subject, "op", "rmsnorm")) &&
           (is(baseline, "op", "rmsnorm") || is(baseline, "op", "layernorm")) && (strcmp(above, below) != 0) == itself;
}

// Why `make peers` times it at no shape; NULL: it does.
static const char *never_timed(table_row subject, table_row baseline) {
    if (!is_pair(subject, baseline))
        return "no such pair of its norms is timed";
    if (is(subject, "cache", "cold"))
        return "it is timed on warm caches alone";
    return *pass_of(subject) == '\0' ? "its passes are timed one by one, not as training has them" : NULL;
}

peer_ratio peer_ratio_find(const run_tables *run, table_row subject, table_row baseline) {
    static const filter every = {0};
    peer_ratio found = {.value = INTERVAL_NONE};
    table_row row = {0};
    if (run->tables[RUN_TABLE_PEERS].count == 0)
        return found;
    found.why = never_timed(subject, baseline);
    if (found.why != NULL)
        return found;
    while (filter_next(&every, run, RUN_TABLE_PEERS, &row))
        if (*row_text(row, "ratio") != '\0' && fits(row, subject, baseline) &&
            (!row_is(found.row) || rank_of(row) < rank_of(found.row)))
            found.row = row;
    if (row_is(found.row))
        found.value = row_interval(found.row, "ratio", "");
    else
        found.why =
            "peers.csv has nothing of this machine, pass, dtype, shape and threads: make peers RUN=DIR measures it";
    return found;
}

// ---- Words

const char *peer_ratio_version(const peer_ratio *p, char *text, size_t size) {
    const char *const version = row_text(p->row, "pytorch");
    snprintf(text, size, "%.*s", (int)strcspn(version, "+"), version);
    return text;
}
const char *peer_ratio_how(const peer_ratio *p) {
    return is(p->row, "system", "pytorch_eager") ? "op by op" : "compiled";
}
const char *peer_ratio_heap(const peer_ratio *p) {
    return is(p->row, "heap", "kept")    ? ", its memory kept"
           : is(p->row, "heap", "fresh") ? ", its outputs mapped anew"
                                         : "";
}
