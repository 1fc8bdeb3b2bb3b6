// SPDX-License-Identifier: MIT
// fresh.c: see fresh.h. What others read of a listed tensor stays until the next run makes it again.
#include "fresh.h"

#include <stdlib.h>

#include "heap.h"

static size_t end_of(const view *v) { return v->rows == 0 ? 0 : v->offset + (v->rows - 1) * v->stride + v->cols; }

static bool is_maker(const step *s) {
    return s->shown.kind == STEP_NORM && s->impl != NULL && s->impl->form == NORM_FRAMEWORK;
}

// Calls take() for each operand that reads the result of step `maker`.
static void each_reader(const program *p, size_t maker, void *context,
                        void (*take)(void *context, program *p, size_t at, size_t operand)) {
    const view made = p->steps[maker].views[0];
    for (size_t i = maker + 1; i < p->step_count; i++) {
        if (is_maker(&p->steps[i]) && p->steps[i].views[0].storage == made.storage)
            break;
        for (size_t k = 0; k < OPERANDS; k++)
            if (p->steps[i].views[k].storage == made.storage)
                take(context, (program *)(uintptr_t)p, i, k);
    }
}

typedef struct {
    fresh_result *f;
    view made;
    bool fits;
} collector;

static void count_reader(void *context, program *p, size_t at, size_t operand) {
    collector *const c = context;
    c->f->use_count++;
    c->f->last = at;
    c->fits = c->fits && end_of(&p->steps[at].views[operand]) <= c->made.rows * c->made.cols;
}

static void note_reader(void *context, program *p, size_t at, size_t operand) {
    collector *const c = context;
    const view *const v = &p->steps[at].views[operand];
    c->f->uses[c->f->use_count++] = (fresh_use){&p->steps[at].m[operand], v->offset * norm_dtype_bytes(v->dtype)};
}

static bool is_listed(const graph *g, const program *p, int which) {
    for (size_t i = 0; i < g->listed_count; i++)
        if (p->values[i].storage == which || p->gradients[i].storage == which)
            return true;
    return false;
}

// false: memory ran out. A result that is only a part of a storage stays where it is.
static bool prepare_step(graph *g, program *p, size_t index, fresh_result *f) {
    step *const s = &p->steps[index];
    collector c = {f, s->views[0], s->views[0].offset == 0 && s->views[0].stride == s->views[0].cols};
    *f = (fresh_result){.last = index, .storage = &g->storages[c.made.storage]};
    each_reader(p, index, &c, count_reader);
    if (!c.fits)
        return true;
    f->uses = calloc(f->use_count + 1, sizeof *f->uses);
    if (f->uses == NULL)
        return false;
    f->use_count = 0;
    each_reader(p, index, &c, note_reader);
    s->makes = f;
    f->listed = is_listed(g, p, s->views[0].storage);
    if (!f->listed) {
        f->next = p->steps[f->last].ends;
        p->steps[f->last].ends = f;
    }
    return true;
}

bool fresh_prepare(graph *g, program *p) {
    size_t makers = 0;
    for (size_t i = 0; i < p->step_count; i++)
        makers += is_maker(&p->steps[i]);
    p->fresh = calloc(makers + 1, sizeof *p->fresh);
    if (p->fresh == NULL)
        return false;
    if (makers > 0)
        (void)heap_settle();
    for (size_t i = 0; i < p->step_count; i++)
        if (is_maker(&p->steps[i]) && !prepare_step(g, p, i, &p->fresh[p->fresh_count++]))
            return false;
    return true;
}

static void release(fresh_result *f) {
    free(f->block);
    f->block = NULL;
    if (f->listed)
        f->storage->fresh = NULL;
}

void fresh_drop(program *p) {
    for (size_t i = 0; i < p->fresh_count; i++)
        release(&p->fresh[i]);
}

void fresh_free(program *p) {
    fresh_drop(p);
    for (size_t i = 0; i < p->fresh_count; i++)
        free(p->fresh[i].uses);
    free(p->fresh);
}

void fresh_place(fresh_result *f, void *block) {
    free(f->block);
    f->block = block;
    if (f->listed)
        f->storage->fresh = block;
    for (size_t i = 0; i < f->use_count; i++)
        f->uses[i].m->data = (char *)block + f->uses[i].offset;
}

void fresh_end(const step *s) {
    for (fresh_result *f = s->ends; f != NULL; f = f->next)
        release(f);
}
