// SPDX-License-Identifier: MIT
// onednn_conv.c: oneDNN's convolution, forward and backward; see onednn.h.
#include "onednn_layouts.h"

static const dnnl_dims_t conv_strides = {1, 1};
#if DNNL_VERSION_MAJOR >= 3
static const dnnl_dims_t conv_dilates = {0, 0};
#endif

dnnl_status_t onednn_conv_forward(onednn_op *op, const onednn_tensor *x, const onednn_tensor *weights,
                                  const onednn_tensor *bias, const onednn_tensor *y, const size_t padding[2],
                                  bool train) {
    static const int names[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST};
    const dnnl_prop_kind_t kind = train ? dnnl_forward_training : dnnl_forward_inference;
    const dnnl_dims_t pad = {(dnnl_dim_t)padding[0], (dnnl_dim_t)padding[1]};
    onednn_layouts all = {0};
    *op = (onednn_op){0};
    dnnl_status_t status = onednn_open();
    if (status == dnnl_success)
        status = onednn_layouts_make(&all, (const onednn_tensor *const[]){x, weights, bias, y}, 4);
    if (status == dnnl_success) {
#if DNNL_VERSION_MAJOR >= 3
        status = dnnl_convolution_forward_primitive_desc_create(&op->desc, onednn_engine, kind, dnnl_convolution_direct,
                                                                all.at[0], all.at[1], all.at[2], all.at[3],
                                                                conv_strides, conv_dilates, pad, pad, NULL);
#else
        dnnl_convolution_desc_t description;
        status = dnnl_convolution_forward_desc_init(&description, kind, dnnl_convolution_direct, all.at[0], all.at[1],
                                                    all.at[2], all.at[3], conv_strides, pad, pad);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(&op->desc, &description, NULL, onednn_engine, NULL);
#endif
    }
    status = onednn_finish(op, status, names, 4, &all);
    onednn_layouts_free(&all);
    return status;
}

dnnl_status_t onednn_conv_backward_data(onednn_op *op, const onednn_tensor *dx, const onednn_tensor *weights,
                                        const onednn_tensor *dy, const size_t padding[2], const onednn_op *forward) {
    static const int names[] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST};
    const dnnl_dims_t pad = {(dnnl_dim_t)padding[0], (dnnl_dim_t)padding[1]};
    onednn_layouts all = {0};
    *op = (onednn_op){0};
    dnnl_status_t status = onednn_layouts_make(&all, (const onednn_tensor *const[]){dx, weights, dy}, 3);
    if (status == dnnl_success) {
#if DNNL_VERSION_MAJOR >= 3
        status = dnnl_convolution_backward_data_primitive_desc_create(&op->desc, onednn_engine, dnnl_convolution_direct,
                                                                      all.at[0], all.at[1], all.at[2], conv_strides,
                                                                      conv_dilates, pad, pad, forward->desc, NULL);
#else
        dnnl_convolution_desc_t description;
        status = dnnl_convolution_backward_data_desc_init(&description, dnnl_convolution_direct, all.at[0], all.at[1],
                                                          all.at[2], conv_strides, pad, pad);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(&op->desc, &description, NULL, onednn_engine, forward->desc);
#endif
    }
    status = onednn_finish(op, status, names, 3, &all);
    onednn_layouts_free(&all);
    return status;
}

dnnl_status_t onednn_conv_backward_weights(onednn_op *op, const onednn_tensor *x, const onednn_tensor *dweights,
                                           const onednn_tensor *dbias, const onednn_tensor *dy, const size_t padding[2],
                                           const onednn_op *forward) {
    static const int names[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS, DNNL_ARG_DIFF_DST};
    const dnnl_dims_t pad = {(dnnl_dim_t)padding[0], (dnnl_dim_t)padding[1]};
    onednn_layouts all = {0};
    *op = (onednn_op){0};
    dnnl_status_t status = onednn_layouts_make(&all, (const onednn_tensor *const[]){x, dweights, dbias, dy}, 4);
    if (status == dnnl_success) {
#if DNNL_VERSION_MAJOR >= 3
        status = dnnl_convolution_backward_weights_primitive_desc_create(
            &op->desc, onednn_engine, dnnl_convolution_direct, all.at[0], all.at[1], all.at[2], all.at[3], conv_strides,
            conv_dilates, pad, pad, forward->desc, NULL);
#else
        dnnl_convolution_desc_t description;
        status = dnnl_convolution_backward_weights_desc_init(&description, dnnl_convolution_direct, all.at[0],
                                                             all.at[1], all.at[2], all.at[3], conv_strides, pad, pad);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(&op->desc, &description, NULL, onednn_engine, forward->desc);
#endif
    }
    status = onednn_finish(op, status, names, 4, &all);
    onednn_layouts_free(&all);
    return status;
}
