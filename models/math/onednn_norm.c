// SPDX-License-Identifier: MIT
// onednn_norm.c: oneDNN's norms, and dyt of its primitives; see onednn.h.
#include "onednn_layouts.h"

// Handles of 3.4 and later take any type of gamma and beta; before, they are f32.
#define ONEDNN_SINCE(major, minor)                                                                                     \
    (DNNL_VERSION_MAJOR > (major) || (DNNL_VERSION_MAJOR == (major) && DNNL_VERSION_MINOR >= (minor)))
#if ONEDNN_SINCE(3, 9)
enum { RMS = dnnl_rms_norm };
#else
enum { RMS = 0 };
#endif

dnnl_status_t onednn_norm_forward(onednn_op *op, const onednn_tensor *x, const onednn_tensor *stats,
                                  const onednn_tensor *gamma, const onednn_tensor *beta, float eps) {
    static const int names[] = {DNNL_ARG_SRC,   DNNL_ARG_MEAN,  DNNL_ARG_VARIANCE,
                                DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_DST};
    const dnnl_prop_kind_t kind = stats ? dnnl_forward_training : dnnl_forward_inference;
    const unsigned flags = (unsigned)dnnl_use_scale | (unsigned)(beta ? (int)dnnl_use_shift : (int)RMS);
    onednn_layouts all = {0};
    *op = (onednn_op){0};
    if ((!beta && RMS == 0) || (!ONEDNN_SINCE(3, 4) && gamma->dtype != NORM_F32))
        return dnnl_unimplemented;
    dnnl_status_t status = onednn_open();
    if (status == dnnl_success)
        status = onednn_layouts_make(&all, (const onednn_tensor *const[]){x, stats, stats, gamma, beta, x}, 6);
    if (status == dnnl_success) {
#if ONEDNN_SINCE(3, 4)
        status = dnnl_layer_normalization_forward_primitive_desc_create_v2(&op->desc, onednn_engine, kind, all.at[0],
                                                                           all.at[5], all.at[1],
                                                                           onednn_type(gamma->dtype), eps, flags, NULL);
#elif DNNL_VERSION_MAJOR >= 3
        status = dnnl_layer_normalization_forward_primitive_desc_create(&op->desc, onednn_engine, kind, all.at[0],
                                                                        all.at[5], all.at[1], eps, flags, NULL);
#else
        dnnl_layer_normalization_desc_t description;
        status = dnnl_layer_normalization_forward_desc_init(&description, kind, all.at[0], all.at[1], eps, flags);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(&op->desc, &description, NULL, onednn_engine, NULL);
#endif
    }
    status = onednn_finish(op, status, names, 6, &all);
    onednn_layouts_free(&all);
    return status;
}

dnnl_status_t onednn_norm_backward(onednn_op *op, const onednn_tensor *x, const onednn_tensor *stats,
                                   const onednn_tensor *gamma, float eps) {
    static const int names[] = {DNNL_ARG_SRC,        DNNL_ARG_MEAN,       DNNL_ARG_VARIANCE,
                                DNNL_ARG_SCALE,      DNNL_ARG_DIFF_DST,   DNNL_ARG_DIFF_SRC,
                                DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT, DNNL_ARG_SHIFT};
    enum { INPUTS_WITHOUT_BETA = 5, OPERANDS = sizeof names / sizeof *names };
    int inputs = 0;
    const unsigned flags = (unsigned)dnnl_use_scale | (unsigned)dnnl_use_shift;
    onednn_op forward;
    onednn_layouts all = {0};
    *op = (onednn_op){0};
    dnnl_status_t status = onednn_norm_forward(&forward, x, stats, gamma, gamma, eps); // a hint for what follows
    if (status == dnnl_success)
        status = onednn_layouts_make(
            &all, (const onednn_tensor *const[]){x, stats, stats, gamma, x, x, gamma, gamma, gamma}, OPERANDS);
    if (status == dnnl_success) {
#if ONEDNN_SINCE(3, 4)
        status = dnnl_layer_normalization_backward_primitive_desc_create_v2(
            &op->desc, onednn_engine, dnnl_backward, all.at[5], all.at[4], all.at[0], all.at[1],
            onednn_type(gamma->dtype), onednn_type(gamma->dtype), eps, flags, forward.desc, NULL);
#elif DNNL_VERSION_MAJOR >= 3
        status = dnnl_layer_normalization_backward_primitive_desc_create(&op->desc, onednn_engine, dnnl_backward,
                                                                         all.at[5], all.at[4], all.at[0], all.at[1],
                                                                         eps, flags, forward.desc, NULL);
#else
        dnnl_layer_normalization_desc_t description;
        status = dnnl_layer_normalization_backward_desc_init(&description, dnnl_backward, all.at[5], all.at[0],
                                                             all.at[1], eps, flags);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(&op->desc, &description, NULL, onednn_engine, forward.desc);
#endif
    }
    if (status == dnnl_success)
        status = dnnl_primitive_desc_query(op->desc, dnnl_query_num_of_inputs_s32, 0, &inputs);
    status = onednn_finish(op, status, names, inputs > INPUTS_WITHOUT_BETA ? OPERANDS : OPERANDS - 1, &all);
    onednn_layouts_free(&all);
    onednn_free(&forward);
    return status;
}

static dnnl_status_t append_tanh(dnnl_post_ops_t after) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_eltwise(after, dnnl_eltwise_tanh, 0, 0);
#else
    return dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_tanh, 0, 0);
#endif
}

dnnl_status_t onednn_dyt(onednn_op *op, const onednn_tensor *x, const onednn_tensor *alpha, const onednn_tensor *gamma,
                         const onednn_tensor *beta) {
    static const int names[] = {DNNL_ARG_SRC_0, DNNL_ARG_SRC_1, DNNL_ARG_ATTR_MULTIPLE_POST_OP(1) | DNNL_ARG_SRC_1,
                                DNNL_ARG_ATTR_MULTIPLE_POST_OP(2) | DNNL_ARG_SRC_1, DNNL_ARG_DST};
    onednn_layouts all = {0};
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t after = NULL;
    *op = (onednn_op){0};
    dnnl_status_t status = onednn_open();
    if (status == dnnl_success)
        status = onednn_layouts_make(&all, (const onednn_tensor *const[]){x, alpha, gamma, beta, x}, 5);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&attr);
    if (status == dnnl_success)
        status = dnnl_post_ops_create(&after);
    if (status == dnnl_success)
        status = append_tanh(after);
    if (status == dnnl_success)
        status = dnnl_post_ops_append_binary(after, dnnl_binary_mul, all.at[2]);
    if (status == dnnl_success)
        status = dnnl_post_ops_append_binary(after, dnnl_binary_add, all.at[3]);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(attr, after);
    if (status == dnnl_success) {
#if DNNL_VERSION_MAJOR >= 3
        status = dnnl_binary_primitive_desc_create(&op->desc, onednn_engine, dnnl_binary_mul, all.at[0], all.at[1],
                                                   all.at[4], attr);
#else
        dnnl_binary_desc_t description;
        status = dnnl_binary_desc_init(&description, dnnl_binary_mul, all.at[0], all.at[1], all.at[4]);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(&op->desc, &description, attr, onednn_engine, NULL);
#endif
    }
    status = onednn_finish(op, status, names, 5, &all);
    if (after)
        (void)dnnl_post_ops_destroy(after);
    if (attr)
        (void)dnnl_primitive_attr_destroy(attr);
    onednn_layouts_free(&all);
    return status;
}
