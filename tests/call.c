// SPDX-License-Identifier: MIT
#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/inputs.h"
#include "plan/cell.h"

static bool room(call *c, call_tensor which, size_t bytes) {
    enum { LINE = 64 };
    c->bytes[which] = bytes;
    c->data[which] = aligned_alloc(LINE, (bytes + LINE) / LINE * LINE);
    if (c->data[which] != NULL)
        memset(c->data[which], 0, (bytes + LINE) / LINE * LINE);
    return c->data[which] != NULL;
}

static bool rooms(call *c, size_t rows, size_t cols, int threads) {
    const size_t row = cols * norm_dtype_bytes(c->impl->dtype), sums = cols * sizeof(float);
    const size_t affine = cols * norm_dtype_bytes(norm_affine_dtype(c->impl));
    const size_t bytes[CALL_TENSORS] = {
        [CALL_X] = rows * row,
        [CALL_BRANCH] = rows * row,
        [CALL_DY] = rows * row,
        [CALL_DSUM] = rows * row,
        [CALL_GAMMA] = affine,
        [CALL_BETA] = affine,
        [CALL_Y] = rows * row,
        [CALL_SUM] = rows * row,
        [CALL_DX] = rows * row,
        [CALL_DGAMMA] = sums,
        [CALL_DBETA] = sums,
        [CALL_SCALARS] = 2 * sizeof(float),
        [CALL_SAVED] = norm_saved_bytes(c->impl, rows, cols),
        [CALL_WORKSPACE] = norm_workspace_bytes(c->impl, rows, cols, threads),
    };
    for (size_t i = 0; i < CALL_TENSORS; i++)
        if (!room(c, (call_tensor)i, bytes[i]))
            return false;
    return true;
}

norm_args call_args(size_t rows, size_t cols, size_t stride) {
    return (norm_args){.rows = rows,
                       .cols = cols,
                       .x_stride = stride,
                       .y_stride = stride,
                       .dy_stride = stride,
                       .dx_stride = stride,
                       .branch_stride = stride,
                       .sum_stride = stride,
                       .dsum_stride = stride,
                       .alpha = 0.75f,
                       .shift = 0.25f,
                       .eps = 1e-5f};
}

bool call_make(call *c, const norm_impl *impl, size_t rows, size_t cols, int threads) {
    *c = (call){.impl = impl};
    if (!rooms(c, rows, cols, threads)) {
        call_free(c);
        return false;
    }
    for (call_tensor i = 0; i < CALL_INPUTS; i++)
        inputs_fill(INPUT_NORMAL, i < CALL_GAMMA ? impl->dtype : norm_affine_dtype(impl), c->data[i], cols, cols, 0,
                    i < CALL_GAMMA ? rows : 1, 1 + (uint64_t)i);
    float *const scalars = (float *)c->data[CALL_SCALARS];
    norm_args *const a = &c->args;
    *a = call_args(rows, cols, cols);
    a->x = c->data[CALL_X], a->y = c->data[CALL_Y];
    a->dy = c->data[CALL_DY], a->dx = c->data[CALL_DX];
    a->branch = c->data[CALL_BRANCH], a->sum = c->data[CALL_SUM], a->dsum = c->data[CALL_DSUM];
    a->gamma = c->data[CALL_GAMMA], a->beta = c->data[CALL_BETA];
    a->dgamma = (float *)c->data[CALL_DGAMMA], a->dbeta = (float *)c->data[CALL_DBETA];
    a->dalpha = scalars, a->dshift = scalars + 1;
    a->saved = c->data[CALL_SAVED], a->workspace = c->data[CALL_WORKSPACE];
    return true;
}

void call_free(call *c) {
    norm_release(c->impl, c->data[CALL_SAVED]);
    for (size_t i = 0; i < CALL_TENSORS; i++)
        free(c->data[i]);
}

norm_error call_run(call *c, int threads, int fill) {
    norm_release(c->impl, c->data[CALL_SAVED]);
    for (size_t i = CALL_INPUTS; i < CALL_TENSORS; i++)
        memset(c->data[i], i == CALL_SAVED && c->impl->form == NORM_FRAMEWORK ? 0 : fill, c->bytes[i]);
    const norm_error error = norm_run(c->impl, NORM_FORWARD, &c->args, threads);
    if (error != NORM_OK || c->impl->pass[NORM_BACKWARD].count == 0)
        return error;
    const norm_args back = cell_pass_args(c->impl->form, NORM_BACKWARD, &c->args);
    return norm_run(c->impl, NORM_BACKWARD, &back, threads);
}

bool call_same(const call *a, const call *b, call_tensor *where) {
    for (*where = CALL_INPUTS; *where < CALL_SAVED; ++*where)
        if (memcmp(a->data[*where], b->data[*where], a->bytes[*where]) != 0)
            return false;
    return true;
}

unsigned char *call_row(const call *c, call_tensor which, size_t row) {
    return c->data[which] + row * c->args.cols * norm_dtype_bytes(c->impl->dtype);
}

const char *call_name(const norm_impl *impl) {
    static char text[128];
    snprintf(text, sizeof text, "%s/%s/%s/%s/%s", norm_op_name(impl->op), impl->variant, norm_form_name(impl->form),
             norm_level_name(impl->level), norm_dtype_name(impl->dtype));
    return text;
}
