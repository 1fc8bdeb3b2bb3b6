// SPDX-License-Identifier: MIT
// verdict.c: see verdict.h.
#include "verdict.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "peers/peers.h"

// Of dyt in form framework, without beta as in the paper's LLaMA.
#define AS_FRAMEWORK FRAMEWORK_TANH "_nobeta"

// One comparison: DyT in this variant against another op, same form and level, in the group that fits best.
typedef struct {
    const char *where;
    norm_pass pass;
    norm_form form;
    norm_dtype dtype;
    const char *variant; // of dyt
    norm_op against;
    bool all_cores;    // one thread per core; else one thread
    size_t most_bytes; // of x and y together; the largest such group is taken. 0: no limit
    size_t least_bytes;
} question;

static double tensor_bytes(const cell *c) {
    return 2.0 * (double)c->rows * (double)c->cols * (double)norm_dtype_bytes(c->impl->dtype);
}

static bool fits(const question *q, const cell *c, size_t cores) {
    const norm_impl *const impl = c->impl;
    return impl->op == NORM_DYT && strcmp(impl->variant, q->variant) == 0 && impl->form == q->form &&
           impl->dtype == q->dtype && c->pass == q->pass && c->cache == CACHE_WARM &&
           norm_best(impl->op, impl->variant, impl->form, impl->dtype) == impl &&
           c->threads == (q->all_cores ? cores : 1) && tensor_bytes(c) >= (double)q->least_bytes &&
           (q->most_bytes == 0 || tensor_bytes(c) <= (double)q->most_bytes);
}

// Of the cells that fit, the largest. SIZE_MAX if there is none.
static size_t find(const summary *s, const question *q, size_t cores) {
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < s->plan->count; i++) {
        const cell *const c = &s->plan->items[i].cell;
        if (fits(q, c, cores) && s->first[i] < s->first[i + 1] &&
            (found == SIZE_MAX || tensor_bytes(c) > tensor_bytes(&s->plan->items[found].cell)))
            found = i;
    }
    return found;
}

// A ratio of times in words: only what the interval shows.
static void say(FILE *out, const stats_interval *r, const char *other) {
    if (isnan(r->lo))
        fprintf(out, "%5.2f times the time of %s (too few launches for an interval)", r->median, other);
    else if (r->hi < 1)
        fprintf(out, "DyT wins:  %5.2f times the time of %s [%.2f, %.2f]", r->median, other, r->lo, r->hi);
    else if (r->lo > 1)
        fprintf(out, "DyT loses: %5.2f times the time of %s [%.2f, %.2f]", r->median, other, r->lo, r->hi);
    else
        fprintf(out, "no difference shown: %.2f times the time of %s [%.2f, %.2f]", r->median, other, r->lo, r->hi);
}

void verdict_print(FILE *out, const summary *s, const topology *t) {
    const size_t l1 = topology_cache_bytes(t, 1), l2 = topology_cache_bytes(t, 2), l3 = topology_llc_bytes(t);
    const question questions[] = {
        {"data in L1", NORM_FORWARD, NORM_FUSED, NORM_F32, "u2", NORM_RMSNORM, false, l1, 0},
        {"data in L2", NORM_FORWARD, NORM_FUSED, NORM_F32, "u2", NORM_RMSNORM, false, l2, l1},
        {"data in L2", NORM_FORWARD, NORM_FUSED, NORM_F32, "u2", NORM_LAYERNORM, false, l2, l1},
        {"data in L3", NORM_FORWARD, NORM_FUSED, NORM_F32, "u2", NORM_RMSNORM, false, l3, l2},
        {"data in memory", NORM_FORWARD, NORM_FUSED, NORM_F32, "u2", NORM_RMSNORM, false, 0, 2 * l3},
        {"data in memory", NORM_FORWARD, NORM_FUSED, NORM_F32, "u2", NORM_LAYERNORM, false, 0, 2 * l3},
        {"the same, streamed", NORM_FORWARD, NORM_FUSED, NORM_F32, "u2_nt", NORM_RMSNORM, false, 0, 2 * l3},
        {"all cores", NORM_FORWARD, NORM_FUSED, NORM_F32, "u2", NORM_RMSNORM, true, 0, 0},
        {"the same, streamed", NORM_FORWARD, NORM_FUSED, NORM_F32, "u2_nt", NORM_RMSNORM, true, 0, 0},
        {"all cores", NORM_FORWARD, NORM_FUSED, NORM_BF16, "u2", NORM_RMSNORM, true, 0, 0},
        {"all cores, bf16's tanh", NORM_FORWARD, NORM_FUSED, NORM_BF16, "lp", NORM_RMSNORM, true, 0, 0},
        {"the same, streamed", NORM_FORWARD, NORM_FUSED, NORM_BF16, "lp_nt", NORM_RMSNORM, true, 0, 0},
        {"all cores", NORM_BACKWARD, NORM_FUSED, NORM_F32, "u2", NORM_RMSNORM, true, 0, 0},
        {"ideal op by op", NORM_FORWARD, NORM_EAGER, NORM_BF16, "u2_nobeta", NORM_RMSNORM, true, 0, 0},
        {"ideal op by op", NORM_BACKWARD, NORM_EAGER, NORM_BF16, "u2_nobeta", NORM_RMSNORM, true, 0, 0},
        {"ideal op by op", NORM_FORWARD, NORM_EAGER, NORM_F32, "u2_nobeta", NORM_RMSNORM, true, 0, 0},
        {"as a framework runs it", NORM_FORWARD, NORM_FRAMEWORK, NORM_BF16, AS_FRAMEWORK, NORM_RMSNORM, true, 0, 0},
        {"framework, " FRAMEWORK_TANH, NORM_FORWARD, NORM_FRAMEWORK, NORM_F32, AS_FRAMEWORK, NORM_RMSNORM, true, 0, 0},
        {"framework, MKL's tanh", NORM_FORWARD, NORM_FRAMEWORK, NORM_F32, "mkl_nobeta", NORM_RMSNORM, true, 0, 0},
        {"framework, " FRAMEWORK_TANH, NORM_FORWARD, NORM_FRAMEWORK, NORM_F32, AS_FRAMEWORK, NORM_LAYERNORM, true, 0,
         0},
        {"glibc's vector tanh", NORM_FORWARD, NORM_FUSED, NORM_F32, "mvec", NORM_RMSNORM, false, 0, 0},
        {"SLEEF's vector tanh", NORM_FORWARD, NORM_FUSED, NORM_F32, "sleef", NORM_RMSNORM, false, 0, 0},
        {"libm's tanhf", NORM_FORWARD, NORM_FUSED, NORM_F32, "libm", NORM_RMSNORM, false, 0, 0},
    };
    bool begun = false;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const question *const q = &questions[i];
        const size_t dyt = find(s, q, topology_cores(t));
        if (dyt == SIZE_MAX)
            continue;
        const norm_impl *const impl = s->plan->items[dyt].cell.impl;
        const size_t other = summary_partner(s->plan, dyt, q->against);
        if (other == SIZE_MAX || s->first[other] == s->first[other + 1])
            continue;
        if (!begun)
            fprintf(out, "\nWhere DyT wins on this machine: its time over that of the norm it would replace, at the "
                         "best level\n\n");
        begun = true;
        const cell *const c = &s->plan->items[dyt].cell;
        const stats_interval ratio = summary_ratio(s, dyt, other);
        char shape_text[64];
        snprintf(shape_text, sizeof shape_text, "%zux%zu", c->rows, c->cols);
        fprintf(out, "%-23s %-8s %-4s %-9s %-11s %zu thread%s  ", q->where, norm_pass_name(c->pass),
                norm_dtype_name(impl->dtype), norm_form_name(impl->form), shape_text, c->threads,
                c->threads == 1 ? " " : "s");
        say(out, &ratio, norm_op_name(q->against));
        fputc('\n', out);
    }
}
