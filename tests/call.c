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
    const size_t bytes[CALL_TENSORS] = {
        [CALL_X] = rows * row,
        [CALL_BRANCH] = rows * row,
        [CALL_DY] = rows * row,
        [CALL_DSUM] = rows * row,
        [CALL_GAMMA] = row,
        [CALL_BETA] = row,
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

bool call_make(call *c, const norm_impl *impl, size_t rows, size_t cols, int threads) {
    *c = (call){.impl = impl};
    if (!rooms(c, rows, cols, threads)) {
        call_free(c);
        return false;
    }
    for (call_tensor i = 0; i < CALL_INPUTS; i++)
        inputs_fill(INPUT_NORMAL, impl->dtype, c->data[i], cols, cols, 0, i < CALL_GAMMA ? rows : 1, 1 + (uint64_t)i);
    float *const scalars = (float *)c->data[CALL_SCALARS];
    c->args = (norm_args){.rows = rows,
                          .cols = cols,
                          .x_stride = cols,
                          .y_stride = cols,
                          .dy_stride = cols,
                          .dx_stride = cols,
                          .branch_stride = cols,
                          .sum_stride = cols,
                          .dsum_stride = cols,
                          .x = c->data[CALL_X],
                          .y = c->data[CALL_Y],
                          .dy = c->data[CALL_DY],
                          .dx = c->data[CALL_DX],
                          .branch = c->data[CALL_BRANCH],
                          .sum = c->data[CALL_SUM],
                          .dsum = c->data[CALL_DSUM],
                          .gamma = c->data[CALL_GAMMA],
                          .beta = c->data[CALL_BETA],
                          .alpha = 0.75f,
                          .shift = 0.25f,
                          .eps = 1e-5f,
                          .dgamma = (float *)c->data[CALL_DGAMMA],
                          .dbeta = (float *)c->data[CALL_DBETA],
                          .dalpha = scalars,
                          .dshift = scalars + 1,
                          .saved = c->data[CALL_SAVED],
                          .workspace = c->data[CALL_WORKSPACE]};
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
