// SPDX-License-Identifier: MIT
// bound.c: see bound.h.
#include "bound.h"

#include <math.h>

#include "plan/tune_plan.h"

#define NAME(ID, name) #name,
static const char *const names[BOUNDS] = {BOUND_LIST(NAME)};
#undef NAME
const char *bound_name(bound_kind kind) { return kind < BOUNDS ? names[kind] : NULL; }

void bound_measure(bound_machine *m, const cell *cells, size_t count) {
    bool known[NORM_LEVELS] = {false};
    m->caches = tune_caches_here();
    m->peak_gflops = 1e-9 * peak_flops(1, NORM_F32);
    for (size_t i = 0; i < count; i++) {
        const norm_level level = cells[i].impl->level;
        if (level >= NORM_LEVELS || known[level])
            continue;
        m->rates[level] = peak_rates_of(level);
        known[level] = true;
    }
}

// ---- What moves

// Each thread has its own part of the tensors in the caches of its own core; what rotates lies in none.
static bound_kind place_of(const bound_machine *m, const cell *c) {
    static const bound_kind kinds[NORM_SIZE_CLASSES] = {BOUND_L1, BOUND_L2, BOUND_L3, BOUND_MEMORY};
    norm_caches team = m->caches;
    team.bytes[NORM_SIZE_L1] *= c->threads;
    team.bytes[NORM_SIZE_L2] *= c->threads;
    const norm_size_class size = norm_size_class_of(c->impl, c->pass, c->rows, c->cols, &team);
    return c->cache == CACHE_COLD ? BOUND_MEMORY : kinds[size];
}

// Bytes an element that a pass moves at that place. In L1 loads have ports beside those of stores, so only what is
// written counts. Elsewhere what is written is first read, but where it goes past the caches, so it counts twice.
static double moved(const norm_impl *impl, norm_pass pass, bound_kind place) {
    const double bytes = (double)norm_dtype_bytes(impl->dtype), all = norm_bytes_per_element(impl, pass);
    const double written = impl->form == NORM_ADD_FUSED && pass == NORM_FORWARD ? 2 * bytes : bytes;
    if (place == BOUND_L1)
        return written;
    return impl->streams && pass == NORM_FORWARD ? all : all + written;
}

// ---- What computes, and what waits

static double ports_ns(const bound_machine *m, const cell *c, const bound_terms *t) {
    const peak_rates *const rates = &m->rates[c->impl->level];
    // Multiply-adds of the best level by this team, in its launches, in elements a nanosecond.
    const double base = t->peak_gflops / 2;
    const double elements = (double)c->rows * (double)c->cols;
    const double multiplied = t->multiplies / rates->multiply, any = t->instructions / rates->any;
    return elements * (multiplied > any ? multiplied : any) / base; // NaN where instructions are: fmax would drop that
}

// A single row is summed before any of it is written. Of several, one is summed while another waits.
static double chain_ns(const bound_machine *m, const cell *c) {
    const bool waits = c->rows == 1 && c->pass == NORM_FORWARD && !c->impl->elementwise;
    return waits ? m->rates[c->impl->level].chain_ns : 0;
}

// ---- All together

row_bound bound_of(const bound_machine *m, const cell *c, const bound_terms *t) {
    const row_bound none = {BOUNDS, NAN};
    const bool one_sweep = c->impl->form == NORM_FUSED || c->impl->form == NORM_ADD_FUSED;
    if (!one_sweep || c->impl->level >= NORM_LEVELS || t->copy == NULL || !(m->peak_gflops > 0))
        return none;
    const bound_kind place = place_of(m, c);
    const double copy = t->copy_ratio * moved(c->impl, c->pass, place) / moved(t->copy, c->pass, place);
    const double ports = ports_ns(m, c, t) / t->time_ns, chain = chain_ns(m, c) / t->time_ns;
    const double swept = copy > ports ? copy : ports;
    if (isnan(copy) || isnan(ports) || isnan(chain))
        return none;
    return (row_bound){chain > swept ? BOUND_LATENCY : ports > copy ? BOUND_PORTS : place, swept + chain};
}
