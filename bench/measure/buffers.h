// SPDX-License-Identifier: MIT
// buffers.h: the memory that a group of cells is timed on: huge-page advice, first touch by the thread that will use
// the rows, and no two tensors at the same offset in a 4 KiB page, which would make stores look like they collide with
// later loads.
#ifndef BUFFERS_H
#define BUFFERS_H

#include <stddef.h>
#include <stdint.h>

#include "plan/cell.h"

typedef struct {
    norm_args *sets; // what each call is given; calls rotate through them. One set if the cache is to be warm. As many
                     // again follow here and below, whose gamma and beta are f32 whatever the dtype
    norm_args *add_backward_sets; // the same for backward of form add_fused; NULL if no cell has that form
    norm_args *inference_sets;    // forward that no backward follows, of forms that then keep no temporaries
    norm_args *framework_sets;    // forward and backward of form framework, which keeps tensors of its own between them
    size_t set_count;
    size_t bytes; // of one set's tensors
    char *block;  // all tensors
    void *made;   // what forwards of form framework keep: `saved` of framework_sets
    size_t block_bytes;
    char *scratch; // saved, then workspace, shared by all sets; touched first by the implementations themselves
    size_t scratch_bytes, workspace_offset;
} buffers;

// Parameters that every timed call gets: alpha and eps as in the paper (tables 4, 10: alpha 0.5 outside LLaMA; eps 1e-5
// of LLaMA); shift as Derf begins.
#define BUFFERS_ALPHA 0.5f
#define BUFFERS_SHIFT 0.0f
#define BUFFERS_EPS 1e-5f

// Bytes that buffers_make would take for these cells, which are all of one group. cold_bytes: what the sets together
// must exceed when the group's cache is cold. SIZE_MAX on overflow.
size_t buffers_bytes(const cell *cells, size_t count, size_t cold_bytes);
// false if memory ran out. The team must already be bound: rows are touched by the thread that norm_run gives them.
bool buffers_make(buffers *b, const cell *cells, size_t count, size_t cold_bytes, uint64_t seed);
// What timed calls of this pass are given: set_count of them; and a forward that leaves what backward needs.
const norm_args *buffers_sets(const buffers *b, const norm_impl *impl, norm_pass pass);
const norm_args *buffers_before_backward(const buffers *b, const norm_impl *impl);
// Calls go by this schedule from now on, which has to outlive them; NULL: as they do by default.
void buffers_schedule(buffers *b, const norm_schedule *schedule);
void buffers_free(buffers *b);

#endif
