// SPDX-License-Identifier: MIT
// layernorm.c: a plug-in around somebody else's function (their_layernorm.h), forward alone.
#include <norm_plugin.h>

#include "their_layernorm.h"

// Their rows follow one another without gaps. Where ours do not, each is a call.
static void forward(const norm_args *a, const norm_slice *rows) {
    const bool dense = a->x_stride == a->cols && a->y_stride == a->cols;
    const size_t step = dense ? rows->end - rows->begin : 1;
    for (size_t row = rows->begin; row < rows->end; row += step)
        their_layernorm((float *)a->y + row * a->y_stride, (const float *)a->x + row * a->x_stride, a->gamma, a->beta,
                        (int)step, (int)a->cols, a->eps);
}

static const norm_stage stages[] = {{forward, NORM_SPLIT_ROWS, 8}};
static const norm_impl impls[] = {
    {.op = NORM_LAYERNORM, .dtype = NORM_F32, .params = NORM_GAMMA | NORM_BETA, .pass[NORM_FORWARD] = {stages, 1}}};
const norm_plugin norm_plugin_table = {NORM_ABI, "theirs", impls, 1};
