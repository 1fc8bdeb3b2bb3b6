// SPDX-License-Identifier: MIT
// buffers.c: see buffers.h.
#include "buffers.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "graph/heap.h"
#include "inputs.h"

// Each tensor is followed by two skews, a quarter of a page plus a line each. So tensors of whole pages begin at
// different offsets in a page, all seven that a set can have, and the even ones among them, which are inputs, half a
// page from the odd ones, which are outputs.
enum { MOST_TENSORS = 7, SKEW = 1024 + 64, LINE = 64 };

// The part of a shape that is drawn; larger tensors repeat it. Drawing 64 Mi normal numbers in each launch would take
// longer than timing them, and no kernel can tell.
enum { DRAWN_ELEMENTS = 1 << 20, KINDS = 2 }; // of sets: by the storage type of gamma and beta

typedef struct {
    size_t tensor, params, set, sets, saved, workspace;
    size_t made;  // what operations of form framework allocate in a call
    size_t table; // what their forwards keep
    bool adds;    // some cell has form add_fused
} layout;

static bool lay_out(const cell *cells, size_t count, size_t cold_bytes, layout *l) {
    const cell *const c = &cells[0];
    size_t fewest = MOST_TENSORS, most = 0;
    l->adds = false;
    for (size_t i = 0; i < count; i++) {
        const size_t tensors = cell_tensors(&cells[i]);
        fewest = tensors < fewest ? tensors : fewest;
        most = tensors > most ? tensors : most;
        l->adds = l->adds || cells[i].impl->form == NORM_ADD_FUSED;
    }
    const size_t element = norm_dtype_bytes(c->impl->dtype);
    size_t elements;
    if (__builtin_mul_overflow(c->rows, c->cols, &elements) || __builtin_mul_overflow(elements, element, &l->tensor) ||
        l->tensor > SIZE_MAX / (4 * MOST_TENSORS) || c->cols > SIZE_MAX / 64)
        return false;
    l->tensor = (l->tensor + SKEW + LINE - 1) / LINE * LINE + SKEW;
    // gamma and beta in the dtype and in f32, dgamma and dbeta in f32, dalpha and dshift.
    l->params = (c->cols * (2 * element + 4 * sizeof(float)) + 8 * LINE) / LINE * LINE;
    l->set = most * l->tensor;
    // A cell that has few of the tensors must still find its own cold.
    l->sets = c->cache == CACHE_COLD ? cold_bytes / (fewest * l->tensor) + 2 : 1;
    l->saved = l->workspace = l->made = l->table = 0;
    for (size_t i = 0; i < count; i++) {
        const norm_impl *const impl = cells[i].impl;
        const size_t saved = norm_saved_bytes(impl, c->rows, c->cols), made = norm_fresh_bytes(impl, c->rows, c->cols);
        const size_t workspace = norm_workspace_bytes(impl, c->rows, c->cols, (int)c->threads);
        if (saved == SIZE_MAX || workspace == SIZE_MAX || made == SIZE_MAX)
            return false;
        l->made = made > l->made ? made : l->made;
        size_t *const kept = impl->form == NORM_FRAMEWORK ? &l->table : &l->saved;
        *kept = saved > *kept ? saved : *kept;
        l->workspace = workspace > l->workspace ? workspace : l->workspace;
    }
    return true;
}

size_t buffers_bytes(const cell *cells, size_t count, size_t cold_bytes) {
    layout l;
    size_t bytes;
    if (!lay_out(cells, count, cold_bytes, &l) || __builtin_mul_overflow(l.set, l.sets, &bytes) ||
        __builtin_add_overflow(bytes, l.params + l.saved, &bytes) ||
        __builtin_add_overflow(bytes, l.workspace, &bytes) || __builtin_add_overflow(bytes, l.made, &bytes))
        return SIZE_MAX;
    return bytes;
}

static char *map(size_t bytes) {
    char *const block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
#ifdef MADV_HUGEPAGE
    // Advice only: without huge pages a run is slower, not wrong, and machine_warnings says so.
    (void)madvise(block, bytes, MADV_HUGEPAGE);
#endif
    return block;
}

// Draws the rows of one slice, or repeats rows already drawn by the same thread.
static void fill_rows(norm_dtype dtype, void *data, size_t cols, size_t begin, size_t end, uint64_t seed) {
    const size_t row_bytes = cols * norm_dtype_bytes(dtype);
    const size_t drawn = DRAWN_ELEMENTS / cols > 0 ? DRAWN_ELEMENTS / cols : 1;
    for (size_t row = begin; row < end; row++) {
        if (row - begin < drawn)
            inputs_fill(INPUT_ACTIVATIONS, dtype, data, cols, cols, row, row + 1, seed);
        else
            memcpy((char *)data + row * row_bytes, (char *)data + (row - drawn) * row_bytes, row_bytes);
    }
}

static void touch_set(const norm_args *set, norm_dtype dtype, int threads, uint64_t seed) {
#pragma omp parallel num_threads(threads)
    {
        const norm_slice part =
            norm_part(NORM_SPLIT_ROWS, set->rows, (size_t)omp_get_thread_num(), (size_t)omp_get_num_threads());
        const size_t row_bytes = set->cols * norm_dtype_bytes(dtype);
        const size_t from = part.begin * row_bytes, bytes = (part.end - part.begin) * row_bytes;
        fill_rows(dtype, (void *)(uintptr_t)set->x, set->cols, part.begin, part.end, seed);
        memset((char *)set->y + from, 0, bytes);
        if (set->dy != NULL) {
            fill_rows(dtype, (void *)(uintptr_t)set->dy, set->cols, part.begin, part.end, seed + 1);
            memset((char *)set->dx + from, 0, bytes);
        }
        if (set->branch != NULL) {
            fill_rows(dtype, (void *)(uintptr_t)set->branch, set->cols, part.begin, part.end, seed + 4);
            // As if forward had run, for a backward that is timed on sets where it has not.
            fill_rows(dtype, set->sum, set->cols, part.begin, part.end, seed + 5);
        }
        if (set->dsum != NULL)
            fill_rows(dtype, (void *)(uintptr_t)set->dsum, set->cols, part.begin, part.end, seed + 6);
    }
}

// Where the tensors of a set are, and the parameters, which all sets share; gamma and beta of this dtype.
static norm_args arrange(const buffers *b, const cell *c, const layout *l, size_t set, norm_dtype affine) {
    const bool backward = c->pass == NORM_BACKWARD;
    char *const tensor = b->block + set * l->set, *const added = tensor + (backward ? 4 : 2) * l->tensor;
    float *const dgamma = (float *)(void *)(b->block + l->set * l->sets), *const dbeta = dgamma + c->cols,
                 *const dalpha = dbeta + c->cols;
    // Those in f32 stand behind those of 16 bits.
    char *const gamma = (char *)(dalpha + 16 + (affine != c->impl->dtype ? c->cols : 0));
    char *const beta = gamma + c->cols * norm_dtype_bytes(affine);
    return (norm_args){.rows = c->rows,
                       .cols = c->cols,
                       .x_stride = c->cols,
                       .y_stride = c->cols,
                       .dy_stride = c->cols,
                       .dx_stride = c->cols,
                       .branch_stride = c->cols,
                       .sum_stride = c->cols,
                       .dsum_stride = c->cols,
                       .x = tensor,
                       .y = tensor + l->tensor,
                       .dy = backward ? tensor + 2 * l->tensor : NULL,
                       .dx = backward ? tensor + 3 * l->tensor : NULL,
                       .branch = l->adds ? added : NULL,
                       .sum = l->adds ? added + l->tensor : NULL,
                       .dsum = l->adds && backward ? added + 2 * l->tensor : NULL,
                       .gamma = gamma,
                       .beta = beta,
                       .alpha = BUFFERS_ALPHA,
                       .shift = BUFFERS_SHIFT,
                       .eps = BUFFERS_EPS,
                       .dgamma = dgamma,
                       .dbeta = dbeta,
                       .dalpha = dalpha,
                       .dshift = dalpha + 1,
                       .saved = b->scratch,
                       .workspace = b->scratch == NULL ? NULL : b->scratch + b->workspace_offset};
}

static void fill_parameters(const norm_args *set, norm_dtype affine, uint64_t seed) {
    inputs_fill(INPUT_NORMAL, affine, (void *)(uintptr_t)set->gamma, set->cols, set->cols, 0, 1, seed + 2);
    inputs_fill(INPUT_NORMAL, affine, (void *)(uintptr_t)set->beta, set->cols, set->cols, 0, 1, seed + 3);
}

bool buffers_make(buffers *b, const cell *cells, size_t count, size_t cold_bytes, uint64_t seed) {
    const cell *const c = &cells[0];
    const norm_dtype dtype = c->impl->dtype;
    layout l;
    *b = (buffers){0};
    if (!lay_out(cells, count, cold_bytes, &l))
        return false;
    b->block_bytes = l.set * l.sets + l.params;
    b->scratch_bytes = l.saved + l.workspace;
    b->workspace_offset = l.saved;
    b->block = map(b->block_bytes);
    b->scratch = b->scratch_bytes > 0 ? map(b->scratch_bytes) : NULL;
    b->sets = calloc(KINDS * l.sets, sizeof *b->sets);
    b->add_backward_sets = l.adds ? calloc(KINDS * l.sets, sizeof *b->sets) : NULL;
    b->inference_sets = calloc(KINDS * l.sets, sizeof *b->sets);
    b->framework_sets = calloc(KINDS * l.sets, sizeof *b->sets);
    b->made = calloc(1, l.table + 1);
    if (b->block == NULL || b->sets == NULL || (l.adds && b->add_backward_sets == NULL) || b->inference_sets == NULL ||
        b->framework_sets == NULL || b->made == NULL || (b->scratch_bytes > 0 && b->scratch == NULL)) {
        buffers_free(b);
        return false;
    }
    b->set_count = l.sets;
    b->bytes = l.set;
    if (l.made > 0)
        (void)heap_settle();

    for (size_t i = 0; i < KINDS * l.sets; i++) {
        const norm_dtype affine = i < l.sets ? dtype : NORM_F32;
        b->sets[i] = arrange(b, c, &l, i % l.sets, affine);
        if (i % l.sets == 0)
            fill_parameters(&b->sets[i], affine, seed);
        if (i < l.sets)
            touch_set(&b->sets[i], dtype, (int)c->threads, seed);
        if (l.adds)
            b->add_backward_sets[i] = cell_pass_args(NORM_ADD_FUSED, NORM_BACKWARD, &b->sets[i]);
        b->inference_sets[i] = b->framework_sets[i] = b->sets[i];
        b->inference_sets[i].saved = NULL;
        b->framework_sets[i].saved = b->made;
    }
    return true;
}

static const norm_args *of_kind(const buffers *b, const norm_impl *impl, const norm_args *sets) {
    return sets + (impl->params & NORM_F32_AFFINE ? b->set_count : 0);
}

const norm_args *buffers_sets(const buffers *b, const norm_impl *impl, norm_pass pass) {
    if (pass == NORM_FORWARD)
        return of_kind(b, impl, impl->form == NORM_EAGER || impl->form == NORM_FRAMEWORK ? b->inference_sets : b->sets);
    return of_kind(b, impl,
                   impl->form == NORM_ADD_FUSED   ? b->add_backward_sets
                   : impl->form == NORM_FRAMEWORK ? b->framework_sets
                                                  : b->sets);
}

const norm_args *buffers_before_backward(const buffers *b, const norm_impl *impl) {
    return of_kind(b, impl, impl->form == NORM_FRAMEWORK ? b->framework_sets : b->sets);
}

void buffers_schedule(buffers *b, const norm_schedule *schedule) {
    norm_args *const all[] = {b->sets, b->add_backward_sets, b->inference_sets, b->framework_sets};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (size_t i = 0; all[k] != NULL && i < KINDS * b->set_count; i++)
            all[k][i].schedule = schedule;
}

void buffers_free(buffers *b) {
    if (b->block != NULL)
        (void)munmap(b->block, b->block_bytes);
    if (b->scratch != NULL)
        (void)munmap(b->scratch, b->scratch_bytes);
    free(b->sets);
    free(b->add_backward_sets);
    free(b->inference_sets);
    free(b->framework_sets);
    free(b->made);
    *b = (buffers){0};
}
