// SPDX-License-Identifier: MIT
// onednn_layouts.h: what the onednn*.c files share: the library opened, where operands stand, and a primitive made of
// its description.
#ifndef ONEDNN_LAYOUTS_H
#define ONEDNN_LAYOUTS_H

#include "onednn.h"

// layout: a description that is owned; layout_ref: one that is looked at.
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t layout;
typedef const_dnnl_memory_desc_t layout_ref;
#else
typedef dnnl_memory_desc_t layout;
typedef const dnnl_memory_desc_t *layout_ref;
#endif

// The operands of a primitive as the library wants them; an absent one is NULL.
typedef struct {
    size_t count;
    layout own[ONEDNN_ARGS];
    layout_ref at[ONEDNN_ARGS];
} onednn_layouts;

dnnl_data_type_t onednn_type(norm_dtype dtype);
// To be freed in any case.
dnnl_status_t onednn_layouts_make(onednn_layouts *all, const onednn_tensor *const tensors[], size_t count);
void onednn_layouts_free(onednn_layouts *all);

// Makes the process's engine and the calling thread's stream, if they are not there yet.
dnnl_status_t onednn_open(void);
extern dnnl_engine_t onednn_engine;

// The primitive of op->desc and its memory objects. status: that of making op->desc; names: of the operands, of which
// those are left out that `all` (if not NULL) does not have.
dnnl_status_t onednn_finish(onednn_op *op, dnnl_status_t status, const int *names, size_t count,
                            const onednn_layouts *all);

#endif
